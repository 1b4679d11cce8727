// The bounded search against sorting every exact score.
#include "search.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "lookups.h"
#include "memory_index.h"
#include "selection.h"
#include "test.h"

using namespace farsight;
using namespace farsight::test;

namespace {

using Clock = std::chrono::steady_clock;

Answer expected_of(const Index& index, std::span<const uint32_t> clusters, const std::vector<uint32_t>& skip,
                   size_t limit) {
  std::vector<std::pair<double, uint32_t>> all;
  for (const uint32_t c : clusters) {
    for (size_t slot = index.starts[c]; slot < index.starts[c + 1]; ++slot) {
      const uint32_t item = index.slots.item_of[slot];
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
      const auto skip = random_skip(random, index.slots.item_of.size(), 9);
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
      for (auto* bytes : {&index.slots.packed_items, &index.slots.packed_slots}) {
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
