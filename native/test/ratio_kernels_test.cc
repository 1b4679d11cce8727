// The kernels of ratio blocks against the scalar ones, bit for bit, at every tail length.
#include "kernels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernel_tables.h"
#include "ratio.h"
#include "reach.h"
#include "test.h"

using namespace farsight;
using namespace farsight::test;

namespace {

struct alignas(64) Line {
  int8_t weights[64];
};

// Random ratio blocks one byte off any alignment; the exact size lets the sanitizer see a read past the end.
struct RandomBlocks {
  // strongest_first: values fall from feature to feature, as those of real rows do.
  RandomBlocks(std::mt19937& random, const RatioShape& shape, size_t count, bool strongest_first = false)
      : rows(count * kRatioBlockItems), ids(rows * shape.features), codes(ids.size()) {
    const size_t features = shape.features;
    const RatioParameters parameters{shape.dims, shape.features, 8, 1.0, 1e9};
    for (auto& id : ids) id = static_cast<uint16_t>(random() % shape.dims);
    for (size_t i = 0; i < codes.size(); ++i) {
      codes[i] = random() % 256 >> (strongest_first ? std::min<size_t>(i % features, 6) : 0);
    }
    std::vector<uint32_t> order(rows);
    std::iota(order.begin(), order.end(), 0u);
    bytes_.resize(1 + ratio_codes_bytes(rows, parameters));
    pack_ratio(ids.data(), codes.data(), order.data(), 0, rows, parameters, bytes_.data() + 1, nullptr);
  }
  const uint8_t* data() const { return bytes_.data() + 1; }

  size_t rows;
  std::vector<uint16_t> ids;
  std::vector<uint32_t> codes;

 private:
  std::vector<uint8_t> bytes_;
};

} // namespace

TEST("ratio_scan equals scalar for all id forms, table sizes, feature and block counts") {
  std::mt19937 random(1);
  for (const uint32_t dims : {7u, 128u, 129u, 256u, 257u, 512u, 513u, 1024u, 1025u, 65536u}) {
    const IdForm form = ratio_id_form(dims);
    std::vector<Line> table(ratio_table_entries(form) / 64 + 1);
    for (size_t id = 0; id < dims; ++id) table[0].weights[id] = static_cast<int8_t>(random() % 255 - 127);
    for (const uint32_t features : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 16u, 255u}) {
      const RatioShape shape{features, form, dims};
      for (size_t count = 1; count <= (features == 255 ? 1 : 5); ++count) {
        const RandomBlocks blocks(random, shape, count);
        std::vector<float> expected(blocks.rows);
        scalar_kernels()->ratio_scan(blocks.data(), count, shape, table[0].weights, 0.37f, -1.25f, expected.data());
        for (size_t i = 0; i < blocks.rows; ++i) {
          int32_t sum = 0;
          for (size_t j = 0; j < features; ++j) {
            const size_t at = i * features + j;
            sum += table[0].weights[blocks.ids[at]] * static_cast<int32_t>(blocks.codes[at]);
          }
          CHECK(expected[i] == 0.37f * static_cast<float>(sum) + -1.25f);
        }
        for (const Kernels* kernels : vector_tables()) {
          std::vector<float> scores(blocks.rows);
          kernels->ratio_scan(blocks.data(), count, shape, table[0].weights, 0.37f, -1.25f, scores.data());
          CHECK(same_bits(scores, expected));
        }
      }
    }
  }
}

