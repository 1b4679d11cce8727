// The sums of scores for AVX-512.
#include "../kernels.h"
#include "../score-sums.h"

#if defined(__x86_64__)

#include "begin-avx512.h"

namespace farsight {

namespace {

void add_scores(const float* scores, size_t count, double shift, ScoreLanes& lanes) {
  const __m512d shifts = _mm512_set1_pd(shift);
  __m512d sums = _mm512_loadu_pd(lanes.sums), squares = _mm512_loadu_pd(lanes.squares);
  __m256 least = _mm256_loadu_ps(lanes.least), greatest = _mm256_loadu_ps(lanes.greatest);
  for (size_t i = 0; i < count; i += kScoreLanes) {
    const __m256 score = _mm256_loadu_ps(scores + i);
    const __m512d difference = _mm512_sub_pd(_mm512_cvtps_pd(score), shifts);
    sums = _mm512_add_pd(sums, difference);
    squares = _mm512_add_pd(squares, _mm512_mul_pd(difference, difference));
    // Where the score is neither less nor greater, the second operand stays, as with std::min and std::max.
    least = _mm256_min_ps(score, least);
    greatest = _mm256_max_ps(score, greatest);
  }
  _mm512_storeu_pd(lanes.sums, sums);
  _mm512_storeu_pd(lanes.squares, squares);
  _mm256_storeu_ps(lanes.least, least);
  _mm256_storeu_ps(lanes.greatest, greatest);
}

constexpr ScoreSumKernels kTable = {"avx512", add_scores};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const ScoreSumKernels* avx512_score_sums() { return avx512_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const ScoreSumKernels* avx512_score_sums() { return nullptr; }

} // namespace farsight

#endif
