// The bounded search against sorting every exact score.
#include "search.h"
#include "lookups.h"
#include "selection.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <numeric>

#include "ratio.h"
#include "sq8.h"
#include "test.h"

using namespace farsight;

namespace {

using Clock = std::chrono::steady_clock;

enum class Kind { kRatio, kSq8 };

struct Slots {
  size_t begin = 0;
  size_t end = 0;
};

// Packed random vectors, drawn from `distinct` different ones so that scores tie; the slots of `same` hold one vector.
struct Packed {
  std::vector<uint8_t> blocks;
  std::vector<uint8_t> refine;
  std::unique_ptr<Codes> codes;

  Packed(std::mt19937& random, Kind kind, size_t count, size_t distinct, Slots same = {}) {
    std::vector<uint32_t> order(count);
    for (auto& row : order) row = static_cast<uint32_t>(random() % distinct);
    std::fill(order.begin() + static_cast<ptrdiff_t>(same.begin), order.begin() + static_cast<ptrdiff_t>(same.end), 0u);
    if (kind == Kind::kRatio) {
      const RatioParameters parameters{300, 5, 10, 0.001, 5 * 1020 * 0.001};
      std::vector<uint16_t> ids(distinct * 5);
      std::vector<uint32_t> values(distinct * 5);
      for (size_t i = 0; i < ids.size(); ++i) {
        ids[i] = static_cast<uint16_t>(i % 5 * 60 + random() % 60);
        values[i] = random() % 1021;
      }
      blocks.resize(ratio_codes_bytes(count, parameters));
      refine.resize(ratio_refine_bytes(count, parameters));
      pack_ratio(ids.data(), values.data(), order.data(), 0, count, parameters, blocks.data(), refine.data());
      codes = std::make_unique<RatioCodes>(parameters, count, blocks.data(), refine.data());
    } else {
      std::vector<uint8_t> rows(distinct * 20);
      for (auto& code : rows) code = static_cast<uint8_t>(random());
      const std::vector<float> offset(20, -0.5f);
      const std::vector<float> step(20, 0.004f);
      blocks.resize(sq8_codes_bytes(count, 20));
      pack_sq8(rows.data(), order.data(), 0, count, 20, blocks.data());
      codes = std::make_unique<Sq8Codes>(Sq8Parameters{20, offset.data(), step.data()}, count, blocks.data());
    }
  }
};

std::vector<float> random_weights(std::mt19937& random, size_t dims) {
  std::normal_distribution<float> normal;
  std::vector<float> weights(dims);
  for (float& weight : weights) weight = normal(random);
  return weights;
}

// An index of `sizes.size()` clusters over randomly numbered items.
struct Index {
  Packed items;
  Packed representatives;
  std::vector<uint32_t> item_of;
  std::vector<uint8_t> packed_items;
  std::vector<uint8_t> packed_slots;
  std::vector<uint32_t> starts;
  std::unique_ptr<Query> query;
  std::unique_ptr<Query> representative_query;

  Index(std::mt19937& random, Kind kind, const std::vector<size_t>& sizes, size_t distinct, Slots same = {})
      : items(random, kind, std::accumulate(sizes.begin(), sizes.end(), size_t{0}), distinct, same),
        representatives(random, kind, sizes.size(), distinct),
        item_of(items.codes->count()),
        starts(1) {
    std::iota(item_of.begin(), item_of.end(), 0);
    std::shuffle(item_of.begin(), item_of.end(), random);
    std::vector<uint32_t> slot_of(item_of.size());
    for (size_t slot = 0; slot < item_of.size(); ++slot) slot_of[item_of[slot]] = static_cast<uint32_t>(slot);
    packed_items = pack(item_of);
    packed_slots = pack(slot_of);
    for (const size_t size : sizes) starts.push_back(starts.back() + static_cast<uint32_t>(size));
    const auto weights = random_weights(random, items.codes->dims());
    query = items.codes->prepare(weights.data(), 0.25);
    representative_query = representatives.codes->prepare(weights.data(), 0.25);
  }

