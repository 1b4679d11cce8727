// Folded codes against the residuals they were made of: how near they decode, that factors come back out of the codes, and
// that all their scores speak of the same vectors.
#include "folded.h"

#include <algorithm>
#include <cmath>

#include "sq8.h"
#include "test.h"

using namespace farsight;

namespace {

// Records in slot order around the representatives of clusters of 1 to 40 items; some items are their representative.
struct Packed {
  size_t dims;
  std::vector<float> offset, step, means;
  std::vector<uint8_t> records, mean_blocks, blocks;
  std::vector<uint32_t> starts = {0};
  float largest = 0;
  double error = 0;

  Packed(std::mt19937& random, size_t dims, size_t clusters, size_t threads) : dims(dims), offset(dims), step(dims, 0.01f) {
    std::normal_distribution<float> normal;
    for (float& value : offset) value = normal(random) - 1;
    std::vector<uint8_t> codes(clusters * dims);
    for (uint8_t& code : codes) code = static_cast<uint8_t>(100 + random() % 50);
    for (size_t i = 0; i < codes.size(); ++i) means.push_back(offset[i % dims] + step[i % dims] * codes[i]);
    std::vector<uint32_t> order(clusters);
    for (size_t c = 0; c < clusters; ++c) {
      order[c] = static_cast<uint32_t>(c);
      for (size_t i = 0; i <= random() % 40 || i < 2; ++i) {
        // The upper byte of a record holds a value's nearest code, the lower one what is left of it: 127.5 is nothing.
        const float spread = i == 0 ? 0.0f : 20.0f;
        for (size_t d = 0; d < dims; ++d) {
          const float drawn = static_cast<float>(codes[c * dims + d]) + spread * normal(random);
          const double code = std::nearbyint(static_cast<double>(drawn));
          records.push_back(static_cast<uint8_t>(std::clamp(code, 0.0, 255.0)));
        }
        for (size_t d = 0; d < dims; ++d) records.push_back(static_cast<uint8_t>(127 + d % 2));
      }
      starts.push_back(static_cast<uint32_t>(records.size() / 2 / dims));
    }
    mean_blocks.resize(sq8_codes_bytes(clusters, dims));
    pack_sq8(codes.data(), order.data(), 0, clusters, static_cast<uint32_t>(dims), mean_blocks.data());
    blocks.resize(folded_codes_bytes(count(), dims), 0xee);
    largest = 2 * 2.55f;
    // In two parts, as a build does.
    const size_t first = count() / 2 / 16 * 16;
    error = std::max(pack(0, first, threads), pack(first, count(), threads));
  }

  double pack(size_t from, size_t to, size_t threads) {
    if (from == to) return 0;
    return pack_folded({records.data() + from * 2 * dims, offset.data(), step.data(), to - from, dims}, from,
                       {means.data(), starts.data(), starts.size() - 1}, largest, threads,
                       blocks.data() + from / 16 * folded_block_bytes(dims));
  }

  size_t count() const { return starts.back(); }
  Sq8Codes representatives() const {
    return Sq8Codes({static_cast<uint32_t>(dims), offset.data(), step.data()}, starts.size() - 1, mean_blocks.data());
  }
  double value(size_t slot, size_t d) const {
    const uint8_t* record = records.data() + slot * 2 * dims;
    const double within = record[d] + record[dims + d] / 255.0 - 0.5;
    return static_cast<double>(offset[d]) + static_cast<double>(step[d]) * within;
  }
  size_t cluster(size_t slot) const {
    return static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), slot) - starts.begin()) - 1;
  }
};

} // namespace

TEST("folded codes decode to within the error of 16 levels and of the parities, and know their cluster") {
  std::mt19937 random(81);
  for (const size_t dims : {8u, 64u, 100u, 128u, 768u}) {
    const Packed packed(random, dims, 40, 2);
    const Sq8Codes means = packed.representatives();
    const FoldedCodes codes(dims, packed.largest, packed.count(), packed.blocks.data(), packed.starts, means);
    std::vector<float> values(dims);
    double square = 0, left = 0, largest = 0;
    for (size_t slot = 0; slot < packed.count(); ++slot) {
      CHECK(codes.cluster(slot) == packed.cluster(slot));
      CHECK(codes.end(codes.cluster(slot)) > slot);
      codes.decode(slot, nullptr, values.data());
      for (size_t d = 0; d < dims; ++d) {
        const double wanted = packed.value(slot, d);
        const double mean = static_cast<double>(packed.means[packed.cluster(slot) * dims + d]);
        const double decoded = static_cast<double>(values[d]);
        square += (wanted - mean) * (wanted - mean);
        left += (decoded - wanted) * (decoded - wanted);
        largest = std::max(largest, std::fabs(static_cast<double>(values[d]) - wanted));
      }
    }
    // Max's 16 levels leave .0095 of a normal variable's square, the unbiased factor as much again of that squared, the
    // factor's steps at most (2^(1/48) - 1)^2 / 3 = .00007. Half of the groups, of n dimensions each, move one code, the
    // one of n whose value lies next to a boundary: levels .26 apart lose .26^2 / (n + 1) by it, 3.6 / n / (n + 1) of the
    // group's error. Twice that, for levels further apart, and .0003 are allowed.
    const double n = static_cast<double>(dims / 8);
    if (dims >= 64) CHECK(left / square < 0.0095 * (1 + 2 * 3.6 / n / (n + 1)) + 0.0003);
    CHECK(std::fabs(largest - packed.error) <= 1e-5);
  }
}

