// An index in memory: clusters of randomly numbered items, and what sorting all of their scores answers.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "cells.h"
#include "random_slots.h"
#include "ratio.h"
#include "sq8.h"

namespace farsight::test {

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

inline std::vector<float> random_weights(std::mt19937& random, size_t dims) {
  std::normal_distribution<float> normal;
  std::vector<float> weights(dims);
  for (float& weight : weights) weight = normal(random);
  return weights;
}

// An index of `sizes.size()` clusters over randomly numbered items.
struct Index {
  Packed items;
  Packed representatives;
  RandomSlots slots;
  std::vector<uint32_t> starts;
  std::unique_ptr<Query> query;
  std::unique_ptr<Query> representative_query;

  Index(std::mt19937& random, Kind kind, const std::vector<size_t>& sizes, size_t distinct, Slots same = {})
      : items(random, kind, std::accumulate(sizes.begin(), sizes.end(), size_t{0}), distinct, same),
        representatives(random, kind, sizes.size(), distinct),
        slots(random, items.codes->count()),
        starts(1) {
    for (const size_t size : sizes) starts.push_back(starts.back() + static_cast<uint32_t>(size));
    const auto weights = random_weights(random, items.codes->dims());
    query = items.codes->prepare(weights.data(), 0.25);
    representative_query = representatives.codes->prepare(weights.data(), 0.25);
  }

  Cells cells() const {
    return {items.codes.get(), representatives.codes.get(), slots.items(), slots.slots(), starts};
  }
};

struct Answer {
  std::vector<uint32_t> items;
  std::vector<double> scores;
  bool operator==(const Answer&) const = default;
};

// Sorts everything: score descending, number ascending.
inline Answer sorted(std::vector<std::pair<double, uint32_t>> all, size_t limit) {
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

inline std::vector<uint32_t> numbers(size_t count) {
  std::vector<uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

} // namespace farsight::test
