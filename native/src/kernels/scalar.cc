// The kernels in plain C++: the specification every other table is tested against, bit for bit.
#include <bit>
#include <cmath>
#include <cstring>

#include "../kernels.h"
#include "ratio-kernels.h"

namespace farsight {

namespace {

void sq8_scan(const uint8_t* blocks, size_t count, size_t dims, const int8_t* high, const int8_t* low, float scale,
              float bias, Ahead, float* scores) {
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * dims * kSq8BlockItems;
    for (size_t i = 0; i < kSq8BlockItems; ++i) {
      int32_t high_sum = 0;
      int32_t low_sum = 0;
      for (size_t d = 0; d < dims; ++d) {
        const int32_t code = block[d / 4 * 64 + i * 4 + d % 4];
        high_sum += high[d] * code;
        low_sum += low[d] * code;
      }
      const float sum = static_cast<float>(high_sum) * 256.0f + static_cast<float>(low_sum);
      const float product = scale * sum;
      scores[b * kSq8BlockItems + i] = product + bias;
    }
  }
}

void rabitq_scan(const uint8_t* blocks, size_t count, size_t rows, const int8_t* table, float step, Ahead,
                 float* scores) {
  for (size_t b = 0; b < count; ++b, blocks += kRabitqHeadBytes + rows * 64) {
    for (size_t i = 0; i < kRabitqBlockItems; ++i) {
      int32_t sum = 0;
      for (size_t r = 0; r < rows; ++r) {
        for (size_t k = 0; k < 4; ++k) {
          const uint8_t byte = blocks[kRabitqHeadBytes + r * 64 + i * 4 + k];
          sum += table[r * 128 + k * 16 + (byte & 15)] + table[r * 128 + (4 + k) * 16 + (byte >> 4)];
        }
      }
      uint16_t half;
      std::memcpy(&half, blocks + 8 + 2 * i, sizeof half);
      const float product = step * static_cast<float>(sum);
      scores[b * kRabitqBlockItems + i] = std::bit_cast<float>(uint32_t{half} << 16) * product;
    }
  }
}

double sq8_dot(const double* weights, const uint8_t* row, size_t dims) {
  double sums[4] = {};
  for (size_t d = 0; d < dims; d += 4, row += 64) {
    for (size_t k = 0; k < 4; ++k) {
      const double product = weights[d + k] * row[k];
      sums[k] += product;
    }
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void sq8_distance(const uint8_t* blocks, size_t count, size_t dims, const float* step, const float* shift,
                  float* distances) {
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * dims * kSq8BlockItems;
    for (size_t i = 0; i < kSq8BlockItems; ++i) {
      float sums[4] = {};
      for (size_t d = 0; d < dims; ++d) {
        const float code = block[d / 4 * 64 + i * 4 + d % 4];
        const float difference = std::fma(step[d], code, shift[d]);
        sums[d % 4] = std::fma(difference, difference, sums[d % 4]);
      }
      distances[b * kSq8BlockItems + i] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
  }
}

size_t select_at_least(const float* scores, size_t n, float threshold, uint32_t* positions) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    positions[found] = static_cast<uint32_t>(i);
    found += scores[i] >= threshold;
  }
  return found;
}

float dot(const float* x, const float* y, size_t n) {
  float lanes[32] = {};
  for (size_t i = 0; i < n; ++i) lanes[i % 32] = std::fma(x[i], y[i], lanes[i % 32]);
  for (size_t half = 16; half > 0; half /= 2) {
    for (size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}

void axpy(float a, const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = std::fma(a, x[i], y[i]);
}

void panel_distance(const float* panel, const float* query, size_t dims, float* out) {
  float sums[16] = {};
  for (size_t d = 0; d < dims; ++d) {
    for (size_t r = 0; r < 16; ++r) {
      const float difference = panel[16 * d + r] - query[d];
      sums[r] = std::fma(difference, difference, sums[r]);
    }
  }
  for (size_t r = 0; r < 16; ++r) out[r] = sums[r];
}

constexpr Kernels kTable = {
  "scalar", ratio_scan_scalar, sq8_scan, rabitq_scan, sq8_dot, ratio_distance_scalar,
  sq8_distance, select_at_least, dot, axpy, panel_distance,
};

} // namespace

const Kernels* scalar_kernels() { return &kTable; }

} // namespace farsight
