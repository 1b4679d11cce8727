// The kernels of byte rows in plain C++: the specification; and the choice among their forms.
#include <cmath>
#include <cstring>
#include <initializer_list>

#include "../bytes.h"
#include "../kernels.h"

namespace farsight {

namespace {

void dots(const int8_t* const* rows, const float* v, size_t n, float* out) {
  for (size_t r = 0; r < kByteRows; ++r) {
    float lanes[kByteLanes] = {};
    for (size_t d = 0; d < n; ++d) lanes[d % kByteLanes] = std::fma(v[d], float(rows[r][d]), lanes[d % kByteLanes]);
    for (size_t half = kByteLanes / 2; half > 0; half /= 2) {
      for (size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
    }
    out[r] = lanes[0];
  }
}

void sums(const int8_t* const* rows, const float* shares, float* y, size_t n) {
  for (size_t r = 0; r < kByteRows; ++r) {
    for (size_t d = 0; d < n; ++d) y[d] = std::fma(shares[r], float(rows[r][d]), y[d]);
  }
}

constexpr ByteKernels kTable = {"scalar", dots, sums};

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
