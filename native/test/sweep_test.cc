// The passes of a sweep and of its audit, each against its definition.
#include "sweep.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "random_slots.h"
#include "sq8.h"
#include "strata.h"
#include "test.h"

using namespace farsight;
using namespace farsight::test;

namespace {

constexpr size_t kDims = 3;

// Random vectors in random slots.
struct Collection {
  explicit Collection(size_t count) : random(5), slots(random, count) {
    std::vector<uint8_t> rows(count * kDims);
    for (auto& code : rows) code = static_cast<uint8_t>(random());
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    blocks.resize(sq8_codes_bytes(count, kDims));
    pack_sq8(rows.data(), order.data(), 0, count, kDims, blocks.data());
    codes = std::make_unique<Sq8Codes>(Sq8Parameters{kDims, offset, step}, count, blocks.data());
    cells = {codes.get(), codes.get(), slots.items(), slots.slots(), {}};
    const float weights[kDims] = {0.5f, -1.25f, 2};
    query = codes->prepare(weights, 100);
  }

  const float offset[kDims] = {-1, -1, -1};
  const float step[kDims] = {0.01f, 0.008f, 0.002f};
  std::mt19937 random;
  RandomSlots slots;
  std::vector<uint8_t> blocks;
  std::unique_ptr<Codes> codes;
  std::unique_ptr<Query> query;
  Cells cells;
};

std::vector<float> random_scores(std::mt19937& random, size_t count, uint32_t different) {
  std::vector<float> scores(count);
  for (auto& score : scores) score = (static_cast<float>(random() % different) - static_cast<float>(different / 2)) / 7;
  return scores;
}

} // namespace

TEST("a sweep scores every slot as far off as it says, wherever it is interrupted, and knows the moments") {
  Collection collection(10007);
  const size_t count = collection.codes->count();
  std::vector<float> whole(count), parts(count, NAN);
  ScoreSums sums, part_sums;
  const double error = sweep_slots(collection.cells, *collection.query, 0, count, whole, sums);
  CHECK(error == static_cast<double>(collection.query->error()));
  for (size_t first = 0, last; first < count; first = last) {
    last = std::min(count, first + 1 + first % 4999);
    sweep_slots(collection.cells, *collection.query, first, last, parts, part_sums);
  }
  CHECK(whole == parts);
  double mean = 0, squares = 0;
  for (size_t slot = 0; slot < count; ++slot) {
    CHECK(std::fabs(static_cast<double>(whole[slot]) - collection.query->exact(slot)) <= error);
    mean += static_cast<double>(whole[slot]) / static_cast<double>(count);
  }
  for (const float score : whole) squares += (static_cast<double>(score) - mean) * (static_cast<double>(score) - mean);
  for (const ScoreSums& found : {sums, part_sums}) {
    const double difference = found.sum / found.count;
    CHECK(found.count == static_cast<double>(count));
    CHECK(std::fabs(found.shift + difference - mean) < 1e-9);
    CHECK(std::fabs(found.squares - found.count * difference * difference - squares) < 1e-9 * squares);
    CHECK(found.least == static_cast<double>(*std::min_element(whole.begin(), whole.end())));
    CHECK(found.greatest == static_cast<double>(*std::max_element(whole.begin(), whole.end())));
  }
}

TEST("scores are added up to the same bits in every form, zeros of both signs included") {
  std::mt19937 random(10);
  for (const size_t count : {0u, 8u, 16u, 4096u}) {
    std::vector<float> scores = random_scores(random, count, 12345);
    for (float& score : scores) score = random() % 9 == 0 ? -0.0f : score * (random() % 5 == 0 ? 1e30f : 1.0f);
    const auto added = [&](const ScoreSumKernels& kernels) {
      ScoreLanes lanes;
      std::fill_n(lanes.least, kScoreLanes, 0.0f);
      std::fill_n(lanes.greatest, kScoreLanes, 0.0f);
      kernels.add_scores(scores.data(), scores.size(), 0.37, lanes);
      return lanes;
    };
    if (avx512_score_sums() == nullptr) continue;
    const ScoreLanes expected = added(*scalar_score_sums()), found = added(*avx512_score_sums());
    CHECK(std::memcmp(&found, &expected, sizeof found) == 0);
  }
}

TEST("equal scores deviate by nothing, however large they are") {
  const std::vector<float> scores(5003, 16777213.0f);
  ScoreSums sums;
  sums.add(scores);
  CHECK(sums.shift == 16777213.0);
  CHECK(sums.sum == 0);
  CHECK(sums.squares == 0);
}

TEST("scores find their items, wherever the work is cut") {
  Collection collection(20011);
  const size_t count = collection.codes->count();
  const std::vector<float> scores = random_scores(collection.random, count, 100000);
  std::vector<float> expected(count, 1.5f), fused = expected;
  for (size_t slot = 0; slot < count; ++slot) {
    expected[collection.slots.item_of[slot]] += static_cast<float>(0.3 * (static_cast<double>(scores[slot]) - 0.7));
  }
  add_to_items(collection.cells, scores, 0, 1001, 0.3, 0.7, fused);
  add_to_items(collection.cells, scores, 1001, count, 0.3, 0.7, fused);
  CHECK(fused == expected);
}

