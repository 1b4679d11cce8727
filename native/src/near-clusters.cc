#include "near-clusters.h"

#include <algorithm>

#include "reach.h"

namespace farsight {

namespace {

struct AdmitFilled {
  const Bounds& bounds;
  void prefetch(size_t) const {}
  bool operator()(size_t cluster, uint32_t& number) const {
    number = static_cast<uint32_t>(cluster);
    return bounds.size(number) > 0;
  }
};

struct AdmitAny {
  void prefetch(size_t) const {}
  bool operator()(size_t place, uint32_t& number) const {
    number = static_cast<uint32_t>(place);
    return true;
  }
};

// Offers the negated distances of places [begin, end).
template <typename Collects>
void offer_distances(const Codes& codes, const DistanceQuery& query, size_t begin, size_t end, Reaching& reaching,
                     Collects& collector) {
  const size_t items = codes.block_items();
  for (size_t place = begin; place < end;) {
    const size_t block = place / items, base = block * items;
    const size_t batch_end = std::min(end, base + kBatchSlots);
    const size_t blocks = (batch_end - base + items - 1) / items;
    float* scores = reaching.scores.data();
    query.approximate(block, blocks, scores);
    for (size_t i = 0; i < blocks * items; ++i) scores[i] = -scores[i];
    const size_t found = keep_reaching(kernels(), scores, blocks * items, collector.threshold(), reaching.positions.data());
    offer_within(collector, base, place, batch_end, reaching, found);
    place = batch_end;
  }
}

template <typename Collects>
std::vector<uint32_t> nearest_first(Collects& collector) {
  std::vector<Scored> best = collector.take();
  std::sort(best.begin(), best.end(), Better{});
  std::vector<uint32_t> numbers;
  for (const Scored& entry : best) numbers.push_back(entry.item);
  return numbers;
}

} // namespace

NearClusters::NearClusters(const Cells& cells, const Levels* levels, size_t queries)
    : cells_(cells), levels_(levels), clusters_(std::min(cells.representatives->count(), Bounds(cells).clusters())) {
  const bool grouped = cells.groups.means != nullptr && !cells.groups.starts.empty();
  way_ = clusters_ * queries <= kMostDistances ? Way::kAll
         : grouped                             ? Way::kGroups
         : levels != nullptr                   ? Way::kLevels
                                               : Way::kAll;
}

void NearClusters::append(const float* query, double norm, size_t count, std::vector<uint32_t>& out) {
  const Codes& codes = *cells_.representatives;
  if (way_ == Way::kLevels) {
    levels_->nearest(codes, query, norm, std::max(kBeam, count / kClustersOfNode), count, out);
    return;
  }
  const Bounds bounds(cells_);
  const auto prepared = codes.prepare_distance(query);
  RoughCollector collector(count, AdmitFilled{bounds});
  if (way_ == Way::kAll) {
    offer_distances(codes, *prepared, 0, clusters_, reaching_, collector);
  } else {
    const std::span<const uint32_t> starts = cells_.groups.starts;
    for (const uint32_t group : near_groups(query, std::max(kNearGroups, count / kClustersOfNode))) {
      const size_t end = std::min<size_t>(starts[group + 1], clusters_);
      offer_distances(codes, *prepared, std::min<size_t>(starts[group], end), end, reaching_, collector);
    }
  }
  const std::vector<uint32_t> near = nearest_first(collector);
  out.insert(out.end(), near.begin(), near.end());
}

std::vector<uint32_t> NearClusters::near_groups(const float* query, size_t count) {
  const Codes& means = *cells_.groups.means;
  const auto prepared = means.prepare_distance(query);
  RoughCollector collector(count, AdmitAny{});
  offer_distances(means, *prepared, 0, std::min(means.count(), cells_.groups.starts.size() - 1), reaching_, collector);
  return nearest_first(collector);
}

} // namespace farsight
