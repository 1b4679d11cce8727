// The strata of an audit: items of like scores, above and below the threshold of a sweep, without those that have a label
// and those that the sweep left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace farsight {

// Strata of the selected are numbered first, from the highest scores down, then those of the rest. An item belongs to the
// first stratum of its side whose cut its score reaches, or to the last one, which has no cut; an item with a label, or one that was left out (kLeftOut), to none.
struct Strata {
  std::span<const float> scores;      // by item
  std::span<const uint32_t> selected; // items, ascending
  std::span<const uint32_t> labelled; // items, ascending
  std::span<const float> selected_cuts, rest_cuts; // descending, at most kMaxCuts of each

  size_t count() const { return selected_cuts.size() + rest_cuts.size() + 2; }
};

inline constexpr size_t kMaxCuts = 100;

// Adds the number of items of every stratum to `counts`, count() of them.
void count_strata(const Strata& strata, std::span<double> counts);

// Of every stratum s the items at places[starts[s]] .. places[starts[s + 1] - 1] (ascending) among its items, to the same
// places of `items`; a place past its end leaves its item as it is.
void pick_from_strata(const Strata& strata, std::span<const uint32_t> places, std::span<const uint32_t> starts,
                      std::span<uint32_t> items);

} // namespace farsight
