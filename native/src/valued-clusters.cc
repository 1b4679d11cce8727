#include "valued-clusters.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "collector.h"
#include "reach.h"

namespace farsight {

namespace {

struct Range {
  size_t begin;
  size_t end;
};

Range slots_of(const Cells& cells, size_t cluster) {
  const size_t slots = std::min(cells.codes->count(), cells.items.size());
  const size_t begin = std::min<size_t>(cells.starts[cluster], slots);
  return {begin, std::clamp<size_t>(cells.starts[cluster + 1], begin, slots)};
}

struct AdmitOrdinary {
  const Cells& cells;
  uint64_t size_limit;
  void prefetch(size_t cluster) const { __builtin_prefetch(&cells.starts[cluster]); }
  bool operator()(size_t cluster, uint32_t& number) const {
    number = static_cast<uint32_t>(cluster);
    const Range range = slots_of(cells, cluster);
    return range.begin < range.end && range.end - range.begin <= size_limit;
  }
};

} // namespace

size_t valued_clusters(const Cells& cells, const Query& representatives, std::span<const float> centres,
                       const ClusterValue& value, uint64_t size_limit, std::span<uint32_t> out) {
  const Codes& codes = *cells.representatives;
  const size_t clusters = std::min(codes.count(), cells.starts.empty() ? 0 : cells.starts.size() - 1);
  std::vector<std::unique_ptr<DistanceQuery>> queries;
  for (size_t c = 0; c < centres.size(); c += codes.dims()) queries.push_back(codes.prepare_distance(&centres[c]));
  const size_t batch = std::max<size_t>(1, kBatchSlots / codes.block_items()) * codes.block_items();
  std::vector<float> scores(batch), nearest(batch), distances(batch);
  std::vector<uint32_t> positions(batch + 16);
  RoughCollector collector(std::min(out.size(), clusters), AdmitOrdinary{cells, size_limit});
  for (size_t first = 0; first < clusters; first += batch) {
    const size_t count = std::min(batch, clusters - first);
    const size_t block = first / codes.block_items();
    const size_t blocks = (count + codes.block_items() - 1) / codes.block_items();
    representatives.approximate(block, blocks, scores.data());
    std::fill(nearest.begin(), nearest.end(), queries.empty() ? 0.0f : INFINITY);
    for (const auto& query : queries) {
      query->approximate(block, blocks, distances.data());
      for (size_t i = 0; i < count; ++i) nearest[i] = std::min(nearest[i], distances[i]);
    }
    for (size_t i = 0; i < count; ++i) {
      const double distance = std::sqrt(value.rest + value.weight * static_cast<double>(nearest[i]));
      const double score = value.score_factor * static_cast<double>(scores[i]);
      scores[i] = static_cast<float>(score + value.distance_factor * distance);
    }
    const size_t found = keep_reaching(kernels(), scores.data(), count, collector.threshold(), positions.data());
    collector.offer(first, {positions.data(), found}, scores.data());
  }
  std::vector<Scored> best = collector.take();
  std::sort(best.begin(), best.end(), Better{});
  for (size_t i = 0; i < best.size(); ++i) out[i] = best[i].item;
  return best.size();
}

size_t cluster_items(const Cells& cells, std::span<const uint32_t> clusters, std::span<uint32_t> out) {
  size_t written = 0;
  for (const uint32_t cluster : clusters) {
    const Range range = slots_of(cells, cluster);
    for (size_t slot = range.begin; slot < range.end && written < out.size(); ++slot) {
      const uint32_t item = cells.items[slot];
      if (item < cells.slots.size()) out[written++] = item;
    }
  }
  return written;
}

} // namespace farsight
