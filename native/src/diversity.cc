// The greedy pass over candidates. What was chosen is kept as it was decoded: sparse rows sparse, dense ones dense. Most
// pairs are far from the limit, and a part of their dense rows says so:
//   a . b <= (sum over the first dimensions of a_d b_d) + |rest of a| |rest of b|       (Cauchy and Schwarz)
// in single precision, with room for its roundings. Only pairs that this leaves open are multiplied exactly.
#include "diversity.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels.h"
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

// Products of rows of such lengths neither vanish nor overflow in single precision.
constexpr double kShortest = 0x1p-40;
constexpr double kLongest = 0x1p40;

// Dimensions between two looks at the bound.
constexpr size_t kChunk = 128;

size_t chunks(size_t dims) { return (dims + kChunk - 1) / kChunk; }

// Writes the lengths of a row from the beginning of each chunk on.
void rest_lengths(const float* row, size_t dims, float* lengths) {
  double square = 0;
  for (size_t c = chunks(dims); c-- > 0;) {
    const size_t from = c * kChunk;
    square += dot(row + from, row + from, std::min(kChunk, dims - from));
    lengths[c] = static_cast<float>(std::sqrt(square));
  }
}

// Decoded rows of one space: dims floats each, or row_values() ids and values.
struct Rows {
  explicit Rows(const Codes& codes) : codes(codes) {}

  void append(size_t slot) {
    const size_t row = codes.row_values();
    values.resize(values.size() + row);
    if (codes.sparse()) ids.resize(values.size());
    codes.decode(slot, codes.sparse() ? ids.data() + ids.size() - row : nullptr, values.data() + values.size() - row);
    lengths.resize(lengths.size() + chunks_of_row());
    if (!codes.sparse()) {
      rest_lengths(values.data() + values.size() - row, row, lengths.data() + lengths.size() - chunks_of_row());
    }
  }

  void remove_last() {
    values.resize(values.size() - codes.row_values());
    if (codes.sparse()) ids.resize(values.size());
    lengths.resize(lengths.size() - chunks_of_row());
  }

  size_t chunks_of_row() const { return codes.sparse() ? 0 : chunks(codes.dims()); }

  const Codes& codes;
  std::vector<uint32_t> ids;
  std::vector<float> values;
  std::vector<float> lengths; // of dense rows, from each chunk on
};

// Items that others are compared with.
class Vectors {
 public:
  explicit Vectors(std::span<const Space> spaces) : spaces_(spaces), dense_(total_dims(spaces)) {
    for (const Space& space : spaces) rows_.emplace_back(*space.cells->codes);
  }

  bool empty() const { return factors_.empty(); }

  // Adds items with a vector, as similar as they may be; their codes are asked for together.
  void add(std::span<const uint32_t> items) {
    for (const Space& space : spaces_) {
      for (const uint32_t item : items) {
        if (item < space.cells->slots.size()) space.cells->slots.prefetch(item);
      }
      for (const uint32_t item : items) {
        const size_t slot = slot_of(*space.cells, item);
        if (slot < space.cells->codes->count()) space.cells->codes->prefetch(slot);
      }
    }
    for (const uint32_t item : items) {
      if (load(item)) keep();
    }
  }

  // Adds an item, unless it is more similar than `limit` to one that is there; an item without a vector never is.
  bool add(uint32_t item, double limit) {
    if (!load(item)) return false;
    if (is_loaded_like(limit)) {
      unload();
      return false;
    }
    keep();
    return true;
  }

  // Whether an item is more similar than `limit` to one that is there.
  bool is_like(uint32_t item, double limit) {
    if (!load(item)) return false;
    const bool like = is_loaded_like(limit);
    unload();
    return like;
  }

