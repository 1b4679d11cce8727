// The rounds of a rotation, forwards and backwards; every step is its own inverse.
#include "rotation.h"

#include <bit>
#include <cmath>

namespace farsight {

namespace {

// SplitMix64 (Steele, Lea and Flood, 2014).
uint64_t next(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

// The passes over pairs 1, 2 and 4 apart, for eight values at a time.
template <typename Real>
void first_passes(Real* values, size_t n) {
  for (Real* v = values; v < values + n; v += 8) {
    const Real a0 = v[0] + v[1], a1 = v[0] - v[1], a2 = v[2] + v[3], a3 = v[2] - v[3];
    const Real a4 = v[4] + v[5], a5 = v[4] - v[5], a6 = v[6] + v[7], a7 = v[6] - v[7];
    const Real b0 = a0 + a2, b1 = a1 + a3, b2 = a0 - a2, b3 = a1 - a3;
    const Real b4 = a4 + a6, b5 = a5 + a7, b6 = a4 - a6, b7 = a5 - a7;
    v[0] = b0 + b4, v[1] = b1 + b5, v[2] = b2 + b6, v[3] = b3 + b7;
    v[4] = b0 - b4, v[5] = b1 - b5, v[6] = b2 - b6, v[7] = b3 - b7;
  }
}

// Orthonormal: each pass over pairs scales by the root of 1/2, all of them at once at the end.
template <typename Real>
void walsh_hadamard(Real* values, size_t n) {
  if (n >= 8) first_passes(values, n);
  for (size_t half = n >= 8 ? 8 : 1; half < n; half *= 2) {
    for (size_t from = 0; from < n; from += 2 * half) {
      Real* const low = values + from;
      Real* const high = low + half;
      for (size_t i = 0; i < half; ++i) {
        const Real sum = low[i] + high[i];
        high[i] = low[i] - high[i];
        low[i] = sum;
      }
    }
  }
  const Real scale = static_cast<Real>(1 / std::sqrt(static_cast<double>(n)));
  for (size_t i = 0; i < n; ++i) values[i] *= scale;
}

// Mixes value i of the first half with value i of the last.
template <typename Real>
void butterfly(Real* values, size_t dims) {
  const Real scale = static_cast<Real>(std::sqrt(0.5));
  Real* const last = values + (dims - dims / 2);
  for (size_t i = 0; i < dims / 2; ++i) {
    const Real sum = (values[i] + last[i]) * scale;
    last[i] = (values[i] - last[i]) * scale;
    values[i] = sum;
  }
}

template <typename Real>
void flip(Real* values, const float* signs, size_t dims) {
  for (size_t d = 0; d < dims; ++d) values[d] *= static_cast<Real>(signs[d]);
}

} // namespace

Rotation::Rotation(size_t dims) : dims_(dims), span_(std::bit_floor(dims)), signs_(kRounds * dims) {
  uint64_t state = dims;
  for (float& sign : signs_) sign = next(state) >> 63 ? -1.0f : 1.0f;
}

template <typename Real>
static void rotate(Real* values, const std::vector<float>& signs, size_t dims, size_t span) {
  for (size_t round = 0; round * dims < signs.size(); ++round) {
    flip(values, signs.data() + round * dims, dims);
    walsh_hadamard(values + (round % 2 == 0 ? 0 : dims - span), span);
    if (span != dims) butterfly(values, dims);
  }
}

void Rotation::apply(float* values) const { rotate(values, signs_, dims_, span_); }
void Rotation::apply(double* values) const { rotate(values, signs_, dims_, span_); }

void Rotation::undo(float* values) const {
  for (size_t round = kRounds; round-- > 0;) {
    if (span_ != dims_) butterfly(values, dims_);
    walsh_hadamard(values + (round % 2 == 0 ? 0 : dims_ - span_), span_);
    flip(values, signs_.data() + round * dims_, dims_);
  }
}

} // namespace farsight
