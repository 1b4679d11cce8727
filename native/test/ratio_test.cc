// Ratio codes against the rows they were packed from, and the bound on their approximate scores.
#include "ratio.h"

#include <algorithm>
#include <cmath>

#include "test.h"

using namespace farsight;

namespace {

// Random rows in the form pack_ratio takes: distinct ids, descending codes, some rows with fewer features or none.
struct Rows {
  RatioParameters parameters;
  std::vector<uint16_t> ids;
  std::vector<uint32_t> codes;
  std::vector<uint32_t> order;
  std::vector<uint8_t> blocks;
  std::vector<uint8_t> refine;

  Rows(std::mt19937& random, uint32_t dims, uint32_t features, uint32_t value_bits, size_t count)
      : parameters{dims, features, value_bits, 0.00173, 0},
        ids(count * features),
        codes(count * features),
        order(count) {
    const uint32_t largest = 255u << (value_bits - 8);
    const uint32_t start = dims / features;
    for (size_t row = 0; row < count; ++row) {
      const uint32_t present = random() % 8 == 0 ? random() % (features + 1) : features;
      uint32_t code = random() % 8 == 0 ? largest : random() % (largest + 1);
      double sum = 0;
      for (uint32_t j = 0; j < present; ++j) {
        ids[row * features + j] = static_cast<uint16_t>(j * start + random() % start);
        codes[row * features + j] = code;
        sum += code * parameters.scale;
        if (random() % 4 != 0) code = static_cast<uint32_t>(code * (random() % 1000 / 1000.0));
      }
      parameters.max_sum = std::max(parameters.max_sum, sum);
    }
    for (size_t slot = 0; slot < count; ++slot) order[slot] = static_cast<uint32_t>(slot);
    std::shuffle(order.begin(), order.end(), random);
    blocks.resize(ratio_codes_bytes(count, parameters), 0xee);
    refine.resize(ratio_refine_bytes(count, parameters), 0xee);
    // In two parts, as the builder's threads do.
    const size_t first = count / 2 / kRatioBlockItems * kRatioBlockItems;
    pack_ratio(ids.data(), codes.data(), order.data(), first, count - first, parameters, blocks.data(), refine.data());
    pack_ratio(ids.data(), codes.data(), order.data(), 0, first, parameters, blocks.data(), refine.data());
  }

