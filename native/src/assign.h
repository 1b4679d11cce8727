// Building clusters: the nearest representative of every item, and the mean of every cluster. Results do not depend
// on the number of threads or the instruction set; ties go to the lower representative. Ids are below dims, and there
// is at least one representative. What a thread throws (memory) is thrown again by the function that started it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "vectors.h"

namespace farsight {

// Groups of representatives that are searched instead of all: an item is compared with the means of `nodes` groups,
// then with the members of the `beam` nearest of them. The groups depend on the representatives and the seed alone.
struct AssignTree {
  uint32_t nodes; // 1 to 65,536; over-full groups are divided and empty ones left out, so there may be more or fewer
  uint32_t beam;  // at least 1
  uint64_t seed;
};

// Representatives prepared for many chunks of rows. nearest[i] = the representative with the smallest squared Euclidean
// distance to row i (of those searched), distances[i] = that: the same for any chunking and number of threads.
class SparseAssigner {
 public:
  virtual ~SparseAssigner() = default;
  virtual void assign(const SparseVectors& rows, size_t threads, uint32_t* nearest, float* distances) const = 0;
};
class DenseAssigner {
 public:
  virtual ~DenseAssigner() = default;
  virtual void assign(const Sq8Vectors& rows, size_t threads, uint32_t* nearest, float* distances) const = 0;
};

// Exact without a tree. The representatives are copied.
std::unique_ptr<SparseAssigner> sparse_assigner(const SparseVectors& representatives, size_t dims,
                                                const AssignTree* tree, size_t threads);
std::unique_ptr<DenseAssigner> dense_assigner(const float* representatives, size_t count, size_t dims,
                                              const AssignTree* tree, size_t threads);

// groups[i] = the group of vector i in groups of near vectors, numbered so that near groups of near vectors often follow
// on each other; equal vectors share theirs. From `nodes` of a tree, divided and left out as there: returns how many
// groups there are, none of them empty. `on_pass` is called before the first pass over the
// vectors and after every one, by the thread that calls.
using OnPass = std::function<void(size_t done, size_t passes)>;
size_t sparse_groups(const SparseVectors& vectors, size_t dims, const AssignTree& tree, size_t threads,
                     uint32_t* groups, const OnPass& on_pass);
size_t dense_groups(const float* values, size_t count, size_t dims, const AssignTree& tree, size_t threads,
                    uint32_t* groups, const OnPass& on_pass);

} // namespace farsight
