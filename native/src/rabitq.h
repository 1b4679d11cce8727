// rabitq codes: 1 to 12 bits per dimension of what a vector leaves when the stored representative of its cluster is taken
// away, in a rotated basis (rotation.h); after Gao and Long, RaBitQ (SIGMOD 2024) and its extension to more bits (2025).
//
//   stored vector = representative + R^T (f * level_d)_d,    level = code + 1/2 - 2^(bits - 1)
//
// with R the rotation and f the item's own factor, |r|^2 / <r, level> for the residual r: with it the inner product of a
// random direction with r is estimated without bias. Dimensions from `full_dims` on lack the lowest bit, so that codes
// fill any number of bytes: their level lies in the middle of the two that the bit would tell apart.
//
// The bits lie in planes of 4, 2 or 1, and (field - (2^width - 1) / 2) * 2^shift summed over the planes is the level. The
// upper `scan_bits` are a plane and a code of their own, with a factor of its own. They lie in blocks, which a scan reads;
// the other planes and the factor of all of them lie apart, row by row, and are read for the best of the scan alone.
//
// A block holds 16 consecutive slots:
//   u32 cluster of the first slot, u16 bit i: slot i begins the next cluster, u16 zero;
//   16 x u16 factors of the scan's codes: the upper half of a float;
//   rows of 64 bytes, 32 / scan_bits dimensions each: byte 4 i + k of row r is of slot i, its low nibble group 8 r + k, its
//   high nibble group 8 r + 4 + k of 4 / scan_bits dimensions, the first of them in the lowest bits.
// A refine row: u16 factor, then plane after plane from the upper bits on, the first dimension in the lowest bits of the
// first byte, each plane in whole bytes. Their widths: of the bits that all dimensions have, first 4, then 2, then 1 as far
// as each fits; then 1 for the bit that some dimensions lack.
#pragma once

#include <vector>

#include "residual-codes.h"

namespace farsight {

inline constexpr uint32_t kMostRabitqBits = 12;
// Items of a block of the representatives' codes, at most.
inline constexpr size_t kMostRepresentativeBlock = 64;

struct RabitqParameters {
  uint32_t dims;      // 1..4096
  uint32_t bits;      // scan_bits..kMostRabitqBits
  uint32_t scan_bits; // 1, 2 or 4
  uint32_t full_dims; // 1..dims; dims when all bits are the scan's
};

// Consecutive bits of the codes of the first `dims` dimensions.
struct RabitqPlane {
  uint32_t width; // 1, 2 or 4
  uint32_t shift; // of its lowest bit within a code
  uint32_t dims;
  size_t bytes() const { return (size_t{dims} * width + 7) / 8; }
  size_t groups() const { return bytes() * 2; } // nibbles
};

// Those of a refine row, upper bits first.
std::vector<RabitqPlane> rabitq_refine_planes(const RabitqParameters& parameters);

size_t rabitq_block_bytes(const RabitqParameters& parameters);
size_t rabitq_codes_bytes(size_t count, const RabitqParameters& parameters);
// Of a row; 0 when the scan has all bits.
size_t rabitq_refine_row_bytes(const RabitqParameters& parameters);

class RabitqCodes final : public ResidualCodes {
 public:
  // representatives: as of ResidualCodes.
  RabitqCodes(const RabitqParameters& parameters, size_t count, const uint8_t* blocks, const uint8_t* refine,
              const Codes& representatives);
  size_t block_bytes() const override { return block_bytes_; }
  std::unique_ptr<Query> prepare(const float* weights, double bias) const override;
  void prefetch(size_t slot) const override;

  const RabitqParameters& parameters() const { return parameters_; }
  size_t rows() const { return rows_; }
  const uint8_t* block(size_t b) const { return blocks() + b * block_bytes_; }
  size_t cluster(size_t slot) const override;
  // Twice the level of every dimension of a slot; returns its factor.
  float levels(size_t slot, int16_t* twice) const;
  float factor(size_t slot) const;
  // The four bytes of row r of a slot are at 64 * r.
  const uint8_t* scan_bytes(size_t slot) const {
    return block(slot / kRabitqBlockItems) + kRabitqHeadBytes + 4 * (slot % kRabitqBlockItems);
  }
  // The planes of a slot, one behind the other.
  const uint8_t* refine_bytes(size_t slot) const { return refine_ + slot * refine_bytes_ + 2; }
  const std::vector<RabitqPlane>& refine_planes() const { return refine_planes_; }

 private:
  void residual(size_t slot, float* values) const override;

  RabitqParameters parameters_;
  std::vector<RabitqPlane> refine_planes_;
  size_t rows_;
  size_t block_bytes_;
  size_t refine_bytes_; // of a row
  const uint8_t* refine_;
};

} // namespace farsight
