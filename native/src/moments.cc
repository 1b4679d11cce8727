// Cluster moments. Dense sums are of codes, exactly: with value = offset + step * code, the mean of the values is
// offset + step * (mean of the codes) and their variance step^2 * (variance of the codes).
#include "moments.h"

#include <algorithm>
#include <vector>

#include "parallel.h"

namespace farsight {

namespace {

struct Sums {
  double values = 0;
  double squares = 0;
};

// moment(sums, count) of every feature that some member of a cluster has.
template <typename Moment>
void sparse_moments(const SparseVectors& rows, size_t dims, const uint32_t* order, const uint32_t* starts,
                    size_t clusters, size_t features, size_t threads, uint16_t* ids, float* values, Moment moment) {
  struct Entry {
    uint32_t id;
    float value;
  };
  parallel(clusters, threads, [&](size_t first, size_t last) {
    std::vector<Sums> sums(dims);
    std::vector<Entry> entries;
    for (size_t c = first; c < last; ++c) {
      if (starts[c] == starts[c + 1]) continue;
      entries.clear();
      for (size_t at = starts[c]; at < starts[c + 1]; ++at) {
        for (size_t j = order[at] * rows.per_row; j < (order[at] + size_t{1}) * rows.per_row; ++j) {
          const double value = rows.values[j];
          if (value == 0) continue;
          Sums& sum = sums[rows.ids[j]];
          if (sum.values == 0) entries.push_back({rows.ids[j], 0});
          sum.values += value;
          sum.squares += value * value;
        }
      }
      for (Entry& entry : entries) {
        entry.value = static_cast<float>(moment(sums[entry.id], double(starts[c + 1] - starts[c])));
        sums[entry.id] = {};
      }
      const size_t kept = std::min(features, entries.size());
      std::partial_sort(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(kept), entries.end(),
                        [](const Entry& a, const Entry& b) {
                          return a.value > b.value || (a.value == b.value && a.id < b.id);
                        });
      for (size_t j = 0; j < features; ++j) {
        ids[c * features + j] = j < kept ? static_cast<uint16_t>(entries[j].id) : 0;
        values[c * features + j] = j < kept ? entries[j].value : 0;
      }
    }
  });
}

// moment(sum of codes, sum of squared codes, count, dimension) of every dimension.
template <typename Moment>
void dense_moments(const Sq8Vectors& rows, const uint32_t* order, const uint32_t* starts, size_t clusters,
                   size_t threads, float* values, Moment moment) {
  parallel(clusters, threads, [&](size_t first, size_t last) {
    std::vector<uint64_t> sums(rows.dims), squares(rows.dims);
    for (size_t c = first; c < last; ++c) {
      if (starts[c] == starts[c + 1]) continue;
      std::fill(sums.begin(), sums.end(), uint64_t{0});
      std::fill(squares.begin(), squares.end(), uint64_t{0});
      for (size_t at = starts[c]; at < starts[c + 1]; ++at) {
        const uint8_t* codes = rows.codes + size_t{order[at]} * rows.dims;
        for (size_t d = 0; d < rows.dims; ++d) {
          sums[d] += codes[d];
          squares[d] += uint32_t{codes[d]} * codes[d];
        }
      }
      for (size_t d = 0; d < rows.dims; ++d) {
        values[c * rows.dims + d] =
            static_cast<float>(moment(double(sums[d]), double(squares[d]), double(starts[c + 1] - starts[c]), d));
      }
    }
  });
}

double variance(double sum, double squares, double count) {
  const double mean = sum / count;
  return std::max(0.0, squares / count - mean * mean);
}

} // namespace

void means(const SparseVectors& rows, size_t dims, const uint32_t* order, const uint32_t* starts, size_t clusters,
           size_t features, size_t threads, uint16_t* ids, float* values) {
  sparse_moments(rows, dims, order, starts, clusters, features, threads, ids, values,
                 [](const Sums& sums, double count) { return sums.values / count; });
}

void means(const Sq8Vectors& rows, const uint32_t* order, const uint32_t* starts, size_t clusters, size_t threads,
           float* values) {
  dense_moments(rows, order, starts, clusters, threads, values, [&](double sum, double, double count, size_t d) {
    return rows.offset[d] + rows.step[d] * (sum / count);
  });
}

void variances(const SparseVectors& rows, size_t dims, const uint32_t* order, const uint32_t* starts, size_t clusters,
               size_t features, size_t threads, uint16_t* ids, float* values) {
  sparse_moments(rows, dims, order, starts, clusters, features, threads, ids, values,
                 [](const Sums& sums, double count) { return variance(sums.values, sums.squares, count); });
}

void variances(const Sq8Vectors& rows, const uint32_t* order, const uint32_t* starts, size_t clusters, size_t threads,
               float* values) {
  dense_moments(rows, order, starts, clusters, threads, values,
                [&](double sum, double squares, double count, size_t d) {
                  return double(rows.step[d]) * rows.step[d] * variance(sum, squares, count);
                });
}

} // namespace farsight
