// A bounded collector of the best slots: approximate scores in, exact ones out.
#pragma once

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "codes.h"

namespace farsight {

// Slots scored at a time by the longest runs: their scores stay in the first-level cache.
inline constexpr size_t kBatchSlots = 4096;
// Look-ups ahead that exact scoring asks for, and the same for the slot numbers that lead there.
inline constexpr size_t kPrefetchCodes = 8;
inline constexpr size_t kPrefetchSlots = 24;
// Candidates a collector holds at most: this many per item asked for, and no fewer than a handful of buckets' worth.
inline constexpr size_t kCandidates = 4;
inline constexpr size_t kLeastCandidates = 256;
// Of the histogram a collector cuts its candidates by.
inline constexpr uint32_t kBuckets = 1024;

struct Scored {
  double score;
  uint32_t item;
};

struct Better {
  bool operator()(const Scored& a, const Scored& b) const {
    return a.score > b.score || (a.score == b.score && a.item < b.item);
  }
};

inline float round_down(double value) {
  const float rounded = static_cast<float>(value);
  return rounded > value ? std::nextafter(rounded, -INFINITY) : rounded;
}

// Keeps the `limit` best items of a list of Scored, in no particular order.
inline void keep_best(std::vector<Scored>& list, size_t limit) {
  if (list.size() <= limit) return;
  std::nth_element(list.begin(), list.begin() + static_cast<ptrdiff_t>(limit), list.end(), Better{});
  list.resize(limit);
}

// A score that at least `limit` of the values reach, which all lie within [low, high], close to the largest such one: the
// lower edge of a histogram's bucket. Choosing the limit-th itself costs several times as much.
template <typename Values, typename Score>
double reached_by(const Values& values, Score score, float low, float high, size_t limit, std::vector<uint32_t>& buckets) {
  const float scale = (kBuckets - 1) / (high - low);
  if (!(scale > 0) || !std::isfinite(scale)) return low;
  buckets.assign(kBuckets, 0);
  for (const auto& value : values) ++buckets[std::min(static_cast<uint32_t>((score(value) - low) * scale), kBuckets - 1)];
  uint32_t last = kBuckets - 1;
  for (size_t reached = buckets[last]; reached < limit; reached += buckets[last]) --last;
  // The two float roundings above move (x - low) * scale by less than 2^-22 of itself.
  return low + last * (1 - 0x1p-22) / scale;
}

// About the score that a share of `count` has: of every step-th of them the one that `rank` others exceed, or -FLT_MAX when
// no more than so many were looked at.
inline float sampled_score(const float* scores, size_t count, size_t step, size_t rank, std::vector<float>& sample) {
  sample.clear();
  for (size_t i = 0; i < count; i += step) sample.push_back(scores[i]);
  if (rank >= sample.size()) return -FLT_MAX;
  const auto at = sample.begin() + static_cast<ptrdiff_t>(rank);
  std::nth_element(sample.begin(), at, sample.end(), std::greater<>());
  return *at;
}

// Scores of a batch that reach a threshold, and where they stand in it; see Query::reaching.
struct Reaching {
  std::vector<uint32_t> positions = std::vector<uint32_t>(kBatchSlots + 16);
  std::vector<float> scores = std::vector<float>(kBatchSlots + 16);
};

// What collectors share: of the slots that reach a threshold, those that `admit` lets through.
// Admit: bool(size_t slot, uint32_t& number) gives a slot's number, or leaves the slot out; prefetch(slot) hints that it will
// be asked.
template <typename Admit>
class Offers {
 public:
  // Slots that score less need not be offered.
  float threshold() const { return limit_ == 0 ? INFINITY : threshold_; }

  // Nothing below `bound` is wanted.
  void require(float bound) { threshold_ = std::max(threshold_, bound); }

 protected:
  Offers(size_t limit, Admit admit)
      : limit_(limit), capacity_(std::max(limit * kCandidates, kLeastCandidates)), admit_(admit) {}

  // Calls keep(score, slot, number), which may raise the threshold, for the slots base + position.
  template <typename Keep>
  void each(size_t base, std::span<const uint32_t> positions, const float* scores, Keep keep) {
    if (limit_ == 0) return;
    for (const uint32_t position : positions) admit_.prefetch(base + position);
    for (size_t p = 0; p < positions.size(); ++p) {
      uint32_t number = 0;
      if (scores[p] >= threshold_ && admit_(base + positions[p], number)) keep(scores[p], base + positions[p], number);
    }
  }

  size_t limit_;
  size_t capacity_;
  float threshold_ = -INFINITY;

 private:
  Admit admit_;
};

// The `limit` best slots that `admit` lets through, by their approximate scores alone.
template <typename Admit>
class RoughCollector : public Offers<Admit> {
 public:
  RoughCollector(size_t limit, Admit admit) : Offers<Admit>(limit, admit) {}

  // As of Collector.
  void offer(size_t base, std::span<const uint32_t> positions, const float* scores) {
    this->each(base, positions, scores, [&](float score, size_t, uint32_t number) {
      best_.push_back({score, number});
      if (best_.size() == this->capacity_) shrink();
    });
  }

  // Leaves the collector empty; the result is unordered.
  std::vector<Scored> take() {
    if (best_.size() > this->limit_) shrink();
    keep_best(best_, this->limit_);
    this->threshold_ = -INFINITY;
    return std::exchange(best_, {});
  }

 private:
  // Approximate scores are floats.
  static float score_of(const Scored& scored) { return static_cast<float>(scored.score); }

