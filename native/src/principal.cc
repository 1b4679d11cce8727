// Block power iteration on the covariance of a sample, which is never formed: C v = X^T (X v) / n, X centred.
#include "principal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "spaces.h"

namespace farsight {

namespace {

// More columns than components converge faster: the gap that counts is the one behind the last column.
constexpr size_t kBlock = 8;
static_assert(kMaxComponents < kBlock);

// A column shorter than this share of what it was before the others were taken out of it has no direction of its own.
constexpr double kRankTolerance = 1e-10;

using Square = std::array<std::array<double, kBlock>, kBlock>;

// kBlock columns over some rows, row-major: the loops over columns are what the compiler vectorises.
using Block = std::vector<double>;

struct Matrix {
  std::vector<float> values; // rows x width, centred
  size_t rows, width;
};

// Items without a slot are left out.
Matrix centred(std::span<const Space> spaces, std::span<const uint32_t> sample) {
  Matrix x{{}, 0, total_dims(spaces)};
  x.values.resize(sample.size() * x.width);
  for (const uint32_t item : sample) {
    if (decode_concatenated(spaces, item, x.values.data() + x.rows * x.width)) ++x.rows;
  }
  std::vector<double> factors;
  for (const Space& space : spaces) factors.insert(factors.end(), space.cells->codes->dims(), std::sqrt(space.weight));
  std::vector<double> mean(x.width);
  for (size_t i = 0; i < x.rows; ++i) {
    for (size_t d = 0; d < x.width; ++d) mean[d] += static_cast<double>(x.values[i * x.width + d]);
  }
  for (double& value : mean) value /= static_cast<double>(std::max<size_t>(x.rows, 1));
  for (size_t i = 0; i < x.rows; ++i) {
    for (size_t d = 0; d < x.width; ++d) {
      float& value = x.values[i * x.width + d];
      value = static_cast<float>(factors[d] * (static_cast<double>(value) - mean[d]));
    }
  }
  return x;
}

// C V: the covariance times the columns.
Block times_covariance(const Matrix& x, const Block& v) {
  Block out(v.size());
  for (size_t i = 0; i < x.rows; ++i) {
    const float* row = x.values.data() + i * x.width;
    double y[kBlock] = {};
    for (size_t d = 0; d < x.width; ++d) {
      const double value = row[d];
      for (size_t c = 0; c < kBlock; ++c) y[c] += value * v[d * kBlock + c];
    }
    for (double& value : y) value /= static_cast<double>(x.rows);
    for (size_t d = 0; d < x.width; ++d) {
      const double value = row[d];
      for (size_t c = 0; c < kBlock; ++c) out[d * kBlock + c] += value * y[c];
    }
  }
  return out;
}

double column_dot(const Block& a, size_t i, const Block& b, size_t j) {
  double sum = 0;
  for (size_t at = 0; at < a.size(); at += kBlock) sum += a[at + i] * b[at + j];
  return sum;
}

// Gram-Schmidt, twice for orthogonality to the last bits; a column that depends on those before it becomes zero.
void orthonormalise(Block& v) {
  for (size_t c = 0; c < kBlock; ++c) {
    const double before = std::sqrt(column_dot(v, c, v, c));
    for (int pass = 0; pass < 2; ++pass) {
      for (size_t other = 0; other < c; ++other) {
        const double share = column_dot(v, c, v, other);
        for (size_t at = 0; at < v.size(); at += kBlock) v[at + c] -= share * v[at + other];
      }
    }
    const double length = std::sqrt(column_dot(v, c, v, c));
    const double factor = length > kRankTolerance * before ? 1 / length : 0;
    for (size_t at = 0; at < v.size(); at += kBlock) v[at + c] *= factor;
  }
}

// Eigenvectors (columns of the result) of a symmetric matrix by cyclic Jacobi rotations, which make it diagonal.
Square jacobi(Square& a) {
  Square vectors{};
  for (size_t c = 0; c < kBlock; ++c) vectors[c][c] = 1;
  for (int sweep = 0; sweep < 60; ++sweep) {
    for (size_t p = 0; p < kBlock; ++p) {
      for (size_t q = p + 1; q < kBlock; ++q) {
        if (a[p][q] == 0) continue;
        const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const double t = std::copysign(1.0, theta) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
        const double cosine = 1 / std::sqrt(t * t + 1);
        const double sine = t * cosine;
        for (size_t r = 0; r < kBlock; ++r) {
          const double rp = a[r][p], rq = a[r][q];
          a[r][p] = cosine * rp - sine * rq;
          a[r][q] = sine * rp + cosine * rq;
        }
        for (size_t r = 0; r < kBlock; ++r) {
          const double pr = a[p][r], qr = a[q][r];
          a[p][r] = cosine * pr - sine * qr;
          a[q][r] = sine * pr + cosine * qr;
          const double vp = vectors[r][p], vq = vectors[r][q];
          vectors[r][p] = cosine * vp - sine * vq;
          vectors[r][q] = sine * vp + cosine * vq;
        }
      }
    }
  }
  return vectors;
}

// Turns orthonormal columns into approximate eigenvectors, largest variance first, and returns the variances.
std::array<double, kBlock> rayleigh_ritz(Block& v, const Block& cv) {
  Square projected{};
  for (size_t i = 0; i < kBlock; ++i) {
    for (size_t j = i; j < kBlock; ++j) projected[i][j] = projected[j][i] = column_dot(v, i, cv, j);
  }
  const Square vectors = jacobi(projected);
  std::array<size_t, kBlock> order;
  for (size_t c = 0; c < kBlock; ++c) order[c] = c;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return projected[a][a] > projected[b][b]; });
  std::array<double, kBlock> variances;
  for (size_t c = 0; c < kBlock; ++c) variances[c] = projected[order[c]][order[c]];
  for (size_t at = 0; at < v.size(); at += kBlock) {
    double turned[kBlock] = {};
    for (size_t c = 0; c < kBlock; ++c) {
      for (size_t r = 0; r < kBlock; ++r) turned[c] += v[at + r] * vectors[r][order[c]];
    }
    std::copy(turned, turned + kBlock, v.begin() + static_cast<ptrdiff_t>(at));
  }
  return variances;
}

