// What search needs of a codec: packed codes in slot order, and a linear model prepared for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels.h"

namespace farsight {

// A linear model prepared for scans of a few clusters: slower a slot than approximate scores, but next to exact, so that
// hardly more has to be scored exactly than is wanted.
class FineQuery {
 public:
  virtual ~FineQuery() = default;

  // Scores of the slots [first, end); first is a multiple of kLanes. Room for a multiple of kLanes.
  virtual void scores(size_t first, size_t end, float* scores) const = 0;

  // No score is further from the exact one.
  virtual double error() const = 0;

  // A hint that slots [begin, end) are about to be scanned, for what is not in their blocks.
  virtual void prefetch(size_t begin, size_t end) const = 0;
};

class Codes;

// Consecutive blocks of codes.
struct Blocks {
  size_t first = 0;
  size_t count = 0;
};

// A linear model (weights, bias) prepared for one set of codes.
class Query {
 public:
  virtual ~Query() = default;

  // Approximate scores of blocks [first, first + count), block_items() floats each; slots past the end of the
  // codes get whatever their zero padding scores. |approximate - exact| <= error() for every slot.
  virtual void approximate(size_t first, size_t count, float* scores) const = 0;

  // Of the slots of these blocks, `slots` in all: the positions, from the first of them on, of those whose approximate score
  // is at least `threshold`, ascending, and these scores; returns how many. Room: slots + 16 of both. `next` is scored after
  // them: a query that asks_ahead() asks for its codes meanwhile.
  virtual size_t reaching(Blocks blocks, Blocks next, size_t slots, float threshold, uint32_t* positions,
                          float* scores) const;
  virtual bool asks_ahead() const { return false; }

  // Exact score of one slot: double arithmetic over the decoded code, in a fixed order.
  virtual double exact(size_t slot) const = 0;

  virtual float error() const = 0;

  // Of how many slots, the best by approximate scores, an exact score is needed to find the `wanted` best. 0: that is for
  // error() to say. Else error() is infinite, and approximate scores are estimates.
  virtual size_t candidates(size_t) const { return 0; }

  // exact() of ascending slots, for which neighbours may share work.
  virtual void exact_ascending(const uint32_t* slots, size_t count, double* scores) const {
    for (size_t i = 0; i < count; ++i) scores[i] = exact(slots[i]);
  }

  // The same model for short scans. nullptr: there is none.
  virtual const FineQuery* fine() const { return nullptr; }

  // A hint that exact(slot) is about to be asked for.
  virtual void prefetch(size_t slot) const = 0;

  // The query it holds for other codes, those of representatives that its own are residuals to, if it does. Who scores
  // representatives by that one first spares it doing so again.
  virtual const Query* held_for(const Codes&) const { return nullptr; }
};

// A dense vector prepared for squared distances to one set of codes.
class DistanceQuery {
 public:
  virtual ~DistanceQuery() = default;

  // Approximate squared distances of blocks [first, first + count), none below 0, block_items() floats each; slots past
  // the end of the codes get that of their zero padding. |approximate - Codes::distance()| <= error() for every slot,
  // but for the rounding of a distance to float.
  virtual void approximate(size_t first, size_t count, float* distances) const = 0;

  // Infinite where a float could overflow; a distance may then be infinite or NaN.
  virtual float error() const = 0;
};

// Packed codes of one modality (or of its representatives), in slot order. Does not own the bytes.
class Codes {
 public:
  virtual ~Codes() = default;

  virtual size_t count() const = 0;       // slots
  virtual size_t dims() const = 0;        // of the decoded vectors
  virtual size_t row_values() const = 0;  // values decode() writes: features (ratio) or dims (sq8)
  virtual bool sparse() const = 0;
  virtual size_t block_items() const = 0;
  virtual size_t block_bytes() const = 0;

  // weights: dims() floats. The result refers to these codes and owns everything else.
  virtual std::unique_ptr<Query> prepare(const float* weights, double bias) const = 0;

  // query: dims() floats. The result refers to these codes and owns everything else.
  virtual std::unique_ptr<DistanceQuery> prepare_distance(const float* query) const = 0;

  // The decoded vector of one slot: row_values() values, and for sparse codes as many ids (a value of 0 pads).
  virtual void decode(size_t slot, uint32_t* ids, float* values) const = 0;

  // The same for `count` slots from `slot` on, row after row. Codecs that read a block at once more cheaply may say how.
  virtual void decode_run(size_t slot, size_t count, uint32_t* ids, float* values) const {
    for (size_t i = 0; i < count; ++i) {
      decode(slot + i, sparse() ? ids + i * row_values() : ids, values + i * row_values());
    }
  }

  // No less than sum_d magnitudes[d] * |value d| of anything that decode() may return; magnitudes: dims(), none negative.
  // Infinite where nothing short of reading every code tells.
  virtual double largest_sum(const float* magnitudes) const = 0;

  // Squared Euclidean distance of one slot to a dense query of dims() floats with squared norm `norm`,
  // in double, in a fixed order.
  virtual double distance(size_t slot, const float* query, double norm) const = 0;

  // A hint that slot's code is about to be read.
  virtual void prefetch(size_t slot) const = 0;

  // The packed bytes, for hints about whole blocks.
  virtual const uint8_t* blocks() const = 0;
};

// What to ask for while `blocks` are scored: the blocks of `next`, or where there are none, the same run further on if it is
// a long one.
Ahead ahead_of(const Codes& codes, Blocks blocks, Blocks next = {});

} // namespace farsight
