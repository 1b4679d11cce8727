// rabitq codes against the residuals they were made of: what they decode to, that their estimates have no bias, and that
// all their scores speak of the same vectors.
#include "rabitq.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "rabitq-pack.h"
#include "remembered-scores.h"
#include "sq8.h"
#include "survey.h"
#include "test.h"

using namespace farsight;

namespace {

// Records in slot order around the representatives of clusters of 1 to 40 items.
struct Packed {
  RabitqParameters parameters;
  std::vector<float> offset, step, means;
  std::vector<uint8_t> records, mean_blocks, blocks, refine;
  std::vector<uint32_t> starts = {0};
  size_t count = 0;
  double error = 0;

  Packed(std::mt19937& random, RabitqParameters parameters, size_t clusters, size_t threads = 1)
      : parameters(parameters), offset(parameters.dims), step(parameters.dims) {
    const uint32_t dims = parameters.dims;
    std::normal_distribution<float> normal;
    for (float& value : offset) value = normal(random) - 1;
    for (float& value : step) value = random() % 16 == 0 ? 0.0f : (1 + std::fabs(normal(random))) / 100;
    std::vector<uint8_t> codes(clusters * dims);
    for (uint8_t& code : codes) code = static_cast<uint8_t>(60 + random() % 130);
    for (size_t i = 0; i < codes.size(); ++i) means.push_back(offset[i % dims] + step[i % dims] * codes[i]);
    std::vector<uint32_t> order(clusters);
    for (size_t c = 0; c < clusters; ++c) {
      order[c] = static_cast<uint32_t>(c);
      const size_t size = 1 + random() % 40;
      for (size_t i = 0; i < size; ++i) {
        for (uint32_t d = 0; d < dims; ++d) {
          const double code = std::nearbyint(codes[c * dims + d] + 20 * normal(random));
          records.push_back(static_cast<uint8_t>(std::clamp(code, 0.0, 255.0)));
        }
        for (uint32_t d = 0; d < dims; ++d) records.push_back(static_cast<uint8_t>(random()));
      }
      starts.push_back(starts.back() + static_cast<uint32_t>(size));
    }
    count = starts.back();
    mean_blocks.resize(sq8_codes_bytes(clusters, dims));
    pack_sq8(codes.data(), order.data(), 0, clusters, dims, mean_blocks.data());
    blocks.resize(rabitq_codes_bytes(count, parameters), 0xee);
    refine.resize(count * rabitq_refine_row_bytes(parameters), 0xee);
    // In two parts, as a build does.
    const size_t first = count / 2 / 16 * 16;
    error = std::max(pack(0, first, threads), pack(first, count, threads));
  }

  double pack(size_t from, size_t to, size_t threads) {
    if (from == to) return 0;
    const size_t dims = parameters.dims;
    return pack_rabitq({records.data() + from * 2 * dims, offset.data(), step.data(), to - from, dims}, from,
                       {means.data(), starts.data(), starts.size() - 1}, parameters, threads,
                       blocks.data() + from / 16 * rabitq_block_bytes(parameters),
                       refine.data() + from * rabitq_refine_row_bytes(parameters));
  }

  Sq8Codes representatives() const {
    return Sq8Codes({parameters.dims, offset.data(), step.data()}, starts.size() - 1, mean_blocks.data());
  }
  double value(size_t slot, size_t d) const {
    const uint8_t* record = records.data() + slot * 2 * parameters.dims;
    return offset[d] + static_cast<double>(step[d]) * (record[d] + record[parameters.dims + d] / 255.0 - 0.5);
  }
  size_t cluster(size_t slot) const {
    return static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), slot) - starts.begin()) - 1;
  }
};

std::vector<RabitqParameters> all_forms(uint32_t dims) {
  std::vector<RabitqParameters> forms;
  for (const uint32_t scan_bits : {1u, 2u, 4u}) {
    for (uint32_t bits = scan_bits; bits <= kMostRabitqBits; ++bits) {
      forms.push_back({dims, bits, scan_bits, dims});
      if (bits > scan_bits && dims > 1) forms.push_back({dims, bits, scan_bits, dims / 2});
    }
  }
  return forms;
}

std::vector<float> random_weights(std::mt19937& random, size_t dims) {
  std::normal_distribution<float> normal;
  std::vector<float> weights(dims);
  for (float& weight : weights) weight = normal(random);
  return weights;
}

} // namespace

