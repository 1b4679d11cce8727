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
    for (size_t n = 0; n <= 10 * kByteLanes; n += kByteLanes) {
      std::vector<int8_t> codes(kByteRows * n + 1);
      for (int8_t& code : codes) code = static_cast<int8_t>(random());
      const int8_t* rows[kByteRows];
      for (size_t r = 0; r < kByteRows; ++r) rows[r] = codes.data() + r * n;
      const std::vector<float> v = normals(random, n), shares = normals(random, kByteRows);
      float expected[kByteRows], out[kByteRows];
      scalar_bytes()->dots(rows, v.data(), n, expected);
      table->dots(rows, v.data(), n, out);
      CHECK(std::memcmp(out, expected, sizeof out) == 0);
      std::vector<float> sums = normals(random, n), same = sums;
      scalar_bytes()->sums(rows, shares.data(), sums.data(), n);
      table->sums(rows, shares.data(), same.data(), n);
      CHECK(std::memcmp(sums.data(), same.data(), n * sizeof(float)) == 0);
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
      double product = 0.25, most = 0, off = 0;
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
      }
      // Half a step, and as much again is plenty for the roundings of floats.
      CHECK(std::fabs(products[i] - product) <= off + 1e-6);
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
