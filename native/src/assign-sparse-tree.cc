// Sparse assignment by groups of representatives. A chunk of rows goes through four steps, each over all threads:
// the nearest groups of every row, the visits sorted by group, one panel per group that scores all its visitors, and
// for every row the exact distance of the few representatives that the scores cannot tell apart.
#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "assign-groups.h"
#include "assign-rows.h"
#include "assign-tree.h"
#include "distinct-rows.h"
#include "sparse-nodes.h"
#include "sparse-panels.h"

namespace farsight {

namespace {

// Visits of rows to groups held at a time: what bounds the memory of a chunk.
constexpr size_t kVisits = size_t{1} << 24;

bool same_entries(const SparseTable& table, size_t a, size_t b) {
  return table.counts[a] == table.counts[b] &&
         std::equal(table.row(a), table.row(a) + table.counts[a], table.row(b), [](const Entry& x, const Entry& y) {
           return x.id == y.id && x.value == y.value;
         });
}

size_t hash_of(const SparseTable& table, size_t row) {
  uint64_t hash = table.counts[row];
  for (size_t j = 0; j < table.counts[row]; ++j) {
    const Entry& entry = table.row(row)[j];
    hash = (hash ^ (uint64_t{entry.id} << 32 | std::bit_cast<uint32_t>(entry.value))) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return hash;
}

Distinct distinct(const SparseTable& table, size_t shares) {
  return distinct_rows(
      table.counts.size(), shares, [&](size_t row) { return hash_of(table, row); },
      [&](size_t a, size_t b) { return same_entries(table, a, b); });
}

SparseTable rows_of(const SparseTable& table, const std::vector<uint32_t>& rows, size_t threads) {
  SparseTable out({nullptr, nullptr, 0, table.per_row});
  out.entries.resize(rows.size() * table.per_row);
  out.counts.resize(rows.size());
  out.squares.resize(rows.size());
  parallel(rows.size(), threads, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      std::copy_n(table.row(rows[i]), table.counts[rows[i]], out.entries.data() + i * table.per_row);
      out.counts[i] = table.counts[rows[i]];
      out.squares[i] = table.squares[rows[i]];
    }
  });
  return out;
}

template <typename AfterPass>
Groups groups_of(const SparseTable& table, const WeighedRows& weighed, size_t dims, const AssignTree& tree,
                 size_t threads, const AfterPass& after_pass) {
  return lloyd_groups(
      table.counts.size(), tree.nodes, tree.seed, threads,
      [&](const Groups& groups) {
        return std::make_unique<SparseNodes>(table, groups.members, groups.starts, dims, threads);
      },
      [&](const SparseNodes& nodes, size_t first, size_t last, uint16_t* found) {
        nodes.search(weighed, first, last, 1, found);
      },
      after_pass);
}

// The members of one group as a panel, built for a batch of visitors.
class GroupPanel {
 public:
  explicit GroupPanel(size_t dims) : map_(dims, kNoRow) {}

  void build(const SparseTable& table, std::span<const uint32_t> members) {
    for (const uint32_t id : features_) map_[id] = kNoRow;
    features_.clear();
    double largest = 0;
    for (const uint32_t member : members) {
      largest = std::max(largest, table.squares[member]);
      for (size_t j = 0; j < table.counts[member]; ++j) {
        const uint32_t id = table.row(member)[j].id;
        if (map_[id] != kNoRow) continue;
        map_[id] = static_cast<uint32_t>(features_.size());
        features_.push_back(id);
      }
    }
    largest_norm_ = static_cast<float>(std::sqrt(largest));
    members_ = members.size();
    lanes_ = (members.size() + kPanelLanes - 1) / kPanelLanes * kPanelLanes;
    panel_.assign((features_.size() + 1) * lanes_, 0);
    for (size_t lane = 0; lane < lanes_; ++lane) {
      // Lanes past the last member repeat the first: never larger than the largest, and not looked at.
      const uint32_t member = members[lane < members.size() ? lane : 0];
      for (size_t j = 0; j < table.counts[member]; ++j) {
        const Entry& entry = table.row(member)[j];
        panel_[map_[entry.id] * lanes_ + lane] = panel_value(entry.value, largest_norm_);
      }
      panel_[features_.size() * lanes_ + lane] = panel_bias(table.squares[member], largest_norm_);
    }
    scores_.resize(lanes_);
    positions_.resize(lanes_);
  }

