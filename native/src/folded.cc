// Reading folded codes. A scan hands blocks to the kernel of rabitq codes, with the factors in the head that it expects.
#include "folded.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels.h"
#include "rabitq.h"
#include "remembered-scores.h"

namespace farsight {

namespace {

// Blocks that are handed to the kernel together, as many as a cache of the first level holds.
constexpr size_t kHandedBytes = 16384;
// 2^(-1/24).
constexpr double kFactorStep = 0.97153194115360586874;
// Exact scores ahead that codes are asked for.
constexpr size_t kAhead = 8;

uint32_t word_at(const uint8_t* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

class FoldedQuery final : public Query {
 public:
  FoldedQuery(const FoldedCodes& codes, const float* weights, double bias)
      : codes_(codes), representatives_(codes.representatives(), codes.representatives().prepare(weights, bias)),
        table_(codes.rows() * 128), scan_(codes.rows() * 128) {
    std::vector<double> rotated(weights, weights + codes.dims());
    codes.rotation().apply(rotated.data());
    double largest = 0;
    for (size_t d = 0; d < rotated.size(); ++d) {
      for (size_t c = 0; c < 16; ++c) table_[16 * d + c] = rotated[d] * static_cast<double>(kNormalLevels[c]);
      largest = std::max(largest, std::fabs(table_[16 * d]));
    }
    const double step = largest / 127;
    const double inverse = step > 0 && std::isfinite(1 / step) ? 1 / step : 0;
    for (size_t i = 0; i < scan_.size(); ++i) scan_[i] = static_cast<int8_t>(std::nearbyint(table_[i] * inverse));
    step_ = static_cast<float>(step);
  }

  void approximate(size_t first, size_t count, float* scores) const override {
    const size_t bytes = codes_.block_bytes(), handed = kRabitqHeadBytes + bytes;
    const size_t at_once = std::min(count, std::max<size_t>(1, kHandedBytes / handed));
    std::vector<uint8_t> blocks(at_once * handed);
    for (size_t b = 0; b < count; b += at_once) {
      const size_t now = std::min(at_once, count - b);
      for (size_t i = 0; i < now; ++i) hand_over(codes_.block(first + b + i), blocks.data() + i * handed);
      kernels().rabitq_scan(blocks.data(), now, codes_.rows(), scan_.data(), step_, {}, scores + b * kRabitqBlockItems);
    }
    add_means(first * kRabitqBlockItems, count * kRabitqBlockItems, scores);
  }

  double exact(size_t slot) const override { return residual(slot) + representatives_.exact(codes_.cluster(slot)); }

  void exact_ascending(const uint32_t* slots, size_t count, double* scores) const override {
    size_t end = 0;
    double mean = 0;
    for (size_t i = 0; i < count; ++i) {
      if (i + kAhead < count) codes_.prefetch(slots[i + kAhead]);
      if (slots[i] >= end) {
        const size_t cluster = codes_.cluster(slots[i]);
        end = codes_.end(cluster);
        mean = representatives_.exact(cluster);
      }
      scores[i] = residual(slots[i]) + mean;
    }
  }

  // No bound that holds for every item is of use.
  float error() const override { return INFINITY; }
  // Estimates differ from exact scores by the steps of the table alone.
  size_t candidates(size_t wanted) const override { return wanted + wanted / 4 + 16; }
  void prefetch(size_t slot) const override { codes_.prefetch(slot); }
  const Query* held_for(const Codes& codes) const override {
    return &codes == &codes_.representatives() ? &representatives_ : nullptr;
  }

 private:
  // A block as rabitq.h has it; the kernel reads its factors and rows.
  void hand_over(const uint8_t* block, uint8_t* out) const {
    std::array<uint32_t, kRabitqBlockItems> words{};
    for (size_t r = 0; r < codes_.rows(); ++r) {
      for (size_t i = 0; i < kRabitqBlockItems; ++i) words[i] ^= word_at(block + 64 * r + 4 * i);
    }
    for (size_t i = 0; i < kRabitqBlockItems; ++i) {
      const uint16_t half = static_cast<uint16_t>(std::bit_cast<uint32_t>(codes_.factors()[folded_step(words[i])]) >> 16);
      std::memcpy(out + 8 + 2 * i, &half, sizeof half);
    }
    std::memcpy(out + kRabitqHeadBytes, block, codes_.block_bytes());
  }

  void add_means(size_t first, size_t count, float* scores) const {
    RememberedScores::Block block;
    for (size_t i = 0; i < count;) {
      const size_t cluster = codes_.cluster(first + i);
      const float mean = representatives_.score(cluster, block);
      for (const size_t end = std::min(count, std::max(codes_.end(cluster) - first, i + 1)); i < end; ++i) scores[i] += mean;
    }
  }

  double residual(size_t slot) const {
    double sums[4] = {};
    const uint8_t* bytes = codes_.row(slot);
    const double* table = table_.data();
    uint32_t all = 0;
    for (size_t r = 0; r < codes_.rows(); ++r, bytes += 64, table += 128) {
      const uint32_t word = word_at(bytes);
      all ^= word;
      for (size_t k = 0; k < 4; ++k) {
        sums[k] += table[16 * k + (word >> 8 * k & 15)];
        sums[k] += table[64 + 16 * k + (word >> (8 * k + 4) & 15)];
      }
    }
    return static_cast<double>(codes_.factors()[folded_step(all)]) * ((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }

  const FoldedCodes& codes_;
  RememberedScores representatives_;
  std::vector<double> table_; // what code c of dimension d adds, at 16 d + c
  std::vector<int8_t> scan_;
  float step_ = 0;
};

} // namespace

FoldedFactors folded_factors(float largest) {
  FoldedFactors factors{};
  double factor = static_cast<double>(largest);
  for (size_t k = 1; k < factors.size(); ++k, factor *= kFactorStep) {
    const uint32_t bits = std::bit_cast<uint32_t>(static_cast<float>(factor));
    factors[k] = std::bit_cast<float>((bits + 0x8000) & 0xffff0000);
  }
  return factors;
}

size_t folded_block_bytes(size_t dims) { return (dims + 7) / 8 * 64; }

size_t folded_codes_bytes(size_t count, size_t dims) {
  return (count + kRabitqBlockItems - 1) / kRabitqBlockItems * folded_block_bytes(dims);
}

FoldedCodes::FoldedCodes(size_t dims, float largest, size_t count, const uint8_t* blocks,
                         std::span<const uint32_t> starts, const Codes& representatives)
    : ResidualCodes(dims, count, blocks, representatives), starts_(starts), factors_(folded_factors(largest)) {}

std::unique_ptr<Query> FoldedCodes::prepare(const float* weights, double bias) const {
  return std::make_unique<FoldedQuery>(*this, weights, bias);
}

size_t FoldedCodes::cluster(size_t slot) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), slot) - starts_.begin();
  return std::min<size_t>(after == 0 ? 0 : static_cast<size_t>(after) - 1, representatives().count() - 1);
}

size_t FoldedCodes::end(size_t cluster) const {
  return cluster + 2 < starts_.size() ? starts_[cluster + 1] : std::numeric_limits<size_t>::max();
}

void FoldedCodes::residual(size_t slot, float* values) const {
  const uint8_t* bytes = row(slot);
  uint32_t all = 0;
  for (size_t r = 0; r < rows(); ++r, bytes += 64) {
    const uint32_t word = word_at(bytes);
    all ^= word;
    for (size_t j = 0; j < 8 && 8 * r + j < dims(); ++j) {
      values[8 * r + j] = kNormalLevels[word >> (8 * (j % 4) + j / 4 * 4) & 15];
    }
  }
  const float factor = factors_[folded_step(all)];
  for (size_t d = 0; d < dims(); ++d) values[d] *= factor;
}

void FoldedCodes::prefetch(size_t slot) const {
  const uint8_t* bytes = row(slot);
  for (size_t r = 0; r < rows(); ++r, bytes += 64) __builtin_prefetch(bytes);
}

} // namespace farsight
