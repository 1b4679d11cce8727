// Means of groups of dense vectors; see dense-nodes.h.
#include "dense-nodes.h"

#include "assign-rows.h"
#include "parallel.h"

namespace farsight {

DenseNodes::DenseNodes(const std::vector<float>& values, size_t dims, std::span<const uint32_t> members,
                       std::span<const uint32_t> starts, size_t threads)
    : dims_(dims), count_(starts.size() - 1), panels_((count_ + kLanes - 1) / kLanes * kLanes * dims) {
  parallel(count_, threads, [&](size_t first, size_t last) {
    std::vector<double> sums(dims);
    std::vector<float> mean(dims);
    for (size_t n = first; n < last; ++n) {
      std::fill(sums.begin(), sums.end(), 0.0);
      const auto group = members.subspan(starts[n], starts[n + 1] - starts[n]);
      for (const uint32_t member : group) {
        for (size_t d = 0; d < dims; ++d) sums[d] += values[member * dims + d];
      }
      for (size_t d = 0; d < dims; ++d) mean[d] = static_cast<float>(sums[d] / static_cast<double>(group.size()));
      set_lane(panels_.data() + n / kLanes * kLanes * dims, n % kLanes, mean.data(), dims);
    }
  });
  for (size_t n = count_; n % kLanes != 0; ++n) {
    set_lane(panels_.data() + n / kLanes * kLanes * dims, n % kLanes, nullptr, dims);
  }
}

void DenseNodes::offer(const float* distances, size_t panel, size_t beam, std::vector<uint64_t>& keys,
                       float& threshold) const {
  const size_t lanes = std::min(kLanes, count_ - panel * kLanes);
  float least = distances[0];
  for (size_t l = 1; l < kLanes; ++l) least = distances[l] < least ? distances[l] : least;
  if (least > threshold) return;
  for (size_t l = 0; l < lanes; ++l) {
    if (distances[l] > threshold) continue;
    keys.push_back(uint64_t{std::bit_cast<uint32_t>(distances[l])} << 16 | (panel * kLanes + l));
  }
  if (keys.size() >= 2 * beam + kLanes) keep_nearest(keys, beam, threshold);
}

} // namespace farsight
