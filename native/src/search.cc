// Bounded exact search over packed codes: approximate scores in blocks, exact scores for what may be among the best.
#include "search.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>
#include <vector>

#include "collector.h"
#include "fine-collector.h"
#include "kernels.h"
#include "parallel.h"

namespace farsight {

namespace {

using Clock = std::chrono::steady_clock;

// Clusters ahead that are asked for while one is scored, and at most how much of each.
constexpr size_t kPrefetchClusters = 2;
constexpr size_t kPrefetchBytes = 8192;
constexpr size_t kPrefetchItems = 512;
// Item numbers in a cache line, at least.
constexpr size_t kItemsPerLine = 16;

// Where as many items are scanned for each one wanted, some clusters are read first: the best of every kClusterSample-th
// block of representatives, about kReadPerWanted items for each one wanted, at most so many of one cluster.
constexpr size_t kScannedPerWanted = 256;
constexpr size_t kClusterSample = 32;
constexpr size_t kReadPerWanted = 6;
constexpr size_t kLargestRead = 4096;

// Membership of an ascending list of numbers. A bit per hash answers most questions without a binary search.
class SkipSet {
 public:
  explicit SkipSet(const ScanOptions& options) : numbers_(options.skip), admitted_(options.admitted) {
    const auto numbers = numbers_;
    if (numbers.empty()) return;
    while (bits_ < kMostBits && (size_t{1} << bits_) < numbers.size() * 16) ++bits_;
    filter_.resize(size_t{1} << (bits_ - 6));
    for (const uint32_t number : numbers) filter_[hash(number) / 64] |= uint64_t{1} << (hash(number) % 64);
  }

  bool contains(uint32_t number) const {
    if (!admitted_.empty() && (admitted_[number / 32] >> (number % 32) & 1) == 0) return true;
    if (numbers_.empty() || (filter_[hash(number) / 64] >> (hash(number) % 64) & 1) == 0) return false;
    return std::binary_search(numbers_.begin(), numbers_.end(), number);
  }

 private:
  static constexpr uint32_t kMostBits = 20; // 128 KB
  uint32_t hash(uint32_t number) const { return number * 0x9e3779b1u >> (32 - bits_); }

  std::span<const uint32_t> numbers_;
  std::span<const uint32_t> admitted_; // a bit for every number that is asked for
  uint32_t bits_ = 6;
  std::vector<uint64_t> filter_;
};

// Whether to stop before the next batch. The first batch of every part is always scanned, so that a late answer holds
// the best there is at hand; a scan without a deadline never looks at the clock.
class Stop {
 public:
  Stop(Clock::time_point deadline, std::atomic<bool>& expired) : deadline_(deadline), expired_(expired) {}

  bool operator()() {
    if (std::exchange(first_, false) || deadline_ == Clock::time_point::max()) return false;
    if (Clock::now() >= deadline_) expired_ = true;
    return expired_.load(std::memory_order_relaxed);
  }