TEST("rabitq codes decode to the residual's grid, closer with every bit, and know their cluster") {
  std::mt19937 random(51);
  for (const uint32_t dims : {1u, 2u, 3u, 8u, 31u, 32u, 33u, 64u, 100u, 129u}) {
    for (const RabitqParameters& parameters : all_forms(dims)) {
      const Packed packed(random, parameters, 5);
      const Sq8Codes means = packed.representatives();
      const RabitqCodes codes(parameters, packed.count, packed.blocks.data(), packed.refine.data(), means);
      std::vector<float> values(dims);
      double largest = 0;
      for (size_t slot = 0; slot < packed.count; ++slot) {
        codes.prefetch(slot);
        const size_t cluster = packed.cluster(slot);
        CHECK(codes.cluster(slot) == cluster);
        codes.decode(slot, nullptr, values.data());
        double square = 0, left = 0;
        for (uint32_t d = 0; d < dims; ++d) {
          const double wanted = packed.value(slot, d);
          const double mean = packed.means[cluster * dims + d];
          largest = std::max(largest, std::fabs(values[d] - wanted));
          square += (wanted - mean) * (wanted - mean);
          left += (values[d] - wanted) * (values[d] - wanted);
        }
        // Level i of a uniform quantiser is off by at most half a step inside its range of 2^(bits - 1) steps to each
        // side; a step is at most the largest value over 2^(bits - 1). The factor moves the code along itself, by what
        // the cosine of residual and code leaves: at 4 bits and more this stays below a step of every value.
        // Values of up to 8 lose a few times 2^-24 of that on the way through floats.
        const double grid = 2 * std::sqrt(square) * std::sqrt(dims) / (1 << (parameters.bits - 1));
        const bool fine = parameters.bits >= 4 && parameters.full_dims == dims;
        if (fine) CHECK(std::sqrt(left) <= grid + 4e-6 * std::sqrt(dims));
        CHECK(left <= 4 * square * dims + 1e-9);
      }
      // The stated error is that of the residual, to which the representative is added in float.
      CHECK(largest <= packed.error + 1e-5 && largest >= packed.error - 1e-5);
    }
  }
}

TEST("exact rabitq scores and distances are those of the decoded vectors") {
  std::mt19937 random(52);
  for (const uint32_t dims : {1u, 5u, 16u, 47u, 128u, 768u, 4096u}) {
    for (const RabitqParameters& parameters : all_forms(dims)) {
      if (dims > 128 && parameters.bits % 4 != 0) continue;
      const Packed packed(random, parameters, 3);
      const Sq8Codes means = packed.representatives();
      const RabitqCodes codes(parameters, packed.count, packed.blocks.data(), packed.refine.data(), means);
      const std::vector<float> weights = random_weights(random, dims);
      const auto query = codes.prepare(weights.data(), 0.7);
      CHECK(query->error() == INFINITY && query->candidates(100) > 100);
      const auto distances = codes.prepare_distance(weights.data());
      std::vector<float> values(dims), block(16);
      for (size_t slot = 0; slot < packed.count; ++slot) {
        query->prefetch(slot);
        codes.decode(slot, nullptr, values.data());
        double expected = 0.7, magnitude = 1, distance = 0;
        for (uint32_t d = 0; d < dims; ++d) {
          expected += static_cast<double>(weights[d]) * values[d];
          magnitude += std::fabs(weights[d]) * (std::fabs(values[d]) + 4);
          distance += (static_cast<double>(weights[d]) - values[d]) * (static_cast<double>(weights[d]) - values[d]);
        }
        // Decoded values are floats behind four rounds of a transform: 2^-24 for each of some 4 (log2 dims + 4) roundings,
        // of values up to the length of the residual, which the magnitude is above.
        CHECK(std::fabs(query->exact(slot) - expected) <= magnitude * std::ldexp(4 * (std::log2(dims) + 6), -24));
        CHECK(std::fabs(codes.distance(slot, weights.data(), 0) - distance) <= distance * std::ldexp(dims + 4.0, -52));
        if (slot % 16 == 0) distances->approximate(slot / 16, 1, block.data());
        CHECK(block[slot % 16] == static_cast<float>(codes.distance(slot, weights.data(), 0)));
      }
      CHECK(distances->error() == 0);
    }
  }
}

