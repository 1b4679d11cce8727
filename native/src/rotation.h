// A fixed orthogonal transform that looks random and takes d log d additions: four rounds of sign flips and a fast
// Walsh-Hadamard transform, as RaBitQ and FJLT do. It spreads whatever is in few dimensions over all of them, so that
// every dimension of a rotated vector is about normal with the same variance, and one scale serves them all.
//
// Where dims is no power of two the transform takes the largest one that fits, at the beginning in even rounds and at
// the end in odd ones, and every round ends with a butterfly between the two halves of the vector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace farsight {

class Rotation {
 public:
  // The signs are those of a fixed generator: equal dims rotate alike, on every machine.
  explicit Rotation(size_t dims);
  size_t dims() const { return dims_; }

  // In place, dims() values. Additions, subtractions and products in a fixed order: the same bits everywhere.
  void apply(float* values) const;
  void apply(double* values) const;
  // Back again, up to rounding.
  void undo(float* values) const;

 private:
  static constexpr size_t kRounds = 4;
  size_t dims_;
  size_t span_; // the largest power of two that is not above dims
  std::vector<float> signs_; // kRounds x dims, 1 or -1
};

} // namespace farsight
