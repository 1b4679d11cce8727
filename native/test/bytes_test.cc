// Rows of bytes: the kernels' forms, and how near their products are to those of the rows.
#include "bytes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "byte-rows.h"
#include "test.h"

using namespace farsight;

namespace {

std::vector<float> normals(std::mt19937_64& random, size_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> out(count);
  for (float& value : out) value = normal(random);
  return out;
}

} // namespace

TEST("the kernels of byte rows equal scalar for every instruction set and length") {
  std::mt19937_64 random(1);
  for (const ByteKernels* table : {avx512_bytes(), avx2_bytes(), neon_bytes()}) {
    if (table == nullptr) continue;
    for (size_t n = 0; n <= 8192; n += n < 10 * kByteLanes ? kByteLanes : 7 * kByteLanes) {
      std::vector<int8_t> codes(kByteRows * n + 1);
      for (int8_t& code : codes) code = static_cast<int8_t>(random());
      const int8_t* rows[kByteRows];
      for (size_t r = 0; r < kByteRows; ++r) rows[r] = codes.data() + r * n;
      const std::vector<float> shares = normals(random, kByteRows);
      // The largest words and bytes, whose sums are the largest, then any.
      for (const bool most : {true, false}) {
        std::vector<int16_t> v(n);
        for (int16_t& word : v) word = static_cast<int16_t>(most ? -largest_word(n) : static_cast<int16_t>(random()));
        const std::vector<int8_t> lowest(n + 1, -128);
        if (most) std::fill(rows, rows + kByteRows, lowest.data());
        int64_t expected[kByteRows], out[kByteRows];
        scalar_bytes()->dots(rows, v.data(), n, expected);
        table->dots(rows, v.data(), n, out);
        CHECK(std::equal(out, out + kByteRows, expected));
        if (most) CHECK(expected[0] == static_cast<int64_t>(n) * 128 * largest_word(n));
        for (size_t r = 0; r < kByteRows; ++r) rows[r] = codes.data() + r * n;
      }
      std::vector<float> sums = normals(random, n), same = sums;
      scalar_bytes()->sums(rows, shares.data(), sums.data(), n);
      table->sums(rows, shares.data(), same.data(), n);
      CHECK(n == 0 || std::memcmp(sums.data(), same.data(), n * sizeof(float)) == 0);
    }
  }
}

TEST("rows are coded alike by every instruction set, of any length, and what cannot be coded is left") {
  std::mt19937_64 random(3);
  for (const ByteKernels* table : {scalar_bytes(), avx512_bytes(), avx2_bytes(), neon_bytes()}) {
    if (table == nullptr) continue;
    for (size_t n = 0; n <= 70; ++n) {
      for (const float scale : {1.0f, 1e-20f, 1e-37f, 0.0f, 1e38f, 2e38f}) {
        std::vector<float> x = normals(random, n), shares = normals(random, n);
        for (float& value : x) value = std::clamp(value, -1.5f, 1.5f) * scale;
        for (float& share : shares) share = std::fabs(share);
        std::vector<int8_t> expected(n + 1, 99), codes(expected);
        const float magnitude = scalar_bytes()->code(x.data(), shares.data(), n, expected.data());
        CHECK(table->code(x.data(), shares.data(), n, codes.data()) == magnitude && codes == expected);
        float largest = 0;
        for (size_t d = 0; d < n; ++d) largest = std::max(largest, std::fabs(x[d] * shares[d]));
        CHECK(magnitude == largest && codes[n] == 99);
        for (size_t d = 0; d < n; ++d) {
          if (!(largest >= kLeastMagnitude) || std::isinf(largest)) {
            CHECK(codes[d] == 99);
          } else {
            // Half a step, and a rounding of the product and of the quotient each.
            CHECK(std::fabs(codes[d] - double(x[d]) * shares[d] / largest * 127) <= 0.5 + 127 * 0x1p-22);
          }
        }
      }
    }
  }
}

TEST("products with byte rows are those with the rows but for half a step of each value") {
  std::mt19937_64 random(2);
  for (const size_t dims : {1, 31, 100}) {
    const size_t count = 37;
    std::vector<float> values = normals(random, count * dims);
    // Columns of very different size, a row of zeros, and a column that only one row has.
    for (size_t i = 0; i < count; ++i) {
      for (size_t d = 0; d < dims; ++d) values[i * dims + d] *= i == 5 ? 0 : d % 2 == 0 ? 1e-3f : 1e3f;
      if (dims > 1) values[i * dims + 1] = i == 3 ? 2 : 0;
    }
    const DenseRows rows{values.data(), count, dims};
    const ByteRows bytes(rows);
    CHECK(bytes.dims() == dims);
    const std::vector<float> v = normals(random, dims);
    std::vector<uint32_t> list;
    for (uint32_t i = 0; i < count; ++i) {
      if (i % 4 != 1 || i == 5) list.push_back(i);
    }
    std::vector<double> curvature(count, 0.5), products(count, -1), expected(dims + 1), room(dims + 1);
    std::vector<float> image(dims + 1, 0);
    bytes.multiply(list, v.data(), 0.25, curvature.data(), products.data(), image.data());
    for (const uint32_t i : list) {
      // A column's factor is at most its largest value or, where the sample has none, that of all; a step is a 127th of
      // the row's largest multiple of its factor.
      double product = 0.25, most = 0, off = 0, widest = 0, sum = 0;
      std::vector<double> factors(dims);
      for (size_t d = 0; d < dims; ++d) {
        for (size_t s = 0; s < count; s += 8) factors[d] = std::max<double>(factors[d], std::fabs(values[s * dims + d]));
      }
      const double largest = *std::max_element(factors.begin(), factors.end());
      for (double& factor : factors) factor = factor > 0 ? factor : largest;
      for (size_t d = 0; d < dims; ++d) most = std::max(most, std::fabs(values[i * dims + d]) / factors[d]);
      for (size_t d = 0; d < dims; ++d) {
        product += double(v[d]) * values[i * dims + d];
        off += std::fabs(v[d]) * factors[d] * most / 127;
        widest = std::max(widest, std::fabs(v[d]) * factors[d]);
        sum += std::fabs(values[i * dims + d]) / factors[d];
      }
      // Half a step, and as much again is plenty for the roundings of floats; and half a step of the vector's words.
      CHECK(std::fabs(products[i] - product) <= off + widest / largest_word(128) * sum + 1e-6);
      const double share = curvature[i] * products[i];
      for (size_t d = 0; d < dims; ++d) {
        expected[d] += share * values[i * dims + d];
        room[d] += std::fabs(share) * factors[d] * most / 127;
      }
      expected[dims] += share;
    }
    room[dims] = 1e-5 * (1 + std::fabs(expected[dims]));
    for (size_t d = 0; d <= dims; ++d) CHECK(std::fabs(image[d] - expected[d]) <= room[d] + 1e-6);
    // Rows that were not asked for stay out of it, and products alone are the same.
    CHECK(products[1] == -1);
    std::vector<double> alone(count, -1);
    bytes.multiply(list, v.data(), 0.25, nullptr, alone.data(), nullptr);
    CHECK(alone == products);
  }
}