  float largest_norm() const { return largest_norm_; }
  // The largest score, and the lanes of all that could be nearer than it.
  int16_t score(const WeighedRows& rows, size_t row, std::vector<uint32_t>& panel_rows, std::vector<int16_t>& weights) {
    panel_rows.resize(rows.count(row) + 1);
    weights.resize(rows.count(row) + 1);
    const size_t count = rows.weigh(row, largest_norm_, map_.data(), static_cast<uint32_t>(features_.size()),
                                    panel_rows.data(), weights.data());
    const PanelKernels& panels = panel_kernels();
    const int16_t largest =
        panels.panel_scores(panel_.data(), lanes_, panel_rows.data(), weights.data(), count, scores_.data());
    const int32_t margin = static_cast<int32_t>(std::ceil(2 * score_error(rows.count(row))));
    found_ = panels.panel_select(scores_.data(), lanes_, static_cast<int16_t>(std::max(-32768, largest - margin)),
                                 positions_.data());
    while (found_ > 0 && positions_[found_ - 1] >= members_) --found_;
    return largest;
  }
  std::span<const uint32_t> found() const { return {positions_.data(), found_}; }

 private:
  std::vector<uint32_t> map_, features_;
  std::vector<int16_t> panel_, scores_;
  std::vector<uint32_t> positions_;
  float largest_norm_ = 0;
  size_t members_ = 0, lanes_ = 0, found_ = 0;
};

// What a visit to a group found: its largest score and the lanes that could be the nearest.
struct Found {
  static constexpr size_t kKept = 4;
  static constexpr size_t kMostLanes = 65536; // a larger group is looked at whole, as one with more than kKept

  int16_t largest;
  uint16_t count; // more than kKept: all members are looked at
  uint16_t lanes[kKept];
};

class SparseTree final : public SparseAssigner {
 public:
  SparseTree(const SparseVectors& representatives, size_t dims, const AssignTree& tree, size_t threads)
      : dims_(dims), table_({nullptr, nullptr, 0, representatives.per_row}) {
    {
      const SparseTable all(representatives, threads);
      numbers_ = distinct(all, 1).rows;
      table_ = rows_of(all, numbers_, threads);
    }
    const WeighedRows weighed(table_, threads);
    groups_ = groups_of(table_, weighed, dims, tree, threads, [] {});
    nodes_ = std::make_unique<SparseNodes>(table_, groups_.members, groups_.starts, dims, threads);
    beam_ = std::min<size_t>(tree.beam, groups_.count());
    for (size_t g = 0; g < groups_.count(); ++g) {
      double largest = 0;
      for (const uint32_t member : members(g)) largest = std::max(largest, table_.squares[member]);
      largest_norms_.push_back(static_cast<float>(std::sqrt(largest)));
    }
  }

  void assign(const SparseVectors& rows, size_t threads, uint32_t* nearest, float* distances) const override {
    if (rows.per_row > kMaxPanelFeatures) {
      throw std::invalid_argument("rows: expected at most " + std::to_string(kMaxPanelFeatures) +
                                  " features a row with a tree, got " + std::to_string(rows.per_row));
    }
    const size_t chunk = std::max<size_t>(1, kVisits / beam_);
    for (size_t first = 0; first < rows.rows; first += chunk) {
      const size_t here = std::min(chunk, rows.rows - first);
      assign_chunk({rows.ids + first * rows.per_row, rows.values + first * rows.per_row, here, rows.per_row}, threads,
                   nearest + first, distances + first);
    }
  }

 private:
  std::span<const uint32_t> members(size_t g) const {
    return std::span(groups_.members).subspan(groups_.starts[g], groups_.starts[g + 1] - groups_.starts[g]);
  }

  void assign_chunk(const SparseVectors& rows, size_t threads, uint32_t* nearest, float* distances) const {
    const SparseTable all(rows, threads);
    const Distinct kinds = distinct(all, threads);
    const SparseTable table = rows_of(all, kinds.rows, threads);
    const WeighedRows weighed(table, threads);
    const size_t count = kinds.rows.size();
    std::vector<uint16_t> visited(count * beam_);
    parallel(count, threads, [&](size_t first, size_t last) {
      nodes_->search(weighed, first, last, beam_, visited.data() + first * beam_);
    });
    const std::vector<Found> found = visit_all(weighed, visited, threads);
    std::vector<Near<double>> best(count);
    parallel(count, threads, [&](size_t first, size_t last) { decide(table, weighed, visited, found, first, last, best.data()); });
    for (size_t i = 0; i < rows.rows; ++i) {
      const size_t kind = kinds.kind_of[i];
      nearest[i] = best[kind].representative;
      distances[i] = static_cast<float>(std::max(0.0, table.squares[kind] + best[kind].distance));
    }
  }