 private:
  // Makes `item` the one in question: dense_, the last row of each space, and its factors. False without a vector.
  bool load(uint32_t item) {
    for (const Space& space : spaces_) {
      if (slot_of(*space.cells, item) >= space.cells->codes->count()) return false;
    }
    // Of a large vocabulary a row has a few values: no more is cleared than was written.
    for (const size_t position : scattered_) dense_[position] = 0;
    scattered_.clear();
    loaded_.clear();
    double total = 0;
    for (size_t s = 0, from = 0; s < spaces_.size(); from += rows_[s++].codes.dims()) {
      rows_[s].append(slot_of(*spaces_[s].cells, item));
      const double square = spread_out(s, from);
      // Squared length after scaling: the weight, or nothing.
      loaded_.push_back(square > 0 ? std::sqrt(spaces_[s].weight / square) : 0);
      total += square > 0 ? spaces_[s].weight : 0;
    }
    for (double& factor : loaded_) factor = total > 0 ? factor / std::sqrt(total) : 0;
    return true;
  }

  // Writes the last row of a space to dense_, from `from` on; returns its squared length.
  double spread_out(size_t s, size_t from) {
    const Rows& rows = rows_[s];
    const size_t row = rows.codes.row_values(), first = rows.values.size() - row;
    if (!rows.codes.sparse()) {
      std::copy_n(rows.values.data() + first, row, dense_.data() + from);
      return dot(dense_.data() + from, dense_.data() + from, row);
    }
    for (size_t j = first; j < rows.values.size(); ++j) {
      if (rows.values[j] == 0 || rows.ids[j] >= rows.codes.dims()) continue;
      dense_[from + rows.ids[j]] += rows.values[j];
      scattered_.push_back(from + rows.ids[j]);
    }
    return sparse_product(s, first / row, 1);
  }

  void keep() { factors_.insert(factors_.end(), loaded_.begin(), loaded_.end()); }

  void unload() {
    for (Rows& rows : rows_) rows.remove_last();
  }

  bool is_loaded_like(double limit) const {
    const size_t before = factors_.size() / spaces_.size();
    for (size_t other = 0; other < before; ++other) {
      if (!is_surely_below(other, limit) && cosine(other) > limit) return true;
    }
    return false;
  }

  // Whether a bound of the cosine of the item in question and one that is there is below the limit. Each product of a
  // dense space is a sum of dims products of values that are at most 1 together: its roundings in single precision are
  // below dims * 2^-24, and those of the lengths below 2^-22.
  bool is_surely_below(size_t other, double limit) const {
    double bound = 0, margin = 0;
    for (size_t s = 0; s < spaces_.size(); ++s) {
      const double factor = loaded_[s] * factors_[other * spaces_.size() + s];
      const Rows& rows = rows_[s];
      const size_t n = rows.chunks_of_row();
      if (factor == 0) continue;
      if (n == 0) {
        bound += sparse_product(s, other, factor);
        continue;
      }
      const auto length = static_cast<double>(rows.lengths[other * n]), own = static_cast<double>(own_lengths(s)[0]);
      if (!(std::min(length, own) > kShortest && std::max(length, own) < kLongest)) return false;
      bound += factor * length * own;
      margin += static_cast<double>(rows.codes.dims() + 4) * 0x1p-23;
    }
    if (bound + margin < limit) return true;
    if (margin == 0) return false; // nothing dense: the cosine itself costs no more
    for (size_t s = 0; s < spaces_.size(); ++s) {
      const double factor = loaded_[s] * factors_[other * spaces_.size() + s];
      const Rows& rows = rows_[s];
      const size_t n = rows.chunks_of_row(), dims = rows.codes.dims();
      if (factor == 0 || n == 0) continue;
      const float* a = rows.values.data() + other * dims;
      const float* b = rows.values.data() + rows.values.size() - dims;
      const float* rest_a = rows.lengths.data() + other * n;
      const float* rest_b = own_lengths(s);
      for (size_t c = 0; c < n; ++c) {
        const auto rest = [&](size_t at) {
          return at < n ? static_cast<double>(rest_a[at]) * static_cast<double>(rest_b[at]) : 0.0;
        };
        const size_t from = c * kChunk;
        const auto product = static_cast<double>(kernels().dot(a + from, b + from, std::min(kChunk, dims - from)));
        bound += factor * (product - rest(c) + rest(c + 1));
        if (bound + margin < limit) return true;
      }
    }
    return false;
  }

