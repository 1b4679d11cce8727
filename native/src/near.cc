// Every pair of a query and a cluster near it is read once: distances in the cluster's own space first, and in the others
// only while the sum can still be among the nearest.
#include "near.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "collector.h"
#include "query-vectors.h"

namespace farsight {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Kept while reading, per item wanted: several queries may find one item, and each its distance to it alone.
constexpr size_t kKept = 2;
constexpr size_t kLeastKept = 256;

// Of a distance when it becomes a float, with room.
constexpr double kRounding = 1e-6;

// Pairs read between two looks at the clock.
constexpr size_t kPairs = 16;

struct Pair {
  uint32_t query;
  uint32_t space;
  uint32_t cluster;
};

size_t cluster_count(const Cells& cells) {
  return std::min(cells.representatives->count(), cells.starts.empty() ? 0 : cells.starts.size() - 1);
}

// The items found so far with an upper bound of their distance, and what a further one has to be below.
class Nearest {
 public:
  explicit Nearest(size_t limit) : limit_(limit), capacity_(std::max(kLeastKept, 2 * kKept * limit)) {}

  double threshold() const { return threshold_; }

  void offer(uint32_t item, double distance) {
    if (distance > threshold_) return;
    found_.push_back({-distance, item});
    if (found_.size() == capacity_) shrink();
  }

  // Distinct items, the likeliest first.
  std::vector<uint32_t> take() {
    shrink();
    std::vector<uint32_t> items;
    for (const Scored& entry : found_) items.push_back(entry.item);
    return items;
  }

 private:
  void shrink() {
    // The smallest distance of each item, then the nearest of them.
    std::sort(found_.begin(), found_.end(), [](const Scored& a, const Scored& b) {
      return a.item < b.item || (a.item == b.item && a.score > b.score);
    });
    found_.erase(std::unique(found_.begin(), found_.end(),
                             [](const Scored& a, const Scored& b) { return a.item == b.item; }),
                 found_.end());
    std::sort(found_.begin(), found_.end(), Better{});
    if (found_.size() > kKept * limit_) found_.resize(kKept * limit_);
    // Only limit_ are wanted, but another query may be nearer to some of those behind: they are measured at the end.
    if (found_.size() == kKept * limit_) threshold_ = -found_.back().score;
  }

  size_t limit_;
  size_t capacity_;
  double threshold_ = kInfinity;
  std::vector<Scored> found_; // score: the negated distance
};

// Clusters near each query in one space, its own first.
class NearClusters {
 public:
  NearClusters(std::span<const Space> spaces, size_t s, const Levels* levels, const QueryVectors& queries)
      : cells_(*spaces[s].cells), space_(s), levels_(levels), queries_(queries) {
    for (size_t i = 0; i < s; ++i) from_ += spaces[i].cells->codes->dims();
  }

  void append(uint32_t q, size_t count, std::vector<Pair>& own, std::vector<Pair>& others) {
    const size_t clusters = cluster_count(cells_);
    const uint32_t mine = cluster_of(queries_.item(q));
    if (mine < clusters) own.push_back({q, static_cast<uint32_t>(space_), mine});
    if (count < 2) return;
    near_.clear();
    if (clusters * queries_.count() <= kMostDistances || levels_ == nullptr) {
      scan(q, count);
    } else {
      levels_->nearest(*cells_.representatives, queries_.vector(q) + from_, queries_.norm(q, space_),
                       std::max(kBeam, count / kClustersOfNode), count, near_);
    }
    for (const uint32_t cluster : near_) {
      if (cluster != mine && cluster < clusters) others.push_back({q, static_cast<uint32_t>(space_), cluster});
    }
  }

 private:
  uint32_t cluster_of(uint32_t item) const {
    const size_t slot = slot_of(cells_, item);
    const auto after = std::upper_bound(cells_.starts.begin(), cells_.starts.end(), slot);
    return static_cast<uint32_t>(after - cells_.starts.begin()) - 1; // before the first: no cluster
  }

  // The nearest by approximate distances to all representatives.
  void scan(uint32_t q, size_t count) {
    const Codes& codes = *cells_.representatives;
    const auto query = codes.prepare_distance(queries_.vector(q) + from_);
    const size_t clusters = cluster_count(cells_);
    const size_t batch = std::max<size_t>(1, kBatchSlots / codes.block_items()) * codes.block_items();
    block_.resize(batch);
    best_.clear();
    float limit = INFINITY;
    for (size_t first = 0; first < clusters; first += batch) {
      const size_t end = std::min(clusters, first + batch);
      query->approximate(first / codes.block_items(), (end - first + codes.block_items() - 1) / codes.block_items(),
                         block_.data());
      for (size_t c = first; c < end; ++c) {
        if (!(block_[c - first] <= limit)) continue;
        best_.push_back({-static_cast<double>(block_[c - first]), static_cast<uint32_t>(c)});
        if (best_.size() < kKept * count) continue;
        keep_best(best_, count);
        limit = static_cast<float>(-std::max_element(best_.begin(), best_.end(), Better{})->score);
      }
    }
    keep_best(best_, count);
    std::sort(best_.begin(), best_.end(), Better{});
    for (const Scored& cluster : best_) near_.push_back(cluster.item);
  }

  const Cells& cells_;
  size_t space_;
  const Levels* levels_;
  const QueryVectors& queries_;
  size_t from_ = 0; // of the space's part in a query's vector
  std::vector<uint32_t> near_;
  std::vector<float> block_;
  std::vector<Scored> best_;
};

// Reads pairs into a Nearest.
class PairReader {
 public:
  PairReader(std::span<const Space> spaces, const QueryVectors& queries, std::span<const uint32_t> skip,
             Nearest& nearest)
      : spaces_(spaces), queries_(queries), skip_(skip), nearest_(nearest) {
    size_t from = 0;
    for (const Space& space : spaces) {
      from_.push_back(from);
      from += space.cells->codes->dims();
    }
  }