  RatioCodes open() const { return RatioCodes(parameters, order.size(), blocks.data(), refine.data()); }
};

void check_round_trip(const Rows& rows) {
  const RatioCodes codes = rows.open();
  const uint32_t features = rows.parameters.features;
  std::vector<uint32_t> ids(features);
  std::vector<float> values(features);
  std::vector<float> query(rows.parameters.dims);
  for (size_t d = 0; d < query.size(); ++d) query[d] = static_cast<float>(d % 7) * 0.125f;
  double norm = 0;
  for (const float value : query) norm += static_cast<double>(value) * value;
  for (size_t slot = 0; slot < codes.count(); ++slot) {
    codes.prefetch(slot);
    codes.decode(slot, ids.data(), values.data());
    double distance = 0;
    std::vector<double> dense(query.begin(), query.end());
    for (uint32_t j = 0; j < features; ++j) {
      const size_t at = size_t{rows.order[slot]} * features + j;
      CHECK(ids[j] == rows.ids[at]);
      CHECK(values[j] == static_cast<float>(rows.codes[at] * rows.parameters.scale));
      dense[ids[j]] -= rows.codes[at] * rows.parameters.scale;
    }
    for (const double difference : dense) distance += difference * difference;
    CHECK(std::fabs(codes.distance(slot, query.data(), norm) - distance) <= 1e-9 * (norm + distance));
  }
}

void check_scores(const Rows& rows, const std::vector<float>& weights, double bias) {
  const RatioCodes codes = rows.open();
  const auto query = codes.prepare(weights.data(), bias);
  const size_t blocks = (codes.count() + kRatioBlockItems - 1) / kRatioBlockItems;
  std::vector<float> scores(blocks * kRatioBlockItems);
  query->approximate(0, blocks, scores.data());
  const uint32_t features = rows.parameters.features;
  for (size_t slot = 0; slot < codes.count(); ++slot) {
    double sums[4] = {};
    for (uint32_t j = 0; j < features; ++j) {
      const size_t at = size_t{rows.order[slot]} * features + j;
      sums[j % 4] += static_cast<double>(weights[rows.ids[at]]) * (rows.codes[at] * rows.parameters.scale);
    }
    const double expected = bias + ((sums[0] + sums[1]) + (sums[2] + sums[3]));
    CHECK(query->exact(slot) == expected);
    CHECK(std::fabs(scores[slot] - expected) <= query->error());
  }
  std::vector<float> part(kRatioBlockItems);
  query->approximate(blocks - 1, 1, part.data());
  for (size_t i = 0; i < part.size(); ++i) CHECK(part[i] == scores[(blocks - 1) * kRatioBlockItems + i]);
}

// Returns the largest |approximate - exact| over the stated error.
double check_distances(const Rows& rows, const std::vector<float>& query) {
  const RatioCodes codes = rows.open();
  const auto prepared = codes.prepare_distance(query.data());
  const size_t blocks = (codes.count() + kRatioBlockItems - 1) / kRatioBlockItems;
  std::vector<float> distances(blocks * kRatioBlockItems);
  prepared->approximate(0, blocks, distances.data());
  double norm = 0;
  for (const float value : query) norm += static_cast<double>(value) * value;
  double largest = 0;
  for (size_t slot = 0; slot < codes.count(); ++slot) {
    const double error = std::fabs(distances[slot] - codes.distance(slot, query.data(), norm));
    CHECK(distances[slot] >= 0 && error <= prepared->error());
    largest = std::max(largest, error / prepared->error());
  }
  std::vector<float> part(kRatioBlockItems);
  prepared->approximate(blocks - 1, 1, part.data());
  CHECK(std::equal(part.begin(), part.end(), distances.end() - kRatioBlockItems));
  return largest;
}

} // namespace

TEST("ratio codes decode to what was packed, at every feature count, id form and value width") {
  std::mt19937 random(11);
  for (const uint32_t dims : {20u, 256u, 257u, 1024u, 1025u, 12988u, 65536u}) {
    for (const uint32_t features : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 16u}) {
      for (const uint32_t value_bits : {8u, 9u, 10u, 13u, 16u, 24u}) {
        check_round_trip(Rows(random, dims, features, value_bits, dims > 2000 ? 5 : 1 + random() % 150));
      }
    }
  }
  check_round_trip(Rows(random, 5000, 255, 10, 131));
}

TEST("ratio scores stay within the stated error of the exact ones") {
  std::mt19937 random(12);
  std::normal_distribution<float> normal;
  for (const uint32_t dims : {16u, 200u, 1000u, 12988u}) {
    for (const uint32_t features : {1u, 5u, 6u, 16u}) {
      for (const uint32_t value_bits : {8u, 10u, 24u}) {
        const Rows rows(random, dims, features, value_bits, 300);
        std::vector<float> weights(dims);
        for (float& weight : weights) weight = normal(random);
        check_scores(rows, weights, 0.7);
        // Peaked: one weight makes all the others round to nothing.
        auto peaked = weights;
        peaked[dims / 2] = 1e6f;
        check_scores(rows, peaked, -3e5);
        std::vector<float> one_hot(dims);
        one_hot[rows.ids[0]] = -2.5f;
        check_scores(rows, one_hot, 0);
        // Halfway between two table entries: the largest rounding error everywhere, all of one sign.
        std::vector<float> halfway(dims, 0.5f);
        halfway[dims - 1] = 127.0f;
        check_scores(rows, halfway, 0);
        // So large a bias that its float rounding is what is left.
        check_scores(rows, weights, 12345678.9);
        for (float& weight : weights) weight *= 1e-38f;
        check_scores(rows, weights, 0);
      }
    }
  }
}

