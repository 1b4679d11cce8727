// One residual after the other: rotate, quantise at the scale that suits it best, and fold the factor into the codes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "folded.h"
#include "parallel.h"
#include "rabitq.h"

namespace farsight {

namespace {

// Of the residual's deviation: what is coded is a little more or less than normal.
constexpr double kScales[] = {0.86, 0.92, 0.98, 1.04, 1.1, 1.17};

// The nearest level of values from -kReach to kReach, by their place in steps of which even the narrowest cell has twenty.
constexpr size_t kCells = 512;
constexpr double kReach = 3.2;
// Of a residual shorter than this nothing is kept, so that its inverse is a float.
constexpr double kLeastDeviation = 1e-30;

struct Nearest {
  uint8_t code[kCells];
  Nearest() {
    for (size_t i = 0; i < kCells; ++i) {
      const double middle = (static_cast<double>(i) + 0.5) * (2 * kReach / kCells) - kReach;
      const float value = static_cast<float>(middle);
      uint8_t c = 0;
      while (c < 15 && value > (kNormalLevels[c] + kNormalLevels[c + 1]) / 2) ++c;
      code[i] = c;
    }
  }
};

class FoldedEncoder {
 public:
  FoldedEncoder(size_t dims, float largest, const Rotation& rotation)
      : rotation_(rotation), factors_(folded_factors(largest)), residual_(dims), rotated_(dims), code_(dims), tried_(dims) {}

  void encode(const uint8_t* record, const float* offset, const float* step, const float* representative) {
    const size_t dims = residual_.size();
    for (size_t d = 0; d < dims; ++d) {
      const float lower = static_cast<float>(record[dims + d]) / 255 - 0.5f;
      residual_[d] = offset[d] + step[d] * (static_cast<float>(record[d]) + lower) - representative[d];
    }
    rotated_ = residual_;
    rotation_.apply(rotated_.data());
    double square = 0;
    for (const float value : rotated_) square += static_cast<double>(value) * static_cast<double>(value);
    const size_t k = step_of(quantise(square));
    factor_ = factors_[k];
    if (k == 0) {
      std::fill(code_.begin(), code_.end(), uint8_t{8});
      return;
    }
    for (size_t g = 0; g < 8; ++g) fold(g, k >> g & 1);
  }

  const uint8_t* code() const { return code_.data(); }

  // The largest |residual - what is stored of it|.
  double error() {
    for (size_t d = 0; d < rotated_.size(); ++d) rotated_[d] = factor_ * kNormalLevels[code_[d]];
    rotation_.undo(rotated_.data());
    float largest = 0;
    for (size_t d = 0; d < rotated_.size(); ++d) largest = std::max(largest, std::fabs(residual_[d] - rotated_[d]));
    return largest;
  }

 private:
  // Of several scales the codes whose direction is nearest to the residual's; returns the factor that makes their
  // estimates unbiased, |r|^2 / <r, levels>.
  double quantise(double square) {
    const double deviation = std::sqrt(square / static_cast<double>(rotated_.size()));
    if (deviation < kLeastDeviation) return 0;
    double best = -1, factor = 0;
    for (const double scale : kScales) {
      const float inverse = static_cast<float>(kCells / (2 * kReach * scale * deviation));
      double product = 0, levels = 0;
      for (size_t d = 0; d < rotated_.size(); ++d) {
        const float place = rotated_[d] * inverse + kCells / 2.0f;
        tried_[d] = nearest_.code[static_cast<size_t>(std::clamp(place, 0.0f, kCells - 1.0f))];
        const double level = static_cast<double>(kNormalLevels[tried_[d]]);
        product += static_cast<double>(rotated_[d]) * level;
        levels += level * level;
      }
      const double cosine = product / std::sqrt(levels);
      if (!(cosine > best)) continue;
      best = cosine;
      factor = square / product;
      code_.swap(tried_);
    }
    return factor;
  }

  // Where the nearer factor in the ratio lies; 0 for less than half a step below the least.
  size_t step_of(double factor) const {
    if (!(factor > 0) || factors_[1] == 0) return 0;
    size_t k = 1;
    while (k < 255 && factor * factor < static_cast<double>(factors_[k]) * static_cast<double>(factors_[k + 1])) ++k;
    return k == 255 && factor < 0.98 * static_cast<double>(factors_[255]) ? 0 : k;
  }

  // Makes the parity of a group's codes `odd`, where that costs least.
  void fold(size_t group, size_t odd) {
    size_t parity = 0;
    float least = INFINITY;
    size_t chosen = group;
    uint8_t other = 0;
    for (size_t d = group; d < code_.size(); d += 8) {
      const uint8_t code = code_[d];
      parity ^= code & 1;
      const float value = rotated_[d] / factor_, own = value - kNormalLevels[code];
      // The neighbour on the side that the value lies to, or the only one.
      const bool up = code == 0 || (code < 15 && own > 0);
      const uint8_t next = static_cast<uint8_t>(up ? code + 1 : code - 1);
      const float far = value - kNormalLevels[next], cost = far * far - own * own;
      if (cost < least) {
        least = cost;
        chosen = d;
        other = next;
      }
    }
    if (parity != odd) code_[chosen] = other;
  }

  const Rotation& rotation_;
  FoldedFactors factors_;
  Nearest nearest_;
  std::vector<float> residual_, rotated_;
  std::vector<uint8_t> code_, tried_;
  float factor_ = 0;
};

// Into lane `lane` of a block of zeros.
void put(const uint8_t* code, size_t dims, size_t lane, uint8_t* block) {
  for (size_t d = 0; d < dims; ++d) {
    uint8_t& byte = block[d / 8 * 64 + 4 * lane + d % 4];
    byte = static_cast<uint8_t>(byte | code[d] << d % 8 / 4 * 4);
  }
}

} // namespace

double pack_folded(const FineRecords& records, size_t first, const ResidualClusters& clusters, float largest,
                   size_t threads, uint8_t* blocks) {
  const size_t block_bytes = folded_block_bytes(records.dims);
  const size_t count = (records.rows + kRabitqBlockItems - 1) / kRabitqBlockItems;
  const size_t shares = std::clamp<size_t>(threads, 1, std::max<size_t>(count, 1));
  const Rotation rotation(records.dims);
  std::vector<double> errors(shares);
  std::memset(blocks, 0, count * block_bytes);
  run_parts(shares, [&](size_t share) {
    FoldedEncoder encoder(records.dims, largest, rotation);
    const size_t from = count * share / shares * kRabitqBlockItems;
    const size_t to = std::min(records.rows, count * (share + 1) / shares * kRabitqBlockItems);
    const uint32_t* const ends = clusters.starts + clusters.count + 1;
    // The cluster that holds the first slot of this share.
    size_t cluster = static_cast<size_t>(std::upper_bound(clusters.starts, ends, first + from) - clusters.starts) - 1;
    for (size_t row = from; row < to; ++row) {
      if (clusters.starts[cluster + 1] == first + row) ++cluster;
      encoder.encode(records.codes + row * 2 * records.dims, records.offset, records.step,
                     clusters.representatives + cluster * records.dims);
      put(encoder.code(), records.dims, row % kRabitqBlockItems, blocks + row / kRabitqBlockItems * block_bytes);
      errors[share] = std::max(errors[share], encoder.error());
    }
  });
  return *std::max_element(errors.begin(), errors.end());
}

} // namespace farsight