TEST("approximate rabitq scores are those of the scan's own codes within the steps of their table") {
  std::mt19937 random(53);
  for (const uint32_t dims : {1u, 7u, 33u, 64u, 130u, 1280u}) {
    for (const uint32_t bits : {1u, 2u, 4u}) {
      const Packed packed(random, {dims, bits, bits, dims}, 9);
      const Sq8Codes means = packed.representatives();
      const RabitqCodes codes(packed.parameters, packed.count, packed.blocks.data(), nullptr, means);
      const std::vector<float> weights = random_weights(random, dims);
      const auto query = codes.prepare(weights.data(), -0.4);
      const size_t blocks = (packed.count + 15) / 16;
      std::vector<float> scores(blocks * 16), one(16);
      query->approximate(0, blocks, scores.data());
      // A table's entry is off by half a step, 1 / 254 of the largest of dims * bits / 4 groups' sums of |rotated weight|
      // times the code's largest value; there are so many groups.
      std::vector<double> rotated(weights.begin(), weights.end());
      codes.rotation().apply(rotated.data());
      double largest = 0;
      const size_t per_group = 4 / bits;
      for (size_t from = 0; from < dims; from += per_group) {
        double sum = 0;
        for (size_t d = from; d < std::min<size_t>(dims, from + per_group); ++d) sum += std::fabs(rotated[d]);
        largest = std::max(largest, sum * ((1 << bits) - 1) / 2);
      }
      const double means_error = means.prepare(weights.data(), -0.4)->error();
      const double groups = std::ceil(static_cast<double>(dims) / static_cast<double>(per_group));
      for (size_t slot = 0; slot < packed.count; ++slot) {
        const double factor = codes.factor(slot);
        // Beside it, the error of the representative's score, and a few roundings to float.
        const double rest = means_error + 1e-6 * (std::fabs(query->exact(slot)) + factor * largest * groups);
        const double bound = factor * largest / 254 * groups + rest;
        CHECK(std::fabs(scores[slot] - query->exact(slot)) <= bound);
      }
      query->approximate(blocks - 1, 1, one.data());
      CHECK(std::equal(one.begin(), one.end(), scores.end() - 16));
    }
  }
}

TEST("scores of representatives that were scanned before are used again, and items score the same with them") {
  std::mt19937 random(58);
  const Packed packed(random, {40, 8, 4, 40}, 40);
  const Sq8Codes means = packed.representatives();
  const RabitqCodes codes(packed.parameters, packed.count, packed.blocks.data(), packed.refine.data(), means);
  const std::vector<float> weights = random_weights(random, 40);
  const auto fresh = codes.prepare(weights.data(), 0.3), asked = codes.prepare(weights.data(), 0.3);
  const Query* const held = asked->held_for(means);
  const Sq8Codes others = packed.representatives();
  CHECK(held != nullptr && asked->held_for(others) == nullptr);
  const size_t blocks = (packed.count + 15) / 16;
  std::vector<float> own(48), expected(blocks * 16), scores(blocks * 16);
  fresh->approximate(0, blocks, expected.data());
  // The second block alone, then all three: what is not known yet is scored, the padding of the last block is nobody's.
  for (const Blocks scanned : {Blocks{1, 1}, Blocks{0, 3}}) {
    held->approximate(scanned.first, scanned.count, own.data());
    asked->approximate(0, blocks, scores.data());
    CHECK(scores == expected);
  }
  const RememberedScores remembered(means, means.prepare(weights.data(), 0.3));
  RememberedScores::Block block;
  const float before = remembered.score(20, block);
  CHECK(before == own[20] && block.number == 1);
  remembered.approximate(0, 3, own.data());
  block = {};
  CHECK(remembered.score(20, block) == before && block.scores.empty());
}

