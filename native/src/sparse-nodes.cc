// Means of groups and their search; see sparse-nodes.h.
#include "sparse-nodes.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "parallel.h"

namespace farsight {

namespace {

// The mean of a group's members over the features they have, ascending, drawn out to their mean length: a mean of
// unlike members is short, and by Euclidean distance it would attract whatever has nothing near it. On vectors of one length this is spherical k-means.
struct Mean {
  std::vector<Entry> entries;
  double square = 0;
};

Mean mean_of(const SparseTable& table, std::span<const uint32_t> members, std::vector<double>& sums,
             std::vector<uint32_t>& touched) {
  touched.clear();
  for (const uint32_t member : members) {
    const Entry* row = table.row(member);
    for (size_t j = 0; j < table.counts[member]; ++j) {
      if (sums[row[j].id] == 0) touched.push_back(row[j].id);
      sums[row[j].id] += row[j].value;
    }
  }
  std::sort(touched.begin(), touched.end());
  double length = 0, square = 0;
  for (const uint32_t member : members) length += std::sqrt(table.squares[member]);
  for (const uint32_t id : touched) square += sums[id] * sums[id];
  const double scale = square > 0 ? length / static_cast<double>(members.size()) / std::sqrt(square) : 0;
  Mean mean;
  mean.entries.reserve(touched.size());
  for (const uint32_t id : touched) {
    const double value = sums[id] * scale;
    mean.entries.push_back({id, static_cast<float>(value)});
    mean.square += value * value;
    sums[id] = 0;
  }
  return mean;
}

// The best of what was offered so far, as keys that order by score and then by lower node.
class Best {
 public:
  explicit Best(size_t beam) : beam_(beam) { keys_.reserve(2 * beam + kReserve); }

  void clear() {
    keys_.clear();
    threshold_ = INT16_MIN;
  }
  int16_t threshold() const { return threshold_; }
  // At least `beam` of the scores offered next reach it.
  void raise(int16_t threshold) { threshold_ = std::max(threshold_, threshold); }
  void offer(int16_t score, size_t node) {
    keys_.push_back(static_cast<uint32_t>(score + 0x8000) << 16 | static_cast<uint32_t>(0xffff - node));
  }
  void settle() {
    if (keys_.size() >= 2 * beam_ + kSlack) shrink();
  }
  std::span<const uint32_t> finish() {
    shrink();
    return keys_;
  }
  static size_t node(uint32_t key) { return 0xffff - (key & 0xffff); }

 private:
  static constexpr size_t kReserve = 600;
  static constexpr size_t kSlack = 16;

  void shrink() {
    if (keys_.size() <= beam_) return;
    std::nth_element(keys_.begin(), keys_.begin() + (beam_ - 1), keys_.end(), std::greater<>());
    keys_.resize(beam_);
    raise(static_cast<int16_t>(static_cast<int32_t>(keys_.back() >> 16) - 0x8000));
  }

  size_t beam_;
  int16_t threshold_ = INT16_MIN;
  std::vector<uint32_t> keys_;
};

constexpr size_t kMaxStripes = 512;

// A score that `beam` of these reach: the beam-th largest of the largest of at least 2 * beam disjoint stripes.
// count: a power of two.
int16_t reached_by(const int16_t* scores, size_t count, size_t beam) {
  int16_t largest[kMaxStripes];
  const size_t stripes = std::max<size_t>(std::bit_ceil(2 * beam), 16);
  if (stripes > std::min(count, kMaxStripes)) return INT16_MIN;
  std::copy_n(scores, stripes, largest);
  for (size_t s = stripes; s < count; s += 16) {
    int16_t* stripe = largest + s % stripes;
    for (size_t l = 0; l < 16; ++l) {
      const int16_t a = stripe[l], b = scores[s + l];
      stripe[l] = a > b ? a : b;
    }
  }
  std::nth_element(largest, largest + (beam - 1), largest + stripes, std::greater<>());
  return largest[beam - 1];
}

} // namespace

SparseNodes::SparseNodes(const SparseTable& table, std::span<const uint32_t> members, std::span<const uint32_t> starts,
                         size_t dims, size_t threads)
    : count_(starts.size() - 1), blocks_((count_ + kBlock - 1) / kBlock), map_(dims, kNoRow) {
  std::vector<Mean> means(count_);
  parallel(count_, threads, [&](size_t first, size_t last) {
    std::vector<double> sums(dims, 0.0);
    std::vector<uint32_t> touched;
    for (size_t n = first; n < last; ++n) {
      means[n] = mean_of(table, members.subspan(starts[n], starts[n + 1] - starts[n]), sums, touched);
    }
  });
  for (const Mean& mean : means) {
    largest_norm_ = std::max(largest_norm_, static_cast<float>(std::sqrt(mean.square)));
    for (const Entry& entry : mean.entries) map_[entry.id] = 0;
  }
  for (uint32_t& row : map_) {
    if (row != kNoRow) row = static_cast<uint32_t>(features_++);
  }
  panel_.assign(blocks_ * (features_ + 1) * kBlock, 0);
  for (size_t n = 0; n < blocks_ * kBlock; ++n) {
    // Lanes past the last node repeat the first: never larger than the largest, and never chosen.
    const Mean& mean = means[n < count_ ? n : 0];
    int16_t* lane = panel_.data() + n / kBlock * (features_ + 1) * kBlock + n % kBlock;
    for (const Entry& entry : mean.entries) lane[map_[entry.id] * kBlock] = panel_value(entry.value, largest_norm_);
    lane[features_ * kBlock] = panel_bias(mean.square, largest_norm_);
  }
}

void SparseNodes::search(const WeighedRows& rows, size_t first, size_t last, size_t beam, uint16_t* found) const {
  const PanelKernels& panels = panel_kernels();
  std::vector<uint32_t> panel_rows;
  std::vector<int16_t> weights;
  std::vector<size_t> starts;
  std::vector<Best> best(std::min(kBatch, last - first), Best(beam));
  int16_t scores[kBlock];
  uint32_t positions[kBlock];
  for (size_t begin = first; begin < last; begin += kBatch) {
    const size_t here = std::min(kBatch, last - begin);
    starts.assign(1, 0);
    for (size_t i = 0; i < here; ++i) {
      panel_rows.resize(starts.back() + rows.count(begin + i) + 1);
      weights.resize(panel_rows.size());
      starts.push_back(starts.back() + rows.weigh(begin + i, largest_norm_, map_.data(), features_,
                                                  panel_rows.data() + starts.back(), weights.data() + starts.back()));
      best[i].clear();
    }
    for (size_t b = 0; b < blocks_; ++b) {
      const size_t nodes = std::min(kBlock, count_ - b * kBlock);
      for (size_t i = 0; i < here; ++i) {
        const int16_t largest = panels.panel_scores(block(b), kBlock, panel_rows.data() + starts[i],
                                                    weights.data() + starts[i], starts[i + 1] - starts[i], scores);
        if (b == 0 && nodes == kBlock) best[i].raise(reached_by(scores, kBlock, beam));
        if (largest < best[i].threshold()) continue;
        const size_t chosen = panels.panel_select(scores, kBlock, best[i].threshold(), positions);
        for (size_t c = 0; c < chosen && positions[c] < nodes; ++c) {
          best[i].offer(scores[positions[c]], b * kBlock + positions[c]);
        }
        best[i].settle();
      }
    }
    for (size_t i = 0; i < here; ++i) {
      uint16_t* out = found + (begin - first + i) * beam;
      for (const uint32_t key : best[i].finish()) *out++ = static_cast<uint16_t>(Best::node(key));
    }
  }
}

} // namespace farsight