TEST("exact folded scores and distances are those of the decoded vectors, estimates off by the table's steps") {
  std::mt19937 random(82);
  std::normal_distribution<float> normal;
  for (const size_t dims : {8u, 65u, 128u, 4096u}) {
    const Packed packed(random, dims, 9, 1);
    const Sq8Codes means = packed.representatives();
    const FoldedCodes codes(dims, packed.largest, packed.count(), packed.blocks.data(), packed.starts, means);
    std::vector<float> weights(dims), values(dims);
    for (float& weight : weights) weight = normal(random);
    const auto query = codes.prepare(weights.data(), 0.5);
    const size_t blocks = (packed.count() + 15) / 16;
    std::vector<float> estimates(blocks * 16);
    query->approximate(0, blocks, estimates.data());
    std::vector<uint32_t> slots(packed.count());
    for (size_t slot = 0; slot < slots.size(); ++slot) slots[slot] = static_cast<uint32_t>(slot);
    std::vector<double> exact(slots.size());
    query->exact_ascending(slots.data(), slots.size(), exact.data());
    std::vector<float> one(16);
    double weight = 0;
    for (const float each : weights) weight += std::fabs(static_cast<double>(each));
    for (size_t slot = 0; slot < slots.size(); ++slot) {
      CHECK(query->exact(slot) == exact[slot]);
      codes.decode(slot, nullptr, values.data());
      double expected = 0.5, distance = 0;
      for (size_t d = 0; d < dims; ++d) {
        expected += static_cast<double>(weights[d]) * static_cast<double>(values[d]);
        distance += std::pow(static_cast<double>(weights[d]) - static_cast<double>(values[d]), 2);
      }
      // Values below 4 went through some forty roundings of 2^-24 each.
      CHECK(std::fabs(exact[slot] - expected) <= weight * 4 * 40 * std::ldexp(1, -24));
      CHECK(std::fabs(codes.distance(slot, weights.data(), 0) - distance) <= 1e-9 * (1 + distance));
      // A looked-up value is off by half a step of 127 in the largest, 2.733 |w|; factors are about the residuals' .2. Of
      // independent errors six deviations, and what the scan of the representatives is off by.
      const double step = 2.733 * 6 / 127 * 0.3, spread = 6 * step / 2 * std::sqrt(static_cast<double>(dims));
      CHECK(std::fabs(static_cast<double>(estimates[slot]) - exact[slot]) <=
            spread + static_cast<double>(means.prepare(weights.data(), 0.5)->error()) + 1e-4 * weight);
      query->approximate(slot / 16, 1, one.data());
      CHECK(one[slot % 16] == estimates[slot]);
    }
  }
}

TEST("folded codes do not depend on threads, and a representative itself is kept as it is") {
  for (const size_t dims : {16u, 128u}) {
    std::mt19937 first(83), second(83);
    const Packed one(first, dims, 20, 1), three(second, dims, 20, 3);
    CHECK(one.blocks == three.blocks && one.error == three.error);
  }
  const FoldedFactors factors = folded_factors(3.0f);
  CHECK(factors[0] == 0 && factors[1] == 3.0f);
  for (size_t k = 1; k < 255; ++k) {
    const double ratio = static_cast<double>(factors[k + 1]) / static_cast<double>(factors[k]);
    // 2^(-1/24), both rounded to 8 bits.
    CHECK(std::fabs(ratio - 0.97153) < 0.01);
  }
  // Any four bytes give a factor: all 256 patterns of lowest bits come out once.
  std::vector<bool> seen(256);
  for (uint32_t k = 0; k < 256; ++k) {
    uint32_t word = 0;
    for (uint32_t g = 0; g < 8; ++g) word |= (k >> g & 1) << (8 * (g % 4) + g / 4 * 4);
    CHECK(folded_step(word | 0xeeeeeeee) == k);
    seen[folded_step(word)] = true;
  }
  CHECK(std::all_of(seen.begin(), seen.end(), [](bool each) { return each; }));
}
