// Looking at every item: scores, nearest distances, diversity and principal components, each against its definition over
// decoded vectors.
#include "survey.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "diversity.h"
#include "lookups.h"
#include "principal.h"
#include "random_slots.h"
#include "ratio.h"
#include "sq8.h"
#include "test.h"

using namespace farsight;
using namespace farsight::test;

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kNever = Clock::time_point::max();

// Packed random vectors of `distinct` different rows, the first of them zero where the codec can say so.
struct Modality {
  Modality(std::mt19937& random, bool sparse, size_t count, size_t distinct) : slots(random, count) {
    std::vector<uint32_t> rows(count);
    for (auto& row : rows) row = static_cast<uint32_t>(random() % distinct);
    if (sparse) {
      pack_sparse(random, rows, distinct);
    } else {
      pack_dense(random, rows, distinct);
    }
    cells = {codes.get(), codes.get(), slots.items(), slots.slots(), {}};
  }

  void pack_sparse(std::mt19937& random, const std::vector<uint32_t>& rows, size_t distinct) {
    const RatioParameters parameters{200, 4, 10, 0.001, 4 * 1020 * 0.001};
    std::vector<uint16_t> ids(distinct * 4);
    std::vector<uint32_t> values(distinct * 4);
    for (size_t i = 0; i < ids.size(); ++i) {
      ids[i] = static_cast<uint16_t>(i % 4 * 50 + random() % 50);
      values[i] = i < 4 ? 0 : random() % 1021;
    }
    blocks.resize(ratio_codes_bytes(rows.size(), parameters));
    refine.resize(ratio_refine_bytes(rows.size(), parameters));
    pack_ratio(ids.data(), values.data(), rows.data(), 0, rows.size(), parameters, blocks.data(), refine.data());
    codes = std::make_unique<RatioCodes>(parameters, rows.size(), blocks.data(), refine.data());
  }

  void pack_dense(std::mt19937& random, const std::vector<uint32_t>& rows, size_t distinct) {
    std::vector<uint8_t> values(distinct * 21);
    for (auto& code : values) code = static_cast<uint8_t>(random());
    const std::vector<float> offset(21, -0.5f);
    const std::vector<float> step(21, 0.004f);
    blocks.resize(sq8_codes_bytes(rows.size(), 21));
    pack_sq8(values.data(), rows.data(), 0, rows.size(), 21, blocks.data());
    codes = std::make_unique<Sq8Codes>(Sq8Parameters{21, offset.data(), step.data()}, rows.size(), blocks.data());
  }

  std::vector<double> decoded(uint32_t item) const {
    std::vector<uint32_t> ids(codes->row_values());
    std::vector<float> values(codes->row_values());
    codes->decode(cells.slots[item], ids.data(), values.data());
    if (!codes->sparse()) return {values.begin(), values.end()};
    std::vector<double> out(codes->dims());
    for (size_t j = 0; j < ids.size(); ++j) out[ids[j]] += values[j];
    return out;
  }

  RandomSlots slots;
  std::vector<uint8_t> blocks, refine;
  std::unique_ptr<Codes> codes;
  Cells cells;
};

