// Building clusters: the nearest representative of every item, and the mean of every cluster. Results do not depend
// on the number of threads or the instruction set; ties go to the lower representative. Ids are below dims, and there
// is at least one representative. What a thread throws (memory) is thrown again by the function that started it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

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

// eCP's levels above the representatives. Level 0 is all representatives; the nodes of level l + 1 are some of the
// nodes of level l, and every node of level l has its parent among them.
struct Tree {
  std::span<const uint32_t> level_sizes; // bottom up: level_sizes[0] = representatives; at least 2 levels
  std::span<const uint32_t> nodes;       // representative number of each node of levels 1.., concatenated
  std::span<const uint32_t> parents;     // for each node of levels 0..top-1, concatenated: index within the next level
  uint32_t beam;                         // nodes kept per level on the way down
};

// nearest[i] = the representative with the smallest squared Euclidean distance to row i, distances[i] = that.
void nearest_exact(const SparseVectors& rows, const SparseVectors& representatives, size_t dims, size_t threads,
                   uint32_t* nearest, float* distances);
void nearest_exact(const Sq8Vectors& rows, const float* representatives, size_t count, size_t threads,
                   uint32_t* nearest, float* distances);

// The same by descending the tree from its top level with a beam; distances are computed as nearest_exact does, so a
// beam of all nodes gives its very answer. The dense form copies the representatives once into panels.
void nearest_tree(const SparseVectors& rows, const SparseVectors& representatives, size_t dims, const Tree& tree,
                  size_t threads, uint32_t* nearest, float* distances);
void nearest_tree(const Sq8Vectors& rows, const float* representatives, const Tree& tree, size_t threads,
                  uint32_t* nearest, float* distances);

} // namespace farsight