TEST("ratio_reach finds what ratio_scan scores at least the threshold, in every form, wherever it lies") {
  std::mt19937 random(12);
  for (const uint32_t dims : {7u, 128u, 129u, 257u, 513u, 1025u}) {
    const IdForm form = ratio_id_form(dims);
    for (const uint32_t features : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 14u, 255u}) {
      std::vector<Line> table(ratio_table_entries(form) / 64 + 1);
      // A few large weights, as of a model that knows few features: most upper bounds are then far off.
      for (size_t id = 0; id < dims; ++id) table[0].weights[id] = static_cast<int8_t>(random() % (id % 9 == 0 ? 255 : 41) - 20);
      const int8_t largest = std::max<int8_t>(0, *std::max_element(table[0].weights, table[0].weights + dims));
      const size_t count = features == 255 ? 1 : 5;
      const RandomBlocks blocks(random, {features, form, dims}, count, true);
      for (const float scale : {0.0f, 1e-42f, 0.0137f}) {
        const RatioScan scan{{features, form, dims}, table[0].weights, largest, scale, -1.25f};
        std::vector<float> all(blocks.rows);
        scalar_kernels()->ratio_scan(blocks.data(), count, scan.shape, scan.table, scale, scan.bias, all.data());
        std::vector<float> thresholds = {-INFINITY, INFINITY, -1.25f, std::nextafter(-1.25f, 0.0f)};
        for (int k = 0; k < 10; ++k) {
          const float score = all[random() % blocks.rows];
          thresholds.insert(thresholds.end(), {score, std::nextafter(score, INFINITY), std::nextafter(score, -INFINITY)});
        }
        thresholds.push_back(*std::max_element(all.begin(), all.end()));
        for (const float threshold : thresholds) {
          std::vector<uint32_t> expected;
          std::vector<float> expected_scores;
          for (uint32_t i = 0; i < blocks.rows; ++i) {
            if (all[i] < threshold) continue;
            expected.push_back(i);
            expected_scores.push_back(all[i]);
          }
          for (const ReachKernels* kernels : {composed_reach(), avx512_reach()}) {
            if (kernels == nullptr) continue;
            std::vector<uint32_t> positions(blocks.rows + 16);
            std::vector<float> scores(blocks.rows + 16);
            positions.resize(kernels->ratio_reach(blocks.data(), count, scan, threshold, positions.data(), scores.data()));
            scores.resize(positions.size());
            CHECK(positions == expected);
            CHECK(same_bits(scores, expected_scores));
          }
        }
      }
    }
  }
}

TEST("ratio_scan does not overflow at the largest weights and values") {
  const uint32_t features = 255;
  const RatioShape shape{features, IdForm::kByte, 256};
  std::vector<uint8_t> blocks(ratio_block_bytes(shape), 0xff);
  std::vector<Line> table(5);
  table[3].weights[63] = -127;
  std::vector<float> expected(64, -127.0f * 255 * 255);
  for (const Kernels* kernels : {scalar_kernels(), avx2_kernels(), avx512_kernels(), neon_kernels()}) {
    if (kernels == nullptr) continue;
    std::vector<float> scores(64);
    kernels->ratio_scan(blocks.data(), 1, shape, table[0].weights, 1.0f, 0.0f, scores.data());
    CHECK(same_bits(scores, expected));
  }
}

TEST("ratio_distance equals scalar for all id forms, feature and block counts") {
  std::mt19937 random(8);
  for (const uint32_t dims : {7u, 256u, 257u, 1024u, 1025u, 65536u}) {
    const IdForm form = ratio_id_form(dims);
    auto twice = random_floats(random, dims);
    twice.resize(ratio_table_entries(form));
    for (const uint32_t features : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 16u, 255u}) {
      const RatioShape shape{features, form, dims};
      for (size_t count = 1; count <= (features == 255 ? 1 : 5); ++count) {
        const RandomBlocks blocks(random, shape, count);
        // The smaller norm leaves some below 0, which are 0 then.
        for (const float norm : {0.25f, 17.5f}) {
          std::vector<float> expected(blocks.rows);
          scalar_kernels()->ratio_distance(blocks.data(), count, shape, twice.data(), 3e-3f, norm, expected.data());
          for (size_t i = 0; i < blocks.rows; ++i) {
            float sum = 0;
            for (size_t j = i * features; j < (i + 1) * features; ++j) {
              const float value = 3e-3f * static_cast<float>(blocks.codes[j]);
              sum = std::fma(value, value - twice[blocks.ids[j]], sum);
            }
            CHECK(expected[i] == std::max(0.0f, norm + sum));
          }
          for (const Kernels* kernels : vector_tables()) {
            std::vector<float> distances(blocks.rows);
            kernels->ratio_distance(blocks.data(), count, shape, twice.data(), 3e-3f, norm, distances.data());
            CHECK(same_bits(distances, expected));
          }
        }
      }
    }
  }
}