double product(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double squared_distance(const std::vector<double>& a, const std::vector<double>& b) {
  return product(a, a) + product(b, b) - 2 * product(a, b);
}

// Cosine of the concatenation of unit vectors, each scaled by the root of its weight.
double cosine(const std::vector<const Modality*>& modalities, const std::vector<Space>& spaces, uint32_t a, uint32_t b) {
  double sum = 0, own = 0, other = 0;
  for (size_t m = 0; m < modalities.size(); ++m) {
    const auto x = modalities[m]->decoded(a), y = modalities[m]->decoded(b);
    const double xx = product(x, x), yy = product(y, y);
    if (xx > 0) own += spaces[m].weight;
    if (yy > 0) other += spaces[m].weight;
    if (xx > 0 && yy > 0) sum += spaces[m].weight * product(x, y) / std::sqrt(xx * yy);
  }
  return own > 0 && other > 0 ? sum / std::sqrt(own * other) : 0;
}

TEST("the score of every item is what its own look-up says, at any number of threads") {
  std::mt19937 random(1);
  for (const bool sparse : {false, true}) {
    const Modality modality(random, sparse, 9001, 700);
    std::vector<float> weights(modality.codes->dims());
    for (float& weight : weights) weight = std::normal_distribution<float>()(random);
    const auto query = modality.codes->prepare(weights.data(), -0.3);
    std::vector<uint32_t> items(9001);
    std::iota(items.begin(), items.end(), 0u);
    std::vector<double> expected(9001), scores(9001);
    score_items(modality.cells, *query, items, expected.data());
    for (const size_t workers : {1u, 2u, 5u}) {
      std::fill(scores.begin(), scores.end(), NAN);
      CHECK(score_all(modality.cells, *query, {workers, kNever}, scores));
      CHECK(scores == expected);
    }
    CHECK(!score_all(modality.cells, *query, {2, Clock::now()}, scores));
    // Two ranges that meet inside a block: every item within the error, none outside the range touched.
    std::vector<float> scanned(9001, NAN);
    CHECK(scan_slots(modality.cells, *query, 0, 4133, scanned) == static_cast<double>(query->error()));
    for (size_t item = 0; item < 9001; ++item) CHECK(std::isnan(scanned[item]) == (modality.cells.slots[item] >= 4133));
    scan_slots(modality.cells, *query, 4133, 9001, scanned);
    for (size_t item = 0; item < 9001; ++item) {
      CHECK(std::fabs(static_cast<double>(scanned[item]) - expected[item]) <= static_cast<double>(query->error()));
    }
  }
}

TEST("the distance to the nearest query is the least of all, ties and duplicate queries included") {
  std::mt19937 random(2);
  constexpr size_t kItems = 3000;
  // 40 distinct rows: many items are equal to a query, and as near to several.
  for (const size_t distinct : {40u, 2000u}) {
    const Modality dense(random, false, kItems, distinct), sparse(random, true, kItems, distinct);
    const std::vector<std::vector<const Modality*>> sets{{&dense}, {&sparse}, {&dense, &sparse}};
    for (const auto& modalities : sets) {
      std::vector<Space> spaces;
      for (const Modality* modality : modalities) spaces.push_back({&modality->cells, spaces.empty() ? 0.75 : 0.25});
      for (const size_t count : {0u, 1u, 2u, 30u}) {
        std::vector<uint32_t> queries(count);
        for (auto& query : queries) query = static_cast<uint32_t>(random() % kItems);
        std::vector<double> distances(kItems), again(kItems);
        CHECK(nearest_distances(spaces, queries, {1, kNever}, distances));
        for (const size_t workers : {2u, 3u, 40u}) {
          CHECK(nearest_distances(spaces, queries, {workers, kNever}, again));
          CHECK(again == distances);
        }
        for (uint32_t item = 0; item < kItems; item += 7) {
          double least = INFINITY;
          for (const uint32_t query : queries) {
            double sum = 0;
            for (size_t m = 0; m < modalities.size(); ++m) {
              sum += spaces[m].weight * squared_distance(modalities[m]->decoded(item), modalities[m]->decoded(query));
            }
            least = std::min(least, sum);
          }
          // Decoded values are rounded to float, of at most 1.02 each: 2^-24 of 21 + 4 products of up to 4 times that.
          CHECK(distances[item] == least || std::fabs(distances[item] - least) < 25 * 8 * 0x1p-24);
        }
        if (count > 1) CHECK(!nearest_distances(spaces, queries, {1, Clock::now()}, again));
      }
    }
  }
}

TEST("diverse items are those that a greedy pass over all cosines keeps, and what is near a wanted one") {
  std::mt19937 random(3);
  const Modality dense(random, false, 400, 60), sparse(random, true, 400, 60);
  const std::vector<std::vector<const Modality*>> sets{{&dense}, {&sparse}, {&dense, &sparse}};
  for (const auto& modalities : sets) {
    std::vector<Space> spaces;
    for (const Modality* modality : modalities) spaces.push_back({&modality->cells, spaces.empty() ? 0.6 : 0.4});
    int let_pass = 0;
    for (const auto& [limit, near] : {std::pair{-1.0, 2.0}, {0.0, 0.4}, {0.35, 0.25}, {0.9, 0.3}, {0.999, 0.4}}) {
      std::vector<uint32_t> items(400);
      std::iota(items.begin(), items.end(), 0u);
      std::shuffle(items.begin(), items.end(), random);
      const std::vector<uint32_t> chosen{items[0], items[1]};
      items.erase(items.begin(), items.begin() + 2);
      const std::vector<uint32_t> wanted{chosen[0], items.back()};
      std::vector<uint32_t> out(12);
      // In two parts: what the first has chosen counts for the second.
      DiverseChoice choice(spaces, chosen, limit, {wanted, near});
      const Diverse first = choice.choose(items, 5, kNever, out.data());
      Diverse result = choice.choose(std::span(items).subspan(first.looked), out.size() - first.found, kNever,
                                     out.data() + first.found);
      result.found += first.found;
      result.looked += first.looked;
      std::vector<uint32_t> expected;
      size_t looked = 0;
      for (; looked < items.size() && expected.size() < out.size(); ++looked) {
        std::vector<uint32_t> before = chosen;
        before.insert(before.end(), expected.begin(), expected.end());
        const bool unlike = std::all_of(before.begin(), before.end(), [&](uint32_t other) {
          const double similarity = cosine(modalities, spaces, items[looked], other);
          CHECK(limit == 0 || std::fabs(similarity - limit) > 1e-9); // no case that rounding decides
          return similarity <= limit;
        });
        const bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [&](uint32_t other) {
          return cosine(modalities, spaces, items[looked], other) > near;
        });
        if (unlike || is_wanted) expected.push_back(items[looked]);
        let_pass += !unlike && is_wanted;
      }
      out.resize(result.found);
      CHECK(out == expected);
      CHECK(result.looked == looked && first.complete && result.complete);
    }
    CHECK(let_pass > 0);
  }
  // Past the deadline there is something all the same.
  const std::vector<Space> spaces{{&dense.cells, 1}};
  std::vector<uint32_t> items(400), out(400);
  std::iota(items.begin(), items.end(), 0u);
  const Diverse late = DiverseChoice(spaces, {}, 0.99, {}).choose(items, 400, Clock::now(), out.data());
  CHECK(!late.complete && late.found > 0 && late.looked < 400);
}