  static std::vector<uint8_t> pack(const std::vector<uint32_t>& numbers) {
    const uint32_t bits = packed_bits(numbers.size());
    std::vector<uint8_t> bytes(packed_bytes(numbers.size(), bits));
    pack_numbers(numbers, bits, bytes.data());
    return bytes;
  }
  PackedNumbers packed(const std::vector<uint8_t>& bytes) const {
    return {bytes.data(), item_of.size(), packed_bits(item_of.size())};
  }
  Cells cells() const {
    return {items.codes.get(), representatives.codes.get(), packed(packed_items), packed(packed_slots), starts};
  }
};

struct Answer {
  std::vector<uint32_t> items;
  std::vector<double> scores;
  bool operator==(const Answer&) const = default;
};

// Sorts everything: score descending, number ascending.
Answer sorted(std::vector<std::pair<double, uint32_t>> all, size_t limit) {
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.first > b.first || (a.first == b.first && a.second < b.second);
  });
  all.resize(std::min(limit, all.size()));
  Answer answer;
  for (const auto& [score, item] : all) {
    answer.items.push_back(item);
    answer.scores.push_back(score);
  }
  return answer;
}

Answer expected_of(const Index& index, std::span<const uint32_t> clusters, const std::vector<uint32_t>& skip,
                   size_t limit) {
  std::vector<std::pair<double, uint32_t>> all;
  for (const uint32_t c : clusters) {
    for (size_t slot = index.starts[c]; slot < index.starts[c + 1]; ++slot) {
      const uint32_t item = index.item_of[slot];
      if (std::binary_search(skip.begin(), skip.end(), item)) continue;
      all.emplace_back(index.query->exact(slot), item);
    }
  }
  return sorted(std::move(all), limit);
}

std::vector<uint32_t> random_skip(std::mt19937& random, size_t items, uint32_t one_in) {
  std::vector<uint32_t> skip;
  for (size_t item = 0; item < items; ++item) {
    if (random() % one_in == 0) skip.push_back(static_cast<uint32_t>(item));
  }
  return skip;
}

Answer all_of(const Index& index, size_t limit, const ScanOptions& options, ScanResult* result = nullptr) {
  Answer answer{std::vector<uint32_t>(limit), std::vector<double>(limit)};
  size_t found = 0;
  const ScanResult scanned =
    scan_all(index.cells(), *index.query, index.representative_query.get(), limit, options, answer.items.data(),
             answer.scores.data(), &found);
  answer.items.resize(found);
  answer.scores.resize(found);
  if (result != nullptr) *result = scanned;
  return answer;
}

std::vector<Answer> segments_of(const Index& index, std::span<const uint32_t> clusters, size_t segments, size_t limit,
                                const ScanOptions& options, ScanResult* result = nullptr) {
  std::vector<uint32_t> items(segments * limit);
  std::vector<double> scores(segments * limit);
  std::vector<uint32_t> counts(segments);
  const ScanResult scanned = scan_clusters(index.cells(), *index.query, clusters, segments, limit, options,
                                           items.data(), scores.data(), counts.data());
  std::vector<Answer> answers(segments);
  for (size_t s = 0; s < segments; ++s) {
    CHECK(counts[s] <= limit);
    answers[s].items.assign(items.data() + s * limit, items.data() + s * limit + counts[s]);
    answers[s].scores.assign(scores.data() + s * limit, scores.data() + s * limit + counts[s]);
  }
  if (result != nullptr) *result = scanned;
  return answers;
}

std::vector<uint32_t> numbers(size_t count) {
  std::vector<uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

} // namespace

