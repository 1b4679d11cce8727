// The kernel table: one function pointer per hot loop, the same for every instruction set.
// scalar.cc is the specification; every other table must return the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace farsight {

// Items of one ratio block and of one sq8 block, and the accumulator lanes both layouts are built around:
// item i of a block belongs to accumulator i / 16, lane i % 16.
inline constexpr size_t kRatioBlockItems = 64;
inline constexpr size_t kSq8BlockItems = 16;
inline constexpr size_t kLanes = 16;

// Items of a rabitq block, and the bytes before its rows; see rabitq.h.
inline constexpr size_t kRabitqBlockItems = 16;
inline constexpr size_t kRabitqHeadBytes = 40;

// How a feature id of a ratio code is stored.
enum class IdForm : uint32_t {
  kByte = 0,   // dims <= 256: one byte
  kTenBit = 1, // dims <= 1024: a low byte, and bits 8 and 9 as two 64-bit planes per chunk
  kWord = 2,   // dims <= 65536: a low and a high byte
};

// Shape of ratio blocks; see ratio.h for the layout.
struct RatioShape {
  uint32_t features; // kept per item, 1..255
  IdForm id_form;
  uint32_t dims = 65536; // every id is below it: short tables take fewer look-ups
};

// Long scans ask for the block this far ahead: the hardware's own prefetchers stop at page borders, and the look-ups
// leave them too few loads to run ahead on. Short runs (a cluster or two) end before that.
inline constexpr size_t kScanAheadBytes = 12288;
inline constexpr size_t kScanAheadBlocks = 8;
inline size_t scan_ahead(size_t blocks) { return blocks > kScanAheadBlocks ? kScanAheadBytes : 0; }
inline void prefetch_lines(const uint8_t* from, size_t bytes) {
  // Into the second-level cache: the first has few places for lines under way, and the kernel's own loads need them.
  for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(from + at, 0, 1);
}

// What is scored next. Kernels ask for it at the pace at which they score: asked for all at once, it would wait for the few
// places that lines under way have, and the kernel with it.
struct Ahead {
  const uint8_t* from = nullptr;
  size_t bytes = 0;
};

// Asks for the lines of `ahead` in equal shares, one for each of `steps` steps of a kernel, as far as kMostLines a step go.
class Pace {
 public:
  static constexpr size_t kMostLines = 3;
  Pace(Ahead ahead, size_t steps)
      : at_(ahead.from), end_(ahead.from + ahead.bytes),
        lines_(steps == 0 ? 0 : std::min(kMostLines, ((ahead.bytes + 63) / 64 + steps - 1) / steps)) {}
  void step() {
    for (size_t i = 0; i < lines_ && at_ < end_; ++i, at_ += 64) __builtin_prefetch(at_);
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
  size_t lines_;
};

struct Kernels {
  const char* isa;

  // scores[64 * b + i] = bias + scale * sum_j table[id_ij] * value8_ij for `count` ratio blocks.
  // table: int8 weight per id, 256, 1024 or 65536 entries plus 64 readable bytes, 64-byte aligned.
  // The sum is exact in int32; then one float multiplication and one float addition.
  void (*ratio_scan)(const uint8_t* blocks, size_t count, RatioShape shape, const int8_t* table, float scale,
                     float bias, float* scores);

  // scores[16 * b + i] = bias + scale * sum_d (256 * high[d] + low[d]) * code_id for `count` sq8 blocks.
  // dims: a multiple of 4 (codes and weights are padded with zeros). Both sums are exact in int32; they are
  // combined as float(high_sum) * 256 + float(low_sum), one rounding per operation.
  void (*sq8_scan)(const uint8_t* blocks, size_t count, size_t dims, const int8_t* high, const int8_t* low,
                   float scale, float bias, Ahead ahead, float* scores);

  // scores[16 * b + i] = factor_i * (step * sum_g table[g][nibble_ig]) for `count` rabitq blocks of `rows` rows.
  // table: an int8 for each of the 16 values of the 8 * rows groups, group after group. The sum is exact in int32; then
  // two float multiplications.
  void (*rabitq_scan)(const uint8_t* blocks, size_t count, size_t rows, const int8_t* table, float step, Ahead ahead,
                      float* scores);

  // sum_d weights[d] * code_d for one item of an sq8 block: row points at its first code (group g of four at
  // row + 64 * g). dims: a multiple of 4. In double, four accumulators by d % 4, a rounding per multiplication and per
  // addition, then (a0 + a1) + (a2 + a3).
  double (*sq8_dot)(const double* weights, const uint8_t* row, size_t dims);

  // distances[64 * b + i] = max(0, norm + sum_j v (v - twice[id_ij])), v = step * value8_ij, for `count` ratio blocks:
  // |q - v|^2 when norm = |q|^2 and twice = 2 q. Per item v and v - twice round once each, then j ascending from 0:
  // sum = fma(v, v - twice, sum).
  // twice: a float per id, 256, 1024 or 65536 entries.
  void (*ratio_distance)(const uint8_t* blocks, size_t count, RatioShape shape, const float* twice, float step,
                         float norm, float* distances);

  // distances[16 * b + i] = sum_d fma(step[d], code_id, shift[d])^2 for `count` sq8 blocks: |x - q|^2 when shift is
  // offset - q. dims: a multiple of 4 (padded with zeros). Four accumulators by d % 4 with fused multiply-add, then
  // (a0 + a1) + (a2 + a3).
  void (*sq8_distance)(const uint8_t* blocks, size_t count, size_t dims, const float* step, const float* shift,
                       float* distances);

  // Positions i < n with scores[i] >= threshold, ascending, to `positions` (room for n + 16); returns how many.
  size_t (*select_at_least)(const float* scores, size_t n, float threshold, uint32_t* positions);

  // sum x[i] * y[i] in 32 float lanes (element i in lane i % 32, fused multiply-add), lanes then added pairwise:
  // lane l += lane l + 16, then + 8, 4, 2, 1. Any n.
  float (*dot)(const float* x, const float* y, size_t n);

  // y[i] = fma(a, x[i], y[i]).
  void (*axpy)(float a, const float* x, float* y, size_t n);

  // out[r] = squared Euclidean distance of `query` to row r of a panel of 16 interleaved rows
  // (panel[16 * d + r]), accumulated over d ascending with fused multiply-add in float.
  void (*panel_distance)(const float* panel, const float* query, size_t dims, float* out);
};

// The best table this CPU runs. KERNELS_ISA=scalar|avx2|avx512|neon pins one; a name this CPU cannot run, or an
// unknown one, throws std::runtime_error that lists what would work.
const Kernels& kernels();

// Tables compiled in, for tests: nullptr where this build or CPU lacks the instruction set.
const Kernels* scalar_kernels();
const Kernels* avx2_kernels();
const Kernels* avx512_kernels();
const Kernels* neon_kernels();

} // namespace farsight
