// sq8 codes against the rows they were packed from, and the bound on their approximate scores.
#include "sq8.h"

#include <algorithm>
#include <cmath>

#include "test.h"

using namespace farsight;

namespace {

struct Rows {
  uint32_t dims;
  std::vector<uint8_t> codes;
  std::vector<uint32_t> order;
  std::vector<float> offset;
  std::vector<float> step;
  std::vector<uint8_t> blocks;

  Rows(std::mt19937& random, uint32_t dims, size_t count)
      : dims(dims),
        codes(count * dims),
        order(count),
        offset(dims),
        step(dims),
        blocks(sq8_codes_bytes(count, dims), 0xee) {
    std::normal_distribution<float> normal;
    for (uint8_t& code : codes) code = static_cast<uint8_t>(random() % 8 == 0 ? 255 : random());
    for (float& value : offset) value = normal(random);
    for (float& value : step) value = random() % 16 == 0 ? 0.0f : std::fabs(normal(random)) / 100;
    for (size_t slot = 0; slot < count; ++slot) order[slot] = static_cast<uint32_t>(slot);
    std::shuffle(order.begin(), order.end(), random);
    const size_t first = count / 2 / kSq8BlockItems * kSq8BlockItems;
    pack_sq8(codes.data(), order.data(), first, count - first, dims, blocks.data());
    pack_sq8(codes.data(), order.data(), 0, first, dims, blocks.data());
  }

  Sq8Codes open() const { return Sq8Codes({dims, offset.data(), step.data()}, order.size(), blocks.data()); }
  double value(size_t slot, size_t d) const {
    return static_cast<double>(offset[d]) + static_cast<double>(step[d]) * codes[size_t{order[slot]} * dims + d];
  }
};

void check_scores(const Rows& rows, const std::vector<float>& weights, double bias) {
  const Sq8Codes codes = rows.open();
  const auto query = codes.prepare(weights.data(), bias);
  const size_t blocks = (codes.count() + kSq8BlockItems - 1) / kSq8BlockItems;
  std::vector<float> scores(blocks * kSq8BlockItems);
  query->approximate(0, blocks, scores.data());
  for (size_t slot = 0; slot < codes.count(); ++slot) {
    double expected = bias;
    double magnitude = std::fabs(bias);
    for (size_t d = 0; d < rows.dims; ++d) {
      expected += static_cast<double>(weights[d]) * rows.value(slot, d);
      magnitude += std::fabs(static_cast<double>(weights[d])) * (std::fabs(rows.offset[d]) + 255.0 * rows.step[d]);
    }
    // Both sides sum at most 2 * dims terms in double, each sum off by at most that many half units in the last place.
    CHECK(std::fabs(query->exact(slot) - expected) <= magnitude * (4.0 * rows.dims + 8) * 0x1p-53);
    CHECK(std::fabs(scores[slot] - query->exact(slot)) <= query->error());
  }
}

// Returns the largest |approximate - exact| over the stated error.
double check_distances(const Rows& rows, const std::vector<float>& query) {
  const Sq8Codes codes = rows.open();
  const auto prepared = codes.prepare_distance(query.data());
  const size_t blocks = (codes.count() + kSq8BlockItems - 1) / kSq8BlockItems;
  std::vector<float> distances(blocks * kSq8BlockItems);
  prepared->approximate(0, blocks, distances.data());
  double largest = 0;
  for (size_t slot = 0; slot < codes.count(); ++slot) {
    const double error = std::fabs(distances[slot] - codes.distance(slot, query.data(), 0));
    CHECK(distances[slot] >= 0 && error <= prepared->error());
    largest = std::max(largest, error / prepared->error());
  }
  std::vector<float> part(kSq8BlockItems);
  prepared->approximate(blocks - 1, 1, part.data());
  CHECK(std::equal(part.begin(), part.end(), distances.end() - kSq8BlockItems));
  return largest;
}

} // namespace

