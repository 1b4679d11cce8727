// Dense assignment, exactly: kernels().panel_distance to every representative, in float over ascending dimensions.
#include "assign.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "assign-rows.h"
#include "kernels.h"
#include "parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace farsight {

namespace {

// out[16 * q + r]: kernels().panel_distance for kPanelRows queries, `dims` floats apart, at once: one load of a panel
// row serves them all.
constexpr size_t kPanelRows = 8;
using PanelDistances = void (*)(const float* panel, const float* queries, size_t dims, float* out);

void panel_distances_any(const float* panel, const float* queries, size_t dims, float* out) {
  for (size_t q = 0; q < kPanelRows; ++q) kernels().panel_distance(panel, queries + q * dims, dims, out + q * kLanes);
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void panel_distances_avx512(const float* panel, const float* queries, size_t dims,
                                                               float* out) {
  __m512 sums[kPanelRows];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  for (size_t d = 0; d < dims; ++d) {
    const __m512 row = _mm512_loadu_ps(panel + d * kLanes);
#pragma GCC unroll 8
    for (size_t q = 0; q < kPanelRows; ++q) {
      const __m512 difference = _mm512_sub_ps(row, _mm512_set1_ps(queries[q * dims + d]));
      sums[q] = _mm512_fmadd_ps(difference, difference, sums[q]);
    }
  }
  for (size_t q = 0; q < kPanelRows; ++q) _mm512_storeu_ps(out + q * kLanes, sums[q]);
}

__attribute__((target("avx2,fma"))) void panel_distances_avx2(const float* panel, const float* queries, size_t dims,
                                                              float* out) {
  // Four queries by two halves of a panel row: eight sums stay in registers.
  for (size_t first = 0; first < kPanelRows; first += 4, queries += 4 * dims, out += 4 * kLanes) {
    __m256 sums[8];
    for (__m256& sum : sums) sum = _mm256_setzero_ps();
    for (size_t d = 0; d < dims; ++d) {
      const __m256 low = _mm256_loadu_ps(panel + d * kLanes), high = _mm256_loadu_ps(panel + d * kLanes + 8);
#pragma GCC unroll 4
      for (size_t q = 0; q < 4; ++q) {
        const __m256 value = _mm256_set1_ps(queries[q * dims + d]);
        const __m256 l = _mm256_sub_ps(low, value), h = _mm256_sub_ps(high, value);
        sums[2 * q] = _mm256_fmadd_ps(l, l, sums[2 * q]);
        sums[2 * q + 1] = _mm256_fmadd_ps(h, h, sums[2 * q + 1]);
      }
    }
    for (size_t s = 0; s < 8; ++s) _mm256_storeu_ps(out + 8 * s, sums[s]);
  }
}
#endif

PanelDistances panel_distances() {
#if defined(__x86_64__)
  if (std::strcmp(kernels().isa, "avx512") == 0) return panel_distances_avx512;
  if (std::strcmp(kernels().isa, "avx2") == 0) return panel_distances_avx2;
#endif
  return panel_distances_any;
}

class ExactDense final : public DenseAssigner {
 public:
  ExactDense(const float* representatives, size_t count, size_t dims)
      : dims_(dims), panel_count_((count + kLanes - 1) / kLanes), panels_(panel_count_ * kLanes * dims) {
    for (size_t r = 0; r < panel_count_ * kLanes; ++r) {
      set_lane(panels_.data() + r / kLanes * kLanes * dims, r % kLanes,
               r < count ? representatives + r * dims : nullptr, dims);
    }
  }

  void assign(const Sq8Vectors& rows, size_t threads, uint32_t* nearest, float* distances) const override {
    const size_t dims = dims_;
    const size_t panels = panel_count_;
    // As many rows at a time as 128 KiB hold, so that rows and panel stay in a level 2 cache.
    const size_t block = std::clamp<size_t>(131072 / (dims * sizeof(float)) / kPanelRows, 1, 16) * kPanelRows;
    const PanelDistances measure = panel_distances();
    parallel(rows.rows, threads, [&](size_t first, size_t last) {
      std::vector<float> queries(block * dims);
      std::vector<float> best(block * kLanes);
      std::vector<uint32_t> best_panel(block * kLanes);
      float found[kPanelRows * kLanes];
      for (size_t begin = first; begin < last; begin += block) {
        const size_t here = std::min(block, last - begin);
        for (size_t q = 0; q < here; ++q) decode(rows, begin + q, queries.data() + q * dims);
        std::fill(best.begin(), best.end(), kFar);
        std::fill(best_panel.begin(), best_panel.end(), 0u);
        for (size_t p = 0; p < panels; ++p) {
          // The last group may hold rows of an earlier block: measured, not used.
          for (size_t group = 0; group < here; group += kPanelRows) {
            measure(panels_.data() + p * kLanes * dims, queries.data() + group * dims, dims, found);
            float* lane_best = best.data() + group * kLanes;
            uint32_t* lane_panel = best_panel.data() + group * kLanes;
            for (size_t i = 0; i < kPanelRows * kLanes; ++i) {
              lane_panel[i] = found[i] < lane_best[i] ? static_cast<uint32_t>(p) : lane_panel[i];
              lane_best[i] = found[i] < lane_best[i] ? found[i] : lane_best[i];
            }
          }
        }
        for (size_t q = 0; q < here; ++q) {
          Near<float> row_best{kFar, 0};
          for (size_t i = q * kLanes; i < (q + 1) * kLanes; ++i) {
            row_best = std::min(row_best, {best[i], static_cast<uint32_t>(best_panel[i] * kLanes + i % kLanes)});
          }
          nearest[begin + q] = row_best.representative;
          distances[begin + q] = row_best.distance;
        }
      }
    });
  }

 private:
  size_t dims_;
  size_t panel_count_;
  std::vector<float> panels_;
};

} // namespace

std::unique_ptr<DenseAssigner> dense_assigner(const float* representatives, size_t count, size_t dims,
                                              const AssignTree* tree, size_t threads) {
  (void)tree; (void)threads;
  return std::make_unique<ExactDense>(representatives, count, dims);
}

void nearest_exact(const Sq8Vectors& rows, const float* representatives, size_t count, size_t threads,
                   uint32_t* nearest, float* distances) {
  ExactDense(representatives, count, rows.dims).assign(rows, threads, nearest, distances);
}

} // namespace farsight