 private:
  Clock::time_point deadline_;
  std::atomic<bool>& expired_;
  bool first_ = true;
};

// Collects what may be among the `limit` best: exact scores, or where the query only estimates them, estimates of as many
// more as it asks for.
template <typename Admit, typename Work>
auto with_collector(const Query& query, size_t limit, Admit admit, Work work) {
  if (query.candidates(limit) > 0) return work(RoughCollector(query.candidates(limit), admit));
  return work(Collector(query, limit, admit));
}

// Replaces estimates by exact scores. Which of them are kept before does not depend on who found them.
void decide(const Cells& cells, const Query& query, size_t limit, std::vector<Scored>& list) {
  if (query.candidates(limit) == 0) return;
  keep_best(list, query.candidates(limit));
  // In the order of slots, which is that of the codes and of the clusters.
  const size_t slots = std::min(cells.codes->count(), cells.items.size());
  std::vector<std::pair<uint32_t, uint32_t>> found;
  for (size_t i = 0; i < list.size(); ++i) {
    if (i + kPrefetchSlots < list.size()) cells.slots.prefetch(list[i + kPrefetchSlots].item);
    const uint32_t slot = cells.slots[list[i].item];
    if (slot < slots) found.push_back({slot, list[i].item});
  }
  std::sort(found.begin(), found.end());
  std::vector<uint32_t> ascending(found.size());
  std::vector<double> scores(found.size());
  for (size_t i = 0; i < found.size(); ++i) ascending[i] = found[i].first;
  query.exact_ascending(ascending.data(), ascending.size(), scores.data());
  list.clear();
  for (size_t i = 0; i < found.size(); ++i) {
    if (!std::isnan(scores[i])) list.push_back({scores[i], found[i].second});
  }
}

Blocks blocks_of(const Codes& codes, Bounds::Range range) {
  if (range.begin == range.end) return {};
  const size_t first = range.begin / codes.block_items();
  return {first, (range.end - 1) / codes.block_items() + 1 - first};
}

// Asks for the item numbers of a cluster that is scored soon, and for the blocks where the query does not, up to a limit past
// which the hardware's own prefetchers have caught up.
void prefetch_slots(const Cells& cells, const Query& query, Bounds::Range range) {
  if (!query.asks_ahead()) {
    const Codes& codes = *cells.codes;
    const Blocks blocks = blocks_of(codes, range);
    prefetch_lines(codes.blocks() + blocks.first * codes.block_bytes(),
                   std::min(blocks.count * codes.block_bytes(), kPrefetchBytes));
  }
  const size_t slots = std::min(range.end - range.begin, kPrefetchItems);
  for (size_t slot = 0; slot < slots; slot += kItemsPerLine) cells.items.prefetch(range.begin + slot);
  if (query.fine() != nullptr) query.fine()->prefetch(range.begin, range.begin + slots);
}

// Lets through the slots whose item exists and is not skipped.
struct AdmitItems {
  const Cells& cells;
  const SkipSet& skip;
  void prefetch(size_t slot) const { cells.items.prefetch(slot); }
  bool operator()(size_t slot, uint32_t& number) const {
    number = cells.items[slot];
    return number < cells.slots.size() && !skip.contains(number);
  }
};

// Lets through the clusters that have items.
struct AdmitClusters {
  const Bounds& bounds;
  void prefetch(size_t) const {}
  bool operator()(size_t cluster, uint32_t& number) const {
    number = static_cast<uint32_t>(cluster);
    return bounds.size(number) > 0;
  }
};

// What is known before everything is scanned.
struct Beginning {
  std::vector<Scored> best; // of the clusters that were read
  float bound = -INFINITY;  // no approximate score of the `count` best is below it
};

// Reads the best clusters of a sample of all. Not where there is little to scan, nor where scores are only estimates.
Beginning begin_well(const Cells& cells, const Query& query, const Query* representatives, size_t count,
                   const AdmitItems& admit) {
  const Bounds bounds(cells);
  const size_t total = std::min(bounds.clusters(), cells.representatives->count());
  if (representatives == nullptr || query.candidates(count) > 0 || count == 0 || total == 0 ||
      bounds.slots() / kScannedPerWanted < count) {
    return {};
  }
  const auto never = [] { return false; };
  Reaching reaching;
  const size_t wanted = kReadPerWanted * count * total / bounds.slots() + 1, block = cells.representatives->block_items();
  RoughCollector sampled(wanted, AdmitClusters{bounds});
  for (size_t first = 0; first < total; first += kClusterSample * block) {
    scan_slots(*cells.representatives, *representatives, first, std::min(total, first + block), reaching, sampled, never);
  }
  Collector collector(query, count, admit);
  for (const Scored& cluster : sampled.take()) {
    const Bounds::Range range = bounds.cluster(cluster.item);
    const size_t end = std::min(range.end, range.begin + kLargestRead);
    scan_slots(*cells.codes, query, range.begin, end, reaching, collector, never);
  }
  Beginning beginning{collector.take()};
  if (beginning.best.size() < count) return beginning;
  const auto worst = std::max_element(beginning.best.begin(), beginning.best.end(), Better{});
  beginning.bound = round_down(worst->score - static_cast<double>(query.error()));
  return beginning;
}

// Adds the items that are not there yet.
void add_missing(const std::vector<Scored>& from, std::vector<Scored>& list) {
  list.insert(list.end(), from.begin(), from.end());
  std::sort(list.begin(), list.end(), Better{});
  const auto same = [](const Scored& a, const Scored& b) { return a.item == b.item; };
  list.erase(std::unique(list.begin(), list.end(), same), list.end());
}

// Sorts, cuts to `limit` and writes; returns how many.
size_t write_best(std::vector<Scored>& list, size_t limit, uint32_t* items, double* scores) {
  keep_best(list, limit);
  std::sort(list.begin(), list.end(), Better{});
  for (size_t i = 0; i < list.size(); ++i) {
    items[i] = list[i].item;
    scores[i] = list[i].score;
  }
  return list.size();
}

} // namespace

ScanResult scan_clusters(const Cells& cells, const Query& query, std::span<const uint32_t> clusters, size_t segments,
                         size_t per_segment, const ScanOptions& options, uint32_t* items, double* scores,
                         uint32_t* counts) {
  const Bounds bounds(cells);
  const SkipSet skip(options);
  const size_t n = clusters.size();
  const FineQuery* fine = query.fine();
  // Clusters are dealt to parts in order, by equal numbers of items.
  size_t total = 0;
  for (const uint32_t c : clusters) total += bounds.size(c);
  const size_t parts = std::max<size_t>(1, std::min(options.workers, n));
  std::vector<size_t> part_starts(parts + 1, n);
  part_starts[0] = 0;
  for (size_t i = 0, before = 0, p = 1; i < n && p < parts; ++i) {
    for (; p < parts && before * parts >= total * p; ++p) part_starts[p] = i;
    before += bounds.size(clusters[i]);
  }
  const auto segment_start = [&](size_t s) { return s * n / segments; };

  struct Part {
    std::vector<std::vector<Scored>> best; // per segment
    ScanResult result;
  };
  std::vector<Part> done(parts);
  std::atomic<bool> expired = false;
  run_parts(parts, [&](size_t p) {
    Part& part = done[p];
    part.best.resize(segments);
    Reaching reaching;
    Stop stop(options.deadline, expired);
    const size_t part_end = part_starts[p + 1];
    const auto scan = [&](auto collector) {
      for (size_t s = 0; s < segments; ++s) {
        const size_t first = std::max(part_starts[p], segment_start(s));
        const size_t last = std::min(part_end, segment_start(s + 1));
        for (size_t i = first; i < last; ++i) {
          const Bounds::Range range = bounds.cluster(clusters[i]);
          if (i + kPrefetchClusters < part_end) {
            prefetch_slots(cells, query, bounds.cluster(clusters[i + kPrefetchClusters]));
          }
          const Blocks next = i + 1 < part_end ? blocks_of(*cells.codes, bounds.cluster(clusters[i + 1])) : Blocks{};
          const size_t scored = scan_slots(*cells.codes, query, range.begin, range.end, reaching, collector, stop, next);
          part.result.items_scored += scored;
          if (scored < range.end - range.begin) break;
          ++part.result.clusters_read;
        }
        if (first < last) part.best[s] = collector.take();
      }
    };
    const size_t limit = std::min(per_segment, bounds.slots());
    const AdmitItems admit{cells, skip};
    if (fine == nullptr) {
      with_collector(query, limit, admit, scan);
    } else {
      scan(FineCollector(*fine, query, limit, admit));
    }
  });

  ScanResult result;
  for (const Part& part : done) {
    result.items_scored += part.result.items_scored;
    result.clusters_read += part.result.clusters_read;
  }
  result.complete = !expired;
  for (size_t s = 0; s < segments; ++s) {
    std::vector<Scored>& merged = done[0].best[s];
    for (size_t p = 1; p < parts; ++p) merged.insert(merged.end(), done[p].best[s].begin(), done[p].best[s].end());
    decide(cells, query, per_segment, merged);
    const size_t at = s * per_segment;
    counts[s] = static_cast<uint32_t>(write_best(merged, per_segment, items + at, scores + at));
  }
  return result;
}

namespace {

struct Slots {
  size_t begin;
  size_t end;
};

// Slots of [0, end) outside the runs, which are ascending.
std::vector<Slots> outside(std::span<const BlockRun> runs, size_t block_items, size_t end) {
  std::vector<Slots> slots;
  size_t from = 0;
  for (const BlockRun& run : runs) {
    const size_t to = std::min(run.begin * block_items, end);
    if (from < to) slots.push_back({from, to});
    from = std::max(from, std::min(run.end * block_items, end));
  }
  if (from < end) slots.push_back({from, end});
  return slots;
}

} // namespace

// Repeated blocks come last, when the best of all others are known: a run is passed over when the score of its first block
// says that nothing in it is wanted. A run that came first would be a million ties, each to be scored exactly.
ScanResult scan_all(const Cells& cells, const Query& query, const Query* representatives, size_t count,
                    const ScanOptions& options, uint32_t* items, double* scores, size_t* found) {
  const size_t slots = Bounds(cells).slots();
  const SkipSet skip(options);
  const Codes& codes = *cells.codes;
  const size_t block = codes.block_items();
  // An estimate does not say that nothing in a run is wanted.
  const std::span<const BlockRun> repeats = query.candidates(count) == 0 ? cells.repeats : std::span<const BlockRun>();
  const std::vector<Slots> ranges = outside(repeats, block, slots);
  size_t blocks = 0;
  for (const Slots& range : ranges) blocks += (range.end - range.begin + block - 1) / block;
  const size_t parts = std::max<size_t>(1, std::min(options.workers, blocks));
  std::vector<std::vector<Scored>> best(parts);
  std::vector<size_t> scored(parts);
  std::atomic<bool> expired = false;
  const AdmitItems admit{cells, skip};
  const Beginning beginning = begin_well(cells, query, representatives, std::min(count, slots), admit);
  const auto scan = [&](Slots range, auto& collector, Reaching& reaching, Stop& stop) {
    return scan_slots(codes, query, range.begin, range.end, reaching, collector, stop);
  };
  run_parts(parts, [&](size_t p) {
    Reaching reaching;
    Stop stop(options.deadline, expired);
    // This part's blocks, of all outside the runs numbered through.
    size_t first = blocks * p / parts, last = blocks * (p + 1) / parts;
    with_collector(query, std::min(count, slots), admit, [&](auto collector) {
      collector.require(beginning.bound);
      for (const Slots& range : ranges) {
        const size_t own = (range.end - range.begin + block - 1) / block;
        const Slots mine{range.begin + std::min(first, own) * block, std::min(range.end, range.begin + std::min(last, own) * block)};
        first -= std::min(first, own);
        last -= std::min(last, own);
        if (mine.begin >= mine.end) continue;
        const size_t done = scan(mine, collector, reaching, stop);
        scored[p] += done;
        if (done < mine.end - mine.begin) break;
      }
      best[p] = collector.take();
    });
  });

  ScanResult result;
  for (const size_t part : scored) result.items_scored += part;
  std::vector<Scored>& all = best[0];
  for (size_t p = 1; p < parts; ++p) all.insert(all.end(), best[p].begin(), best[p].end());
  decide(cells, query, count, all);
  keep_best(all, count);
  Reaching reaching;
  std::vector<float> block_scores(block);
  for (const BlockRun& run : repeats) {
    const Slots range{std::min(run.begin * block, slots), std::min(run.end * block, slots)};
    if (range.begin == range.end || expired) continue;
    query.approximate(run.begin, 1, block_scores.data());
    const double most = *std::max_element(block_scores.begin(), block_scores.end()) +
                        static_cast<double>(query.error());
    if (all.size() == count && (count == 0 || most < std::max_element(all.begin(), all.end(), Better{})->score)) {
      result.items_scored += range.end - range.begin;
      continue;
    }
    Collector collector(query, std::min(count, slots), admit);
    collector.require(beginning.bound);
    Stop stop(options.deadline, expired);
    result.items_scored += scan(range, collector, reaching, stop);
    const std::vector<Scored> further = collector.take();
    all.insert(all.end(), further.begin(), further.end());
    keep_best(all, count);
  }
  result.complete = !expired;
  // What was read first may not have been reached again.
  if (expired) add_missing(beginning.best, all);
  *found = write_best(all, count, items, scores);
  return result;
}

} // namespace farsight
