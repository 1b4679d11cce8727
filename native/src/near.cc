// Per query the items of its near clusters are listed in each space by a lower bound of their distance there. What is not
// among the first r of any list is at least as far as the r-th bounds together (Fagin's threshold algorithm), so most
// items that are near in one space are never looked up in the others.
#include "near.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <vector>

#include "collector.h"
#include "near-clusters.h"

namespace farsight {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Found beyond those wanted before they are sorted: a share of those, and at least so many.
constexpr size_t kUnsortedShare = 4;
constexpr size_t kLeastUnsorted = 128;

// Of a distance when it becomes a float, with room.
constexpr double kRounding = 1e-6;

// Of each list measured at first; four times as many where that does not suffice.
constexpr size_t kDepth = 16;

// Read before everything else: so many clusters of one in so many queries, which tell how near an item has to be.
constexpr size_t kFirstClusters = 2;
constexpr size_t kFirstQueries = 4;

// The items found so far with an upper bound of their distance, and what a further one has to be below.
class Nearest {
 public:
  explicit Nearest(size_t limit) : limit_(limit), capacity_(limit + std::max(kLeastUnsorted, limit / kUnsortedShare)) {}

  double threshold() const { return threshold_; }

  void offer(uint32_t item, double distance) {
    if (distance > threshold_) return;
    found_.push_back({-distance, item});
    if (found_.size() == capacity_) settle();
  }

  // Leaves distinct items, the nearest first.
  const std::vector<Scored>& settle() {
    // The smallest distance of each item, then the nearest of them.
    std::sort(found_.begin(), found_.end(), [](const Scored& a, const Scored& b) {
      return a.item < b.item || (a.item == b.item && a.score > b.score);
    });
    found_.erase(std::unique(found_.begin(), found_.end(),
                             [](const Scored& a, const Scored& b) { return a.item == b.item; }),
                 found_.end());
    std::sort(found_.begin(), found_.end(), Better{});
    if (found_.size() > limit_) found_.resize(limit_);
    if (found_.size() == limit_) threshold_ = -found_.back().score;
    return found_;
  }

 private:
  size_t limit_;
  size_t capacity_;
  double threshold_ = kInfinity;
  std::vector<Scored> found_; // score: the negated distance
};

// An item of a list, by its slot.
struct Listed {
  float bound; // no larger than its weighted distance in the list's space
  uint32_t slot;
};

bool nearer(const Listed& a, const Listed& b) { return a.bound < b.bound || (a.bound == b.bound && a.slot < b.slot); }

// Reads the clusters of one query after another into a Nearest.
class QueryReader {
 public:
  QueryReader(std::span<const Space> spaces, const QueryVectors& queries, std::span<const uint32_t> skip,
              Nearest& nearest)
      : spaces_(spaces), queries_(queries), skip_(skip), nearest_(nearest), lists_(spaces.size()), whole_(spaces.size()) {
    size_t from = 0;
    for (const Space& space : spaces) {
      from_.push_back(from);
      from += space.cells->codes->dims();
    }
  }

  const float* vector(uint32_t q, size_t s) const { return queries_.vector(q) + from_[s]; }

  // clusters: of each space. Returns the items read.
  size_t read(uint32_t q, const std::vector<std::span<const uint32_t>>& clusters) {
    size_t read = 0;
    for (size_t s = 0; s < spaces_.size(); ++s) {
      lists_[s].clear();
      whole_[s] = true;
      const auto prepared = spaces_[s].cells->codes->prepare_distance(vector(q, s));
      for (const uint32_t cluster : clusters[s]) read += list(s, cluster, *prepared);
    }
    for (size_t done = 0, depth = kDepth;; done = depth, depth *= 4) {
      double rest = 0; // what is behind all lists' first `depth` is at least so far
      bool more = false;
      for (size_t s = 0; s < lists_.size(); ++s) {
        std::vector<Listed>& list = lists_[s];
        if (list.size() > depth) {
          std::nth_element(list.begin() + done, list.begin() + depth, list.end(), nearer);
          rest += static_cast<double>(list[depth].bound);
          more = true;
        } else if (whole_[s]) {
          rest = kInfinity; // what is not on the list is too far
        }
      }
      for (size_t s = 0; s < spaces_.size(); ++s) measure(q, s, done, std::min(depth, lists_[s].size()));
      if (!more || rest > nearest_.threshold()) return read;
    }
  }