TEST("scan_all finds the best by exact score, ties by item number, for any number of workers") {
  std::mt19937 random(31);
  for (const Kind kind : {Kind::kRatio, Kind::kSq8}) {
    for (const size_t distinct : {1u, 3u, 50u, 20000u}) {
      const Index index(random, kind, {3000, 2, 0, 9000, 777}, distinct);
      const auto clusters = numbers(5);
      for (const uint32_t one_in : {1u, 2u, 1000u}) {
        const auto skip = random_skip(random, 12779, one_in);
        for (const size_t limit : {0u, 1u, 17u, 1000u, 20000u}) {
          const Answer expected = expected_of(index, clusters, skip, limit);
          for (const size_t workers : {1u, 2u, 3u}) {
            ScanResult result;
            CHECK(all_of(index, limit, {.skip = skip, .workers = workers}, &result) == expected);
            CHECK(result.complete && result.items_scored == 12779);
          }
        }
      }
    }
  }
}

TEST("scan_clusters finds the best of every segment for any number of workers") {
  std::mt19937 random(32);
  for (const Kind kind : {Kind::kRatio, Kind::kSq8}) {
    for (const size_t distinct : {2u, 100u, 20000u}) {
      std::vector<size_t> sizes(150);
      for (auto& size : sizes) size = random() % 10 == 0 ? 0 : random() % 130;
      sizes[40] = 6000;
      const Index index(random, kind, sizes, distinct);
      const auto skip = random_skip(random, index.item_of.size(), 9);
      auto clusters = numbers(sizes.size());
      std::shuffle(clusters.begin(), clusters.end(), random);
      clusters.resize(90);
      uint64_t slots = 0;
      for (const uint32_t c : clusters) slots += sizes[c];
      for (const size_t segments : {1u, 4u, 16u, 100u}) {
        for (const size_t limit : {1u, 50u, 3000u}) {
          std::vector<Answer> expected;
          for (size_t s = 0; s < segments; ++s) {
            const size_t first = s * 90 / segments;
            const size_t last = (s + 1) * 90 / segments;
            expected.push_back(expected_of(index, std::span(clusters).subspan(first, last - first), skip, limit));
          }
          for (const size_t workers : {1u, 2u, 3u, 200u}) {
            ScanResult result;
            const ScanOptions options{.skip = skip, .workers = workers};
            CHECK(segments_of(index, clusters, segments, limit, options, &result) == expected);
            CHECK(result.complete && result.clusters_read == 90 && result.items_scored == slots);
          }
        }
      }
    }
  }
}

TEST("a query without weights returns the lowest item numbers") {
  std::mt19937 random(33);
  Index index(random, Kind::kRatio, {70000}, 500);
  index.query = index.items.codes->prepare(std::vector<float>(300).data(), -1);
  const Answer answer = all_of(index, 10, {});
  CHECK(answer.items == numbers(10));
  CHECK(answer.scores == std::vector<double>(10, -1.0));
}

TEST("select_clusters puts the best first, leaves empty ones out and huge ones to the end") {
  std::mt19937 random(34);
  for (const Kind kind : {Kind::kRatio, Kind::kSq8}) {
    for (const size_t distinct : {1u, 10u, 5000u}) {
      std::vector<size_t> sizes(6000);
      for (auto& size : sizes) size = random() % 20 == 0 ? 0 : random() % 50 == 0 ? 30 : random() % 6 + 1;
      const Index index(random, kind, sizes, distinct);
      std::vector<std::pair<double, uint32_t>> small;
      std::vector<std::pair<double, uint32_t>> huge;
      for (uint32_t c = 0; c < sizes.size(); ++c) {
        const double score = index.representative_query->exact(c);
        if (sizes[c] > 20) huge.emplace_back(score, c);
        else if (sizes[c] > 0) small.emplace_back(score, c);
      }
      for (const size_t count : {size_t{0}, size_t{1}, size_t{256}, small.size() - 1, small.size() + 3, size_t{6000}}) {
        std::vector<uint32_t> clusters(count);
        size_t ordinary = 99;
        clusters.resize(
          select_clusters(index.cells(), {*index.representative_query, nullptr}, count, 20, clusters.data(), &ordinary));
        auto expected = sorted(small, count).items;
        CHECK(ordinary == expected.size());
        const auto last = sorted(huge, count - expected.size()).items;
        expected.insert(expected.end(), last.begin(), last.end());
        CHECK(clusters == expected);
      }
    }
  }
}

