// The kernels of ratio blocks in plain C++: the specification.
#include <cmath>

#include "../ratio.h"
#include "ratio-kernels.h"

namespace farsight {

namespace {

// The id at byte k of chunk c, and the item whose it is, in a block of `chunks` chunks; see ratio.h.
uint32_t id_at(const uint8_t* low, const uint8_t* upper, IdForm form, size_t c, size_t k) {
  uint32_t id = low[c * 64 + k];
  if (form == IdForm::kTenBit) {
    id |= static_cast<uint32_t>(upper[c * 16 + k / 8] >> (k % 8) & 1) << 8;
    id |= static_cast<uint32_t>(upper[c * 16 + 8 + k / 8] >> (k % 8) & 1) << 9;
  } else if (form == IdForm::kWord) {
    id |= static_cast<uint32_t>(upper[c * 64 + k]) << 8;
  }
  return id;
}

size_t item_at(size_t chunks, size_t c, size_t k) {
  const size_t fours = chunks & ~size_t{3};
  const size_t pairs = chunks & ~size_t{1};
  const size_t accumulator = c < fours ? c % 4 : c < pairs ? (c - fours) * 2 + k / 2 % 2 : k % 4;
  return accumulator * kLanes + k / 4;
}

} // namespace

void ratio_scan_scalar(const uint8_t* blocks, size_t count, RatioShape shape, const int8_t* table, float scale,
                       float bias, float* scores) {
  const size_t chunks = shape.features;
  const size_t stride = ratio_block_bytes(shape);
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* low = blocks + b * stride;
    const uint8_t* values = low + chunks * 64;
    const uint8_t* upper = values + chunks * 64;
    int32_t sums[kRatioBlockItems] = {};
    for (size_t c = 0; c < chunks; ++c) {
      for (size_t k = 0; k < 64; ++k) {
        sums[item_at(chunks, c, k)] += table[id_at(low, upper, shape.id_form, c, k)] * values[c * 64 + k];
      }
    }
    for (size_t i = 0; i < kRatioBlockItems; ++i) {
      const float product = scale * static_cast<float>(sums[i]);
      scores[b * kRatioBlockItems + i] = product + bias;
    }
  }
}

// The bytes of an item come in the order of its features: within a chunk, and from chunk to chunk.
void ratio_distance_scalar(const uint8_t* blocks, size_t count, RatioShape shape, const float* twice, float step,
                           float norm, float* distances) {
  const size_t chunks = shape.features;
  const size_t stride = ratio_block_bytes(shape);
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* low = blocks + b * stride;
    const uint8_t* values = low + chunks * 64;
    const uint8_t* upper = values + chunks * 64;
    float sums[kRatioBlockItems] = {};
    for (size_t c = 0; c < chunks; ++c) {
      for (size_t k = 0; k < 64; ++k) {
        const float value = step * static_cast<float>(values[c * 64 + k]);
        const float factor = value - twice[id_at(low, upper, shape.id_form, c, k)];
        float& sum = sums[item_at(chunks, c, k)];
        sum = std::fma(value, factor, sum);
      }
    }
    for (size_t i = 0; i < kRatioBlockItems; ++i) {
      const float distance = norm + sums[i];
      distances[b * kRatioBlockItems + i] = 0.0f > distance ? 0.0f : distance;
    }
  }
}

} // namespace farsight
