#include "sweep.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "collector.h"
#include "kernels.h"

namespace farsight {

namespace {

// Scores that are fetched while as many before them are read: more than the cache lines that a core waits for at a time.
constexpr size_t kLookups = 64;

// Codes that are fetched while as many before them are scored.
constexpr size_t kAhead = 16;

size_t slots_of(const Cells& cells) { return std::min(cells.codes->count(), cells.items.size()); }

// The nearest finite float.
float to_float(double score) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(score, -kLargest, kLargest));
}

// Copies to memory that is not read again soon, past the caches where the processor can: a store that misses them would read
// the line first.
void store_past_caches(std::span<const float> from, float* to) {
  size_t i = 0;
#if defined(__SSE2__)
  constexpr size_t kFloats = 4, kBytes = 16;
  while (i < from.size() && reinterpret_cast<uintptr_t>(to + i) % kBytes != 0) {
    to[i] = from[i];
    ++i;
  }
  for (; i + kFloats <= from.size(); i += kFloats) _mm_stream_ps(to + i, _mm_loadu_ps(&from[i]));
  _mm_sfence();
#endif
  std::copy(from.begin() + static_cast<ptrdiff_t>(i), from.end(), to + i);
}

// Exact scores in single precision; returns the largest difference.
double round_slots(const Query& query, size_t first, size_t last, std::span<float> scores) {
  std::vector<uint32_t> slots(last - first);
  std::vector<double> exact(last - first);
  std::iota(slots.begin(), slots.end(), static_cast<uint32_t>(first));
  query.exact_ascending(slots.data(), slots.size(), exact.data());
  double error = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    const float rounded = to_float(exact[i]);
    error = std::max(error, std::fabs(exact[i] - static_cast<double>(rounded)));
    scores[first + i] = rounded;
  }
  return error;
}

} // namespace

double sweep_slots(const Cells& cells, const Query& query, size_t first, size_t last, std::span<float> scores,
                   ScoreSums& sums) {
  last = std::min({last, slots_of(cells), scores.size()});
  const bool bounded = std::isfinite(query.error());
  const size_t block = cells.codes->block_items();
  const size_t batch = std::max<size_t>(1, kBatchSlots / block) * block;
  std::vector<float> scored(bounded ? batch : 0);
  double error = bounded ? static_cast<double>(query.error()) : 0;
  for (size_t from = first; from < last;) {
    // The first batch ends where a block does, so that all others begin with one.
    const size_t begin = from / block * block, to = std::min(last, begin + batch);
    if (!bounded) {
      error = std::max(error, round_slots(query, from, to, scores));
      sums.add(scores.subspan(from, to - from));
    } else {
      query.approximate(begin / block, (to - begin + block - 1) / block, scored.data());
      const std::span<const float> found(scored.data() + (from - begin), to - from);
      sums.add(found);
      store_past_caches(found, scores.data() + from);
    }
    from = to;
  }
  return error;
}

void add_to_items(const Cells& cells, std::span<const float> scores, size_t first, size_t last, double factor,
                  double offset, std::span<float> fused) {
  last = std::min({last, cells.slots.size(), fused.size()});
  const size_t end = std::min(slots_of(cells), scores.size());
  // Of the items to come, in a ring.
  std::array<uint32_t, kLookups> ahead;
  const auto look_ahead = [&](size_t item) {
    const uint32_t slot = item < last ? cells.slots[item] : kNoSlot;
    if (slot < end) __builtin_prefetch(&scores[slot]);
    ahead[item % kLookups] = slot;
  };
  for (size_t item = first; item < first + kLookups; ++item) look_ahead(item);
  for (size_t item = first; item < last; ++item) {
    const uint32_t slot = ahead[item % kLookups];
    look_ahead(item + kLookups);
    if (slot < end) fused[item] += static_cast<float>(factor * (static_cast<double>(scores[slot]) - offset));
  }
}

void leave_out(std::span<const uint32_t> admitted, std::span<float> scores) {
  for (size_t i = 0; i < scores.size(); ++i) {
    if ((admitted[i / 32] >> (i % 32) & 1) == 0) scores[i] = kLeftOut;
  }
}

