// Dense assignment by groups of representatives: the nearest groups of every row, the visits sorted by group, and then
// group after group the distances of its visitors to its members, eight rows at a time. Distances are those of exact
// assignment, so the answer is the exact one among the groups visited.
#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "assign-groups.h"
#include "assign-rows.h"
#include "assign-tree.h"
#include "dense-nodes.h"
#include "distinct-rows.h"
#include "panel-distances.h"

namespace farsight {

namespace {

// Visits of rows to groups held at a time: what bounds the memory of a chunk.
constexpr size_t kVisits = size_t{1} << 23;

Distinct distinct_vectors(const float* values, size_t count, size_t dims) {
  const auto hash = [&](size_t row) {
    uint64_t hash = 0;
    for (size_t d = 0; d < dims; ++d) {
      hash = (hash ^ std::bit_cast<uint32_t>(values[row * dims + d])) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 29;
    }
    return hash;
  };
  const auto same = [&](size_t a, size_t b) {
    return std::memcmp(values + a * dims, values + b * dims, dims * sizeof(float)) == 0;
  };
  return distinct_rows(count, 1, hash, same);
}

std::vector<float> rows_of(const float* values, size_t dims, const std::vector<uint32_t>& rows) {
  std::vector<float> out(rows.size() * dims);
  for (size_t r = 0; r < rows.size(); ++r) std::copy_n(values + rows[r] * dims, dims, out.data() + r * dims);
  return out;
}

template <typename AfterPass>
Groups groups_of(const std::vector<float>& values, size_t dims, const AssignTree& tree, size_t threads,
                 const AfterPass& after_pass) {
  const auto read = [&](size_t row, float* out) { std::copy_n(values.data() + row * dims, dims, out); };
  return lloyd_groups(
      values.size() / dims, tree.nodes, tree.seed, threads,
      [&](const Groups& groups) {
        return std::make_unique<DenseNodes>(values, dims, groups.members, groups.starts, threads);
      },
      [&](const DenseNodes& nodes, size_t first, size_t last, uint16_t* found) {
        nodes.search(read, first, last, 1, found);
      },
      after_pass);
}

class DenseTree final : public DenseAssigner {
 public:
  DenseTree(const float* representatives, size_t count, size_t dims, const AssignTree& tree, size_t threads)
      : dims_(dims), numbers_(distinct_vectors(representatives, count, dims).rows) {
    const std::vector<float> values = rows_of(representatives, dims, numbers_);
    groups_ = groups_of(values, dims, tree, threads, [] {});
    nodes_ = std::make_unique<DenseNodes>(values, dims, groups_.members, groups_.starts, threads);
    beam_ = std::min<size_t>(tree.beam, groups_.count());
    fill_panels(values, threads);
  }

  void assign(const Sq8Vectors& rows, size_t threads, uint32_t* nearest, float* distances) const override {
    const size_t chunk = std::max<size_t>(1, kVisits / beam_);
    for (size_t first = 0; first < rows.rows; first += chunk) {
      const size_t here = std::min(chunk, rows.rows - first);
      assign_chunk({rows.codes + first * dims_, rows.offset, rows.step, here, dims_}, threads, nearest + first,
                   distances + first);
    }
  }

 private:
  // Every group in panels of its own, so that a visit reads memory in order.
  void fill_panels(const std::vector<float>& values, size_t threads) {
    panel_starts_.push_back(0);
    for (size_t g = 0; g < groups_.count(); ++g) {
      panel_starts_.push_back(panel_starts_.back() + (groups_.starts[g + 1] - groups_.starts[g] + kLanes - 1) / kLanes);
    }
    panels_.resize(panel_starts_.back() * kLanes * dims_);
    parallel(groups_.count(), threads, [&](size_t first, size_t last) {
      for (size_t g = first; g < last; ++g) {
        const size_t size = groups_.starts[g + 1] - groups_.starts[g];
        for (size_t l = 0; l < (panel_starts_[g + 1] - panel_starts_[g]) * kLanes; ++l) {
          const float* row = l < size ? values.data() + groups_.members[groups_.starts[g] + l] * dims_ : nullptr;
          set_lane(panels_.data() + (panel_starts_[g] + l / kLanes) * kLanes * dims_, l % kLanes, row, dims_);
        }
      }
    });
  }