  const float* own_lengths(size_t s) const {
    return rows_[s].lengths.data() + rows_[s].lengths.size() - rows_[s].chunks_of_row();
  }

  double sparse_product(size_t s, size_t other, double factor) const {
    size_t from = 0;
    for (size_t before = 0; before < s; ++before) from += rows_[before].codes.dims();
    const Rows& rows = rows_[s];
    const size_t row = rows.codes.row_values();
    const float* values = rows.values.data() + other * row;
    const uint32_t* ids = rows.ids.data() + other * row;
    double product = 0;
    for (size_t j = 0; j < row; ++j) {
      if (values[j] == 0 || ids[j] >= rows.codes.dims()) continue;
      product += static_cast<double>(values[j]) * static_cast<double>(dense_[from + ids[j]]);
    }
    return factor * product;
  }

  // Of the item in question and one that is there.
  double cosine(size_t other) const {
    double sum = 0;
    for (size_t s = 0, from = 0; s < spaces_.size(); from += rows_[s++].codes.dims()) {
      const double factor = loaded_[s] * factors_[other * spaces_.size() + s];
      if (factor == 0) continue;
      const Rows& rows = rows_[s];
      const size_t row = rows.codes.row_values();
      sum += rows.codes.sparse() ? sparse_product(s, other, factor)
                                 : factor * dot(dense_.data() + from, rows.values.data() + other * row, row);
    }
    return sum;
  }

  std::span<const Space> spaces_;
  std::vector<Rows> rows_;      // per space, of the items, then of the one in question
  std::vector<double> factors_; // per item and space: what makes its whole vector one of unit length
  std::vector<float> dense_;    // the item in question
  std::vector<size_t> scattered_; // where dense_ has values of sparse rows
  std::vector<double> loaded_;  // its factors
};

} // namespace

struct DiverseChoice::State {
  State(std::span<const Space> of, std::span<const uint32_t> first, double limit, Wanted wanted)
      : spaces(of.begin(), of.end()), limit(limit), wanted(std::move(wanted)), chosen(spaces), near(spaces) {
    chosen.add(first);
  }

  // The wanted ones are decoded when the first item is in question.
  bool is_wanted(uint32_t item) {
    if (wanted.items.empty()) return false;
    if (near.empty()) near.add(wanted.items);
    return near.is_like(item, wanted.limit);
  }

  const std::vector<Space> spaces;
  const double limit;
  const Wanted wanted;
  Vectors chosen, near;
};

DiverseChoice::DiverseChoice(std::span<const Space> spaces, std::span<const uint32_t> chosen, double limit,
                             Wanted wanted)
    : state_(std::make_unique<State>(spaces, chosen, limit, std::move(wanted))) {}
DiverseChoice::~DiverseChoice() = default;
DiverseChoice::DiverseChoice(DiverseChoice&&) noexcept = default;

Diverse DiverseChoice::choose(std::span<const uint32_t> items, size_t count, Clock::time_point deadline, uint32_t* out) {
  Diverse result;
  for (; result.looked < items.size() && result.found < count; ++result.looked) {
    const bool due = result.looked % kBatch == kBatch - 1 && deadline != Clock::time_point::max();
    if (due && Clock::now() >= deadline) {
      result.complete = false;
      break;
    }
    const uint32_t item = items[result.looked];
    if (!state_->chosen.add(item, state_->limit)) {
      if (!state_->is_wanted(item)) continue;
      state_->chosen.add({&item, 1});
    }
    out[result.found++] = item;
  }
  return result;
}

} // namespace farsight
