// Rotations: orthogonal, undone, the same in float and double, and spreading what is in one dimension over all.
#include "rotation.h"

#include <cmath>
#include <set>

#include "test.h"

using namespace farsight;

TEST("a rotation keeps inner products and is undone, for dims 1 to 70, 1280 and 4096") {
  std::mt19937 random(61);
  std::normal_distribution<float> normal;
  std::vector<size_t> all = {1280, 4096};
  for (size_t dims = 1; dims <= 70; ++dims) all.push_back(dims);
  for (const size_t dims : all) {
    const Rotation rotation(dims);
    std::vector<double> x(dims), y(dims);
    double before = 0, squares = 0;
    for (size_t d = 0; d < dims; ++d) {
      x[d] = normal(random);
      y[d] = normal(random);
      before += x[d] * y[d];
      squares += x[d] * x[d] + y[d] * y[d];
    }
    std::vector<float> back(x.begin(), x.end());
    const std::vector<float> original = back;
    rotation.apply(x.data());
    rotation.apply(y.data());
    rotation.apply(back.data());
    double after = 0;
    // Four rounds of at most log2(dims) + 3 roundings each, of values below the length of the vector.
    const double roundings = 4 * (std::log2(static_cast<double>(dims)) + 4);
    for (size_t d = 0; d < dims; ++d) {
      after += x[d] * y[d];
      CHECK(std::fabs(back[d] - x[d]) <= roundings * std::ldexp(std::sqrt(squares), -24));
    }
    CHECK(std::fabs(after - before) <= (2 * roundings + static_cast<double>(dims)) * std::ldexp(squares, -52));
    rotation.undo(back.data());
    for (size_t d = 0; d < dims; ++d) {
      CHECK(std::fabs(back[d] - original[d]) <= 2 * roundings * std::ldexp(std::sqrt(squares), -24));
    }
  }
}

TEST("a rotation spreads a vector of one dimension over all of them") {
  for (const size_t dims : {64u, 100u, 128u, 768u, 1280u}) {
    const Rotation rotation(dims);
    for (const size_t at : {size_t{0}, dims / 2, dims - 1}) {
      std::vector<double> x(dims);
      x[at] = 1;
      rotation.apply(x.data());
      double largest = 0;
      for (const double value : x) largest = std::max(largest, std::fabs(value));
      // Of dims values with a mean square of 1 / dims, normal ones would reach about sqrt(2 ln dims / dims); a coordinate
      // that stayed where it was would be 1.
      CHECK(largest <= 2 * std::sqrt(2 * std::log(static_cast<double>(dims)) / static_cast<double>(dims)));
    }
  }
}

TEST("rotations of different dims differ, and equal dims rotate alike") {
  std::set<double> seen;
  for (size_t dims = 60; dims < 70; ++dims) {
    std::vector<double> x(dims), again(dims);
    for (size_t d = 0; d < dims; ++d) x[d] = again[d] = static_cast<double>(d % 7) + 1;
    Rotation(dims).apply(x.data());
    Rotation(dims).apply(again.data());
    CHECK(x == again);
    seen.insert(x[0]);
  }
  CHECK(seen.size() == 10);
}