  // Returns the items read.
  size_t read(const Pair& pair) {
    const Cells& cells = *spaces_[pair.space].cells;
    const size_t slots = std::min(cells.codes->count(), cells.items.size());
    const size_t begin = std::min<size_t>(cells.starts[pair.cluster], slots);
    const size_t whole = std::clamp<size_t>(cells.starts[pair.cluster + 1], begin, slots);
    const size_t end = whole - begin > kMostOfCluster ? begin + kFewOfCluster : whole;
    if (begin == end) return 0;
    const double weight = spaces_[pair.space].weight;
    const float* vector = queries_.vector(pair.query) + from_[pair.space];
    // Approximate distances say for most items that they are too far.
    if (prepared_ == nullptr || pair.query != query_ || pair.space != space_) {
      prepared_ = cells.codes->prepare_distance(vector);
    }
    query_ = pair.query;
    space_ = pair.space;
    const size_t items = cells.codes->block_items(), first = begin / items;
    block_.resize(((end - 1) / items + 1 - first) * items);
    prepared_->approximate(first, block_.size() / items, block_.data());
    const double error = static_cast<double>(prepared_->error());
    for (size_t slot = begin; slot < end; ++slot) {
      const auto about = static_cast<double>(block_[slot - first * items]);
      if (weight * (about - error - kRounding * about) > nearest_.threshold()) continue;
      const double own = weight * cells.codes->distance(slot, vector, queries_.norm(pair.query, pair.space));
      if (!(own <= nearest_.threshold())) continue;
      const uint32_t item = cells.items[slot];
      if (std::binary_search(skip_.begin(), skip_.end(), item)) continue;
      nearest_.offer(item, own + in_others(pair, item, own));
    }
    return end - begin;
  }

 private:
  // The distance in the other spaces; infinite as soon as the sum is too large.
  double in_others(const Pair& pair, uint32_t item, double own) const {
    double sum = 0;
    for (size_t s = 0; s < spaces_.size(); ++s) {
      if (s == pair.space) continue;
      const Cells& cells = *spaces_[s].cells;
      const size_t slot = slot_of(cells, item);
      if (slot >= cells.codes->count() || own + sum > nearest_.threshold()) return kInfinity;
      sum += spaces_[s].weight *
             cells.codes->distance(slot, queries_.vector(pair.query) + from_[s], queries_.norm(pair.query, s));
    }
    return sum;
  }

  std::span<const Space> spaces_;
  const QueryVectors& queries_;
  std::span<const uint32_t> skip_;
  Nearest& nearest_;
  std::vector<size_t> from_;
  uint32_t query_ = 0, space_ = 0; // that prepared_ is of
  std::unique_ptr<DistanceQuery> prepared_;
  std::vector<float> block_;
};

double nearest_distance(std::span<const Space> spaces, const QueryVectors& queries, uint32_t item) {
  double least = kInfinity;
  for (size_t q = 0; q < queries.count(); ++q) least = std::min(least, queries.distance(spaces, q, item, least));
  return least;
}

} // namespace

NearResult near_items(std::span<const Space> spaces, std::span<const Levels* const> levels,
                      std::span<const uint32_t> queries, const NearOptions& options, std::span<uint32_t> items) {
  NearResult result;
  if (items.empty()) return result;
  const QueryVectors vectors(spaces, queries);
  Nearest nearest(items.size());
  PairReader reader(spaces, vectors, options.skip, nearest);
  // Own clusters first, and nearer ones before farther ones as far as a query goes: what is near is found early, and
  // little of the rest is looked up.
  std::vector<Pair> pairs, others;
  for (size_t s = 0; s < spaces.size(); ++s) {
    NearClusters near(spaces, s, levels[s], vectors);
    for (uint32_t q = 0; q < vectors.count(); ++q) {
      if (options.deadline != Clock::time_point::max() && Clock::now() >= options.deadline) result.complete = false;
      near.append(q, result.complete ? options.clusters : 1, pairs, others);
    }
  }
  pairs.insert(pairs.end(), others.begin(), others.end());
  for (size_t p = 0; p < pairs.size(); ++p) {
    const bool due = p % kPairs == kPairs - 1 && options.deadline != Clock::time_point::max();
    if (due && Clock::now() >= options.deadline) result.complete = false;
    if (!result.complete && p >= kPairs) break;
    result.items_scored += reader.read(pairs[p]);
    ++result.clusters_read;
  }
  std::vector<Scored> found;
  for (const uint32_t item : nearest.take()) found.push_back({-nearest_distance(spaces, vectors, item), item});
  keep_best(found, items.size());
  std::sort(found.begin(), found.end(), Better{});
  for (; result.found < found.size(); ++result.found) items[result.found] = found[result.found].item;
  return result;
}

void nearest_of_items(std::span<const Space> spaces, std::span<const uint32_t> queries,
                      std::span<const uint32_t> items, double* distances) {
  const QueryVectors vectors(spaces, queries);
  for (size_t i = 0; i < items.size(); ++i) {
    for (const Space& space : spaces) {
      if (i + kPrefetchSlots < items.size() && items[i + kPrefetchSlots] < space.cells->slots.size()) {
        space.cells->slots.prefetch(items[i + kPrefetchSlots]);
      }
      if (i + kPrefetchCodes >= items.size()) continue;
      const size_t ahead = slot_of(*space.cells, items[i + kPrefetchCodes]);
      if (ahead < space.cells->codes->count()) space.cells->codes->prefetch(ahead);
    }
    distances[i] = nearest_distance(spaces, vectors, items[i]);
  }
}

} // namespace farsight
