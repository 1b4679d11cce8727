// rabitq codes of 4 bits a dimension and not a byte more: an eighth of float32.
//
//   stored vector = representative + R^T (f * level[code_d])_d
//
// with R the rotation (rotation.h) and level the 16 values that stand for a standard normal variable with the least squared
// error (Max, 1960); a rotated residual is about normal. The item's factor f has no bytes of its own: it is one of 255
// steps of a 24th of an octave below the largest factor, f = largest * 2^(-(k - 1) / 24), or 0 for k = 0, and bit g of k is
// the parity of the codes of dimensions g, g + 8, g + 16 … To make it so, at most one code of each of the eight groups
// goes to the second nearest level: with 16 dimensions in a group this adds 2 % to the squared error.
//
// A block holds 16 consecutive slots in rows of 64 bytes, 8 dimensions each: byte 4 i + k of row r is of slot i, its low
// nibble dimension 8 r + k, its high nibble 8 r + 4 + k. Dimensions past the last have code 0. Which cluster a slot is in,
// the starts of the clusters say.
#pragma once

#include <array>
#include <span>

#include "rabitq-pack.h"
#include "residual-codes.h"

namespace farsight {

// Every group of dimensions has a member.
inline constexpr uint32_t kLeastFoldedDims = 8;

inline constexpr std::array<float, 16> kNormalLevels = {-2.733f, -2.069f, -1.618f, -1.256f, -0.9424f, -0.6568f,
                                                        -0.3881f, -0.1284f, 0.1284f, 0.3881f, 0.6568f, 0.9424f,
                                                        1.256f, 1.618f, 2.069f, 2.733f};

// Factor k; floats whose lower half is zero, as the scan's kernel takes them.
using FoldedFactors = std::array<float, 256>;
FoldedFactors folded_factors(float largest);

// Of the exclusive or of a slot's four bytes of all rows.
inline uint32_t folded_step(uint32_t word) {
  // Bits 0, 8, 16 and 24 side by side in the upper byte.
  const auto gather = [](uint32_t bits) { return (bits & 0x01010101) * 0x01020408 >> 24; };
  return gather(word) | gather(word >> 4) << 4;
}

size_t folded_block_bytes(size_t dims);
size_t folded_codes_bytes(size_t count, size_t dims);

// Like pack_rabitq.
double pack_folded(const FineRecords& records, size_t first, const ResidualClusters& clusters, float largest,
                   size_t threads, uint8_t* blocks);

class FoldedCodes final : public ResidualCodes {
 public:
  // starts: cluster c holds slots [starts[c], starts[c + 1]); from a file, and may say anything; they outlive these.
  FoldedCodes(size_t dims, float largest, size_t count, const uint8_t* blocks, std::span<const uint32_t> starts,
              const Codes& representatives);
  size_t block_bytes() const override { return folded_block_bytes(dims()); }
  std::unique_ptr<Query> prepare(const float* weights, double bias) const override;
  void prefetch(size_t slot) const override;

  const FoldedFactors& factors() const { return factors_; }
  size_t rows() const { return (dims() + 7) / 8; }
  const uint8_t* block(size_t b) const { return blocks() + b * block_bytes(); }
  // The four bytes of row r of a slot are at 64 * r.
  const uint8_t* row(size_t slot) const { return block(slot / kRabitqBlockItems) + 4 * (slot % kRabitqBlockItems); }
  size_t cluster(size_t slot) const override;
  // The first slot behind a cluster, more than any when it is the last.
  size_t end(size_t cluster) const;

 private:
  void residual(size_t slot, float* values) const override;

  std::span<const uint32_t> starts_;
  FoldedFactors factors_;
};

} // namespace farsight