  void assign_chunk(const Sq8Vectors& rows, size_t threads, uint32_t* nearest, float* distances) const {
    std::vector<uint16_t> visited(rows.rows * beam_);
    const auto read = [&](size_t row, float* out) { decode(rows, row, out); };
    parallel(rows.rows, threads, [&](size_t first, size_t last) {
      nodes_->search(read, first, last, beam_, visited.data() + first * beam_);
    });
    const Visits visits = visits_by_group(visited, groups_.count(), threads);
    std::vector<Near<float>> found(visited.size());
    each_in_turn(
        groups_.count(), threads, [&] { return std::vector<float>(kPanelRows * dims_); },
        [&](std::vector<float>& queries, size_t g) {
          for (size_t v = visits.starts[g]; v < visits.starts[g + 1]; v += kPanelRows) {
            const size_t here = std::min<size_t>(kPanelRows, visits.starts[g + 1] - v);
            for (size_t q = 0; q < here; ++q) decode(rows, visits.order[v + q] / beam_, queries.data() + q * dims_);
            visit(g, queries.data(), here, visits.order.data() + v, found.data());
          }
        });
    parallel(rows.rows, threads, [&](size_t first, size_t last) {
      for (size_t row = first; row < last; ++row) {
        const Near<float> best = *std::min_element(found.begin() + row * beam_, found.begin() + (row + 1) * beam_);
        nearest[row] = best.representative;
        distances[row] = best.distance;
      }
    });
  }

  // found[visits[q]] = the nearest member of group g to query q, for `here` of kPanelRows queries.
  void visit(size_t g, const float* queries, size_t here, const uint32_t* visits, Near<float>* found) const {
    const PanelDistances measure = panel_distances();
    float distances[kPanelRows * kLanes];
    float best[kPanelRows * kLanes];
    uint32_t best_panel[kPanelRows * kLanes] = {};
    std::fill_n(best, kPanelRows * kLanes, kFar);
    for (size_t p = panel_starts_[g]; p < panel_starts_[g + 1]; ++p) {
      measure(panels_.data() + p * kLanes * dims_, queries, dims_, distances);
      for (size_t i = 0; i < kPanelRows * kLanes; ++i) {
        best_panel[i] = distances[i] < best[i] ? static_cast<uint32_t>(p - panel_starts_[g]) : best_panel[i];
        best[i] = distances[i] < best[i] ? distances[i] : best[i];
      }
    }
    const uint32_t* members = groups_.members.data() + groups_.starts[g];
    for (size_t q = 0; q < here; ++q) {
      // A distance past the largest float is no nearer than the first representative's, as exact assignment has it.
      Near<float> nearest{kFar, 0};
      for (size_t i = q * kLanes; i < (q + 1) * kLanes; ++i) {
        if (best[i] < kFar) nearest = std::min(nearest, {best[i], numbers_[members[best_panel[i] * kLanes + i % kLanes]]});
      }
      found[visits[q]] = nearest;
    }
  }

  size_t dims_;
  std::vector<uint32_t> numbers_; // of the distinct representatives
  Groups groups_;                 // of places in numbers_
  std::unique_ptr<DenseNodes> nodes_;
  std::vector<size_t> panel_starts_;
  std::vector<float> panels_;
  size_t beam_ = 1;
};

} // namespace

std::unique_ptr<DenseAssigner> dense_tree_assigner(const float* representatives, size_t count, size_t dims,
                                                   const AssignTree& tree, size_t threads) {
  return std::make_unique<DenseTree>(representatives, count, dims, tree, threads);
}

size_t dense_groups(const float* values, size_t count, size_t dims, const AssignTree& tree, size_t threads,
                    uint32_t* groups, const OnPass& on_pass) {
  const Distinct kinds = distinct_vectors(values, count, dims);
  const std::vector<float> rows = rows_of(values, dims, kinds.rows);
  const auto divide = [&](const std::vector<float>& some, size_t nodes, size_t own_threads, const auto& after_pass) {
    return groups_of(some, dims, {static_cast<uint32_t>(nodes), 1, tree.seed}, own_threads, after_pass);
  };
  const Groups found = nested_groups(
      kinds.rows.size(), tree.nodes, threads,
      [&](size_t nodes, const auto& after_pass) { return divide(rows, nodes, threads, after_pass); },
      [&](const std::vector<uint32_t>& members, size_t nodes) {
        return divide(rows_of(rows.data(), dims, members), nodes, 1, [] {});
      },
      on_pass);
  write_groups(found, kinds.kind_of, groups);
  return found.count();
}

} // namespace farsight
