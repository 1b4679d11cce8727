// Every kernel table against the scalar one, bit for bit, at every tail length.
#include "kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "kernel_tables.h"
#include "ratio.h"
#include "test.h"

using namespace farsight;
using namespace farsight::test;

TEST("rabitq_scan equals scalar for 1 to 17, 128 and 512 rows and block counts 1 to 12") {
  std::mt19937 random(11);
  std::vector<size_t> all_rows = {128, 512};
  for (size_t rows = 1; rows <= 17; ++rows) all_rows.push_back(rows);
  for (const size_t rows : all_rows) {
    for (const size_t count : {1u, 2u, 12u}) {
      const size_t stride = kRabitqHeadBytes + rows * 64;
      // One byte off any alignment; the exact size lets the sanitizer see a read past the end.
      auto bytes = random_integers<uint8_t>(random, 1 + stride * count);
      for (size_t b = 0; b < count; ++b) {
        for (size_t i = 0; i < kRabitqBlockItems; ++i) {
          // Factors as they are: positive and of ordinary size, some zero.
          const uint16_t factor = random() % 8 == 0 ? 0 : static_cast<uint16_t>(0x3c00 + random() % 0x400);
          std::memcpy(bytes.data() + 1 + b * stride + 8 + 2 * i, &factor, sizeof factor);
        }
      }
      std::vector<int8_t> table(rows * 128);
      for (int8_t& entry : table) entry = static_cast<int8_t>(random() % 255 - 127);
      if (rows == 512) std::fill(table.begin(), table.end(), int8_t{-127});
      std::vector<float> expected(16 * count);
      scalar_kernels()->rabitq_scan(bytes.data() + 1, count, rows, table.data(), 0.013f, {}, expected.data());
      for (size_t i = 0; i < expected.size(); ++i) {
        const uint8_t* block = bytes.data() + 1 + i / 16 * stride;
        int32_t sum = 0;
        for (size_t g = 0; g < rows * 8; ++g) {
          const uint8_t byte = block[kRabitqHeadBytes + g / 8 * 64 + i % 16 * 4 + g % 4];
          sum += table[g * 16 + (g % 8 < 4 ? byte & 15 : byte >> 4)];
        }
        const uint32_t half = block[8 + i % 16 * 2] | static_cast<uint32_t>(block[9 + i % 16 * 2]) << 8;
        CHECK(expected[i] == std::bit_cast<float>(half << 16) * (0.013f * static_cast<float>(sum)));
      }
      for (const Kernels* kernels : vector_tables()) {
        std::vector<float> scores(16 * count);
        // What is asked for meanwhile, more or fewer lines than there are rows, changes nothing.
        const Ahead ahead{bytes.data(), random() % 3 == 0 ? 0 : random() % (4 * bytes.size())};
        kernels->rabitq_scan(bytes.data() + 1, count, rows, table.data(), 0.013f, ahead, scores.data());
        CHECK(same_bits(scores, expected));
      }
    }
  }
}

TEST("sq8_scan equals scalar for dims 4 to 132, 1280 and 4096 and block counts 1 to 5") {
  std::mt19937 random(2);
  std::vector<size_t> all_dims = {1280, 4096};
  for (size_t dims = 4; dims <= 132; dims += 4) all_dims.push_back(dims);
  for (const size_t dims : all_dims) {
    for (size_t count = 1; count <= (dims > 1280 ? 1 : 5); ++count) {
      const auto blocks = random_integers<uint8_t>(random, dims * 16 * count + 1);
      const auto high = random_integers<int8_t>(random, dims);
      const auto low = random_integers<int8_t>(random, dims);
      std::vector<float> expected(16 * count);
      scalar_kernels()->sq8_scan(blocks.data() + 1, count, dims, high.data(), low.data(), 1e-3f, 0.5f, {}, expected.data());
      for (const Kernels* kernels : vector_tables()) {
        std::vector<float> scores(16 * count);
        const Ahead ahead{blocks.data(), random() % 3 == 0 ? 0 : random() % (4 * blocks.size())};
        kernels->sq8_scan(blocks.data() + 1, count, dims, high.data(), low.data(), 1e-3f, 0.5f, ahead, scores.data());
        CHECK(same_bits(scores, expected));
      }
    }
  }
}

