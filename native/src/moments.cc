#include "moments.h"

#include <algorithm>

#include "parallel.h"

namespace farsight {

namespace {

double variance_of(double sum, double squares, double count) {
  const double mean = sum / count;
  return std::max(0.0, squares / count - mean * mean);
}

} // namespace

void SparseSums::mean(double count, size_t cluster, const SparseMoments& out) {
  entries_.clear();
  for (const uint32_t id : ids_) entries_.push_back({id, static_cast<float>(sums_[id].values / count)});
  write(cluster, out);
}

void SparseSums::variance(double count, size_t cluster, const SparseMoments& out) {
  entries_.clear();
  for (const uint32_t id : ids_) {
    entries_.push_back({id, static_cast<float>(variance_of(sums_[id].values, sums_[id].squares, count))});
  }
  write(cluster, out);
}

void SparseSums::clear() {
  for (const uint32_t id : ids_) sums_[id] = {};
  ids_.clear();
}

void SparseSums::write(size_t cluster, const SparseMoments& out) {
  const size_t kept = std::min(out.features, entries_.size());
  std::partial_sort(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(kept), entries_.end(),
                    [](const Entry& a, const Entry& b) {
                      return a.value > b.value || (a.value == b.value && a.id < b.id);
                    });
  for (size_t j = 0; j < out.features; ++j) {
    out.ids[cluster * out.features + j] = j < kept ? static_cast<uint16_t>(entries_[j].id) : 0;
    out.values[cluster * out.features + j] = j < kept ? entries_[j].value : 0;
  }
}

void DenseSums::mean(double count, const float* offset, const float* step, float* out) const {
  for (size_t d = 0; d < sums_.size(); ++d) {
    out[d] = static_cast<float>(offset[d] + step[d] * (double(sums_[d]) / count));
  }
}

void DenseSums::variance(double count, const float* step, float* out) const {
  for (size_t d = 0; d < sums_.size(); ++d) {
    out[d] = static_cast<float>(double(step[d]) * step[d] * variance_of(double(sums_[d]), double(squares_[d]), count));
  }
}

void DenseSums::clear() {
  std::fill(sums_.begin(), sums_.end(), uint64_t{0});
  std::fill(squares_.begin(), squares_.end(), uint64_t{0});
}

void means(const SparseVectors& rows, size_t dims, const uint32_t* order, const uint32_t* starts, size_t clusters,
           size_t features, size_t threads, uint16_t* ids, float* values) {
  const SparseMoments out{features, ids, values};
  parallel(clusters, threads, [&](size_t first, size_t last) {
    SparseSums sums(dims);
    for (size_t c = first; c < last; ++c) {
      if (starts[c] == starts[c + 1]) continue;
      for (size_t at = starts[c]; at < starts[c + 1]; ++at) {
        for (size_t j = order[at] * rows.per_row; j < (order[at] + size_t{1}) * rows.per_row; ++j) {
          if (rows.values[j] != 0) sums.add(rows.ids[j], rows.values[j]);
        }
      }
      sums.mean(double(starts[c + 1] - starts[c]), c, out);
      sums.clear();
    }
  });
}

void means(const Sq8Vectors& rows, const uint32_t* order, const uint32_t* starts, size_t clusters, size_t threads,
           float* values) {
  parallel(clusters, threads, [&](size_t first, size_t last) {
    DenseSums sums(rows.dims);
    for (size_t c = first; c < last; ++c) {
      if (starts[c] == starts[c + 1]) continue;
      for (size_t at = starts[c]; at < starts[c + 1]; ++at) sums.add(rows.codes + size_t{order[at]} * rows.dims);
      sums.mean(double(starts[c + 1] - starts[c]), rows.offset, rows.step, values + c * rows.dims);
      sums.clear();
    }
  });
}

} // namespace farsight
