// Levels, near items, valued clusters and quantiles, each against its definition.
#include "near.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>

#include "near-clusters.h"
#include "quantiles.h"
#include "random_slots.h"
#include "sq8.h"
#include "test.h"
#include "valued-clusters.h"

using namespace farsight;
using namespace farsight::test;

namespace {

constexpr size_t kDims = 12;

// Dense rows in clusters of 20 around their representatives, under one level of nodes.
struct Clustered {
  Clustered(std::mt19937& random, size_t clusters)
      : clusters(clusters), count(clusters * 20), slots(random, count) {
    std::vector<uint8_t> means(clusters * kDims), rows(count * kDims);
    for (auto& code : means) code = static_cast<uint8_t>(random() % 256);
    for (size_t i = 0; i < rows.size(); ++i) {
      const int mean = means[i / (20 * kDims) * kDims + i % kDims];
      rows[i] = static_cast<uint8_t>(std::clamp<int>(mean + static_cast<int>(random() % 61) - 30, 0, 255));
    }
    codes = pack(rows, count, blocks);
    representatives = pack(means, clusters, representative_blocks);
    for (size_t c = 0; c <= clusters; ++c) starts.push_back(static_cast<uint32_t>(c * 20));
    // Every tenth cluster is a node, a cluster's parent the nearest node.
    for (size_t c = 0; c < clusters; c += 10) nodes.push_back(static_cast<uint32_t>(c));
    for (size_t c = 0; c < clusters; ++c) {
      size_t best = 0;
      for (size_t n = 1; n < nodes.size(); ++n) {
        if (between(*representatives, c, nodes[n]) < between(*representatives, c, nodes[best])) best = n;
      }
      parents.push_back(static_cast<uint32_t>(best));
    }
    cells = {codes.get(), representatives.get(), slots.items(), slots.slots(), starts};
  }

  std::unique_ptr<Codes> pack(const std::vector<uint8_t>& rows, size_t n, std::vector<uint8_t>& into) const {
    std::vector<uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0u);
    into.resize(sq8_codes_bytes(n, kDims));
    pack_sq8(rows.data(), order.data(), 0, n, kDims, into.data());
    return std::make_unique<Sq8Codes>(Sq8Parameters{kDims, offset.data(), step.data()}, n, into.data());
  }

  static double between(const Codes& codes, size_t a, size_t b) {
    std::vector<float> row(kDims);
    codes.decode(b, nullptr, row.data());
    double norm = 0;
    for (const float value : row) norm += static_cast<double>(value) * static_cast<double>(value);
    return codes.distance(a, row.data(), norm);
  }

  double least(uint32_t item, const std::vector<uint32_t>& queries) const {
    double least = INFINITY;
    for (const uint32_t q : queries) least = std::min(least, between(*codes, cells.slots[item], cells.slots[q]));
    return least;
  }

  size_t clusters, count;
  std::vector<float> offset = std::vector<float>(kDims, -1.0f), step = std::vector<float>(kDims, 0.01f);
  RandomSlots slots;
  std::vector<uint8_t> blocks, representative_blocks;
  std::vector<uint32_t> starts, nodes, parents;
  std::unique_ptr<Codes> codes, representatives;
  Cells cells;
};

} // namespace

TEST("near items of all clusters are the nearest of all items") {
  std::mt19937 random(51);
  const Clustered one(random, 40), other(random, 40);
  const std::vector<Space> spaces{{&one.cells, 0.7}, {&other.cells, 0.3}};
  const std::vector<uint32_t> queries{5, 400, 401, 77};
  const std::vector<uint32_t> skip{5, 77, 400, 401};
  const std::vector<const Levels*> levels{nullptr, nullptr};
  std::vector<uint32_t> found(60), everyone(one.count);
  const NearResult result = NearSearch(spaces, levels, queries, 40).find(skip, found);
  CHECK(result.complete && result.found == found.size());
  std::iota(everyone.begin(), everyone.end(), 0u);
  std::vector<double> distances(one.count);
  nearest_of_items(spaces, queries, everyone, distances.data());
  for (const uint32_t item : everyone) {
    const double expected = 0.7 * one.least(item, queries) + 0.3 * other.least(item, queries);
    CHECK(distances[item] >= expected - 1e-9); // no query need be the nearest in both spaces
  }
  std::vector<uint32_t> order;
  for (const uint32_t item : everyone) {
    if (!std::binary_search(skip.begin(), skip.end(), item)) order.push_back(item);
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return distances[a] < distances[b] || (distances[a] == distances[b] && a < b);
  });
  CHECK(std::equal(found.begin(), found.end(), order.begin()));
}

