#include "members.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "parallel.h"

namespace farsight {

namespace {

// Multiplies and folds eight bytes at a time, as wyhash does; never 0.
uint64_t hash_of(const uint8_t* bytes, size_t count) {
  const auto mix = [](uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t hash = 0x9e3779b97f4a7c15ull ^ count;
  for (size_t at = 0; at < count; at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + at, std::min<size_t>(8, count - at));
    hash = mix(hash ^ 0xa0761d6478bd642full, word ^ 0xe7037ed1a0b428dbull) + hash;
  }
  hash = mix(hash ^ 0x8ebc6af09c88c6e3ull, 0x589965cc75374cc3ull);
  return hash == 0 ? 1 : hash;
}

// Takes the part [first, first + rows) of the slots, split over threads where clusters end. `Cluster` gathers the
// members of one: take(record), then finish(cluster, members) when it ends. `open` goes on with the cluster in which the
// part before ended, and is left at the one in which this part ends, or null.
template <typename Cluster, typename Make>
void add_members(const uint8_t* records, size_t record_bytes, size_t first, size_t rows, const uint32_t* starts,
                 size_t clusters, size_t threads, std::shared_ptr<Cluster>& open, MemberCounts& counts, Make make) {
  const size_t end = first + rows;
  // The cluster that slot s lies in.
  const auto cluster_at = [&](size_t s) {
    return static_cast<size_t>(std::upper_bound(starts, starts + clusters + 1, s) - starts) - 1;
  };
  // Shares begin with whole clusters, but for the first.
  std::vector<size_t> borders{first};
  for (size_t share = 1; share < threads; ++share) {
    const size_t slot = starts[cluster_at(first + rows * share / threads)];
    if (slot > borders.back()) borders.push_back(slot);
  }
  borders.push_back(end);
  const size_t shares = borders.size() - 1;
  std::vector<MemberCounts> found(shares);
  std::vector<std::shared_ptr<Cluster>> last(shares);
  run_parts(shares, [&](size_t share) {
    std::shared_ptr<Cluster> members = share == 0 && open ? std::move(open) : make();
    size_t slot = borders[share];
    for (size_t c = cluster_at(slot); slot < borders[share + 1]; ++c) {
      const size_t until = std::min<size_t>(starts[c + 1], borders[share + 1]);
      for (; slot < until; ++slot) members->take(records + (slot - first) * record_bytes, found[share]);
      if (slot == starts[c + 1]) members->finish(c, double(starts[c + 1] - starts[c]));
    }
    last[share] = std::move(members);
  });
  for (const MemberCounts& part : found) {
    counts.duplicates += part.duplicates;
    counts.zeros += part.zeros;
  }
  open = std::move(last.back());
}

} // namespace

bool DistinctRecords::add(const uint8_t* record, size_t bytes) {
  if (2 * (count_ + 1) > table_.size()) grow();
  const uint64_t hash = hash_of(record, bytes);
  for (size_t at = hash & (table_.size() - 1);; at = (at + 1) & (table_.size() - 1)) {
    if (table_[at] == hash) return false;
    if (table_[at] != 0) continue;
    table_[at] = hash;
    ++count_;
    return true;
  }
}

void DistinctRecords::grow() {
  std::vector<uint64_t> old(std::max<size_t>(256, 2 * table_.size()));
  old.swap(table_);
  for (const uint64_t hash : old) {
    if (hash == 0) continue;
    size_t at = hash & (table_.size() - 1);
    while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
    table_[at] = hash;
  }
}

void DistinctRecords::clear() {
  // A table that one huge cluster needed is not cleared for each small one.
  constexpr size_t kKept = 4096;
  if (table_.size() > kKept) {
    std::vector<uint64_t>(kKept).swap(table_);
  } else {
    std::fill(table_.begin(), table_.end(), uint64_t{0});
  }
  count_ = 0;
}

struct RatioMembers::Cluster {
  const RatioRecordForm form;
  const double scale;
  SparseSums sums;
  DistinctRecords distinct;
  SparseMoments means, variances;

  void take(const uint8_t* record, MemberCounts& counts) {
    bool zero = true;
    const uint8_t* codes = record + 2 * size_t{form.features};
    for (uint32_t j = 0; j < form.features; ++j) {
      uint32_t code = 0;
      std::memcpy(&code, codes + size_t{form.code_bytes} * j, form.code_bytes);
      if (code == 0) continue;
      uint16_t id;
      std::memcpy(&id, record + 2 * j, 2);
      zero = false;
      const float value = static_cast<float>(code * scale);
      if (value != 0) sums.add(id, value);
    }
    counts.zeros += zero;
    counts.duplicates += !distinct.add(record, form.bytes());
  }

  void finish(size_t cluster, double members) {
    sums.mean(members, cluster, means);
    if (variances.values != nullptr) sums.variance(members, cluster, variances);
    sums.clear();
    distinct.clear();
  }
};

void RatioMembers::add(const uint8_t* records, size_t first, size_t rows, const uint32_t* starts, size_t clusters,
                       size_t threads, const SparseMoments& means, const SparseMoments& variances) {
  if (open_) {
    open_->means = means;
    open_->variances = variances;
  }
  add_members(records, form_.bytes(), first, rows, starts, clusters, threads, open_, counts_, [&] {
    return std::shared_ptr<Cluster>(new Cluster{form_, scale_, SparseSums(dims_), {}, means, variances});
  });
}

struct Sq8Members::Cluster {
  const float* offset;
  const float* step;
  size_t dims;
  DenseSums sums;
  DistinctRecords distinct;
  float* means;
  float* variances;

  void take(const uint8_t* record, MemberCounts& counts) {
    sums.add(record);
    counts.zeros += zero(record);
    counts.duplicates += !distinct.add(record, dims);
  }

  // Zero within half a step in every dimension.
  bool zero(const uint8_t* record) const {
    for (size_t d = 0; d < dims; ++d) {
      const double value = double(offset[d]) + double(step[d]) * record[d];
      if (std::fabs(value) > double(step[d]) / 2 + 1e-12) return false;
    }
    return true;
  }

  void finish(size_t cluster, double members) {
    sums.mean(members, offset, step, means + cluster * dims);
    if (variances != nullptr) sums.variance(members, step, variances + cluster * dims);
    sums.clear();
    distinct.clear();
  }
};

void Sq8Members::add(const uint8_t* records, size_t first, size_t rows, const uint32_t* starts, size_t clusters,
                     size_t threads, float* means, float* variances) {
  if (open_) {
    open_->means = means;
    open_->variances = variances;
  }
  add_members(records, dims(), first, rows, starts, clusters, threads, open_, counts_, [&] {
    return std::shared_ptr<Cluster>(
        new Cluster{offset_.data(), step_.data(), dims(), DenseSums(dims()), {}, means, variances});
  });
}

} // namespace farsight
