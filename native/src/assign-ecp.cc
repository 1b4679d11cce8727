// Nearest representatives by the tree of eCP: nodes are representatives, linked to their nearest parent.
#include "assign.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "assign-rows.h"
#include "kernels.h"
#include "parallel.h"

namespace farsight {

namespace {

// The tree as lists: nodes of level l are [first[l], first[l + 1]), numbered through; children of node n, by
// ascending number, are children[starts[n - first[1]] .. starts[n - first[1] + 1]).
struct Levels {
  explicit Levels(const Tree& tree) : tree(tree), first{0} {
    for (const uint32_t size : tree.level_sizes) first.push_back(first.back() + size);
    const size_t levels = tree.level_sizes.size();
    starts.assign(first[levels] - first[1] + 1, 0);
    const auto for_each = [&](const auto& visit) {
      for (size_t l = 0; l + 1 < levels; ++l) {
        for (size_t n = first[l]; n < first[l + 1]; ++n) visit(n, first[l + 1] + tree.parents[n] - first[1]);
      }
    };
    for_each([&](size_t, size_t parent) { ++starts[parent + 1]; });
    for (size_t p = 0; p + 1 < starts.size(); ++p) starts[p + 1] += starts[p];
    std::vector<size_t> next(starts.begin(), starts.end() - 1);
    children.resize(starts.back());
    for_each([&](size_t n, size_t parent) { children[next[parent]++] = n; });
  }
  uint32_t representative(size_t node) const {
    return node < first[1] ? static_cast<uint32_t>(node) : tree.nodes[node - first[1]];
  }
  std::span<const size_t> below(size_t node) const {
    const size_t p = node - first[1];
    return std::span(children).subspan(starts[p], starts[p + 1] - starts[p]);
  }

  const Tree& tree;
  std::vector<size_t> first;
  std::vector<size_t> starts;
  std::vector<size_t> children;
};

// One descent: measure(parent, offer) offers (distance, node) for each child of a node, for the top level's nodes when
// parent is kRoot. Keeps the nearest `beam` nodes a level; where those kept have no children the nearest is the answer.
constexpr size_t kRoot = std::numeric_limits<size_t>::max();
template <typename Distance>
struct Candidate {
  Near<Distance> near;
  size_t node;
  bool operator<(const Candidate& other) const { return near < other.near; }
};

template <typename Distance, typename Measure>
Near<Distance> descend(const Levels& levels, const Measure& measure, std::vector<Candidate<Distance>>& kept,
                       std::vector<Candidate<Distance>>& found) {
  const size_t beam = std::max<size_t>(levels.tree.beam, 1);
  const auto offer = [&](Distance distance, size_t node) {
    found.push_back({{distance, levels.representative(node)}, node});
  };
  found.clear();
  measure(kRoot, offer);
  Near<Distance> nearest = found.front().near;
  while (!found.empty()) {
    if (found.size() > beam) {
      std::nth_element(found.begin(), found.begin() + (beam - 1), found.end());
      found.resize(beam);
    }
    nearest = std::min_element(found.begin(), found.end())->near;
    kept.swap(found);
    found.clear();
    for (const Candidate<Distance>& candidate : kept) {
      if (candidate.node >= levels.first[1]) measure(candidate.node, offer);
    }
  }
  return nearest;
}

// The nodes of the tree that are measured together: the children of one node, or the top level.
template <typename Visit>
void for_each_child(const Levels& levels, size_t parent, const Visit& visit) {
  if (parent != kRoot) {
    for (const size_t node : levels.below(parent)) visit(node);
  } else {
    for (size_t node = levels.first[levels.first.size() - 2]; node < levels.first.back(); ++node) visit(node);
  }
}

// Children in panels of 16, those of one node together, so that a step down reads memory in order.
struct ChildPanels {
  ChildPanels(const Levels& levels, const float* representatives, size_t dims) : dims(dims) {
    const size_t inner = levels.first.back() - levels.first[1];
    for (size_t p = 0; p <= inner; ++p) {
      starts.push_back(nodes.size());
      for_each_child(levels, p < inner ? levels.first[1] + p : kRoot, [&](size_t node) { nodes.push_back(node); });
      nodes.resize((nodes.size() + kLanes - 1) / kLanes * kLanes, kRoot);
    }
    starts.push_back(nodes.size());
    panels.resize(nodes.size() * dims);
    for (size_t i = 0; i < nodes.size(); ++i) {
      const float* row = nodes[i] == kRoot ? nullptr : representatives + levels.representative(nodes[i]) * dims;
      set_lane(panels.data() + i / kLanes * kLanes * dims, i % kLanes, row, dims);
    }
  }
  size_t dims;
  std::vector<size_t> starts; // by inner node, the root last; multiples of 16
  std::vector<size_t> nodes;  // kRoot pads
  std::vector<float> panels;
};

} // namespace

void nearest_tree(const SparseVectors& rows, const SparseVectors& representatives, size_t dims, const Tree& tree,
                  size_t threads, uint32_t* nearest, float* distances) {
  const SparseTable table(representatives);
  const Levels levels(tree);
  parallel(rows.rows, threads, [&](size_t first, size_t last) {
    std::vector<Entry> entries(rows.per_row);
    std::vector<float> query(dims, 0.0f);
    std::vector<Candidate<double>> kept, found;
    const auto measure = [&](size_t parent, const auto& offer) {
      for_each_child(levels, parent, [&](size_t node) {
        const size_t r = levels.representative(node);
        const Entry* row = table.entries.data() + r * representatives.per_row;
        double dot = 0;
        for (size_t j = 0; j < table.counts[r]; ++j) dot += double(query[row[j].id]) * double(row[j].value);
        offer(table.squares[r] - 2 * dot, node);
      });
    };
    for (size_t row = first; row < last; ++row) {
      const size_t count = sorted_entries(rows, row, entries.data());
      for (size_t j = 0; j < count; ++j) query[entries[j].id] = entries[j].value;
      const Near<double> best = descend<double>(levels, measure, kept, found);
      for (size_t j = 0; j < count; ++j) query[entries[j].id] = 0;
      nearest[row] = best.representative;
      distances[row] = static_cast<float>(std::max(0.0, square(entries.data(), count) + best.distance));
    }
  });
}

void nearest_tree(const Sq8Vectors& rows, const float* representatives, const Tree& tree, size_t threads,
                  uint32_t* nearest, float* distances) {
  const Levels levels(tree);
  const ChildPanels panels(levels, representatives, rows.dims);
  parallel(rows.rows, threads, [&](size_t first, size_t last) {
    std::vector<float> query(rows.dims);
    std::vector<Candidate<float>> kept, found;
    const auto measure = [&](size_t parent, const auto& offer) {
      const size_t p = parent == kRoot ? panels.starts.size() - 2 : parent - levels.first[1];
      for (size_t i = panels.starts[p]; i < panels.starts[p + 1]; i += kLanes) {
        float lanes[kLanes];
        kernels().panel_distance(panels.panels.data() + i * rows.dims, query.data(), rows.dims, lanes);
        for (size_t l = 0; l < kLanes && panels.nodes[i + l] != kRoot; ++l) offer(lanes[l], panels.nodes[i + l]);
      }
    };
    for (size_t row = first; row < last; ++row) {
      decode(rows, row, query.data());
      const Near<float> best = descend<float>(levels, measure, kept, found);
      nearest[row] = best.representative;
      distances[row] = best.distance;
    }
  });
}

} // namespace farsight