// Numbers in [-1, 1) that depend on nothing (splitmix64).
Block start(size_t width) {
  Block v(width * kBlock);
  uint64_t state = 0;
  for (double& value : v) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    value = std::ldexp(static_cast<double>((z ^ (z >> 31)) >> 11), -52) - 1;
  }
  return v;
}

} // namespace

void principal_components(std::span<const Space> spaces, std::span<const uint32_t> sample, size_t count, float* out) {
  const Matrix x = centred(spaces, sample);
  Block v = start(x.width);
  orthonormalise(v);
  std::array<double, kBlock> variances{};
  for (size_t iteration = 1; x.rows > 0; ++iteration) {
    Block cv = times_covariance(x, v);
    const auto before = variances;
    variances = rayleigh_ritz(v, cv);
    bool still = true;
    for (size_t c = 0; c < count; ++c) still &= std::fabs(variances[c] - before[c]) <= kTolerance * variances[0];
    if (still || iteration == kMaxIterations) break;
    v = std::move(cv);
    orthonormalise(v);
  }
  for (size_t c = 0; c < count; ++c) {
    double largest = 0;
    for (size_t d = 0; d < x.width; ++d) {
      if (std::fabs(v[d * kBlock + c]) > std::fabs(largest)) largest = v[d * kBlock + c];
    }
    // No variance left: no direction.
    const bool any = variances[c] > kRankTolerance * variances[0] && variances[0] > 0;
    const double sign = !any ? 0 : largest < 0 ? -1 : 1;
    for (size_t d = 0; d < x.width; ++d) out[c * x.width + d] = static_cast<float>(sign * v[d * kBlock + c]);
  }
}

} // namespace farsight
