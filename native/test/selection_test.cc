// The choice of clusters against sorting what it goes by.
#include "selection.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "memory_index.h"
#include "test.h"

using namespace farsight;
using namespace farsight::test;

namespace {

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

} // namespace

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
    // 2 x count rough clusters are wanted, each perhaps of its own group; of about 1,000 groups a thirty-second is looked at
    // (an eighth of the blocks), or all.
    for (const size_t count : {0u, 1u, 12u, 20000u}) {
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
