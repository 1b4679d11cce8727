// How large the values of a dense vector are: what error bounds over sparse codes are made of.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace farsight {

// |w|'s largest value and the sum of its `count` largest ones.
struct Magnitudes {
  float largest = 0;
  double sum = 0;
};

inline Magnitudes magnitudes(const float* weights, size_t dims, size_t count) {
  std::vector<float> heap; // the largest so far, smallest in front
  heap.reserve(count);
  const auto above = [](float a, float b) { return a > b; };
  for (size_t d = 0; d < dims; ++d) {
    const float magnitude = std::fabs(weights[d]);
    if (heap.size() < count) {
      heap.push_back(magnitude);
      std::push_heap(heap.begin(), heap.end(), above);
    } else if (magnitude > heap.front()) {
      std::pop_heap(heap.begin(), heap.end(), above);
      heap.back() = magnitude;
      std::push_heap(heap.begin(), heap.end(), above);
    }
  }
  Magnitudes result;
  for (const float magnitude : heap) {
    result.largest = std::max(result.largest, magnitude);
    result.sum += magnitude;
  }
  return result;
}

} // namespace farsight
