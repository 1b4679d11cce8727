// Scores of representatives, kept from when clusters were chosen to when their items are scored.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "codes.h"

namespace farsight {

// A query for representatives that remembers what approximate() wrote, where they are few. That may be called by one thread at
// a time, score() by several when it is not.
class RememberedScores final : public Query {
 public:
  RememberedScores(const Codes& representatives, std::unique_ptr<Query> query)
      : representatives_(representatives), query_(std::move(query)), block_items_(representatives.block_items()) {}

  void approximate(size_t first, size_t count, float* scores) const override {
    query_->approximate(first, count, scores);
    const size_t all = representatives_.count(), begin = first * block_items_;
    if (all > kMostRemembered || begin >= all) return;
    if (known_.empty()) known_.assign(all, std::numeric_limits<float>::quiet_NaN());
    std::copy_n(scores, std::min(count * block_items_, all - begin), known_.begin() + static_cast<ptrdiff_t>(begin));
  }

  size_t reaching(Blocks blocks, Blocks next, size_t slots, float threshold, uint32_t* positions,
                  float* scores) const override {
    return query_->reaching(blocks, next, slots, threshold, positions, scores);
  }
  bool asks_ahead() const override { return query_->asks_ahead(); }
  double exact(size_t slot) const override { return query_->exact(slot); }
  float error() const override { return query_->error(); }
  void prefetch(size_t slot) const override { query_->prefetch(slot); }

  // The scores of a block, of which several are wanted one after the other.
  struct Block {
    size_t number = std::numeric_limits<size_t>::max();
    std::vector<float> scores;
  };

  // What approximate() writes for one representative.
  float score(size_t representative, Block& block) const {
    if (!known_.empty() && !std::isnan(known_[representative])) return known_[representative];
    if (representative / block_items_ != block.number) {
      block.number = representative / block_items_;
      block.scores.resize(block_items_);
      query_->approximate(block.number, 1, block.scores.data());
    }
    return block.scores[representative % block_items_];
  }

 private:
  // 256 KB of scores.
  static constexpr size_t kMostRemembered = 65536;

  const Codes& representatives_;
  std::unique_ptr<Query> query_;
  size_t block_items_;
  mutable std::vector<float> known_; // NaN: not yet
};

} // namespace farsight