  void shrink() {
    if (this->limit_ == 0) return best_.clear();
    float low = INFINITY, high = -INFINITY;
    for (const Scored& scored : best_) {
      low = std::min(low, score_of(scored));
      high = std::max(high, score_of(scored));
    }
    this->require(round_down(reached_by(best_, score_of, low, high, this->limit_, buckets_)));
    // Without a branch per candidate: which ones stay is as good as random.
    size_t kept = 0;
    for (const Scored scored : best_) {
      best_[kept] = scored;
      kept += score_of(scored) >= this->threshold_;
    }
    best_.resize(kept);
    if (kept <= this->capacity_ / 2) return;
    // Too many lie close together.
    keep_best(best_, this->limit_);
    this->require(score_of(*std::max_element(best_.begin(), best_.end(), Better{})));
  }

  std::vector<Scored> best_;
  std::vector<uint32_t> buckets_;
};

// The `limit` best slots that `admit` lets through. Slots come with approximate scores; with E the query's error,
//   - a slot whose approximate score is below a - 2E, where `limit` others have at least a, is not among the best: the
//     exact scores of those are at least a - E, its own is below that;
//   - nor is one below (limit-th best exact) - E.
// Candidates are kept by approximate score in a bounded buffer. When too many lie within 2E of each other (ties), they
// are scored exactly and only `limit` of them stay.
template <typename Admit>
class Collector : public Offers<Admit> {
 public:
  Collector(const Query& query, size_t limit, Admit admit)
      : Offers<Admit>(limit, admit), query_(query), error_(query.error()) {}

  // Approximate scores of the slots base + position, ascending, which reach threshold().
  void offer(size_t base, std::span<const uint32_t> positions, const float* scores) {
    this->each(base, positions, scores, [&](float score, size_t slot, uint32_t number) {
      candidates_.push_back({score, static_cast<uint32_t>(slot), number});
      lowest_ = std::min(lowest_, score);
      highest_ = std::max(highest_, score);
      if (candidates_.size() == this->capacity_) shrink();
    });
  }

  // Leaves the collector empty; the result is unordered.
  std::vector<Scored> take() {
    if (this->limit_ == 0) return {};
    drop_hopeless();
    settle();
    this->threshold_ = -INFINITY;
    return std::exchange(best_, {});
  }

 private:
  struct Candidate {
    float approximate;
    uint32_t slot;
    uint32_t number;
  };

  void shrink() {
    drop_hopeless();
    if (candidates_.size() > this->capacity_ / 2) settle();
  }

  void drop_hopeless() {
    if (candidates_.size() <= this->limit_) return;
    const auto approximate = [](const Candidate& candidate) { return candidate.approximate; };
    raise_threshold(reached_by(candidates_, approximate, lowest_, highest_, this->limit_, buckets_) - 2 * error_);
    // Without a branch per candidate: which ones stay is as good as random.
    size_t kept = 0;
    for (const Candidate candidate : candidates_) {
      candidates_[kept] = candidate;
      kept += candidate.approximate >= this->threshold_;
    }
    candidates_.resize(kept);
    lowest_ = std::max(lowest_, this->threshold_);
  }

  // Scores the candidates exactly and keeps the best of them and of those settled before.
  void settle() {
    for (size_t c = 0; c < candidates_.size(); ++c) {
      if (c + kPrefetchCodes < candidates_.size()) query_.prefetch(candidates_[c + kPrefetchCodes].slot);
      const double score = query_.exact(candidates_[c].slot);
      if (!std::isnan(score)) best_.push_back({score, candidates_[c].number});
    }
    candidates_.clear();
    lowest_ = INFINITY;
    highest_ = -INFINITY;
    keep_best(best_, this->limit_);
    if (best_.size() < this->limit_) return;
    const auto worst = std::max_element(best_.begin(), best_.end(), Better{});
    raise_threshold(worst->score - error_);
  }

  void raise_threshold(double bound) { this->require(round_down(bound)); }

  const Query& query_;
  double error_;
  std::vector<Candidate> candidates_;
  float lowest_ = INFINITY; // bounds of the candidates' approximate scores
  float highest_ = -INFINITY;
  std::vector<uint32_t> buckets_;
  std::vector<Scored> best_;
};

// Offers those of `found` slots from `base` on that are within [begin, end): blocks may begin before it and end behind it.
template <typename Collects>
void offer_within(Collects& collector, size_t base, size_t begin, size_t end, const Reaching& reaching, size_t found) {
  const uint32_t* positions = reaching.positions.data();
  const size_t first = std::lower_bound(positions, positions + found, begin - base) - positions;
  const size_t last = std::lower_bound(positions + first, positions + found, end - base) - positions;
  collector.offer(base, {positions + first, last - first}, reaching.scores.data() + first);
}

// Scores the slots [begin, end) and hands those that may be wanted to a collector, kBatchSlots at a time at most. `stop` is
// asked before every batch; returns how many slots were scored. `next`: see Query::reaching.
template <typename Collects, typename Asked>
size_t scan_slots(const Codes& codes, const Query& query, size_t begin, size_t end, Reaching& reaching,
                  Collects& collector, Asked&& stop, Blocks next = {}) {
  const size_t items = codes.block_items();
  size_t slot = begin;
  while (slot < end && !stop()) {
    const size_t first_block = slot / items;
    const size_t base = first_block * items;
    const size_t batch_end = std::min(end, base + kBatchSlots);
    const size_t blocks = (batch_end - base + items - 1) / items;
    const size_t found = query.reaching({first_block, blocks}, batch_end == end ? next : Blocks{}, blocks * items,
                                        collector.threshold(), reaching.positions.data(), reaching.scores.data());
    offer_within(collector, base, slot, batch_end, reaching, found);
    slot = batch_end;
  }
  return slot - begin;
}

} // namespace farsight
