// Sparse assignment, exactly: posting lists over the representatives, so only those that share a feature are touched.
//
// Distances are |x|^2 + |r|^2 - 2 x.r in double, the sums over ascending ids, so that posting lists (one feature after
// the other) and the groups (one representative after the other) give the same bits.
#include "assign.h"

#include <algorithm>
#include <vector>

#include "assign-rows.h"
#include "assign-tree.h"
#include "parallel.h"

namespace farsight {

namespace {

// Representatives by feature: those that have it, ascending, in [starts[f], starts[f + 1]).
struct Postings {
  struct Posting {
    uint32_t representative;
    float value;
  };
  Postings(const SparseTable& table, size_t per_row, size_t dims) : starts(dims + 1, 0) {
    for_each(table, per_row, [&](size_t, const Entry& entry) { ++starts[entry.id + 1]; });
    for (size_t f = 0; f < dims; ++f) starts[f + 1] += starts[f];
    std::vector<size_t> next(starts.begin(), starts.end() - 1);
    list.resize(starts[dims]);
    for_each(table, per_row, [&](size_t r, const Entry& entry) {
      list[next[entry.id]++] = {static_cast<uint32_t>(r), entry.value};
    });
  }
  template <typename Visit>
  static void for_each(const SparseTable& table, size_t per_row, const Visit& visit) {
    for (size_t r = 0; r < table.counts.size(); ++r) {
      for (size_t j = 0; j < table.counts[r]; ++j) visit(r, table.entries[r * per_row + j]);
    }
  }
  std::vector<size_t> starts;
  std::vector<Posting> list;
};

class ExactSparse final : public SparseAssigner {
 public:
  ExactSparse(const SparseVectors& representatives, size_t dims)
      : table_(representatives), postings_(table_, representatives.per_row, dims) {
    // Values are not negative, so of the representatives that share no feature with a row the shortest is nearest.
    shortest_ = std::min_element(table_.squares.begin(), table_.squares.end()) - table_.squares.begin();
  }

  void assign(const SparseVectors& rows, size_t threads, uint32_t* nearest, float* distances) const override {
    parallel(rows.rows, threads, [&](size_t first, size_t last) {
      std::vector<Entry> entries(rows.per_row);
      std::vector<double> dots(table_.squares.size(), 0.0);
      std::vector<uint32_t> touched(table_.squares.size() + 1);
      for (size_t row = first; row < last; ++row) {
        const size_t count = sorted_entries(rows, row, entries.data());
        const Near<double> best = nearest_of(entries.data(), count, dots.data(), touched.data());
        nearest[row] = best.representative;
        distances[row] = static_cast<float>(std::max(0.0, square(entries.data(), count) + best.distance));
      }
    });
  }

 private:
  // dots: a zero per representative, and left so.
  Near<double> nearest_of(const Entry* entries, size_t count, double* dots, uint32_t* touched) const {
    size_t touches = 0;
    for (size_t j = 0; j < count; ++j) {
      const double value = entries[j].value;
      for (size_t p = postings_.starts[entries[j].id]; p < postings_.starts[entries[j].id + 1]; ++p) {
        const uint32_t r = postings_.list[p].representative;
        touched[touches] = r;
        touches += dots[r] == 0;
        dots[r] += value * postings_.list[p].value;
      }
    }
    Near<double> best{table_.squares[shortest_], static_cast<uint32_t>(shortest_)};
    for (size_t t = 0; t < touches; ++t) {
      best = std::min(best, {table_.squares[touched[t]] - 2 * dots[touched[t]], touched[t]});
      dots[touched[t]] = 0;
    }
    return best;
  }

  SparseTable table_;
  Postings postings_;
  size_t shortest_;
};

} // namespace

std::unique_ptr<SparseAssigner> sparse_assigner(const SparseVectors& representatives, size_t dims,
                                                const AssignTree* tree, size_t threads) {
  if (tree != nullptr) return sparse_tree_assigner(representatives, dims, *tree, threads);
  return std::make_unique<ExactSparse>(representatives, dims);
}

} // namespace farsight