TEST("principal components span the directions of largest variance, in order, each of unit length") {
  std::mt19937 random(4);
  const Modality dense(random, false, 600, 500), sparse(random, true, 600, 500);
  const std::vector<Space> spaces{{&dense.cells, 0.7}, {&sparse.cells, 0.3}};
  constexpr size_t kDims = 221;
  std::vector<uint32_t> sample(600);
  std::iota(sample.begin(), sample.end(), 0u);
  std::vector<std::vector<double>> rows;
  std::vector<double> mean(kDims);
  for (const uint32_t item : sample) {
    std::vector<double> row = dense.decoded(item);
    for (double& value : row) value *= std::sqrt(0.7);
    for (const double value : sparse.decoded(item)) row.push_back(value * std::sqrt(0.3));
    for (size_t d = 0; d < kDims; ++d) mean[d] += row[d] / 600;
    rows.push_back(std::move(row));
  }
  for (auto& row : rows) {
    for (size_t d = 0; d < kDims; ++d) row[d] -= mean[d];
  }
  const auto covariance_times = [&](const std::vector<double>& v) {
    std::vector<double> out(kDims);
    for (const auto& row : rows) {
      const double share = product(row, v) / 600;
      for (size_t d = 0; d < kDims; ++d) out[d] += share * row[d];
    }
    return out;
  };
  std::vector<float> components(4 * kDims), again(4 * kDims);
  principal_components(spaces, sample, 4, components.data());
  principal_components(spaces, sample, 4, again.data());
  CHECK(components == again);
  std::vector<std::vector<double>> found;
  for (size_t c = 0; c < 4; ++c) {
    found.emplace_back(components.begin() + c * kDims, components.begin() + (c + 1) * kDims);
    CHECK(std::fabs(product(found[c], found[c]) - 1) < 1e-5);
    for (size_t other = 0; other < c; ++other) CHECK(std::fabs(product(found[c], found[other])) < 1e-5);
    CHECK(*std::max_element(found[c].begin(), found[c].end()) >= -*std::min_element(found[c].begin(), found[c].end()));
  }
  // Power iteration with deflation, far longer than needed: the variances in order.
  std::vector<std::vector<double>> deflated;
  double first = 0;
  for (size_t c = 0; c < 4; ++c) {
    std::vector<double> v(kDims);
    for (double& value : v) value = std::normal_distribution<double>()(random);
    double variance = 0;
    for (int step = 0; step < 3000; ++step) {
      std::vector<double> next = covariance_times(v);
      for (const auto& known : deflated) {
        const double share = product(next, known);
        for (size_t d = 0; d < kDims; ++d) next[d] -= share * known[d];
      }
      variance = std::sqrt(product(next, next));
      for (size_t d = 0; d < kDims; ++d) v[d] = next[d] / variance;
    }
    if (c == 0) first = variance;
    CHECK(std::fabs(product(found[c], covariance_times(found[c])) - variance) < 1e-4 * first);
    deflated.push_back(v);
  }
  // One item has no variance, and no direction.
  principal_components(spaces, std::vector<uint32_t>{5, 5}, 4, components.data());
  CHECK(std::all_of(components.begin(), components.end(), [](float value) { return value == 0; }));
}

} // namespace
