#include "strata.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "sweep.h"

namespace farsight {

namespace {

// Items that are told apart at a time: their scores stay in the first cache while the cuts go over them.
constexpr size_t kItems = 4096;
constexpr uint8_t kNone = 255;

static_assert(2 * kMaxCuts + 2 < kNone);

// The number of cuts that each score does not reach, from `first` on. Without a branch, so that it takes many at a time.
void place(std::span<const float> scores, std::span<const float> cuts, uint8_t first, uint8_t* stratum) {
  std::fill_n(stratum, scores.size(), first);
  for (const float cut : cuts) {
    for (size_t i = 0; i < scores.size(); ++i) stratum[i] = static_cast<uint8_t>(stratum[i] + (scores[i] < cut));
  }
}

// Calls visit(first, stratum of each, count) for runs of items.
template <typename Visit>
void visit_runs(const Strata& strata, const Visit& visit) {
  const auto rest_first = static_cast<uint8_t>(strata.selected_cuts.size() + 1);
  std::array<uint8_t, kItems> stratum;
  size_t s = 0, l = 0;
  for (size_t first = 0; first < strata.scores.size(); first += kItems) {
    const std::span<const float> scores = strata.scores.subspan(first, std::min(kItems, strata.scores.size() - first));
    const size_t last = first + scores.size();
    place(scores, strata.rest_cuts, rest_first, stratum.data());
    for (; s < strata.selected.size() && strata.selected[s] < last; ++s) {
      const size_t i = strata.selected[s] - first;
      place(scores.subspan(i, 1), strata.selected_cuts, 0, &stratum[i]);
    }
    for (size_t i = 0; i < scores.size(); ++i) stratum[i] = scores[i] == kLeftOut ? kNone : stratum[i];
    for (; l < strata.labelled.size() && strata.labelled[l] < last; ++l) stratum[strata.labelled[l] - first] = kNone;
    visit(first, stratum.data(), scores.size());
  }
}

// Four histograms: neighbours are mostly of one stratum, and a count that was just written takes a while to read.
class Histogram {
 public:
  void add(const uint8_t* stratum, size_t count) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      for (size_t h = 0; h < 4; ++h) ++counts_[h][stratum[i + h]];
    }
    for (; i < count; ++i) ++counts_[0][stratum[i]];
  }

  // How many there were, and from now on none.
  size_t take(size_t s) {
    size_t sum = 0;
    for (auto& counts : counts_) sum += std::exchange(counts[s], 0);
    return sum;
  }

 private:
  std::array<std::array<uint32_t, 256>, 4> counts_{};
};

} // namespace

void count_strata(const Strata& strata, std::span<double> counts) {
  Histogram histogram;
  visit_runs(strata, [&](size_t, const uint8_t* stratum, size_t count) { histogram.add(stratum, count); });
  for (size_t s = 0; s < strata.count(); ++s) counts[s] += static_cast<double>(histogram.take(s));
}

void pick_from_strata(const Strata& strata, std::span<const uint32_t> places, std::span<const uint32_t> starts,
                      std::span<uint32_t> items) {
  Histogram histogram;
  std::vector<size_t> next(starts.begin(), starts.end() - 1), passed(strata.count());
  visit_runs(strata, [&](size_t first, const uint8_t* stratum, size_t count) {
    histogram.add(stratum, count);
    for (size_t s = 0; s < passed.size(); ++s) {
      const size_t before = passed[s];
      passed[s] += histogram.take(s);
      size_t at = before;
      for (size_t i = 0; next[s] < starts[s + 1] && places[next[s]] < passed[s]; ++i) {
        if (stratum[i] == s && at++ == places[next[s]]) items[next[s]++] = static_cast<uint32_t>(first + i);
      }
    }
  });
}

} // namespace farsight