TEST("with a spread, the best of twice as many by rough score, or of all dense ones, come by that plus two deviations") {
  std::mt19937 random(38);
  for (const Kind kind : {Kind::kRatio, Kind::kSq8}) {
    const Index index(random, kind, std::vector<size_t>(900, 3), 5000);
    const Packed variances(random, kind, 900, 5000);
    std::vector<float> squares = random_weights(random, variances.codes->dims());
    for (float& weight : squares) weight *= weight;
    const auto spread = variances.codes->prepare(squares.data(), 0);
    std::vector<float> rough(960), rough_variances(960);
    const size_t blocks = (900 + index.representatives.codes->block_items() - 1) / index.representatives.codes->block_items();
    index.representative_query->approximate(0, blocks, rough.data());
    spread->approximate(0, blocks, rough_variances.data());
    std::vector<std::pair<double, uint32_t>> by_representative;
    for (uint32_t c = 0; c < 900; ++c) by_representative.emplace_back(rough[c], c);
    for (const size_t count : {1u, 20u, 450u, 451u, 900u}) {
      std::vector<std::pair<double, uint32_t>> expected;
      const bool all = kind == Kind::kSq8 && 900 <= kScannedSpreads * count;
      for (const uint32_t c : sorted(by_representative, all ? 900 : 2 * count).items) {
        const float rough_deviation = std::sqrt(std::max(0.0f, rough_variances[c]));
        const double deviation = std::sqrt(std::max(0.0, spread->exact(c)));
        expected.emplace_back(all ? static_cast<double>(rough[c] + 2 * rough_deviation) : rough[c] + 2 * deviation, c);
      }
      std::vector<uint32_t> clusters(count);
      size_t ordinary = 0;
      CHECK(select_clusters(index.cells(), {*index.representative_query, spread.get()}, count, 20, clusters.data(),
                            &ordinary) == count);
      CHECK(ordinary == count);
      CHECK(clusters == sorted(expected, count).items);
    }
  }
}

// Groups of ratio representatives whose mean is the representative of the member with the best rough score.
struct BestGroups {
  std::vector<uint32_t> starts{0};
  std::vector<uint8_t> blocks, refine;
  std::unique_ptr<Codes> means;
  std::unique_ptr<Query> query;

  BestGroups(std::mt19937& random, const Index& index, const std::vector<float>& weights) {
    const Codes& codes = *index.representatives.codes;
    std::vector<float> rough((codes.count() + 63) / 64 * 64);
    index.representative_query->approximate(0, rough.size() / 64, rough.data());
    const RatioParameters parameters{300, 5, 10, 0.001, 5 * 1020 * 0.001};
    std::vector<uint16_t> ids;
    std::vector<uint32_t> values;
    while (starts.back() < codes.count()) {
      const auto first = rough.begin() + starts.back();
      starts.push_back(std::min<uint32_t>(static_cast<uint32_t>(codes.count()), starts.back() + 1 + random() % 40));
      const auto best = static_cast<size_t>(std::max_element(first, rough.begin() + starts.back()) - rough.begin());
      uint32_t own_ids[5];
      float own_values[5];
      codes.decode(best, own_ids, own_values);
      ids.insert(ids.end(), own_ids, own_ids + 5);
      for (const float value : own_values) values.push_back(static_cast<uint32_t>(std::lround(value / 0.001)));
    }
    std::vector<uint32_t> order(starts.size() - 1);
    std::iota(order.begin(), order.end(), 0);
    blocks.resize(ratio_codes_bytes(order.size(), parameters));
    refine.resize(ratio_refine_bytes(order.size(), parameters));
    pack_ratio(ids.data(), values.data(), order.data(), 0, order.size(), parameters, blocks.data(), refine.data());
    means = std::make_unique<RatioCodes>(parameters, order.size(), blocks.data(), refine.data());
    query = means->prepare(weights.data(), 0.25);
  }
};

