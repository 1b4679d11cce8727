// What moments of scores are made of, and the kernel that adds it up. Like the table of kernels.h: score-sums.cc has the
// specification, every other form returns the same bits.
#pragma once

#include <cstddef>
#include <span>

namespace farsight {

// Added up in double precision. Deviations are taken from `shift`, the mean of the first scores, so that a large mean costs no
// digits.
struct ScoreSums {
  double count = 0;
  double shift = 0;
  double sum = 0;     // of score - shift
  double squares = 0; // of (score - shift)^2
  double least = 0, greatest = 0;

  void add(std::span<const float> scores);
};

// Independent sums, so that one addition need not wait for the other; a fixed number, so that they are the same anywhere.
inline constexpr size_t kScoreLanes = 8;

struct ScoreLanes {
  double sums[kScoreLanes] = {};
  double squares[kScoreLanes] = {};
  float least[kScoreLanes];
  float greatest[kScoreLanes];
};

struct ScoreSumKernels {
  const char* isa;

  // Adds scores[i] - shift and its square to lane i % 8, i ascending, a rounding per operation, and compares scores[i] with
  // the least and the greatest there. count: a multiple of 8.
  void (*add_scores)(const float* scores, size_t count, double shift, ScoreLanes& lanes);
};

// Forms compiled in, for tests: nullptr where this build or CPU lacks the instruction set.
const ScoreSumKernels* scalar_score_sums();
const ScoreSumKernels* avx512_score_sums();

} // namespace farsight