void sort_by_slot(const Cells& cells, std::span<const uint32_t> items, std::span<uint32_t> slots,
                  std::span<uint32_t> places) {
  const size_t end = slots_of(cells);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i + kPrefetchSlots < items.size() && items[i + kPrefetchSlots] < cells.slots.size()) {
      cells.slots.prefetch(items[i + kPrefetchSlots]);
    }
    const uint32_t slot = items[i] < cells.slots.size() ? cells.slots[items[i]] : kNoSlot;
    slots[i] = slot < end ? slot : kNoSlot;
    places[i] = static_cast<uint32_t>(i);
  }
  // By 11 bits at a time, the lowest first. Places stay in order among equal slots.
  constexpr uint32_t kBits = 11, kDigits = 1 << kBits;
  std::vector<uint32_t> sorted_slots(slots.size()), sorted_places(slots.size());
  for (uint32_t shift = 0; shift < 32; shift += kBits) {
    std::vector<uint32_t> ends(kDigits + 1);
    for (const uint32_t slot : slots) ++ends[(slot >> shift) % kDigits + 1];
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    for (size_t i = 0; i < slots.size(); ++i) {
      const uint32_t at = ends[(slots[i] >> shift) % kDigits]++;
      sorted_slots[at] = slots[i];
      sorted_places[at] = places[i];
    }
    std::copy(sorted_slots.begin(), sorted_slots.end(), slots.begin());
    std::copy(sorted_places.begin(), sorted_places.end(), places.begin());
  }
}

void add_exact(const Cells& cells, const Query& query, std::span<const uint32_t> slots, std::span<const uint32_t> places,
               double factor, double offset, std::span<double> sums) {
  // Those that there are come first.
  const auto last = std::lower_bound(slots.begin(), slots.end(), slots_of(cells));
  const auto found = static_cast<size_t>(last - slots.begin());
  std::array<double, kAhead> exact;
  for (size_t first = 0; first < found; first += kAhead) {
    const size_t count = std::min(kAhead, found - first);
    for (size_t i = first + kAhead; i < std::min(found, first + 2 * kAhead); ++i) query.prefetch(slots[i]);
    query.exact_ascending(slots.data() + first, count, exact.data());
    for (size_t i = 0; i < count; ++i) sums[places[first + i]] += factor * (exact[i] - offset);
  }
  for (size_t i = found; i < slots.size(); ++i) sums[places[i]] = -std::numeric_limits<double>::infinity();
}

size_t numbers_at_least(std::span<const float> values, double bound, std::span<uint32_t> numbers) {
  // The least float that is not below the bound.
  float least = to_float(bound);
  if (static_cast<double>(least) < bound) least = std::nextafter(least, INFINITY);
  std::array<uint32_t, kBatchSlots + 16> positions;
  size_t found = 0;
  for (size_t first = 0; first < values.size(); first += kBatchSlots) {
    const size_t count = std::min(kBatchSlots, values.size() - first);
    const size_t some = kernels().select_at_least(values.data() + first, count, least, positions.data());
    for (size_t i = 0; i < some && found + i < numbers.size(); ++i) {
      numbers[found + i] = static_cast<uint32_t>(first + positions[i]);
    }
    found += some;
  }
  return found;
}

namespace {

// Bit patterns in the order of the values: negative ones are turned over.
uint32_t key_of(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

float value_of(uint32_t key) { return std::bit_cast<float>(key >> 31 ? key & 0x7fffffffu : ~key); }

constexpr size_t kHalves = 1 << 16;

struct Place {
  uint32_t half;
  size_t above; // how many lie in the halves above it
};

// The half in which the n-th from above lies.
Place place_of(std::span<const uint32_t> counts, size_t n) {
  Place place{static_cast<uint32_t>(counts.size() - 1), 0};
  while (place.above + counts[place.half] < n) place.above += counts[place.half--];
  return place;
}

} // namespace

void greatest_values(std::span<const float> values, std::span<const uint32_t> ranks, std::span<float> out) {
  if (values.empty()) {
    std::fill(out.begin(), out.end(), INFINITY);
    return;
  }
  std::vector<uint32_t> upper(kHalves);
  for (const float value : values) ++upper[key_of(value) >> 16];
  // The upper halves that are asked for, each once, count their lower halves.
  constexpr uint8_t kUnasked = 255;
  std::vector<uint8_t> asked(kHalves, kUnasked);
  std::vector<std::vector<uint32_t>> lower;
  const auto wanted = [&](uint32_t rank) { return std::clamp<size_t>(rank, 1, values.size()); };
  for (const uint32_t rank : ranks) {
    uint8_t& number = asked[place_of(upper, wanted(rank)).half];
    if (number != kUnasked) continue;
    number = static_cast<uint8_t>(lower.size());
    lower.emplace_back(kHalves);
  }
  for (const float value : values) {
    const uint32_t key = key_of(value);
    if (const uint8_t number = asked[key >> 16]; number != kUnasked) ++lower[number][key & 0xffff];
  }
  for (size_t i = 0; i < ranks.size(); ++i) {
    const Place high = place_of(upper, wanted(ranks[i]));
    const Place low = place_of(lower[asked[high.half]], wanted(ranks[i]) - high.above);
    out[i] = value_of(high.half << 16 | low.half);
  }
}

} // namespace farsight