TEST("what is scanned for a sweep is the exact score as a float, and its loss is told") {
  std::mt19937 random(57);
  const RabitqParameters parameters{33, 3, 1, 33};
  const Packed packed(random, parameters, 40);
  const Sq8Codes means = packed.representatives();
  const RabitqCodes codes(parameters, packed.count, packed.blocks.data(), packed.refine.data(), means);
  std::vector<uint32_t> items(packed.count);
  std::iota(items.begin(), items.end(), 0u);
  const uint32_t bits = packed_bits(items.size());
  std::vector<uint8_t> numbers(packed_bytes(items.size(), bits));
  pack_numbers(items, bits, numbers.data());
  const PackedNumbers as_packed{numbers.data(), items.size(), bits};
  const Cells cells{&codes, &means, as_packed, as_packed, packed.starts};
  for (const float scale : {1.0f, 1e37f}) {
    std::vector<float> weights = random_weights(random, 33);
    for (float& weight : weights) weight *= scale;
    const auto query = codes.prepare(weights.data(), 0.7);
    std::vector<float> scores(items.size(), NAN);
    const size_t middle = items.size() / 2 + 3;
    const double error = std::max(scan_slots(cells, *query, 0, middle, scores),
                                  scan_slots(cells, *query, middle, items.size(), scores));
    double largest = 0;
    for (size_t slot = 0; slot < items.size(); ++slot) {
      CHECK(std::isfinite(scores[slot]));
      const double lost = std::fabs(static_cast<double>(scores[slot]) - query->exact(slot));
      // What fits a float loses half of its last place.
      if (scale == 1) CHECK(lost <= std::ldexp(std::fabs(query->exact(slot)), -24));
      largest = std::max(largest, lost);
    }
    CHECK(error == largest);
  }
}

TEST("estimates of inner products have no bias over random directions") {
  std::mt19937 random(54);
  const uint32_t dims = 96;
  for (const RabitqParameters& parameters : all_forms(dims)) {
    const Packed packed(random, parameters, 4);
    const Sq8Codes means = packed.representatives();
    const RabitqCodes codes(parameters, packed.count, packed.blocks.data(), packed.refine.data(), means);
    std::vector<float> values(dims);
    for (size_t slot = 0; slot < packed.count; slot += 7) {
      const size_t cluster = packed.cluster(slot);
      codes.decode(slot, nullptr, values.data());
      // <stored, r> = <r, r>: the part of the stored residual along r is r, so <stored, q> for a q of random direction
      // around r is <r, q> in the mean. The factor is off by 2^-9 of itself, its rounding.
      double product = 0, square = 0;
      for (uint32_t d = 0; d < dims; ++d) {
        const double residual = packed.value(slot, d) - packed.means[cluster * dims + d];
        product += residual * (static_cast<double>(values[d]) - packed.means[cluster * dims + d]);
        square += residual * residual;
      }
      // From 6 bits on the factor is the step, and what a code is off by adds up: with errors of step / sqrt(12), two steps
      // are seven deviations; a rotated value is below 4 sqrt(square / dims) or nearly so.
      const double step = 4 * std::sqrt(square / dims) / (1 << (parameters.bits - 1));
      const double loose = parameters.bits >= 6 ? 2 * std::sqrt(square) * step : 0;
      CHECK(std::fabs(product - square) <= square * 0x1p-8 + loose);
    }
  }
}

TEST("packing does not depend on threads") {
  for (const RabitqParameters parameters : {RabitqParameters{33, 4, 1, 33}, RabitqParameters{40, 8, 4, 13}}) {
    std::mt19937 first(55), second(55);
    const Packed one(first, parameters, 30), three(second, parameters, 30, 3);
    CHECK(one.blocks == three.blocks && one.refine == three.refine && one.error == three.error);
  }
}

TEST("a damaged block names a cluster that exists") {
  std::mt19937 random(56);
  Packed packed(random, {20, 4, 4, 20}, 6);
  const Sq8Codes means = packed.representatives();
  std::fill(packed.blocks.begin(), packed.blocks.begin() + 6, uint8_t{0xff});
  const RabitqCodes codes(packed.parameters, packed.count, packed.blocks.data(), nullptr, means);
  std::vector<float> scores(16), values(20);
  codes.prepare(random_weights(random, 20).data(), 0)->approximate(0, 1, scores.data());
  for (size_t slot = 0; slot < 16; ++slot) {
    CHECK(codes.cluster(slot) == 5);
    codes.decode(slot, nullptr, values.data());
  }
}

TEST("a residual that no float holds is refused") {
  const std::vector<float> offset = {3e38f}, step = {0.0f}, mean = {-3e38f};
  const uint8_t record[] = {0, 0};
  const std::vector<uint32_t> starts = {0, 1};
  std::vector<uint8_t> block(rabitq_block_bytes({1, 4, 4, 1}));
  CHECK_THROWS(pack_rabitq({record, offset.data(), step.data(), 1, 1}, 0, {mean.data(), starts.data(), 1}, {1, 4, 4, 1}, 1,
                           block.data(), nullptr));
}
