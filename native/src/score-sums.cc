// The sums of scores in plain C++, and the choice among the forms of its kernel.
#include "score-sums.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "collector.h"
#include "kernels.h"

namespace farsight {

namespace {

void add_scores(const float* scores, size_t count, double shift, ScoreLanes& lanes) {
  for (size_t i = 0; i < count; i += kScoreLanes) {
    for (size_t l = 0; l < kScoreLanes; ++l) {
      const float score = scores[i + l];
      const double difference = static_cast<double>(score) - shift;
      lanes.sums[l] += difference;
      lanes.squares[l] += difference * difference;
      lanes.least[l] = std::min(lanes.least[l], score);
      lanes.greatest[l] = std::max(lanes.greatest[l], score);
    }
  }
}

constexpr ScoreSumKernels kTable = {"scalar", add_scores};

const ScoreSumKernels& choose() {
  const ScoreSumKernels* const own = avx512_score_sums();
  return own != nullptr && std::strcmp(own->isa, kernels().isa) == 0 ? *own : kTable;
}

} // namespace

const ScoreSumKernels* scalar_score_sums() { return &kTable; }

void ScoreSums::add(std::span<const float> scores) {
  static const ScoreSumKernels& chosen = choose();
  if (scores.empty()) return;
  if (count == 0) {
    const size_t some = std::min(scores.size(), kBatchSlots);
    shift = std::accumulate(scores.begin(), scores.begin() + static_cast<ptrdiff_t>(some), 0.0) / static_cast<double>(some);
    least = greatest = static_cast<double>(scores[0]);
  }
  count += static_cast<double>(scores.size());
  ScoreLanes lanes;
  std::fill_n(lanes.least, kScoreLanes, scores[0]);
  std::fill_n(lanes.greatest, kScoreLanes, scores[0]);
  const size_t whole = scores.size() / kScoreLanes * kScoreLanes;
  chosen.add_scores(scores.data(), whole, shift, lanes);
  for (size_t i = whole; i < scores.size(); ++i) {
    const double difference = static_cast<double>(scores[i]) - shift;
    lanes.sums[0] += difference;
    lanes.squares[0] += difference * difference;
    lanes.least[0] = std::min(lanes.least[0], scores[i]);
    lanes.greatest[0] = std::max(lanes.greatest[0], scores[i]);
  }
  sum += std::accumulate(lanes.sums, lanes.sums + kScoreLanes, 0.0);
  squares += std::accumulate(lanes.squares, lanes.squares + kScoreLanes, 0.0);
  least = std::min(least, static_cast<double>(*std::min_element(lanes.least, lanes.least + kScoreLanes)));
  greatest = std::max(greatest, static_cast<double>(*std::max_element(lanes.greatest, lanes.greatest + kScoreLanes)));
}

} // namespace farsight