TEST("groups whose means tell their best clusters lead to those that scoring all would choose") {
  std::mt19937 random(41);
  for (const size_t distinct : {40u, 20000u}) {
    Index index(random, Kind::kRatio, std::vector<size_t>(20000, 3), distinct);
    const auto weights = random_weights(random, 300);
    index.representative_query = index.representatives.codes->prepare(weights.data(), 0.25);
    const Packed variances(random, Kind::kRatio, 20000, 5000);
    std::vector<float> squares(weights);
    for (float& weight : squares) weight *= weight;
    const auto spread = variances.codes->prepare(squares.data(), 0);
    const BestGroups groups(random, index, weights);
    Cells cells = index.cells();
    cells.groups = {groups.means.get(), groups.starts};
    // 2 x count rough clusters are wanted of about 1,000 groups, of which a sixteenth is looked at (a quarter of the blocks); or all.
    for (const size_t count : {0u, 1u, 25u, 20000u}) {
      std::vector<uint32_t> all(count), grouped(count);
      size_t ordinary = 0, ordinary_grouped = 0;
      const size_t found =
          select_clusters(cells, {*index.representative_query, spread.get()}, count, 20, all.data(), &ordinary);
      CHECK(found == select_clusters(cells, {*index.representative_query, spread.get(), groups.query.get()}, count, 20,
                                     grouped.data(), &ordinary_grouped));
      CHECK(all == grouped && ordinary == ordinary_grouped);
    }
  }
}

TEST("clusters of groups that promise nothing are passed over, but for a caller who wants more than the others have") {
  std::mt19937 random(42);
  Index index(random, Kind::kRatio, std::vector<size_t>(6400, 2), 6400);
  const auto weights = random_weights(random, 300);
  index.representative_query = index.representatives.codes->prepare(weights.data(), 0.25);
  BestGroups groups(random, index, weights);
  // The means now score their groups the other way round.
  std::vector<float> opposite(weights);
  for (float& weight : opposite) weight = -weight;
  groups.query = groups.means->prepare(opposite.data(), 0);
  Cells cells = index.cells();
  cells.groups = {groups.means.get(), groups.starts};
  const auto chosen = [&](size_t count, const Query* by, uint64_t limit) {
    std::vector<uint32_t> clusters(count);
    size_t ordinary = 0;
    clusters.resize(select_clusters(cells, {*index.representative_query, nullptr, by}, count, limit, clusters.data(),
                                    &ordinary));
    return clusters;
  };
  CHECK(chosen(10, groups.query.get(), 20) != chosen(10, nullptr, 20));
  CHECK(chosen(10, groups.query.get(), 20).size() == 10);
  // 101 x 32 clusters are more than half of them.
  CHECK(chosen(101, groups.query.get(), 20) == chosen(101, nullptr, 20));
  // None is within the limit: nothing is found among the promising ones, and so all are looked at.
  CHECK(chosen(10, groups.query.get(), 1) == chosen(10, nullptr, 1));
}

TEST("corrupt starts of groups never lead out of bounds, nor to a cluster twice") {
  std::mt19937 random(43);
  Index index(random, Kind::kRatio, std::vector<size_t>(5000, 2), 5000);
  const auto weights = random_weights(random, 300);
  for (int repeat = 0; repeat < 50; ++repeat) {
    BestGroups groups(random, index, weights);
    for (int hit = 0; hit < 60; ++hit) {
      groups.starts[random() % groups.starts.size()] = random() % 2 ? random() : random() % 5000;
    }
    Cells cells = index.cells();
    cells.groups = {groups.means.get(), groups.starts};
    std::vector<uint32_t> clusters(20);
    size_t ordinary = 0;
    clusters.resize(select_clusters(cells, {*index.representative_query, nullptr, groups.query.get()}, 20, 20,
                                    clusters.data(), &ordinary));
    std::sort(clusters.begin(), clusters.end());
    CHECK(clusters.size() == 20 && clusters.back() < 5000);
    CHECK(std::adjacent_find(clusters.begin(), clusters.end()) == clusters.end());
  }
}

