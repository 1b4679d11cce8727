// Dense assignment, exactly: kernels().panel_distance to every representative, in float over ascending dimensions.
#include "assign.h"

#include <algorithm>
#include <vector>

#include "assign-rows.h"
#include "assign-tree.h"
#include "kernels.h"
#include "panel-distances.h"
#include "parallel.h"

namespace farsight {

namespace {

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
  if (tree != nullptr) return dense_tree_assigner(representatives, count, dims, *tree, threads);
  return std::make_unique<ExactDense>(representatives, count, dims);
}

} // namespace farsight
