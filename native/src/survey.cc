// Scores and nearest distances of every item. Distances take two passes: a scan in float per query finds the nearest
// query of each item, and that one is measured exactly. Where the scan's error cannot tell the nearest two apart, all
// queries are.
#include "survey.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "collector.h"
#include "parallel.h"
#include "query-vectors.h"

namespace farsight {

namespace {

using Clock = std::chrono::steady_clock;

// Items between two looks at the clock.
constexpr size_t kChunk = 4096;

// Scores whose places are fetched before they are written: as many cache lines as a core waits for at a time, and more.
constexpr size_t kScatter = 64;

// Room for the roundings of a sum over spaces in float, relative to it: far more than a few times 2^-24.
constexpr double kSumError = 1e-6;

// Runs work(first, last) over chunks of [0, count) on some threads; false when the deadline passed before the end.
template <typename Work>
bool by_chunks(size_t count, const SurveyOptions& options, const Work& work) {
  std::atomic<bool> expired = false;
  parallel(count, options.workers, [&](size_t begin, size_t end) {
    for (size_t first = begin; first < end; first += kChunk) {
      if (options.deadline != Clock::time_point::max() && Clock::now() >= options.deadline) expired = true;
      if (expired.load(std::memory_order_relaxed)) return;
      work(first, std::min(end, first + kChunk));
    }
  });
  return !expired;
}

// What the first pass knows of every item: the two smallest approximate distances, and whose the first is.
struct Nearest {
  explicit Nearest(size_t items) : first(items, INFINITY), second(items, INFINITY), query(items) {}

  void offer(size_t item, float distance, uint32_t q) {
    if (distance < first[item]) {
      second[item] = first[item];
      first[item] = distance;
      query[item] = q;
    } else if (distance < second[item]) {
      second[item] = distance;
    }
  }

  std::vector<float> first, second;
  std::vector<uint32_t> query;
  double error = 0; // the largest of any query
};

// Adds weight * distance of every slot to the sum of its item; the distance is off by at most what is returned, and by
// its rounding to float. Sparse codes are short, so theirs are exact; 8 bits of them would leave most items undecided.
double add_distances(const Space& space, const float* vector, double norm, std::vector<float>& block,
                     std::span<float> sums) {
  const Codes& codes = *space.cells->codes;
  const float weight = static_cast<float>(space.weight);
  if (codes.sparse()) {
    for (size_t slot = 0; slot < codes.count(); ++slot) {
      const uint32_t item = space.cells->items[slot];
      if (item < sums.size()) sums[item] += weight * static_cast<float>(codes.distance(slot, vector, norm));
    }
    return 0;
  }
  const auto query = codes.prepare_distance(vector);
  const size_t blocks = (codes.count() + codes.block_items() - 1) / codes.block_items();
  const size_t batch = std::max<size_t>(1, kBatchSlots / codes.block_items());
  block.resize(batch * codes.block_items());
  for (size_t b = 0; b < blocks; b += batch) {
    query->approximate(b, std::min(batch, blocks - b), block.data());
    const size_t base = b * codes.block_items();
    const size_t end = std::min(codes.count() - base, block.size());
    for (size_t i = 0; i < end; ++i) {
      const uint32_t item = space.cells->items[base + i];
      if (item < sums.size()) sums[item] += weight * block[i];
    }
  }
  return space.weight * static_cast<double>(query->error());
}

// The first pass over queries [begin, end).
void scan_queries(std::span<const Space> spaces, const QueryVectors& queries, size_t begin, size_t end,
                  const SurveyOptions& options, std::atomic<bool>& expired, Nearest& nearest) {
  std::vector<float> block, sums(nearest.first.size());
  for (size_t q = begin; q < end; ++q) {
    if (options.deadline != Clock::time_point::max() && Clock::now() >= options.deadline) expired = true;
    if (expired.load(std::memory_order_relaxed)) return;
    std::fill(sums.begin(), sums.end(), 0.0f);
    const float* vector = queries.vector(q);
    double error = 0;
    for (size_t s = 0; s < spaces.size(); ++s) {
      error += add_distances(spaces[s], vector, queries.norm(q, s), block, sums);
      vector += spaces[s].cells->codes->dims();
    }
    nearest.error = std::max(nearest.error, error);
    for (size_t item = 0; item < sums.size(); ++item) nearest.offer(item, sums[item], static_cast<uint32_t>(q));
  }
}

// Calls write(i) for the slots [begin, begin + count) once the places of their items' scores are on the way.
template <typename Score, typename Write>
void scatter(const Cells& cells, size_t begin, size_t count, std::span<Score> scores, const Write& write) {
  std::array<uint32_t, kScatter> items;
  // Codes and item numbers are read as they lie; the scores of neighbours go to places far apart.
  for (size_t i = 0; i < count; ++i) {
    items[i] = cells.items[begin + i];
    if (items[i] < scores.size()) __builtin_prefetch(&scores[items[i]], 1);
  }
  for (size_t i = 0; i < count; ++i) {
    // A damaged index may give an item two slots, so two threads may write the same score.
    if (items[i] < scores.size()) std::atomic_ref(scores[items[i]]).store(write(i), std::memory_order_relaxed);
  }
}

// Slots of [first, last) that there are.
size_t last_slot(const Cells& cells, size_t last) { return std::min({last, cells.codes->count(), cells.items.size()}); }

void score_slots(const Cells& cells, const Query& query, size_t first, size_t last, std::span<double> scores) {
  last = last_slot(cells, last);
  for (size_t begin = first; begin < last; begin += kScatter) {
    scatter(cells, begin, std::min(kScatter, last - begin), scores, [&](size_t i) { return query.exact(begin + i); });
  }
}

// The nearest finite float.
float to_float(double score) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(score, -kLargest, kLargest));
}

