// What the members of the final clusters amount to, from their records in slot order, a part at a time: mean and
// variance of every cluster, and how many records repeat an earlier one of their cluster or are zero. The parts may end
// inside a cluster, so a cluster of any size passes through bounded memory, and the results do not depend on where they
// end, nor on the number of threads.
#pragma once

#include <memory>
#include <vector>

#include "moments.h"
#include "records.h"

namespace farsight {

// Different records of a cluster, known by a 64-bit hash: n of them collide with a chance of n^2 / 2^65.
class DistinctRecords {
 public:
  // Whether the record is new.
  bool add(const uint8_t* record, size_t bytes);
  void clear();

 private:
  void grow();
  std::vector<uint64_t> table_; // open addressing, 0 is empty
  size_t count_ = 0;
};

struct MemberCounts {
  uint64_t duplicates = 0;
  uint64_t zeros = 0;
};

class RatioMembers {
 public:
  RatioMembers(size_t dims, RatioRecordForm form, double scale) : dims_(dims), form_(form), scale_(scale) {}
  // Takes the records of slots [first, first + rows), first being where the part before ended. Cluster c holds slots
  // [starts[c], starts[c + 1]), none is empty. Writes the moments of the clusters that end here.
  void add(const uint8_t* records, size_t first, size_t rows, const uint32_t* starts, size_t clusters, size_t threads,
           const SparseMoments& means, const SparseMoments& variances);
  const MemberCounts& counts() const { return counts_; }
  size_t dims() const { return dims_; }
  RatioRecordForm form() const { return form_; }

 private:
  struct Cluster;
  size_t dims_;
  RatioRecordForm form_;
  double scale_;
  MemberCounts counts_;
  std::shared_ptr<Cluster> open_; // the cluster in which the last part ended
};

class Sq8Members {
 public:
  Sq8Members(std::vector<float> offset, std::vector<float> step) : offset_(std::move(offset)), step_(std::move(step)) {}
  // The same; dims values a cluster.
  void add(const uint8_t* records, size_t first, size_t rows, const uint32_t* starts, size_t clusters, size_t threads,
           float* means, float* variances);
  const MemberCounts& counts() const { return counts_; }
  size_t dims() const { return offset_.size(); }

 private:
  struct Cluster;
  std::vector<float> offset_, step_;
  MemberCounts counts_;
  std::shared_ptr<Cluster> open_;
};

} // namespace farsight