TEST("ratio distances of blocks stay within the stated error of the exact ones") {
  std::mt19937 random(15);
  std::normal_distribution<float> normal;
  for (const uint32_t dims : {16u, 200u, 1000u, 12988u}) {
    for (const uint32_t features : {1u, 2u, 5u, 6u, 7u, 16u}) {
      for (const uint32_t value_bits : {8u, 9u, 10u, 24u}) {
        const Rows rows(random, dims, features, value_bits, 1 + random() % 300);
        std::vector<float> query(dims);
        for (float& value : query) value = normal(random);
        check_distances(rows, query);
        check_distances(rows, std::vector<float>(dims));
        // A stored vector itself: its distance is what the cancellation of norm and sum leaves.
        const RatioCodes codes = rows.open();
        std::vector<uint32_t> ids(features);
        std::vector<float> values(features);
        codes.decode(0, ids.data(), values.data());
        std::vector<float> stored(dims);
        for (uint32_t j = 0; j < features; ++j) stored[ids[j]] += values[j];
        check_distances(rows, stored);
        auto peaked = query;
        peaked[rows.ids[0]] = 1e6f;
        check_distances(rows, peaked);
        peaked[rows.ids[0]] = -1e6f;
        check_distances(rows, peaked);
        for (float& value : query) value *= 1e-38f;
        check_distances(rows, query);
      }
    }
  }
}

TEST("the error of ratio distances is no looser than twice what the worst rest bits do") {
  // One feature with code 2 = 1 * 2^2 - 2, the largest rest, and a query on the other side of 0.
  std::mt19937 random(16);
  Rows rows(random, 4, 1, 10, 64);
  std::fill(rows.codes.begin(), rows.codes.end(), 2);
  rows.parameters.max_sum = 2 * rows.parameters.scale;
  pack_ratio(rows.ids.data(), rows.codes.data(), rows.order.data(), 0, 64, rows.parameters, rows.blocks.data(),
             rows.refine.data());
  CHECK(check_distances(rows, std::vector<float>(4, -5.0f)) >= 0.5);
}

TEST("the error of ratio distances that floats cannot hold is infinite") {
  std::mt19937 random(17);
  const Rows rows(random, 100, 4, 10, 10);
  CHECK(rows.open().prepare_distance(std::vector<float>(100, 3e19f).data())->error() == INFINITY);
}

TEST("a ratio query without weights scores the bias") {
  std::mt19937 random(13);
  const Rows rows(random, 100, 4, 10, 100);
  check_scores(rows, std::vector<float>(100), -0.1);
  const RatioCodes codes = rows.open();
  const auto query = codes.prepare(std::vector<float>(100).data(), 2);
  CHECK(query->exact(7) == 2);
}

TEST("a corrupt ratio block reads inside its bounds") {
  std::mt19937 random(14);
  for (const uint32_t dims : {100u, 700u, 5000u}) {
    Rows rows(random, dims, 6, 12, 130);
    for (uint8_t& byte : rows.blocks) byte = static_cast<uint8_t>(random());
    for (uint8_t& byte : rows.refine) byte = static_cast<uint8_t>(random());
    const RatioCodes codes = rows.open();
    const std::vector<float> weights(dims, 1.0f);
    const auto query = codes.prepare(weights.data(), 0);
    std::vector<float> scores(192);
    query->approximate(0, 3, scores.data());
    codes.prepare_distance(weights.data())->approximate(0, 3, scores.data());
    for (size_t slot = 0; slot < codes.count(); ++slot) {
      std::vector<uint32_t> ids(6);
      std::vector<float> values(6);
      codes.decode(slot, ids.data(), values.data());
      for (size_t j = 0; j < 6; ++j) CHECK(ids[j] < dims && values[j] >= 0);
      CHECK(query->exact(slot) >= 0);
      CHECK(codes.distance(slot, weights.data(), dims) >= 0);
    }
  }
}