TEST("sq8_scan does not overflow at the largest weights and codes") {
  const size_t dims = 4096;
  const std::vector<uint8_t> block(dims * 16, 0xff);
  const std::vector<int8_t> weights(dims, -128);
  const std::vector<float> expected(16, -128.0f * 255 * 4096 * 257);
  for (const Kernels* kernels : {scalar_kernels(), avx2_kernels(), avx512_kernels(), neon_kernels()}) {
    if (kernels == nullptr) continue;
    std::vector<float> scores(16);
    kernels->sq8_scan(block.data(), 1, dims, weights.data(), weights.data(), 1.0f, 0.0f, {}, scores.data());
    CHECK(same_bits(scores, expected));
  }
}

TEST("sq8_dot equals scalar for dims 4 to 132 and 1280") {
  std::mt19937 random(7);
  std::vector<size_t> all_dims = {1280};
  for (size_t dims = 4; dims <= 132; dims += 4) all_dims.push_back(dims);
  for (const size_t dims : all_dims) {
    const auto block = random_integers<uint8_t>(random, dims * 16);
    std::vector<double> weights(dims);
    for (double& weight : weights) weight = std::normal_distribution<double>()(random);
    for (size_t i = 0; i < 16; ++i) {
      const double expected = scalar_kernels()->sq8_dot(weights.data(), block.data() + i * 4, dims);
      for (const Kernels* kernels : vector_tables()) {
        const double sum = kernels->sq8_dot(weights.data(), block.data() + i * 4, dims);
        CHECK(std::bit_cast<uint64_t>(sum) == std::bit_cast<uint64_t>(expected));
      }
    }
  }
}

TEST("sq8_distance equals scalar for dims 4 to 132, 1280 and 4096 and block counts 1 to 5") {
  std::mt19937 random(9);
  std::vector<size_t> all_dims = {1280, 4096};
  for (size_t dims = 4; dims <= 132; dims += 4) all_dims.push_back(dims);
  for (const size_t dims : all_dims) {
    const auto step = random_floats(random, dims);
    const auto shift = random_floats(random, dims);
    for (size_t count = 1; count <= (dims > 1280 ? 1 : 5); ++count) {
      const auto blocks = random_integers<uint8_t>(random, dims * 16 * count + 1);
      std::vector<float> expected(16 * count);
      scalar_kernels()->sq8_distance(blocks.data() + 1, count, dims, step.data(), shift.data(), expected.data());
      for (size_t i = 0; i < expected.size(); ++i) {
        float sums[4] = {};
        for (size_t d = 0; d < dims; ++d) {
          const uint8_t code = blocks[1 + i / 16 * dims * 16 + d / 4 * 64 + i % 16 * 4 + d % 4];
          const float difference = std::fma(step[d], static_cast<float>(code), shift[d]);
          sums[d % 4] = std::fma(difference, difference, sums[d % 4]);
        }
        CHECK(expected[i] == (sums[0] + sums[1]) + (sums[2] + sums[3]));
      }
      for (const Kernels* kernels : vector_tables()) {
        std::vector<float> distances(16 * count);
        kernels->sq8_distance(blocks.data() + 1, count, dims, step.data(), shift.data(), distances.data());
        CHECK(same_bits(distances, expected));
      }
    }
  }
}

