// The logistic loss and its derivative in double. Only additions, multiplications and divisions in a fixed order: the C
// library's exp and log differ in their last bits from one CPU to another, and training must not.
#pragma once

#include <cmath>
#include <cstdint>

namespace farsight {

// e^-x for x >= 0, to a few units in the last place: 2^-k e^-r, |r| <= ln 2 / 2, by its Taylor series (the 14th term is
// below 2^-53).
inline double exp_minus(double x) {
  if (!(x < 745)) return x != x ? x : 0;
  const double k = std::nearbyint(x * 1.4426950408889634);
  const double r = (k * 0.693147180369123816490 - x) + k * 1.90821492927058770002e-10;
  double sum = 1;
  for (int n = 14; n > 0; --n) sum = 1 + sum * r / n;
  return std::ldexp(sum, -static_cast<int>(k));
}

// log(1 + t) for 0 <= t <= 1: 2 atanh(t / (2 + t)), whose argument is at most 1/3.
inline double log_one_plus(double t) {
  const double z = t / (2 + t);
  double sum = 0;
  for (int n = 37; n > 0; n -= 2) sum = 1.0 / n + sum * (z * z);
  return 2 * z * sum;
}

// log(1 + e^-m): the logistic loss of a margin.
inline double logistic_loss(double margin) {
  return std::fmax(-margin, 0) + log_one_plus(exp_minus(std::fabs(margin)));
}

// 1 / (1 + e^-s).
inline double sigmoid(double s) {
  const double e = exp_minus(std::fabs(s));
  return s >= 0 ? 1 / (1 + e) : e / (1 + e);
}

} // namespace farsight