 private:
  // Adds those items of a cluster to its space's list that may be near enough; returns how many were looked at.
  size_t list(size_t s, uint32_t cluster, const DistanceQuery& query) {
    const Cells& cells = *spaces_[s].cells;
    const auto [begin, whole] = Bounds(cells).cluster(cluster);
    const size_t end = whole - begin > kMostOfCluster ? begin + kFewOfCluster : whole;
    if (end < whole) whole_[s] = false;
    if (begin == end) return 0;
    const size_t items = cells.codes->block_items(), first = begin / items;
    block_.resize(((end - 1) / items + 1 - first) * items);
    query.approximate(first, block_.size() / items, block_.data());
    const double weight = spaces_[s].weight, error = static_cast<double>(query.error());
    const double threshold = nearest_.threshold();
    // Above this so is the bound below, in single precision and with room; most items are.
    const auto clear = static_cast<float>((threshold / weight + error) * (1 + 2 * kRounding));
    for (size_t slot = begin; slot < end; ++slot) {
      if (block_[slot - first * items] > clear) continue;
      const auto about = static_cast<double>(block_[slot - first * items]);
      const double bound = weight * (about - error - kRounding * about);
      if (bound > threshold) continue;
      // Not a number where neither error nor distance is finite.
      const float least = bound > 0 ? round_down(bound) : 0.0f;
      lists_[s].push_back({least, static_cast<uint32_t>(slot)});
    }
    return end - begin;
  }

  // Offers entries [first, last) of the list of space s with their whole distance to query q.
  void measure(uint32_t q, size_t s, size_t first, size_t last) {
    const Cells& cells = *spaces_[s].cells;
    const std::vector<Listed>& list = lists_[s];
    const auto item_at = [&](size_t i) { return cells.items[list[i].slot]; };
    for (size_t i = first; i < last; ++i) {
      for (size_t other = 0; other < spaces_.size(); ++other) {
        if (other != s) prefetch_ahead(*spaces_[other].cells, i, last, item_at);
      }
      if (static_cast<double>(list[i].bound) > nearest_.threshold()) continue;
      const double own =
        spaces_[s].weight * cells.codes->distance(list[i].slot, vector(q, s), queries_.norm(q, s));
      if (!(own <= nearest_.threshold())) continue;
      const uint32_t item = item_at(i);
      if (std::binary_search(skip_.begin(), skip_.end(), item)) continue;
      nearest_.offer(item, own + in_others(q, s, item, own));
    }
  }

  // Asks for what in_others(i) will read of a space.
  template <typename ItemAt>
  static void prefetch_ahead(const Cells& cells, size_t i, size_t last, const ItemAt& item_at) {
    if (i + kPrefetchSlots < last) {
      const uint32_t item = item_at(i + kPrefetchSlots);
      if (item < cells.slots.size()) cells.slots.prefetch(item);
    }
    if (i + kPrefetchCodes < last) {
      const size_t slot = slot_of(cells, item_at(i + kPrefetchCodes));
      if (slot < cells.codes->count()) cells.codes->prefetch(slot);
    }
  }

  // The distance in the other spaces; infinite as soon as the sum is too large.
  double in_others(uint32_t q, size_t own_space, uint32_t item, double own) const {
    double sum = 0;
    for (size_t s = 0; s < spaces_.size(); ++s) {
      if (s == own_space) continue;
      const Cells& cells = *spaces_[s].cells;
      const size_t slot = slot_of(cells, item);
      if (slot >= cells.codes->count() || own + sum > nearest_.threshold()) return kInfinity;
      sum += spaces_[s].weight * cells.codes->distance(slot, vector(q, s), queries_.norm(q, s));
    }
    return sum;
  }