TEST("exact scores are added where their items stand in the list; one that has no slot can never be the best") {
  Collection collection(70001);
  std::vector<uint32_t> items;
  for (size_t i = 0; i < 5000; ++i) items.push_back(static_cast<uint32_t>(collection.random() % 70001));
  items.insert(items.begin() + 1234, 70001);
  std::vector<uint32_t> slots(items.size()), places(items.size());
  sort_by_slot(collection.cells, items, slots, places);
  CHECK(std::is_sorted(slots.begin(), slots.end()));
  CHECK(slots.back() == kNoSlot);
  CHECK(places.back() == 1234);
  std::vector<double> sums(items.size(), 2);
  const std::span<const uint32_t> all(slots), of(places);
  add_exact(collection.cells, *collection.query, all.first(777), of.first(777), 0.5, 3, sums);
  add_exact(collection.cells, *collection.query, all.subspan(777), of.subspan(777), 0.5, 3, sums);
  for (size_t i = 0; i < items.size(); ++i) {
    const double score = i == 1234 ? -INFINITY : 2 + 0.5 * (collection.query->exact(collection.slots.slot_of[items[i]]) - 3);
    CHECK(sums[i] == score);
  }
}

TEST("numbers of values at a bound or above are all there is of them, ascending") {
  std::mt19937 random(6);
  const std::vector<float> values = random_scores(random, 9001, 1000);
  for (const double bound : {-1e300, -70.0, -0.1, 0.0, 1.0 / 7, static_cast<double>(1.0f / 7), 71.0, 1e300}) {
    std::vector<uint32_t> expected;
    for (uint32_t i = 0; i < values.size(); ++i) {
      if (static_cast<double>(values[i]) >= bound) expected.push_back(i);
    }
    std::vector<uint32_t> found(expected.size());
    CHECK(numbers_at_least(values, bound, found) == expected.size());
    CHECK(found == expected);
    std::vector<uint32_t> some(expected.size() / 2);
    CHECK(numbers_at_least(values, bound, some) == expected.size());
    CHECK(std::equal(some.begin(), some.end(), expected.begin()));
  }
}

TEST("what is left out scores minus infinity, the rest what it did") {
  std::mt19937 random(9);
  const std::vector<float> before = random_scores(random, 1003, 1000);
  std::vector<uint32_t> admitted(32);
  for (uint32_t& word : admitted) word = static_cast<uint32_t>(random());
  std::vector<float> scores = before;
  leave_out(admitted, scores);
  for (size_t i = 0; i < scores.size(); ++i) {
    CHECK(scores[i] == ((admitted[i / 32] >> (i % 32) & 1) != 0 ? before[i] : -INFINITY));
  }
}

TEST("the n-th greatest values are those that sorting finds, with ties, zeros and negative numbers") {
  std::mt19937 random(7);
  const std::vector<float> values = random_scores(random, 2000, 400);
  std::vector<float> sorted = values;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const std::vector<uint32_t> ranks = {0, 1, 2, 10, 999, 1000, 1000, 1999, 2000, 5000};
  std::vector<float> found(ranks.size());
  greatest_values(values, ranks, found);
  for (size_t i = 0; i < ranks.size(); ++i) CHECK(found[i] == sorted[std::clamp<size_t>(ranks[i], 1, 2000) - 1]);
  greatest_values({}, ranks, found);
  CHECK(found[3] == INFINITY);
}

TEST("strata hold what their cuts say but for what is left out, and picks are the items at their places") {
  std::mt19937 random(8);
  std::vector<float> scores = random_scores(random, 10001, 1000);
  // Some are left out, labelled ones among them.
  for (uint32_t item = 0; item < scores.size(); item += 11) scores[item] = kLeftOut;
  std::vector<uint32_t> selected, labelled;
  for (uint32_t item = 0; item < scores.size(); ++item) {
    if (scores[item] > 40) selected.push_back(item);
    if (item % 97 == 5) labelled.push_back(item);
  }
  const std::vector<float> above = {60, 50}, below = {30, 10, -20};
  const Strata strata{scores, selected, labelled, above, below};
  std::vector<std::vector<uint32_t>> members(strata.count());
  for (uint32_t item = 0; item < scores.size(); ++item) {
    if (item % 97 == 5 || scores[item] == kLeftOut) continue;
    const bool high = scores[item] > 40;
    const auto& cuts = high ? above : below;
    size_t s = 0;
    while (s < cuts.size() && scores[item] < cuts[s]) ++s;
    members[high ? s : above.size() + 1 + s].push_back(item);
  }
  std::vector<double> counts(strata.count());
  count_strata(strata, counts);
  std::vector<uint32_t> places, starts = {0}, expected;
  for (size_t s = 0; s < members.size(); ++s) {
    CHECK(counts[s] == static_cast<double>(members[s].size()));
    for (uint32_t place = static_cast<uint32_t>(s); place < members[s].size(); place += 1 + random() % 300) {
      places.push_back(place);
      expected.push_back(members[s][place]);
    }
    starts.push_back(static_cast<uint32_t>(places.size()));
  }
  std::vector<uint32_t> picked(places.size());
  pick_from_strata(strata, places, starts, picked);
  CHECK(picked == expected);
}