  std::vector<Found> visit_all(const WeighedRows& weighed, const std::vector<uint16_t>& visited, size_t threads) const {
    const Visits visits = visits_by_group(visited, groups_.count(), threads);
    std::vector<Found> found(visited.size());
    struct Own {
      GroupPanel panel;
      std::vector<uint32_t> rows;
      std::vector<int16_t> weights;
    };
    each_in_turn(
        groups_.count(), threads, [&] { return Own{GroupPanel(dims_), {}, {}}; },
        [&](Own& own, size_t g) {
          if (visits.starts[g] == visits.starts[g + 1]) return;
          own.panel.build(table_, members(g));
          for (size_t v = visits.starts[g]; v < visits.starts[g + 1]; ++v) {
            Found& here = found[visits.order[v]];
            here.largest = own.panel.score(weighed, visits.order[v] / beam_, own.rows, own.weights);
            const auto lanes = own.panel.found();
            const bool whole = members(g).size() > Found::kMostLanes || lanes.size() > Found::kKept;
            here.count = static_cast<uint16_t>(whole ? Found::kKept + 1 : lanes.size());
            std::copy_n(lanes.begin(), std::min(lanes.size(), Found::kKept), here.lanes);
          }
        });
    return found;
  }

  // The nearest of what the visits of rows [first, last) found.
  void decide(const SparseTable& table, const WeighedRows& weighed, const std::vector<uint16_t>& visited,
              const std::vector<Found>& found, size_t first, size_t last, Near<double>* best) const {
    std::vector<float> query(dims_, 0.0f);
    for (size_t row = first; row < last; ++row) {
      const float error = score_error(weighed.count(row));
      const auto unit = [&](size_t v) { return weighed.unit(row, largest_norms_[visited[v]]); };
      float reached = -std::numeric_limits<float>::infinity();
      for (size_t v = row * beam_; v < (row + 1) * beam_; ++v) {
        reached = std::max(reached, (static_cast<float>(found[v].largest) - error) * unit(v));
      }
      for (size_t j = 0; j < table.counts[row]; ++j) query[table.row(row)[j].id] = table.row(row)[j].value;
      Near<double> nearest{std::numeric_limits<double>::infinity(), 0};
      for (size_t v = row * beam_; v < (row + 1) * beam_; ++v) {
        if ((static_cast<float>(found[v].largest) + error) * unit(v) < reached) continue;
        const auto group = members(visited[v]);
        const auto consider = [&](size_t lane) { nearest = std::min(nearest, exact(query.data(), group[lane])); };
        if (found[v].count > Found::kKept) {
          for (size_t lane = 0; lane < group.size(); ++lane) consider(lane);
        } else {
          for (size_t k = 0; k < found[v].count; ++k) consider(found[v].lanes[k]);
        }
      }
      for (size_t j = 0; j < table.counts[row]; ++j) query[table.row(row)[j].id] = 0;
      best[row] = nearest;
    }
  }

  // As posting lists compute it, |x|^2 apart.
  Near<double> exact(const float* query, size_t kind) const {
    const Entry* row = table_.row(kind);
    double dot = 0;
    for (size_t j = 0; j < table_.counts[kind]; ++j) dot += double(query[row[j].id]) * double(row[j].value);
    return {table_.squares[kind] - 2 * dot, numbers_[kind]};
  }

  size_t dims_;
  SparseTable table_;             // distinct representatives
  std::vector<uint32_t> numbers_; // their numbers
  Groups groups_;
  std::vector<float> largest_norms_; // of each group's members
  std::unique_ptr<SparseNodes> nodes_;
  size_t beam_ = 1;
};

} // namespace

std::unique_ptr<SparseAssigner> sparse_tree_assigner(const SparseVectors& representatives, size_t dims,
                                                     const AssignTree& tree, size_t threads) {
  return std::make_unique<SparseTree>(representatives, dims, tree, threads);
}

size_t sparse_groups(const SparseVectors& vectors, size_t dims, const AssignTree& tree, size_t threads,
                     uint32_t* groups, const OnPass& on_pass) {
  const SparseTable all(vectors, threads);
  const Distinct kinds = distinct(all, 1);
  const SparseTable table = rows_of(all, kinds.rows, threads);
  const auto divide = [&](const SparseTable& rows, size_t nodes, size_t own_threads, const auto& after_pass) {
    const AssignTree own{static_cast<uint32_t>(nodes), 1, tree.seed};
    return groups_of(rows, WeighedRows(rows, own_threads), dims, own, own_threads, after_pass);
  };
  const Groups found = nested_groups(
      kinds.rows.size(), tree.nodes, threads,
      [&](size_t nodes, const auto& after_pass) { return divide(table, nodes, threads, after_pass); },
      [&](const std::vector<uint32_t>& members, size_t nodes) {
        return divide(rows_of(table, members, 1), nodes, 1, [] {});
      },
      on_pass);
  write_groups(found, kinds.kind_of, groups);
  return found.count();
}

} // namespace farsight
