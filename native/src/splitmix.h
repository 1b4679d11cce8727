// The random stream of training (splitmix64: Steele et al., OOPSLA 2014).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace farsight {

inline uint64_t next_random(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Evenly spread over [0, 1).
inline double next_uniform(uint64_t& state) { return static_cast<double>(next_random(state) >> 11) * 0x1p-53; }

// Fisher and Yates; the remainder favours no place by more than 2^-32 for lists of less than 2^32.
template <typename List>
void shuffle(List& list, uint64_t& state) {
  for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[next_random(state) % i]);
}

} // namespace farsight
