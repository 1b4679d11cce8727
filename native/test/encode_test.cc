// Encoding: what survives a round trip, what is refused, and the input forms bit for bit.
#include "encode.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>

#include "test.h"

using namespace farsight;

namespace {

struct Encoded {
  std::vector<uint16_t> ids;
  std::vector<uint32_t> codes;
  double largest = 0, largest_sum = 0, largest_error = 0;
  BadValue bad;
};

Encoded encode(const std::vector<uint32_t>& ids, const std::vector<double>& values, size_t per_row, uint32_t dims,
               const RatioQuantiser& quantiser) {
  const size_t rows = values.size() / per_row;
  Encoded out;
  out.ids.assign(rows * quantiser.features, 999);
  out.codes.assign(rows * quantiser.features, 999);
  out.bad = encode_ratio(ids.data(), values.data(), rows, per_row, dims, quantiser, out.ids.data(), out.codes.data(),
                         &out.largest, &out.largest_sum, &out.largest_error);
  return out;
}

constexpr RatioQuantiser kPlain{3, 0, 0, false, false, 0x1p-10, 65535};
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST("the strongest features are kept in descending order, equal ones by lower id, missing ones padded") {
  const Encoded out = encode({7, 3, 9, 1, 5, 0, 0, 0}, {.25, .5, .5, .125, 0, .75, 0, 0}, 4, 10, kPlain);
  CHECK(!out.bad.found);
  CHECK((out.ids == std::vector<uint16_t>{3, 9, 7, 0, 0, 0}));
  CHECK((out.codes == std::vector<uint32_t>{512, 512, 256, 768, 0, 0}));
  CHECK(out.largest == .75 && out.largest_sum == 1.25 && out.largest_error == 0);
}

TEST("a ratio of exactly 1 stays 1 and repeated values stay equal under every quantisation") {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform;
  for (int round = 0; round < 4000; ++round) {
    RatioQuantiser quantiser{8, round & 1 ? 0 : 1000., round & 2 ? 0 : 50000. + round, (round & 4) != 0,
                             (round & 8) != 0, 1e-6, 0xffffff};
    const double a = uniform(random), b = a * uniform(random);
    const Encoded out = encode({0, 1, 2, 3, 4, 5, 6, 7}, {a, a, a, b, b, 0, b, a}, 8, 8, quantiser);
    CHECK((out.ids == std::vector<uint16_t>{0, 1, 2, 7, 3, 4, 6, 0}));
    CHECK(std::count(&out.codes[0], &out.codes[4], out.codes[0]) == 4);
    CHECK(std::count(&out.codes[4], &out.codes[7], out.codes[4]) == 3 && out.codes[7] == 0);
  }
}

TEST("the error reported is that of the whole way and within its bound") {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> uniform;
  for (const bool down : {false, true}) {
    for (const bool normalize : {false, true}) {
      const RatioQuantiser quantiser{5, 1000, 100, down, normalize, 1. / 65280, 65280};
      double expected = 0;
      std::vector<uint32_t> ids;
      std::vector<double> values;
      for (int row = 0; row < 300; ++row) {
        for (uint32_t j = 0; j < 5; ++j) {
          ids.push_back(9 - j);
          values.push_back(uniform(random));
        }
      }
      const Encoded out = encode(ids, values, 5, 10, quantiser);
      for (int row = 0; row < 300; ++row) {
        double length = 0;
        for (int j = 0; j < 5; ++j) length += values[row * 5 + j] * values[row * 5 + j];
        for (int j = 0; j < 5; ++j) {
          const int at = row * 5 + (9 - out.ids[row * 5 + j]);
          const double value = values[at] / (normalize ? std::sqrt(length) : 1);
          expected = std::max(expected, std::fabs(out.codes[row * 5 + j] * quantiser.scale - value));
        }
      }
      CHECK(std::fabs(out.largest_error - expected) < 1e-12);
      // Values are at most 1: the first is off by u / 1000, each of four ratios by u / 100, the code by half a scale.
      const double u = down ? 1 : 0.5;
      if (!normalize) CHECK(out.largest_error <= u / 1000 + 4 * u / 100 + quantiser.scale / 2);
    }
  }
}

TEST("the measuring pass finds the scale the codes then need") {
  std::vector<uint32_t> ids{4, 2, 1, 3};
  std::vector<double> values{3, 4, 0, 12};
  RatioQuantiser quantiser{3, 0, 0, false, true, 1, 255};
  double largest = 0, sum = 0;
  CHECK(!encode_ratio(ids.data(), values.data(), 1, 4, 5, quantiser, nullptr, nullptr, &largest, &sum, nullptr).found);
  CHECK(std::fabs(largest - 12. / 13) < 1e-15 && std::fabs(sum - 19. / 13) < 1e-15);
  quantiser.scale = largest / 255;
  const Encoded out = encode(ids, values, 4, 5, quantiser);
  CHECK(out.codes[0] == 255 && out.ids[0] == 3 && out.codes[1] == 85 && out.codes[2] == 64);
  CHECK(out.largest == largest && out.largest_error <= quantiser.scale / 2 + 1e-15);
}

TEST("values that vanish in quantisation leave a zero row, huge and tiny ones normalise without leaving the range") {
  const RatioQuantiser coarse{2, 10, 10, true, true, .001, 1000};
  Encoded out = encode({1, 2}, {.05, .04}, 2, 4, coarse);
  CHECK(out.codes[0] == 0 && out.codes[1] == 0 && out.ids[0] == 1 && out.ids[1] == 2);
  CHECK(out.largest == 0 && out.largest_sum == 0 && out.largest_error > .7);
  out = encode({1, 2, 1, 2}, {3e300, 4e300, 3e-310, 4e-310}, 2, 4, {2, 1000, 0, false, true, .001, 1000});
  CHECK(out.codes[0] == 800 && out.codes[1] == 600);
  out = encode({1, 2}, {3e-310, 4e-310}, 2, 4, {2, 0, 0, false, true, .001, 1000});
  CHECK(out.codes[0] == 800 && out.codes[1] == 600);
}

TEST("bad values, repeated ids and ids out of range are named by row and column") {
  for (const double bad : {-1., kNaN, kInfinity, -kInfinity}) {
    const Encoded out = encode({1, 2, 1, 2}, {.5, .5, .5, bad}, 2, 4, kPlain);
    CHECK(out.bad.found && out.bad.row == 1 && out.bad.column == 1);
    CHECK(std::isnan(bad) ? std::isnan(out.bad.value) : out.bad.value == bad);
    CHECK(out.codes[0] == 512 && out.codes[1] == 512);
  }
  Encoded out = encode({1, 2, 3, 3, 2, 3}, {.5, .5, .5, .5, 0, .5}, 3, 4, kPlain);
  CHECK(out.bad.found && out.bad.row == 1 && out.bad.column == 2 && std::isnan(out.bad.value));
  out = encode({1, 4}, {.5, .5}, 2, 4, kPlain);
  CHECK(out.bad.found && out.bad.row == 0 && out.bad.column == 1 && std::isnan(out.bad.value));
  out = encode({1, 4, 1, 1}, {.5, 0, .5, -0.}, 2, 4, kPlain);
  CHECK(!out.bad.found);
}

TEST("dense rows encode as the same rows given sparsely") {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<float> uniform;
  for (const uint32_t features : {1u, 7u, 255u}) {
    const size_t rows = 20, dims = 300;
    std::vector<float> dense(rows * dims);
    std::vector<double> values(rows * dims);
    std::vector<uint32_t> ids(rows * dims);
    for (size_t i = 0; i < dense.size(); ++i) {
      dense[i] = random() % 2 ? std::floor(uniform(random) * 50) / 50 : 0;
      values[i] = dense[i];
      ids[i] = i % dims;
    }
    const RatioQuantiser quantiser{features, 1000, 1000, false, true, 1e-4, 10000};
    const Encoded sparse = encode(ids, values, dims, dims, quantiser);
    Encoded out = sparse;
    std::fill(out.ids.begin(), out.ids.end(), uint16_t{1});
    out.largest = out.largest_sum = out.largest_error = 0;
    CHECK(!encode_ratio_dense(dense.data(), rows, dims, quantiser, out.ids.data(), out.codes.data(), &out.largest,
                              &out.largest_sum, &out.largest_error).found);
    CHECK(out.ids == sparse.ids && out.codes == sparse.codes && out.largest_error == sparse.largest_error);
    for (const float bad : {-1e-30f, NAN, INFINITY}) {
      dense[5 * dims + 299] = bad;
      const BadValue found = encode_ratio_dense(dense.data(), rows, dims, quantiser, nullptr, nullptr, &out.largest,
                                                &out.largest_sum, nullptr);
      CHECK(found.found && found.row == 5 && found.column == 299);
    }
  }
}

TEST("sq8 measures ranges, keeps zero rows, refuses what is not finite, and stays within half a step") {
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  for (const size_t dims : {1u, 7u, 16u, 37u}) {
    const size_t rows = 50;
    std::vector<float> values(rows * dims);
    for (float& value : values) value = normal(random);
    for (size_t row = 0; row < rows; ++row) values[row * dims] = 0.25f; // a constant dimension
    std::vector<float> lowest(dims, INFINITY), highest(dims, -INFINITY), step(dims);
    CHECK(!measure_sq8(values.data(), rows, dims, false, lowest.data(), highest.data()).found);
    for (size_t d = 0; d < dims; ++d) {
      step[d] = (highest[d] - lowest[d]) / 255;
      for (size_t row = 0; row < rows; ++row) {
        CHECK(lowest[d] <= values[row * dims + d] && values[row * dims + d] <= highest[d]);
      }
    }
    std::vector<uint8_t> codes(rows * dims);
    double error = 0, expected = 0;
    encode_sq8(values.data(), rows, dims, lowest.data(), step.data(), codes.data(), &error);
    for (size_t i = 0; i < values.size(); ++i) {
      const float stored = lowest[i % dims] + step[i % dims] * codes[i];
      const double off = std::fabs(double(values[i]) - stored);
      // Half a step, and the rounding of stored: one unit in the last place of numbers up to |offset| + 256 steps.
      CHECK(off <= step[i % dims] / 2. + FLT_EPSILON * (std::fabs(lowest[i % dims]) + 256. * step[i % dims]));
      expected = std::max(expected, off);
    }
    CHECK(error == expected && codes[0] == 0);
    // Outside the range codes stop at its ends.
    std::vector<float> outside(dims, 1e30f);
    encode_sq8(outside.data(), 1, dims, lowest.data(), step.data(), codes.data(), &error);
    if (dims > 1) CHECK(codes[1] == 255 && error >= 9e29);

    std::fill_n(values.begin() + 3 * dims, dims, 0.0f);
    values[7 * dims] = 1e30f;
    CHECK(!measure_sq8(values.data(), rows, dims, true, lowest.data(), highest.data()).found);
    for (size_t row = 0; row < rows; ++row) {
      double length = 0;
      for (size_t d = 0; d < dims; ++d) length += double(values[row * dims + d]) * values[row * dims + d];
      CHECK(row == 3 ? length == 0 : std::fabs(length - 1) < 1e-6);
    }
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      values[9 * dims + dims - 1] = bad;
      const BadValue found = measure_sq8(values.data(), rows, dims, true, lowest.data(), highest.data());
      CHECK(found.found && found.row == 9 && found.column == dims - 1);
    }
  }
}

