// Nearest representatives.
//
// Sparse distances are |x|^2 + |r|^2 - 2 x.r in double, the sums over ascending ids, so that posting lists (one
// feature after the other) and the tree (one representative after the other) give the same bits. Dense distances
// are kernels().panel_distance, in float over ascending dimensions.
#include "assign.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels.h"
#include "parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace farsight {

namespace {

struct Entry {
  uint32_t id;
  float value;
};

// The non-zero entries of a row by ascending id; returns how many.
size_t sorted_entries(const SparseVectors& vectors, size_t row, Entry* entries) {
  size_t count = 0;
  for (size_t j = row * vectors.per_row; j < (row + 1) * vectors.per_row; ++j) {
    if (vectors.values[j] != 0) entries[count++] = {vectors.ids[j], vectors.values[j]};
  }
  std::sort(entries, entries + count, [](const Entry& a, const Entry& b) { return a.id < b.id; });
  return count;
}

double square(const Entry* entries, size_t count) {
  double sum = 0;
  for (size_t j = 0; j < count; ++j) sum += double(entries[j].value) * double(entries[j].value);
  return sum;
}

// A representative and its distance, or what orders as the distance does; less is nearer, ties to the lower one.
template <typename Distance>
struct Near {
  Distance distance;
  uint32_t representative;
  bool operator<(const Near& other) const {
    return distance < other.distance || (distance == other.distance && representative < other.representative);
  }
};

// Sparse representatives, row-major, each by ascending id, with their squared norms.
struct SparseTable {
  explicit SparseTable(const SparseVectors& vectors)
      : entries(vectors.rows * vectors.per_row), counts(vectors.rows), squares(vectors.rows) {
    for (size_t r = 0; r < vectors.rows; ++r) {
      Entry* row = entries.data() + r * vectors.per_row;
      counts[r] = static_cast<uint32_t>(sorted_entries(vectors, r, row));
      squares[r] = square(row, counts[r]);
    }
  }
  std::vector<Entry> entries;
  std::vector<uint32_t> counts;
  std::vector<double> squares;
};

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

// Rows of sq8 codes as floats.
void decode(const Sq8Vectors& vectors, size_t row, float* out) {
  const uint8_t* codes = vectors.codes + row * vectors.dims;
  for (size_t d = 0; d < vectors.dims; ++d) out[d] = vectors.offset[d] + vectors.step[d] * static_cast<float>(codes[d]);
}

// Writes row `from` of `vectors` as lane `lane` of a panel; a lane without a row is infinitely far away.
constexpr float kFar = std::numeric_limits<float>::infinity();
void set_lane(float* panel, size_t lane, const float* row, size_t dims) {
  for (size_t d = 0; d < dims; ++d) panel[d * kLanes + lane] = row ? row[d] : kFar;
}

// out[16 * q + r]: kernels().panel_distance for kPanelRows queries, `dims` floats apart, at once: one load of a panel
// row serves them all.
constexpr size_t kPanelRows = 8;
using PanelDistances = void (*)(const float* panel, const float* queries, size_t dims, float* out);

void panel_distances_any(const float* panel, const float* queries, size_t dims, float* out) {
  for (size_t q = 0; q < kPanelRows; ++q) kernels().panel_distance(panel, queries + q * dims, dims, out + q * kLanes);
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void panel_distances_avx512(const float* panel, const float* queries, size_t dims,
                                                               float* out) {
  __m512 sums[kPanelRows];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  for (size_t d = 0; d < dims; ++d) {
    const __m512 row = _mm512_loadu_ps(panel + d * kLanes);
#pragma GCC unroll 8
    for (size_t q = 0; q < kPanelRows; ++q) {
      const __m512 difference = _mm512_sub_ps(row, _mm512_set1_ps(queries[q * dims + d]));
      sums[q] = _mm512_fmadd_ps(difference, difference, sums[q]);
    }
  }
  for (size_t q = 0; q < kPanelRows; ++q) _mm512_storeu_ps(out + q * kLanes, sums[q]);
}

__attribute__((target("avx2,fma"))) void panel_distances_avx2(const float* panel, const float* queries, size_t dims,
                                                              float* out) {
  // Four queries by two halves of a panel row: eight sums stay in registers.
  for (size_t first = 0; first < kPanelRows; first += 4, queries += 4 * dims, out += 4 * kLanes) {
    __m256 sums[8];
    for (__m256& sum : sums) sum = _mm256_setzero_ps();
    for (size_t d = 0; d < dims; ++d) {
      const __m256 low = _mm256_loadu_ps(panel + d * kLanes), high = _mm256_loadu_ps(panel + d * kLanes + 8);
#pragma GCC unroll 4
      for (size_t q = 0; q < 4; ++q) {
        const __m256 value = _mm256_set1_ps(queries[q * dims + d]);
        const __m256 l = _mm256_sub_ps(low, value), h = _mm256_sub_ps(high, value);
        sums[2 * q] = _mm256_fmadd_ps(l, l, sums[2 * q]);
        sums[2 * q + 1] = _mm256_fmadd_ps(h, h, sums[2 * q + 1]);
      }
    }
    for (size_t s = 0; s < 8; ++s) _mm256_storeu_ps(out + 8 * s, sums[s]);
  }
}
#endif

PanelDistances panel_distances() {
#if defined(__x86_64__)
  if (std::strcmp(kernels().isa, "avx512") == 0) return panel_distances_avx512;
  if (std::strcmp(kernels().isa, "avx2") == 0) return panel_distances_avx2;
#endif
  return panel_distances_any;
}

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

void nearest_exact(const SparseVectors& rows, const SparseVectors& representatives, size_t dims, size_t threads,
                   uint32_t* nearest, float* distances) {
  const SparseTable table(representatives);
  const Postings postings(table, representatives.per_row, dims);
  // Values are not negative, so of the representatives that share no feature with a row the shortest is nearest.
  const size_t shortest = std::min_element(table.squares.begin(), table.squares.end()) - table.squares.begin();
  parallel(rows.rows, threads, [&](size_t first, size_t last) {
    std::vector<Entry> entries(rows.per_row);
    std::vector<double> dots(representatives.rows, 0.0);
    std::vector<uint32_t> touched(representatives.rows + 1);
    for (size_t row = first; row < last; ++row) {
      const size_t count = sorted_entries(rows, row, entries.data());
      size_t touches = 0;
      for (size_t j = 0; j < count; ++j) {
        const double value = entries[j].value;
        for (size_t p = postings.starts[entries[j].id]; p < postings.starts[entries[j].id + 1]; ++p) {
          const uint32_t r = postings.list[p].representative;
          touched[touches] = r;
          touches += dots[r] == 0;
          dots[r] += value * postings.list[p].value;
        }
      }
      Near<double> best{table.squares[shortest], static_cast<uint32_t>(shortest)};
      for (size_t t = 0; t < touches; ++t) {
        best = std::min(best, {table.squares[touched[t]] - 2 * dots[touched[t]], touched[t]});
        dots[touched[t]] = 0;
      }
      nearest[row] = best.representative;
      distances[row] = static_cast<float>(std::max(0.0, square(entries.data(), count) + best.distance));
    }
  });
}

void nearest_exact(const Sq8Vectors& rows, const float* representatives, size_t count, size_t threads,
                   uint32_t* nearest, float* distances) {
  const size_t dims = rows.dims;
  const size_t panels = (count + kLanes - 1) / kLanes;
  std::vector<float> panel_values(panels * kLanes * dims);
  for (size_t r = 0; r < panels * kLanes; ++r) {
    set_lane(panel_values.data() + r / kLanes * kLanes * dims, r % kLanes,
             r < count ? representatives + r * dims : nullptr, dims);
  }
  // As many rows at a time as 128 KiB hold, so that rows and panel stay in a level 2 cache.
  const size_t block = std::clamp<size_t>(131072 / (dims * sizeof(float)) / kPanelRows, 1, 16) * kPanelRows;
  const PanelDistances measure = panel_distances();
  parallel(rows.rows, threads, [&](size_t first, size_t last) {
    std::vector<float> queries(block * dims);
    std::vector<float> best(block * kLanes);
    std::vector<uint32_t> best_panel(block * kLanes);
    float found[kPanelRows * kLanes];
    for (size_t begin = first; begin < last; begin += block) {
      const size_t here = std::min(block, last - begin);
      for (size_t q = 0; q < here; ++q) decode(rows, begin + q, queries.data() + q * dims);
      std::fill(best.begin(), best.end(), kFar);
      std::fill(best_panel.begin(), best_panel.end(), 0u);
      for (size_t p = 0; p < panels; ++p) {
        // The last group may hold rows of an earlier block: measured, not used.
        for (size_t group = 0; group < here; group += kPanelRows) {
          measure(panel_values.data() + p * kLanes * dims, queries.data() + group * dims, dims, found);
          float* lane_best = best.data() + group * kLanes;
          uint32_t* lane_panel = best_panel.data() + group * kLanes;
          for (size_t i = 0; i < kPanelRows * kLanes; ++i) {
            lane_panel[i] = found[i] < lane_best[i] ? static_cast<uint32_t>(p) : lane_panel[i];
            lane_best[i] = found[i] < lane_best[i] ? found[i] : lane_best[i];
          }
        }
      }
      for (size_t q = 0; q < here; ++q) {
        Near<float> row_best{kFar, 0};
        for (size_t i = q * kLanes; i < (q + 1) * kLanes; ++i) {
          row_best = std::min(row_best, {best[i], static_cast<uint32_t>(best_panel[i] * kLanes + i % kLanes)});
        }
        nearest[begin + q] = row_best.representative;
        distances[begin + q] = row_best.distance;
      }
    }
  });
}

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