TEST("near items of few clusters are exact about what they read") {
  std::mt19937 random(52);
  const Clustered one(random, 40);
  const std::vector<Space> spaces{{&one.cells, 1.0}};
  const std::vector<uint32_t> queries{9, 300};
  std::vector<uint32_t> found(1000);
  const NearResult result = NearSearch(spaces, std::vector<const Levels*>{nullptr}, queries, 2).find(queries, found);
  CHECK(result.clusters_read >= 2 && result.clusters_read <= 6);
  CHECK(result.items_scored == 20 * result.clusters_read);
  double last = 0;
  for (size_t i = 0; i < result.found; ++i) {
    const double distance = one.least(found[i], queries);
    CHECK(distance >= last && found[i] != 9 && found[i] != 300);
    last = distance;
  }
}

TEST("groups lead to the nearest clusters when every group is looked into, damaged ones nowhere else") {
  std::mt19937 random(57);
  Clustered one(random, 200);
  const std::vector<float> query(kDims, 0.3f);
  const double norm = kDims * 0.3f * 0.3f;
  std::vector<uint32_t> all, grouped, damaged;
  NearClusters(one.cells, nullptr, 1).append(query.data(), norm, 10, all);
  // As many groups as are looked into at least, whatever their means.
  std::vector<uint8_t> rows(kNearGroups * kDims, 100), blocks;
  const auto means = one.pack(rows, kNearGroups, blocks);
  std::vector<uint32_t> starts;
  for (uint32_t g = 0; g <= kNearGroups; ++g) starts.push_back(g * 25);
  one.cells.groups = {means.get(), starts};
  NearClusters(one.cells, nullptr, kMostDistances).append(query.data(), norm, 10, grouped);
  CHECK(grouped == all && all.size() == 10);
  for (size_t i = 1; i < all.size(); ++i) {
    CHECK(one.representatives->distance(all[i - 1], query.data(), norm) <=
          one.representatives->distance(all[i], query.data(), norm) + 1e-3);
  }
  starts.assign(starts.size(), 4711);
  NearClusters(one.cells, nullptr, kMostDistances).append(query.data(), norm, 10, damaged);
  CHECK(damaged.empty());
}

TEST("levels lead to the nearest clusters when every node is gone into") {
  std::mt19937 random(53);
  const Clustered one(random, 200);
  const std::vector<uint32_t> sizes{200, 20};
  const Levels levels(sizes, one.nodes, one.parents);
  std::vector<float> query(kDims);
  for (auto& value : query) value = static_cast<float>(random() % 256) * 0.01f - 1;
  double norm = 0;
  for (const float value : query) norm += static_cast<double>(value) * static_cast<double>(value);
  std::vector<uint32_t> all(200), near;
  std::iota(all.begin(), all.end(), 0u);
  std::sort(all.begin(), all.end(), [&](uint32_t a, uint32_t b) {
    return one.representatives->distance(a, query.data(), norm) < one.representatives->distance(b, query.data(), norm);
  });
  levels.nearest(*one.representatives, query.data(), norm, 20, 10, near);
  CHECK(near.size() == 10 && std::equal(near.begin(), near.end(), all.begin()));
  near.clear();
  levels.nearest(*one.representatives, query.data(), norm, 1, 10, near);
  CHECK(!near.empty()); // one branch alone: near clusters, not surely the nearest
}

