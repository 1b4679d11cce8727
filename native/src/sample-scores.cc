#include "sample-scores.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "collector.h"
#include "lookups.h"
#include "survey.h"

namespace farsight {

namespace {

// Independent sums, so that the compiler can use vector registers without changing the order of additions.
constexpr size_t kLanes = 8;

// Of term(i) for i below count.
template <typename Term>
double sum_of(size_t count, const Term& term) {
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) lanes[l] += term(i + l);
  }
  for (; i < count; ++i) lanes[i % kLanes] += term(i);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// Two passes, so that a large mean costs no digits.
template <typename Value>
ScoreMoments moments_of(size_t count, const Value& value) {
  if (count == 0) return {0, 0};
  const auto n = static_cast<double>(count);
  const double mean = sum_of(count, value) / n;
  const double squares = sum_of(count, [&](size_t i) { return (value(i) - mean) * (value(i) - mean); });
  return {mean, std::sqrt(squares / n)};
}

} // namespace

ScoreMoments scan_sample(const Cells& cells, const Query& query, std::span<double> scores) {
  const size_t count = scores.size();
  std::vector<float> rough(count);
  scan_slots(cells, query, 0, count, rough);
  std::vector<uint32_t> items(std::min(kCompared, count));
  for (size_t i = 0; i < items.size(); ++i) items[i] = static_cast<uint32_t>(i * count / items.size());
  std::vector<double> exact(items.size());
  score_items(cells, query, items, exact.data());
  const ScoreMoments right = moments_of(items.size(), [&](size_t i) { return exact[i]; });
  const ScoreMoments found = moments_of(items.size(), [&](size_t i) { return static_cast<double>(rough[items[i]]); });
  const double stretch = found.deviation > 0 ? right.deviation / found.deviation : 1;
  for (size_t i = 0; i < count; ++i) scores[i] = right.mean + stretch * (static_cast<double>(rough[i]) - found.mean);
  return moments_of(count, [&](size_t i) { return scores[i]; });
}

ScoreMoments add_standardised(std::span<const double> scores, double factor, double offset, std::span<double> sums) {
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += factor * (scores[i] - offset);
  return moments_of(sums.size(), [&](size_t i) { return sums[i]; });
}

} // namespace farsight