  std::span<const Space> spaces_;
  const QueryVectors& queries_;
  std::span<const uint32_t> skip_;
  Nearest& nearest_;
  std::vector<size_t> from_; // of each space's part in a query's vector
  std::vector<std::vector<Listed>> lists_; // of the query being read, per space
  std::vector<bool> whole_;                // whether a list's clusters were read to their ends
  std::vector<float> block_;
};

// What is at most `least`, or `least`.
double nearest_distance(std::span<const Space> spaces, const QueryVectors& queries, uint32_t item,
                        double least = kInfinity) {
  for (size_t q = 0; q < queries.count(); ++q) least = std::min(least, queries.distance(spaces, q, item, least));
  return least;
}

bool in_time(Clock::time_point deadline) { return deadline == Clock::time_point::max() || Clock::now() < deadline; }

// The cluster of an item, or one that does not exist.
uint32_t cluster_of(const Cells& cells, uint32_t item) {
  const auto after = std::upper_bound(cells.starts.begin(), cells.starts.end(), slot_of(cells, item));
  return static_cast<uint32_t>(after - cells.starts.begin()) - 1; // before the first: none
}

} // namespace

NearSearch::NearSearch(std::span<const Space> spaces, std::span<const Levels* const> levels,
                       std::span<const uint32_t> queries, size_t clusters, TimePoint deadline)
    : spaces_(spaces.begin(), spaces.end()), queries_(spaces, queries), clusters_(queries_.count() * spaces.size()) {
  size_t from = 0;
  std::vector<uint32_t> near;
  for (size_t s = 0; s < spaces.size(); ++s) {
    const Cells& cells = *spaces[s].cells;
    NearClusters search(cells, levels[s], queries_.count());
    for (uint32_t q = 0; q < queries_.count(); ++q) {
      complete_ = complete_ && in_time(deadline);
      near.clear();
      if (clusters > 1 && complete_) search.append(queries_.vector(q) + from, queries_.norm(q, s), clusters, near);
      std::vector<uint32_t>& list = clusters_[q * spaces.size() + s];
      list.push_back(cluster_of(cells, queries_.item(q)));
      std::copy_if(near.begin(), near.end(), std::back_inserter(list), [&](uint32_t c) { return c != list[0]; });
    }
    from += cells.codes->dims();
  }
}

NearResult NearSearch::find(std::span<const uint32_t> skip, std::span<uint32_t> items, TimePoint deadline) const {
  NearResult result;
  if (items.empty()) return result;
  Nearest nearest(items.size());
  QueryReader reader(spaces_, queries_, skip, nearest);
  const auto count = static_cast<uint32_t>(queries_.count());
  result.complete = complete_;
  const auto on = [&] { return result.complete = result.complete && in_time(deadline); };
  // Per query, the last time it was read.
  std::vector<NearResult> read(count);
  const auto read_query = [&](uint32_t q, size_t most) {
    std::vector<std::span<const uint32_t>> clusters;
    for (size_t s = 0; s < spaces_.size(); ++s) clusters.push_back(clusters_of(q, s, most));
    read[q].clusters_read = 0;
    for (const auto& list : clusters) read[q].clusters_read += list.size();
    read[q].items_scored = reader.read(q, clusters);
  };
  // A late round reads a query's first clusters at least.
  for (uint32_t q = 0; q < count && (q == 0 || on()); q += kFirstQueries) read_query(q, kFirstClusters);
  nearest.settle();
  for (uint32_t q = 0; q < count && on(); ++q) read_query(q, std::numeric_limits<size_t>::max());
  for (const NearResult& query : read) {
    result.clusters_read += query.clusters_read;
    result.items_scored += query.items_scored;
  }
  std::vector<Scored> found;
  for (const Scored& entry : nearest.settle()) {
    // One query is so near, but for the order in which spaces were added up.
    const double about = -entry.score * (1 + kRounding);
    found.push_back({-nearest_distance(spaces_, queries_, entry.item, about), entry.item});
  }
  std::sort(found.begin(), found.end(), Better{});
  for (; result.found < found.size(); ++result.found) items[result.found] = found[result.found].item;
  return result;
}

std::span<const uint32_t> NearSearch::clusters_of(uint32_t q, size_t s, size_t most) const {
  const std::vector<uint32_t>& all = clusters_[q * spaces_.size() + s];
  return std::span(all).first(std::min(most, all.size()));
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
