// The kernels of byte rows in plain C++: the specification; and the choice among their forms.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>

#include "../bytes.h"
#include "../kernels.h"

namespace farsight {

namespace {

void dots(const int8_t* const* rows, const int16_t* v, size_t n, int64_t* out) {
  for (size_t r = 0; r < kByteRows; ++r) {
    out[r] = 0;
    for (size_t d = 0; d < n; ++d) out[r] += v[d] * rows[r][d];
  }
}

void sums(const int8_t* const* rows, const float* shares, float* y, size_t n) {
  for (size_t r = 0; r < kByteRows; ++r) {
    for (size_t d = 0; d < n; ++d) y[d] = std::fma(shares[r], float(rows[r][d]), y[d]);
  }
}

float code(const float* x, const float* shares, size_t n, int8_t* codes) {
  float magnitude = 0;
  for (size_t d = 0; d < n; ++d) magnitude = std::max(magnitude, std::fabs(x[d] * shares[d]));
  if (!(magnitude >= kLeastMagnitude) || std::isinf(magnitude)) return magnitude;
  const float share = kLargestByte / magnitude;
  for (size_t d = 0; d < n; ++d) codes[d] = static_cast<int8_t>(std::nearbyint(x[d] * shares[d] * share));
  return magnitude;
}

constexpr ByteKernels kTable = {"scalar", dots, sums, code};

const ByteKernels& choose() {
  for (const ByteKernels* table : {avx512_bytes(), avx2_bytes(), neon_bytes()}) {
    if (table != nullptr && std::strcmp(table->isa, kernels().isa) == 0) return *table;
  }
  return kTable;
}

} // namespace

const ByteKernels* scalar_bytes() { return &kTable; }

const ByteKernels& byte_kernels() {
  static const ByteKernels& chosen = choose();
  return chosen;
}

} // namespace farsight