// Exact scores in single precision; returns the largest difference.
double round_slots(const Cells& cells, const Query& query, size_t first, size_t last, std::span<float> scores) {
  std::array<uint32_t, kScatter> slots;
  std::array<double, kScatter> exact;
  double error = 0;
  for (size_t begin = first; begin < last; begin += kScatter) {
    const size_t count = std::min(kScatter, last - begin);
    std::iota(slots.begin(), slots.begin() + count, static_cast<uint32_t>(begin));
    query.exact_ascending(slots.data(), count, exact.data());
    scatter(cells, begin, count, scores, [&](size_t i) {
      const float rounded = to_float(exact[i]);
      error = std::max(error, std::fabs(exact[i] - static_cast<double>(rounded)));
      return rounded;
    });
  }
  return error;
}

} // namespace

double scan_slots(const Cells& cells, const Query& query, size_t first, size_t last, std::span<float> scores) {
  last = last_slot(cells, last);
  if (!std::isfinite(query.error())) return round_slots(cells, query, first, last, scores);
  const size_t block = cells.codes->block_items();
  const size_t batch = std::max<size_t>(1, kBatchSlots / block) * block;
  std::vector<float> approximate(batch);
  for (size_t from = first / block * block; from < last; from += batch) {
    const size_t to = std::min(last, from + batch);
    query.approximate(from / block, (to - from + block - 1) / block, approximate.data());
    for (size_t begin = std::max(first, from); begin < to; begin += kScatter) {
      scatter(cells, begin, std::min(kScatter, to - begin), scores,
              [&](size_t i) { return approximate[begin + i - from]; });
    }
  }
  return static_cast<double>(query.error());
}

bool score_all(const Cells& cells, const Query& query, const SurveyOptions& options, std::span<double> scores) {
  std::fill(scores.begin(), scores.end(), -std::numeric_limits<double>::infinity());
  return by_chunks(cells.codes->count(), options,
                   [&](size_t first, size_t last) { score_slots(cells, query, first, last, scores); });
}

bool add_scores(const Cells& cells, const Query& query, const SurveyOptions& options, std::span<double> sums) {
  return by_chunks(cells.codes->count(), options, [&](size_t first, size_t last) {
    last = last_slot(cells, last);
    for (size_t begin = first; begin < last; begin += kScatter) {
      scatter(cells, begin, std::min(kScatter, last - begin), sums, [&](size_t i) {
        const double before = std::atomic_ref(sums[cells.items[begin + i]]).load(std::memory_order_relaxed);
        return before + query.exact(begin + i);
      });
    }
  });
}

bool nearest_distances(std::span<const Space> spaces, std::span<const uint32_t> queries, const SurveyOptions& options,
                       std::span<double> distances) {
  const QueryVectors vectors(spaces, queries);
  const size_t parts = std::clamp<size_t>(options.workers, 1, std::max<size_t>(vectors.count(), 1));
  std::vector<Nearest> found(parts, Nearest(0));
  std::atomic<bool> expired = false;
  run_parts(parts, [&](size_t p) {
    found[p] = Nearest(distances.size());
    // A single query is the nearest without looking.
    if (vectors.count() < 2) return;
    scan_queries(spaces, vectors, vectors.count() * p / parts, vectors.count() * (p + 1) / parts, options, expired,
                 found[p]);
  });
  if (expired) return false;
  Nearest& nearest = found[0];
  for (size_t p = 1; p < parts; ++p) {
    nearest.error = std::max(nearest.error, found[p].error);
    for (size_t item = 0; item < distances.size(); ++item) {
      nearest.offer(item, found[p].first[item], found[p].query[item]);
      nearest.second[item] = std::min(nearest.second[item], found[p].second[item]);
    }
  }
  return by_chunks(distances.size(), options, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      const auto item = static_cast<uint32_t>(i);
      const double gap = static_cast<double>(nearest.second[i]) - static_cast<double>(nearest.first[i]);
      // Approximate distances 2E apart are in order, E bounding the error of each.
      const double error = nearest.error + kSumError * static_cast<double>(nearest.second[i]);
      if (vectors.count() == 1 || gap > 2 * error) {
        distances[i] = vectors.distance(spaces, nearest.query[i], item);
        continue;
      }
      distances[i] = std::numeric_limits<double>::infinity();
      for (size_t q = 0; q < vectors.count(); ++q) {
        distances[i] = std::min(distances[i], vectors.distance(spaces, q, item));
      }
    }
  });
}

} // namespace farsight