TEST("sq8 codes decode to what was packed, for dims 1 to 133") {
  std::mt19937 random(21);
  for (uint32_t dims = 1; dims <= 133; ++dims) {
    const Rows rows(random, dims, 1 + random() % 70);
    const Sq8Codes codes = rows.open();
    std::vector<float> values(dims);
    std::vector<float> query(dims, 0.3f);
    for (size_t slot = 0; slot < codes.count(); ++slot) {
      codes.prefetch(slot);
      codes.decode(slot, nullptr, values.data());
      double distance = 0;
      for (size_t d = 0; d < dims; ++d) {
        CHECK(values[d] == rows.offset[d] + rows.step[d] * rows.codes[size_t{rows.order[slot]} * dims + d]);
        const double difference = static_cast<double>(query[d]) - rows.value(slot, d);
        distance += difference * difference;
      }
      CHECK(std::fabs(codes.distance(slot, query.data(), 0) - distance) <= distance * (dims + 4) * 0x1p-52);
    }
  }
}

TEST("sq8 scores stay within the stated error of the exact ones") {
  std::mt19937 random(22);
  std::normal_distribution<float> normal;
  for (const uint32_t dims : {1u, 3u, 16u, 127u, 512u, 1280u, 4096u}) {
    const Rows rows(random, dims, 50);
    std::vector<float> weights(dims);
    for (float& weight : weights) weight = normal(random);
    check_scores(rows, weights, 0.7);
    auto peaked = weights;
    peaked[dims / 2] = 1e7f;
    check_scores(rows, peaked, -3e5);
    std::vector<float> one_hot(dims);
    one_hot[dims - 1] = -2.5f;
    check_scores(rows, one_hot, 0);
    check_scores(rows, weights, 12345678.9);
    for (float& weight : weights) weight = std::fabs(weight) * 1e-38f;
    check_scores(rows, weights, 0);
    check_scores(rows, std::vector<float>(dims), -0.1);
  }
}

TEST("sq8 distances of blocks stay within the stated error of the exact ones") {
  std::mt19937 random(23);
  std::normal_distribution<float> normal;
  for (const uint32_t dims : {1u, 2u, 3u, 4u, 5u, 16u, 127u, 512u, 1280u, 4096u}) {
    Rows rows(random, dims, 1 + random() % 70);
    std::vector<float> query(dims);
    for (float& value : query) value = normal(random);
    check_distances(rows, query);
    check_distances(rows, rows.offset);
    // A stored vector itself.
    std::vector<float> stored(dims);
    rows.open().decode(0, nullptr, stored.data());
    check_distances(rows, stored);
    auto peaked = query;
    peaked[dims / 2] = 1e7f;
    check_distances(rows, peaked);
    // Far offsets: what the double arithmetic of distance() loses is as large as what float loses.
    auto far = rows;
    for (uint32_t d = 0; d < dims; ++d) query[d] = far.offset[d] = 1e6f + static_cast<float>(d);
    for (float& step : far.step) step = 1e-11f;
    check_distances(far, query);
    for (uint32_t d = 0; d < dims; ++d) {
      rows.offset[d] *= 1e-38f;
      rows.step[d] *= 1e-38f;
      query[d] = normal(random) * 1e-38f;
    }
    check_distances(rows, query);
  }
}

TEST("the error of sq8 distances is a millionth of the largest one, and infinite where floats cannot hold it") {
  std::mt19937 random(24);
  const Rows rows(random, 16, 50);
  const std::vector<float> zeros(16);
  double largest = 0;
  for (uint32_t d = 0; d < 16; ++d) {
    const double most = std::max(std::fabs(rows.offset[d]), std::fabs(rows.offset[d] + 255 * rows.step[d]));
    largest += most * most;
  }
  CHECK(rows.open().prepare_distance(zeros.data())->error() <= 1e-6 * largest);
  CHECK(rows.open().prepare_distance(std::vector<float>(16, 1e19f).data())->error() == INFINITY);
}
