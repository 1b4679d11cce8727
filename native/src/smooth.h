// The logistic loss and its derivative in double. Only additions, multiplications and divisions in a fixed order: the C
// library's exp and log differ in their last bits from one CPU to another, and training must not.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace farsight {

// e^-x for x >= 0, to a few units in the last place: 2^-k e^-r, |r| <= ln 2 / 2, by its Taylor series (the 14th term is
// below 2^-53).
inline double exp_minus(double x) {
  constexpr std::array<double, 15> kShares = [] {
    std::array<double, 15> shares{1};
    for (int n = 1; n < 15; ++n) shares[n] = shares[n - 1] / n; // 1 / n!
    return shares;
  }();
  if (!(x < 708)) return x != x ? x : 0; // below the least normal number
  constexpr double kMagic = 6755399441055744; // 1.5 * 2^52: what is added to it is rounded to a whole number
  const double k = (x * 1.4426950408889634 + kMagic) - kMagic;
  const double r = (k * 0.693147180369123816490 - x) + k * 1.90821492927058770002e-10;
  double sum = kShares[14];
  for (int n = 13; n >= 0; --n) sum = sum * r + kShares[n];
  return sum * std::bit_cast<double>((1023 - static_cast<uint64_t>(k)) << 52);
}

// log(1 + t) for 0 <= t <= 1: 2 atanh(t / (2 + t)), whose argument is at most 1/3.
inline double log_one_plus(double t) {
  constexpr std::array<double, 19> kShares = [] {
    std::array<double, 19> shares{};
    for (int n = 0; n < 19; ++n) shares[n] = 2.0 / (2 * n + 1);
    return shares;
  }();
  const double z = t / (2 + t);
  const double square = z * z;
  double sum = kShares[18];
  for (int n = 17; n >= 0; --n) sum = sum * square + kShares[n];
  return z * sum;
}

// log(1 + e^-m): the logistic loss of a margin.
inline double logistic_loss(double margin) {
  return std::fmax(-margin, 0) + log_one_plus(exp_minus(std::fabs(margin)));
}

// The loss of a margin and what it falls by with it, 1 / (1 + e^m), of one exponential.
struct Logistic {
  double loss, share;
};
inline Logistic logistic(double margin) {
  const double e = exp_minus(std::fabs(margin));
  return {std::fmax(-margin, 0) + log_one_plus(e), margin > 0 ? e / (1 + e) : 1 / (1 + e)};
}

// 1 / (1 + e^-s).
inline double sigmoid(double s) {
  const double e = exp_minus(std::fabs(s));
  return s >= 0 ? 1 / (1 + e) : e / (1 + e);
}

} // namespace farsight