TEST("distances past the largest float are infinite, and NaN is kept, in every table") {
  const RatioShape shape{5, IdForm::kByte, 256};
  const std::vector<uint8_t> blocks(std::max<size_t>(ratio_block_bytes(shape), 4 * 16), 0xff);
  const std::vector<float> large(256, -3e38f);
  const std::vector<float> nan(256, NAN);
  for (const Kernels* kernels : {scalar_kernels(), avx2_kernels(), avx512_kernels(), neon_kernels()}) {
    if (kernels == nullptr) continue;
    std::vector<float> distances(64);
    kernels->ratio_distance(blocks.data(), 1, shape, large.data(), 1.0f, 1.0f, distances.data());
    for (const float distance : distances) CHECK(distance == INFINITY);
    kernels->ratio_distance(blocks.data(), 1, shape, nan.data(), 1.0f, 1.0f, distances.data());
    for (const float distance : distances) CHECK(std::isnan(distance));
    distances.resize(16);
    kernels->sq8_distance(blocks.data(), 1, 4, large.data(), large.data(), distances.data());
    for (const float distance : distances) CHECK(distance == INFINITY);
    kernels->sq8_distance(blocks.data(), 1, 4, nan.data(), large.data(), distances.data());
    for (const float distance : distances) CHECK(std::isnan(distance));
  }
}

TEST("select_at_least equals scalar for 0 to 200 scores, ties and NaN included") {
  std::mt19937 random(3);
  for (size_t n = 0; n <= 200; ++n) {
    for (const uint32_t values : {1u, 5u, 100u}) {
      std::vector<float> scores(n);
      for (float& score : scores) score = random() % 20 == 0 ? NAN : static_cast<float>(random() % values);
      for (const float threshold : {-INFINITY, 0.0f, 3.0f, 96.0f, INFINITY}) {
        std::vector<uint32_t> expected(n + 16);
        const size_t found = scalar_kernels()->select_at_least(scores.data(), n, threshold, expected.data());
        expected.resize(found);
        for (const Kernels* kernels : vector_tables()) {
          std::vector<uint32_t> positions(n + 16);
          CHECK(kernels->select_at_least(scores.data(), n, threshold, positions.data()) == found);
          positions.resize(found);
          CHECK(positions == expected);
        }
      }
    }
  }
}

TEST("dot and axpy equal scalar for 0 to 130 elements") {
  std::mt19937 random(4);
  for (size_t n = 0; n <= 130; ++n) {
    for (int repeat = 0; repeat < 8; ++repeat) {
      const auto x = random_floats(random, n);
      const auto y = random_floats(random, n);
      const float a = random_floats(random, 1)[0];
      const float expected = scalar_kernels()->dot(x.data(), y.data(), n);
      auto expected_y = y;
      scalar_kernels()->axpy(a, x.data(), expected_y.data(), n);
      for (const Kernels* kernels : vector_tables()) {
        const float sum = kernels->dot(x.data(), y.data(), n);
        CHECK(std::bit_cast<uint32_t>(sum) == std::bit_cast<uint32_t>(expected));
        auto moved = y;
        kernels->axpy(a, x.data(), moved.data(), n);
        CHECK(same_bits(moved, expected_y));
      }
    }
  }
}

TEST("panel_distance equals scalar for 0 to 130 dims") {
  std::mt19937 random(5);
  for (size_t dims = 0; dims <= 130; ++dims) {
    const auto panel = random_floats(random, dims * 16);
    const auto query = random_floats(random, dims);
    std::vector<float> expected(16);
    scalar_kernels()->panel_distance(panel.data(), query.data(), dims, expected.data());
    for (const Kernels* kernels : vector_tables()) {
      std::vector<float> distances(16);
      kernels->panel_distance(panel.data(), query.data(), dims, distances.data());
      CHECK(same_bits(distances, expected));
    }
  }
}

TEST("the chosen table is the one KERNELS_ISA names") {
  const char* pinned = std::getenv("KERNELS_ISA");
  if (pinned != nullptr && *pinned != '\0') {
    CHECK(std::string(pinned) == kernels().isa);
  } else {
    const Kernels* best = avx512_kernels() ? avx512_kernels() : avx2_kernels() ? avx2_kernels() : neon_kernels();
    CHECK(&kernels() == (best ? best : scalar_kernels()));
  }
}
