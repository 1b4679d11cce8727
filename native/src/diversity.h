// Keeping near-duplicates out of a round: the M2 term of IRIS as a limit on similarity.
#pragma once

#include <memory>
#include <vector>

#include "survey.h"

namespace farsight {

struct Diverse {
  size_t found = 0;     // items written
  size_t looked = 0;    // items of the list that were decided about
  bool complete = true; // false: the deadline passed first
};

// Items of which more are wanted: those with a cosine above `limit` to one of them may be as similar as they like.
struct Wanted {
  std::vector<uint32_t> items;
  double limit = 2;
};

// The choice of a round, list after list. The vector of an item has every modality at unit length, scaled by the root of
// its weight; a zero vector of a modality counts nothing, and an item with nothing else is similar to nothing. Cosines are
// sums of double products in a fixed order.
class DiverseChoice {
 public:
  // chosen: items that others must be unlike from the beginning. Refers to the cells, and keeps what it has decoded.
  DiverseChoice(std::span<const Space> spaces, std::span<const uint32_t> chosen, double limit, Wanted wanted);
  ~DiverseChoice();
  DiverseChoice(DiverseChoice&&) noexcept;

  // Goes through `items` in order and writes those whose cosine to every item chosen so far is at most the limit, or which
  // are near a wanted one, until `count` are written. These are chosen then.
  Diverse choose(std::span<const uint32_t> items, size_t count, std::chrono::steady_clock::time_point deadline,
                 uint32_t* out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace farsight
