// The greedy pass over candidates. What was chosen is kept as it was decoded: sparse rows sparse, dense ones dense.
#include "diversity.h"

#include <cmath>
#include <vector>

#include "spaces.h"

namespace farsight {

namespace {

using Clock = std::chrono::steady_clock;

// Independent sums, so that the compiler can use vector registers without changing the order of additions.
constexpr size_t kLanes = 8;

// Items between two looks at the clock; a late round has at least this many.
constexpr size_t kBatch = 16;

double dot(const float* a, const float* b, size_t n) {
  double lanes[kLanes] = {};
  size_t d = 0;
  for (; d + kLanes <= n; d += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) lanes[l] += static_cast<double>(a[d + l]) * static_cast<double>(b[d + l]);
  }
  for (; d < n; ++d) lanes[d % kLanes] += static_cast<double>(a[d]) * static_cast<double>(b[d]);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// Decoded rows of one space: dims floats each, or row_values() ids and values.
struct Rows {
  explicit Rows(const Codes& codes) : codes(codes) {}

  void append(size_t slot) {
    const size_t row = codes.row_values();
    values.resize(values.size() + row);
    if (codes.sparse()) ids.resize(values.size());
    codes.decode(slot, codes.sparse() ? ids.data() + ids.size() - row : nullptr, values.data() + values.size() - row);
  }

  void remove_last() {
    values.resize(values.size() - codes.row_values());
    if (codes.sparse()) ids.resize(values.size());
  }

  const Codes& codes;
  std::vector<uint32_t> ids;
  std::vector<float> values;
};

// The items to be dissimilar to.
class Chosen {
 public:
  explicit Chosen(std::span<const Space> spaces) : spaces_(spaces), dense_(total_dims(spaces)) {
    for (const Space& space : spaces) rows_.emplace_back(*space.cells->codes);
  }

  // Adds an item, unless it is more similar than `limit` to one that is there; an item without a vector never is.
  bool add(uint32_t item, double limit) {
    if (!decode_concatenated(spaces_, item, dense_.data())) return false;
    std::vector<double> factors;
    double total = 0;
    for (size_t s = 0, from = 0; s < spaces_.size(); from += rows_[s++].codes.dims()) {
      rows_[s].append(slot_of(*spaces_[s].cells, item));
      const double square = dot(dense_.data() + from, dense_.data() + from, rows_[s].codes.dims());
      // Squared length after scaling: the weight, or nothing.
      factors.push_back(square > 0 ? std::sqrt(spaces_[s].weight / square) : 0);
      total += square > 0 ? spaces_[s].weight : 0;
    }
    for (double& factor : factors) factor = total > 0 ? factor / std::sqrt(total) : 0;
    const size_t before = factors_.size() / spaces_.size();
    for (size_t other = 0; other < before; ++other) {
      if (cosine(factors, other) <= limit) continue;
      for (Rows& rows : rows_) rows.remove_last();
      return false;
    }
    factors_.insert(factors_.end(), factors.begin(), factors.end());
    return true;
  }

 private:
  // Of the vector in dense_ and a chosen one.
  double cosine(const std::vector<double>& factors, size_t other) const {
    double sum = 0;
    for (size_t s = 0, from = 0; s < spaces_.size(); from += rows_[s++].codes.dims()) {
      const double factor = factors[s] * factors_[other * spaces_.size() + s];
      if (factor == 0) continue;
      const Rows& rows = rows_[s];
      const size_t row = rows.codes.row_values();
      const float* values = rows.values.data() + other * row;
      if (!rows.codes.sparse()) {
        sum += factor * dot(dense_.data() + from, values, row);
        continue;
      }
      const uint32_t* ids = rows.ids.data() + other * row;
      double product = 0;
      for (size_t j = 0; j < row; ++j) {
        if (values[j] == 0 || ids[j] >= rows.codes.dims()) continue;
        product += static_cast<double>(values[j]) * static_cast<double>(dense_[from + ids[j]]);
      }
      sum += factor * product;
    }
    return sum;
  }

  std::span<const Space> spaces_;
  std::vector<Rows> rows_;      // per space, of the chosen items
  std::vector<double> factors_; // per chosen item and space: what makes its whole vector one of unit length
  std::vector<float> dense_;    // the item in question
};

} // namespace

Diverse select_diverse(std::span<const Space> spaces, std::span<const uint32_t> chosen, std::span<const uint32_t> items,
                       double limit, size_t count, Clock::time_point deadline, uint32_t* out) {
  Chosen rows(spaces);
  for (const uint32_t item : chosen) rows.add(item, 2);
  Diverse result;
  for (; result.looked < items.size() && result.found < count; ++result.looked) {
    const bool due = result.looked % kBatch == kBatch - 1 && deadline != Clock::time_point::max();
    if (due && Clock::now() >= deadline) {
      result.complete = false;
      break;
    }
    if (rows.add(items[result.looked], limit)) out[result.found++] = items[result.looked];
  }
  return result;
}

} // namespace farsight