TEST("a deadline in the past still gets the best of one batch, and says that it is not all") {
  std::mt19937 random(35);
  const Index index(random, Kind::kSq8, {9000, 3, 9000}, 100);
  ScanOptions options{.deadline = Clock::now() - std::chrono::seconds(1)};
  ScanResult result;
  // Promising clusters are read first, so a late answer knows them, each item once.
  for (const size_t limit : {5u, 70u}) {
    std::vector<uint32_t> found = all_of(index, limit, options, &result).items;
    CHECK(found.size() == limit);
    CHECK(!result.complete && result.items_scored > 0 && result.items_scored < 9000);
    std::sort(found.begin(), found.end());
    CHECK(std::adjacent_find(found.begin(), found.end()) == found.end());
  }
  const std::vector<uint32_t> small_first{1, 0, 2};
  CHECK(segments_of(index, small_first, 1, 5, options, &result)[0] == expected_of(index, std::vector<uint32_t>{1}, {}, 5));
  CHECK(!result.complete && result.items_scored == 3 && result.clusters_read == 1);
  options.workers = 2;
  CHECK(segments_of(index, small_first, 1, 5, options, &result)[0].items.size() == 5);
  CHECK(!result.complete && result.items_scored < 18003);
  all_of(index, 5, {.deadline = Clock::now() + std::chrono::hours(1)}, &result);
  CHECK(result.complete);
}

TEST("corrupt starts, items and slots never lead out of bounds") {
  std::mt19937 random(36);
  for (int repeat = 0; repeat < 30; ++repeat) {
    Index index(random, Kind::kRatio, std::vector<size_t>(20, 40), 1000);
    for (int hit = 0; hit < 6; ++hit) {
      index.starts[random() % index.starts.size()] = random() % 2 ? random() : random() % 900;
      for (auto* bytes : {&index.packed_items, &index.packed_slots}) {
        (*bytes)[random() % bytes->size()] = static_cast<uint8_t>(random());
      }
    }
    std::vector<uint32_t> clusters(40);
    size_t ordinary;
    clusters.resize(
      select_clusters(index.cells(), {*index.representative_query, nullptr}, 40, 100, clusters.data(), &ordinary));
    clusters.push_back(20);
    clusters.push_back(0xffffffff);
    for (const Answer& answer : segments_of(index, clusters, 3, 2000, {.workers = 2})) {
      for (const uint32_t item : answer.items) CHECK(item < 800);
    }
    for (const uint32_t item : all_of(index, 2000, {}).items) CHECK(item < 800);
    auto items = numbers(800);
    items.push_back(800);
    items.push_back(0xffffffff);
    std::vector<double> values(802);
    score_items(index.cells(), *index.query, items, values.data());
    CHECK(values[800] == -INFINITY && values[801] == -INFINITY);
    item_distances(index.cells(), std::vector<float>(300).data(), items, values.data());
    CHECK(values[800] == INFINITY && values[801] == INFINITY);
    const size_t row = index.items.codes->row_values();
    std::vector<uint32_t> ids(802 * row, 1);
    std::vector<float> decoded(802 * row, 1);
    decode_items(index.cells(), items, ids.data(), decoded.data());
    CHECK(std::all_of(decoded.end() - 2 * static_cast<ptrdiff_t>(row), decoded.end(), [](float v) { return v == 0; }));
    CHECK(std::all_of(ids.begin(), ids.end(), [&](uint32_t id) { return id < index.items.codes->dims(); }));
  }
  // Files of different lengths.
  Index index(random, Kind::kSq8, {100, 100}, 50);
  Cells cells = index.cells();
  cells.items = cells.items.first(150);
  cells.slots = cells.slots.first(120);
  cells.starts = cells.starts.first(2);
  std::vector<uint32_t> items(200);
  std::vector<double> scores(200);
  size_t found = 0;
  scan_all(cells, *index.query, nullptr, 200, {}, items.data(), scores.data(), &found);
  CHECK(found <= 120);
  cells.starts = {};
  uint32_t cluster = 0;
  size_t ordinary = 0;
  CHECK(select_clusters(cells, {*index.representative_query, nullptr}, 1, 100, &cluster, &ordinary) == 0);
  uint32_t count = 7;
  const ScanResult result = scan_clusters(cells, *index.query, std::span(&cluster, 1), 1, 10, {}, items.data(),
                                          scores.data(), &count);
  CHECK(count == 0 && result.items_scored == 0 && result.complete);
}

