// Choosing the clusters that a round reads; see selection.h.
#include "selection.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "collector.h"
#include "reach.h"
#include "kernels.h"

namespace farsight {

namespace {

// Of which a score is learned that so many groups reach.
constexpr size_t kSampledGroups = 1024;
// Ranges that are scored before all others.
constexpr size_t kFirstRanges = 64;
// Ranges ahead that are asked for, and at most how much of each.
constexpr size_t kPrefetchRanges = 4;
constexpr size_t kPrefetchBytes = 8192;

// Lets through the clusters that have items, but no more than the limit.
struct AdmitClusters {
  const Cells& cells;
  const Bounds& bounds;
  uint64_t size_limit;
  void prefetch(size_t cluster) const { __builtin_prefetch(&cells.starts[cluster]); }
  bool operator()(size_t cluster, uint32_t& number) const {
    number = static_cast<uint32_t>(cluster);
    const size_t size = bounds.size(number);
    return size > 0 && size <= size_limit;
  }
};

struct Range {
  size_t begin;
  size_t end;
  float promise = 0; // the best score of a group in it
};

// The clusters of about every `nth` group, the best by their means, and those in the same blocks, which are read with
// them: ranges below `total`, the most promising first, because they set a threshold that few of the others reach.
std::vector<Range> promising(const Cells& cells, const Query& query, size_t nth, size_t total) {
  const ClusterGroups& groups = cells.groups;
  const size_t count = groups.starts.size() - 1, own = groups.means->block_items();
  const size_t block = cells.representatives->block_items();
  std::vector<float> scores((count + own - 1) / own * own);
  query.approximate(0, scores.size() / own, scores.data());
  const size_t step = std::max<size_t>(1, count / kSampledGroups), samples = (count + step - 1) / step;
  std::vector<float> sample;
  const float least = sampled_score(scores.data(), count, step, (samples - 1) / nth, sample);
  std::vector<Range> ranges;
  uint32_t chosen[kBatchSlots + 16];
  for (size_t first = 0; first < count; first += kBatchSlots) {
    const size_t batch = std::min(kBatchSlots, count - first);
    const size_t found = kernels().select_at_least(scores.data() + first, batch, least, chosen);
    for (size_t i = 0; i < found; ++i) {
      const size_t g = first + chosen[i], from = ranges.empty() ? 0 : ranges.back().end;
      const size_t begin = std::max<size_t>(groups.starts[g] / block * block, from);
      const size_t end = std::min((groups.starts[g + 1] + block - 1) / block * block, total);
      if (begin >= end) continue;
      if (begin > from || ranges.empty()) {
        ranges.push_back({begin, end, scores[g]});
      } else {
        ranges.back().end = end;
        ranges.back().promise = std::max(ranges.back().promise, scores[g]);
      }
    }
  }
  const auto more = [](const Range& a, const Range& b) { return a.promise > b.promise; };
  if (ranges.size() > kFirstRanges) std::nth_element(ranges.begin(), ranges.begin() + kFirstRanges, ranges.end(), more);
  return ranges;
}

// Of how many groups one is to be looked at. A group of m clusters lies in about (block - 1 + m) / block blocks: those of
// every nth of total / m groups are total / block / share for nth = share (block - 1 + m) / m.
size_t one_group_of(const Cells& cells, size_t count, size_t total) {
  if (total == 0 || count == 0 || cells.groups.means == nullptr) return 1;
  const size_t groups = cells.groups.means->count(), block = cells.representatives->block_items();
  const size_t share = cells.representatives->sparse() ? kBlockShare : kDenseBlockShare;
  return std::min(share * (groups * (block - 1) + total) / total, total / (count * kLeastScored));
}

// What `collector` keeps of these representatives.
template <typename Collects>
std::vector<Scored> best_representatives(const Codes& codes, const Query& query, const std::vector<Range>& ranges,
                                         Collects collector) {
  Reaching reaching;
  for (size_t r = 0; r < ranges.size(); ++r) {
    if (r + kPrefetchRanges < ranges.size()) {
      const Range ahead = ranges[r + kPrefetchRanges];
      const size_t first = ahead.begin / codes.block_items(), last = (ahead.end - 1) / codes.block_items() + 1;
      prefetch_lines(codes.blocks() + first * codes.block_bytes(),
                     std::min((last - first) * codes.block_bytes(), kPrefetchBytes));
    }
    scan_slots(codes, query, ranges[r].begin, ranges[r].end, reaching, collector, [] { return false; });
  }
  return collector.take();
}

// The `count` best clusters by what scans of means and spreads say. Scans of sparse codes would be too rough for squares of
// weights; dense ones are off by 2^-15 of the largest.
std::vector<Scored> best_of_all(const Codes& codes, const Query& means, const Query& spread,
                                const std::vector<Range>& ranges, size_t count, const AdmitClusters& admit) {
  Reaching reaching;
  std::vector<float>& scores = reaching.scores;
  std::vector<float> variances(kBatchSlots);
  RoughCollector collector(count, admit);
  const size_t items = codes.block_items();
  for (const Range& range : ranges) {
    for (size_t base = range.begin / items * items; base < range.end; base += kBatchSlots) {
      const size_t begin = std::max(base, range.begin), end = std::min(range.end, base + kBatchSlots);
      const size_t blocks = (end - base + items - 1) / items;
      means.approximate(base / items, blocks, scores.data());
      spread.approximate(base / items, blocks, variances.data());
      for (size_t i = 0; i < blocks * items; ++i) {
        scores[i] += static_cast<float>(kDeviations) * std::sqrt(std::max(0.0f, variances[i]));
      }
      const size_t found = keep_reaching(kernels(), scores.data(), blocks * items, collector.threshold(),
                                         reaching.positions.data());
      offer_within(collector, base, begin, end, reaching, found);
    }
  }
  return collector.take();
}

// The `count` best clusters within the limit of these ranges.
std::vector<Scored> best_of(const Cells& cells, const ClusterQueries& queries, const std::vector<Range>& ranges,
                            size_t count, const AdmitClusters& admit) {
  const Codes& codes = *cells.representatives;
  const Query& query = queries.representatives;
  const Query* spread = queries.spread;
  if (spread == nullptr) return best_representatives(codes, query, ranges, Collector(query, count, admit));
  if (!codes.sparse() && codes.count() <= kScannedSpreads * count) {
    return best_of_all(codes, query, *spread, ranges, count, admit);
  }
  std::vector<Scored> best = best_representatives(codes, query, ranges, RoughCollector(count * kPreselected, admit));
  for (size_t i = 0; i < best.size(); ++i) {
    if (i + kPrefetchCodes < best.size()) spread->prefetch(best[i + kPrefetchCodes].item);
    best[i].score += kDeviations * std::sqrt(std::max(0.0, spread->exact(best[i].item)));
  }
  keep_best(best, count);
  return best;
}

} // namespace

size_t select_clusters(const Cells& cells, const ClusterQueries& queries, size_t count, uint64_t size_limit,
                       uint32_t* clusters, size_t* ordinary) {
  const Bounds bounds(cells);
  const size_t total = std::min(bounds.clusters(), cells.representatives->count());
  count = std::min(count, total);
  const AdmitClusters admit{cells, bounds, size_limit};
  const size_t nth = one_group_of(cells, count, total);
  std::vector<Scored> best;
  if (queries.groups != nullptr && nth > 1) {
    best = best_of(cells, queries, promising(cells, *queries.groups, nth, total), count, admit);
  }
  if (best.size() < count) best = best_of(cells, queries, {{0, total}}, count, admit);
  std::sort(best.begin(), best.end(), Better{});
  *ordinary = best.size();
  if (best.size() < count) {
    // Every ordinary cluster is in; the huge ones follow by their own scores.
    std::vector<Scored> huge;
    for (uint32_t c = 0; c < total; ++c) {
      if (bounds.size(c) > size_limit) huge.push_back({queries.representatives.exact(c), c});
    }
    keep_best(huge, count - best.size());
    std::sort(huge.begin(), huge.end(), Better{});
    best.insert(best.end(), huge.begin(), huge.end());
  }
  for (size_t i = 0; i < best.size(); ++i) clusters[i] = best[i].item;
  return best.size();
}

} // namespace farsight