TEST("damaged levels lead nowhere but harm nothing") {
  std::mt19937 random(54);
  Clustered one(random, 200);
  const std::vector<uint32_t> sizes{200, 20};
  for (auto& node : one.nodes) node = 0xffffffff;
  for (size_t i = 0; i < one.parents.size(); i += 2) one.parents[i] = 4711;
  std::vector<float> query(kDims);
  std::vector<uint32_t> near;
  Levels(sizes, one.nodes, one.parents).nearest(*one.representatives, query.data(), 0, 8, 10, near);
  CHECK(near.empty());
  Levels(sizes, std::span(one.nodes).first(3), one.parents).nearest(*one.representatives, query.data(), 0, 8, 10, near);
  CHECK(near.size() == 10); // no level fits: every cluster is looked at
}

TEST("valued clusters are the best by score and distance") {
  std::mt19937 random(55);
  const Clustered one(random, 60);
  std::vector<float> weights(kDims), centres(2 * kDims);
  for (auto& weight : weights) weight = static_cast<float>(random() % 100) * 0.01f - 0.5f;
  for (auto& value : centres) value = static_cast<float>(random() % 256) * 0.01f - 1;
  const auto query = one.representatives->prepare(weights.data(), 0.25);
  for (const double zeta : {1.0, 0.5, 0.0}) {
    const ClusterValue value{zeta, 1 - zeta, 0.8, 0.1};
    std::vector<double> values(60);
    for (size_t c = 0; c < 60; ++c) {
      double nearest = INFINITY;
      for (size_t q = 0; q < 2; ++q) {
        double norm = 0;
        for (size_t d = 0; d < kDims; ++d) norm += std::pow(static_cast<double>(centres[q * kDims + d]), 2);
        nearest = std::min(nearest, one.representatives->distance(c, &centres[q * kDims], norm));
      }
      values[c] = zeta * query->exact(c) + (1 - zeta) * std::sqrt(0.1 + 0.8 * nearest);
    }
    std::vector<uint32_t> found(12);
    CHECK(valued_clusters(one.cells, *query, centres, value, 20, found) == 12);
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    // Approximate scores of 8 bits and distances: near the best by their errors.
    for (const uint32_t cluster : found) CHECK(values[cluster] >= sorted[11] - 0.1);
    CHECK(valued_clusters(one.cells, *query, centres, value, 19, found) == 0); // all are above the limit
  }
  std::vector<uint32_t> items(30);
  const std::vector<uint32_t> clusters{3, 0};
  CHECK(cluster_items(one.cells, clusters, items) == 30);
  for (size_t i = 0; i < 30; ++i) CHECK(items[i] == one.cells.items[i < 20 ? 60 + i : i - 20]);
}

TEST("segments are ranks whatever repeats") {
  std::mt19937 random(56);
  for (const size_t count : {1u, 7u, 100u, 1000u}) {
    for (const uint32_t segments : {2u, 10u, 32u}) {
      for (const uint32_t distinct : {1u, 5u, 100000u}) {
        std::vector<double> values(count);
        for (auto& value : values) value = (static_cast<double>(random() % distinct) - 2) * 1e-3;
        if (count > 50) values[7] = NAN, values[9] = -0.0, values[11] = INFINITY, values[13] = -INFINITY;
        std::vector<uint32_t> order(count);
        std::iota(order.begin(), order.end(), 0u);
        const auto rank_value = [&](uint32_t i) { return std::isnan(values[i]) ? -INFINITY : values[i]; };
        std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return rank_value(a) > rank_value(b); });
        std::vector<uint32_t> expected(count);
        for (size_t rank = 0; rank < count; ++rank) {
          expected[order[rank]] = 3 * segments + static_cast<uint32_t>(rank * segments / count);
        }
        for (const size_t threads : {1u, 3u}) {
          std::vector<uint32_t> cells(count, 3);
          append_segments(values, segments, threads, cells);
          CHECK(cells == expected);
        }
      }
    }
  }
}
