// A bounded collector for short scans: scores that are next to exact in, the best items out.
#pragma once

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "codes.h"
#include "collector.h"
#include "kernels.h"

namespace farsight {

// The `limit` best slots that `admit` (as of Offers) lets through. Scores are kept until there are many of them, and
// only those of the best are looked at one by one: most items of a cluster are never asked whether they may be answered.
template <typename Admit>
class FineCollector {
 public:
  FineCollector(const FineQuery& fine, const Query& query, size_t limit, Admit admit)
      : fine_(fine), query_(query), limit_(limit), admit_(admit), scores_(kMostScores), positions_(kMostScores + 16) {}

  // Scores the slots [begin, end), which are no more than kBatchSlots.
  void scan(size_t begin, size_t end) {
    if (limit_ == 0 || begin == end) return;
    const size_t first = begin / kLanes * kLanes, count = (end - first + kLanes - 1) / kLanes * kLanes;
    if (used_ + count > kMostScores) cut();
    float* scores = scores_.data() + used_;
    fine_.scores(first, end, scores);
    std::fill(scores, scores + (begin - first), -INFINITY);
    std::fill(scores + (end - first), scores + count, -INFINITY);
    runs_.push_back({used_, first});
    used_ += count;
  }

  // Leaves the collector empty; the result is unordered.
  std::vector<Scored> take() {
    if (used_ > 0) cut();
    std::vector<Scored> best;
    // Their codes were read a moment ago.
    for (const Candidate& candidate : kept_) {
      const double score = query_.exact(candidate.slot);
      if (!std::isnan(score)) best.push_back({score, candidate.number});
    }
    keep_best(best, limit_);
    kept_.clear();
    least_ = -FLT_MAX;
    return best;
  }

 private:
  static constexpr size_t kMostScores = 4 * kBatchSlots;
  // Of the scores, one of so many says where the best begin.
  static constexpr size_t kSampled = 8;

  struct Run {
    size_t at;    // in scores_
    size_t first; // its slot
  };
  struct Candidate {
    float score;
    uint32_t slot;
    uint32_t number;
  };

  // Leaves of all scores those of the `limit` best, and what may be better in truth.
  void cut() {
    // What scores `below` or more has been looked at; twice as many at a time, until there are enough.
    float below = INFINITY;
    for (size_t wanted = limit_; below > least_; wanted *= 2) {
      float from = least_;
      if (kept_.size() < limit_) {
        from = std::max(from, sampled_score(scores_.data(), used_, kSampled, wanted / kSampled, sample_));
      }
      look_at(from, below);
      below = from;
      drop_hopeless();
    }
    used_ = 0;
    runs_.clear();
  }

  // Keeps the candidates that score at least `from` and less than `below`.
  void look_at(float from, float below) {
    const size_t found = kernels().select_at_least(scores_.data(), used_, from, positions_.data());
    size_t run = 0;
    for (size_t i = 0; i < found; ++i) {
      const size_t position = positions_[i];
      if (!(scores_[position] < below)) continue;
      while (run + 1 < runs_.size() && runs_[run + 1].at <= position) ++run;
      const size_t slot = runs_[run].first + (position - runs_[run].at);
      uint32_t number = 0;
      if (admit_(slot, number)) kept_.push_back({scores_[position], static_cast<uint32_t>(slot), number});
    }
  }

  // With E the error, what scores less than a - 2E is not among the best where `limit` others score at least a.
  void drop_hopeless() {
    if (kept_.size() < limit_) return;
    order_.clear();
    for (const Candidate& candidate : kept_) order_.push_back(candidate.score);
    const auto last = order_.begin() + static_cast<ptrdiff_t>(limit_ - 1);
    std::nth_element(order_.begin(), last, order_.end(), std::greater<>());
    least_ = std::max(least_, round_down(static_cast<double>(*last) - 2 * fine_.error()));
    std::erase_if(kept_, [&](const Candidate& candidate) { return candidate.score < least_; });
  }

  const FineQuery& fine_;
  const Query& query_;
  size_t limit_;
  Admit admit_;
  std::vector<float> scores_; // of the runs, side by side; -INFINITY where a run has no slot
  std::vector<uint32_t> positions_;
  size_t used_ = 0;
  std::vector<Run> runs_;
  std::vector<Candidate> kept_;
  float least_ = -FLT_MAX; // no score below is wanted
  std::vector<float> sample_, order_;
};

// As of other collectors.
template <typename Admit, typename Asked>
size_t scan_slots(const Codes&, const Query&, size_t begin, size_t end, Reaching&, FineCollector<Admit>& collector,
                  Asked&& stop, Blocks = {}) {
  size_t slot = begin;
  while (slot < end && !stop()) {
    const size_t batch_end = std::min(end, slot + kBatchSlots);
    collector.scan(slot, batch_end);
    slot = batch_end;
  }
  return slot - begin;
}

} // namespace farsight