TEST("score_items and item_distances answer item by item") {
  std::mt19937 random(37);
  for (const Kind kind : {Kind::kRatio, Kind::kSq8}) {
    const Index index(random, kind, {300, 200}, 400);
    const size_t dims = index.items.codes->dims();
    const auto query = random_weights(random, dims);
    double norm = 0;
    for (const float value : query) norm += static_cast<double>(value) * value;
    std::vector<uint32_t> items(1000);
    for (auto& item : items) item = random() % 500;
    std::vector<double> scores(1000);
    std::vector<double> distances(1000);
    score_items(index.cells(), *index.query, items, scores.data());
    item_distances(index.cells(), query.data(), items, distances.data());
    for (size_t i = 0; i < items.size(); ++i) {
      const size_t slot = index.cells().slots[items[i]];
      CHECK(scores[i] == index.query->exact(slot));
      CHECK(distances[i] == index.items.codes->distance(slot, query.data(), norm));
    }
  }
}

namespace {

// Counts the blocks that are scored.
class CountingQuery final : public Query {
 public:
  explicit CountingQuery(const Query& query) : query_(query) {}
  void approximate(size_t first, size_t count, float* scores) const override {
    blocks += count;
    query_.approximate(first, count, scores);
  }
  double exact(size_t slot) const override { return query_.exact(slot); }
  float error() const override { return query_.error(); }
  void prefetch(size_t slot) const override { query_.prefetch(slot); }
  mutable std::atomic<size_t> blocks = 0;

 private:
  const Query& query_;
};

} // namespace

TEST("blocks that repeat one another are found in large clusters and change no answer") {
  std::mt19937 random(41);
  for (const Kind kind : {Kind::kRatio, Kind::kSq8}) {
    const size_t many = 3 * kLeastRepeatedSlots;
    Index index(random, kind, {300, many, 70'000}, 50, {300, 300 + many});
    Cells cells = index.cells();
    const auto repeats = repeated_blocks(*cells.codes, cells.starts);
    CHECK(repeats.size() == 1);
    CHECK(repeats[0].begin * cells.codes->block_items() >= 300);
    CHECK(repeats[0].end * cells.codes->block_items() <= 300 + many);
    for (const size_t limit : {size_t{1}, size_t{100}, size_t{5000}}) {
      for (const size_t workers : {size_t{1}, size_t{3}}) {
        Answer answers[2];
        ScanResult results[2];
        size_t blocks[2];
        for (int with = 0; with < 2; ++with) {
          cells.repeats = with == 0 ? std::span<const BlockRun>{} : repeats;
          Answer& answer = answers[with];
          answer = {std::vector<uint32_t>(limit), std::vector<double>(limit)};
          size_t found = 0;
          const CountingQuery query(*index.query);
          results[with] = scan_all(cells, query, index.representative_query.get(), limit, {.workers = workers},
                                   answer.items.data(), answer.scores.data(), &found);
          blocks[with] = query.blocks;
          CHECK(found == limit);
        }
        CHECK(answers[0] == answers[1]);
        CHECK(results[0].items_scored == results[1].items_scored);
        // The repeated vector is not the best of the fifty: with one wanted it is hopeless soon.
        if (limit == 1) CHECK(blocks[1] < blocks[0] / 2);
      }
    }
  }
}