TEST("all 65,536 half floats convert exactly, in blocks and one by one") {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> block(65536);
  half_to_float(halves.data(), halves.size(), block.data());
  for (size_t i = 0; i < halves.size(); ++i) {
    const int exponent = i >> 10 & 31, mantissa = i & 1023;
    const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    float one;
    half_to_float(&halves[i], 1, &one);
    CHECK(std::memcmp(&one, &block[i], 4) == 0);
    CHECK(std::signbit(one) == (i >= 32768));
    if (exponent == 31) {
      CHECK(mantissa ? std::isnan(one) : std::isinf(one));
    } else {
      CHECK(std::fabs(one) == magnitude);
    }
  }
}

TEST("r64 words of both published layouts decode to the values their formula says") {
  // lsc100k: 5 features, 16-bit ids and ratios, no padding.
  const R64Layout wide{5, 16, 48, 16, 0, 0, 2e14, 50000};
  const uint64_t init = uint64_t{12987} << 48 | 123456789012345u;
  const uint64_t ids = uint64_t{65535} << 48 | uint64_t{3} << 32 | uint64_t{500} << 16 | 7;
  const uint64_t ratios = uint64_t{0} << 48 | uint64_t{1} << 32 | uint64_t{50000} << 16 | 33333;
  uint32_t out_ids[7];
  double out[7];
  CHECK(decode_r64(&init, &ids, &ratios, 1, wide, 65536, out_ids, out) == 5);
  CHECK(decode_r64(&init, &ids, &ratios, 1, wide, 12988, out_ids, out) == 5);
  CHECK(decode_r64(&init, &ids, &ratios, 1, wide, 12987, out_ids, out) == 0);
  CHECK((std::vector<uint32_t>(out_ids, out_ids + 5) == std::vector<uint32_t>{12987, 7, 500, 3, 0})); // the last value is 0
  double value = 123456789012345. / 2e14;
  CHECK(out[0] == value);
  for (const int j : {1, 2, 3, 4}) {
    const double code[] = {33333, 50000, 1, 0};
    value = value * code[j - 1] / 50000;
    CHECK(out[j] == value);
  }
  // lsc41k: 7 features, 10 bits each above 4 bits of padding; the first value needs more than 53 bits.
  const R64Layout narrow{7, 10, 54, 10, 4, 4, 1e16, 1000};
  const uint64_t init2 = uint64_t{999} << 54 | 9999999999999999u;
  uint64_t ids2 = 6, ratios2 = 6;
  for (uint64_t j = 0; j < 6; ++j) {
    ids2 |= (100 * j + 23) << (4 + 10 * j);
    ratios2 |= (1000 - j) << (4 + 10 * j);
  }
  CHECK(decode_r64(&init2, &ids2, &ratios2, 1, narrow, 1000, out_ids, out) == 7);
  CHECK(out_ids[0] == 999 && out[0] == static_cast<double>(9999999999999999u) / 1e16);
  for (uint32_t j = 1; j < 7; ++j) {
    CHECK(out_ids[j] == 100 * (j - 1) + 23);
    CHECK(out[j] == out[j - 1] * (1001. - j) / 1000);
  }
  CHECK(out[1] == out[0] * 1000. / 1000);
  // One feature: the other words are not looked at.
  decode_r64(&init, &ids, &ratios, 1, {1, 16, 48, 16, 0, 0, 2e14, 50000}, 65536, out_ids, out);
  CHECK(out_ids[0] == 12987 && out[0] == 123456789012345. / 2e14);
  // An id of a value 0 means nothing.
  const uint64_t zero = uint64_t{12987} << 48;
  CHECK(decode_r64(&zero, &ids, &ratios, 1, wide, 1, out_ids, out) == 5 && out_ids[0] == 0 && out_ids[4] == 0);
}

} // namespace
