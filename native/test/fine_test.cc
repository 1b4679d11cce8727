// The fine scan of ratio codes: its forms bit for bit, its bound, and what a short scan finds with it.
#include "fine.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fine-collector.h"
#include "ratio.h"
#include "test.h"

using namespace farsight;

namespace {

// Random rows, packed; sections of exactly their size let the sanitizer see a read past the end.
struct Rows {
  RatioParameters parameters;
  std::vector<uint8_t> blocks, refine;

  Rows(std::mt19937& random, uint32_t dims, uint32_t features, uint32_t value_bits, size_t count)
      : parameters{dims, features, value_bits, 0.00173, 0} {
    std::vector<uint16_t> ids(count * features);
    std::vector<uint32_t> codes(ids.size()), order(count);
    for (auto& id : ids) id = static_cast<uint16_t>(random() % dims);
    for (auto& code : codes) code = random() % ((255u << (value_bits - 8)) + 1);
    for (size_t row = 0; row < count; ++row) {
      const auto first = codes.begin() + static_cast<ptrdiff_t>(row * features);
      const double sum = std::accumulate(first, first + features, 0.0) * parameters.scale;
      parameters.max_sum = std::max(parameters.max_sum, sum);
    }
    std::iota(order.begin(), order.end(), 0u);
    blocks.resize(ratio_codes_bytes(count, parameters));
    refine.resize(ratio_refine_bytes(count, parameters));
    pack_ratio(ids.data(), codes.data(), order.data(), 0, count, parameters, blocks.data(), refine.data());
  }

  RatioCodes open(size_t count) const { return RatioCodes(parameters, count, blocks.data(), refine.data()); }
};

std::vector<float> random_weights(std::mt19937& random, size_t dims) {
  std::normal_distribution<float> normal;
  std::vector<float> weights(dims);
  for (float& weight : weights) weight = random() % 5 == 0 ? 0 : normal(random);
  return weights;
}

} // namespace

TEST("the fine scan gives the bits of its definition from any lane group to any slot, corrupt codes included") {
  if (avx512_fine() == nullptr) return;
  std::mt19937 random(41);
  for (const uint32_t dims : {7u, 100u, 256u, 257u, 1000u, 1024u}) {
    for (const uint32_t features : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 13u}) {
      for (const uint32_t value_bits : {8u, 9u, 10u, 12u, 17u, 24u}) {
        const size_t count = 1 + random() % 200;
        Rows rows(random, dims, features, value_bits, count);
        // Every id of the form, and rests that make codes negative.
        for (auto& byte : rows.blocks) byte = random() % 3 == 0 ? static_cast<uint8_t>(random()) : byte;
        const RatioShape shape{features, ratio_id_form(dims), dims};
        std::vector<float> weights = random_weights(random, dims);
        weights.resize(ratio_table_entries(shape.id_form));
        const FineScan scan{shape, weights.data(), value_bits - 8, 0.00173f, -0.3f};
        for (const size_t first : {size_t{0}, size_t{16}, size_t{48}, size_t{64}, size_t{96}}) {
          const size_t end = first + random() % (count + 1);
          if (end > count) continue;
          std::vector<float> expected(end - first), scores(end - first + kLanes);
          portable_ratio_fine(rows.blocks.data(), rows.refine.data(), first, end, scan, expected.data());
          avx512_fine()(rows.blocks.data(), rows.refine.data(), first, end, scan, scores.data());
          scores.resize(end - first);
          CHECK(scores == expected);
        }
      }
    }
  }
}

TEST("no fine score is further from the exact one than the query says, and that is little") {
  std::mt19937 random(42);
  for (const uint32_t dims : {100u, 1000u}) {
    for (const uint32_t value_bits : {8u, 10u, 24u}) {
      const Rows rows(random, dims, 6, value_bits, 500);
      const RatioCodes codes = rows.open(500);
      const auto query = codes.prepare(random_weights(random, dims).data(), 0.7);
      const FineQuery* fine = query->fine();
      CHECK((fine == nullptr) == (ratio_fine() == nullptr));
      if (fine == nullptr) continue;
      CHECK(fine->error() < static_cast<double>(query->error()) / 500);
      std::vector<float> scores(512);
      fine->scores(0, 500, scores.data());
      for (size_t slot = 0; slot < 500; ++slot) {
        CHECK(std::fabs(static_cast<double>(scores[slot]) - query->exact(slot)) <= fine->error());
      }
    }
  }
}

TEST("weights too large, too odd or of words have no fine scan") {
  std::mt19937 random(43);
  const Rows rows(random, 100, 6, 10, 64);
  for (const float odd : {NAN, INFINITY, 3e38f}) {
    std::vector<float> weights(100, 1.0f);
    weights[3] = odd;
    CHECK(rows.open(64).prepare(weights.data(), 0)->fine() == nullptr);
  }
  CHECK(rows.open(64).prepare(std::vector<float>(100, 1.0f).data(), NAN)->fine() == nullptr);
  const Rows words(random, 5000, 6, 10, 64);
  CHECK(words.open(64).prepare(random_weights(random, 5000).data(), 0)->fine() == nullptr);
}

TEST("a fine collector keeps the best of what is let in, however little that is and however often scores repeat") {
  std::mt19937 random(44);
  constexpr size_t kCount = 40'000;
  for (const bool repeated : {false, true}) {
    const Rows rows(random, 100, 6, 10, repeated ? 64 : kCount);
    const RatioCodes codes = rows.open(repeated ? 64 : kCount);
    const auto query = codes.prepare(random_weights(random, 100).data(), 0);
    if (query->fine() == nullptr) return;
    for (const uint32_t one_in : {1u, 3u, 2000u}) {
      // Numbers fall as slots rise, so that ties are decided against the order of reading.
      const auto number_of = [](size_t slot) { return static_cast<uint32_t>(kCount - slot); };
      const auto is_in = [&](size_t slot) { return slot * 2654435761u % one_in == 0; };
      const auto admit = [&](size_t slot, uint32_t& number) {
        number = number_of(slot);
        return is_in(slot);
      };
      for (const size_t limit : {size_t{0}, size_t{1}, size_t{63}, size_t{1000}, kCount}) {
        FineCollector collector(*query->fine(), *query, limit, admit);
        std::vector<Scored> expected;
        for (size_t begin = 5; begin < codes.count();) {
          const size_t end = std::min(codes.count(), begin + random() % kBatchSlots);
          collector.scan(begin, end);
          for (size_t slot = begin; slot < end; ++slot) {
            if (is_in(slot)) expected.push_back({query->exact(slot), number_of(slot)});
          }
          begin = end;
        }
        std::vector<Scored> found = collector.take();
        std::sort(found.begin(), found.end(), Better{});
        std::sort(expected.begin(), expected.end(), Better{});
        if (expected.size() > limit) expected.resize(limit);
        const auto same = [](const Scored& a, const Scored& b) { return a.score == b.score && a.item == b.item; };
        CHECK(std::equal(found.begin(), found.end(), expected.begin(), expected.end(), same));
        CHECK(collector.take().empty());
      }
    }
  }
}
