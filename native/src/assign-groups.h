// Groups of vectors by seeded Lloyd passes, and the work of a chunk of rows in the order of the groups they visit.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "assign.h"
#include "parallel.h"

namespace farsight {

// Group g holds members[starts[g] .. starts[g + 1]), ascending.
struct Groups {
  std::vector<uint32_t> members;
  std::vector<uint32_t> starts;
  size_t count() const { return starts.size() - 1; }
};

// `count` numbers below `total`, ascending, by a generator of their own (splitmix64; Knuth, TAOCP 2, algorithm S).
std::vector<uint32_t> seeded_sample(size_t count, size_t total, uint64_t seed);

// Numbers 0 .. of.size() - 1 by what they belong to; numbers below `groups`, empty groups left out.
Groups grouped(const std::vector<uint16_t>& of, size_t groups);

// The square root, to the nearest whole number and no less than 1.
size_t root_of(size_t number);

// groups[i] = the group of vector i, kind_of[i] being the member that it is equal to.
void write_groups(const Groups& found, const std::vector<uint32_t>& kind_of, uint32_t* groups);

// The groups with those of more than kOverfull times their mean size divided: as many of their members as would bring
// them down to it are taken out, evenly, to be groups of their own that the next pass fills. At most `most` groups.
inline constexpr size_t kOverfull = 2;
Groups divided(const Groups& groups, size_t most);

// Lloyd passes over `rows` vectors from `nodes` of them: nodes_of(groups) makes means, nearest(means, first, last, out)
// finds the nearest of them. Few passes do: what matters is that a group's members lie together. The first passes
// divide over-full groups: a dense region has most of the visitors too, so a large group costs by the square of its size.
inline constexpr int kGroupPasses = 6;
inline constexpr int kDividingPasses = 4;
inline constexpr size_t kMostGroups = 65536;
template <typename NodesOf, typename Nearest, typename AfterPass>
Groups lloyd_groups(size_t rows, size_t nodes, uint64_t seed, size_t threads, const NodesOf& nodes_of,
                    const Nearest& nearest, const AfterPass& after_pass) {
  Groups groups;
  groups.members = seeded_sample(nodes, rows, seed);
  groups.starts.resize(groups.members.size() + 1);
  for (size_t g = 0; g < groups.starts.size(); ++g) groups.starts[g] = static_cast<uint32_t>(g);
  std::vector<uint16_t> found(rows);
  for (int pass = 0; pass < kGroupPasses; ++pass) {
    const auto means = nodes_of(groups);
    parallel(rows, threads, [&](size_t first, size_t last) { nearest(*means, first, last, found.data() + first); });
    groups = grouped(found, groups.count());
    if (pass < kDividingPasses) groups = divided(groups, kMostGroups);
    after_pass();
  }
  return groups;
}

// Every group divided into groups of its own: divide(members, nodes) makes Groups of places in `members`, from as many
// nodes as the group has a share in `nodes`.
template <typename Divide>
Groups divided_each(const Groups& groups, size_t nodes, size_t threads, const Divide& divide) {
  std::vector<Groups> parts(groups.count());
  parallel(groups.count(), threads, [&](size_t first, size_t last) {
    for (size_t g = first; g < last; ++g) {
      const std::vector<uint32_t> members(groups.members.begin() + groups.starts[g],
                                          groups.members.begin() + groups.starts[g + 1]);
      parts[g] = divide(members, std::max<size_t>(1, members.size() * nodes / groups.members.size()));
    }
  });
  Groups out;
  out.starts.push_back(0);
  for (size_t g = 0; g < parts.size(); ++g) {
    for (const uint32_t member : parts[g].members) out.members.push_back(groups.members[groups.starts[g] + member]);
    for (size_t p = 1; p < parts[g].starts.size(); ++p) out.starts.push_back(groups.starts[g] + parts[g].starts[p]);
  }
  return out;
}

// Groups from `nodes` nodes, made in steps: from the root of `rows` (all(nodes, after_pass) makes them), then each divided
// by about kGroupStep until there are enough. It costs a fraction of Lloyd passes over all rows and nodes, and groups that a
// step has parted follow on each other.
inline constexpr size_t kGroupStep = 4;
template <typename All, typename Divide>
Groups nested_groups(size_t rows, size_t nodes, size_t threads, const All& all, const Divide& divide,
                     const OnPass& on_pass) {
  const auto next = [&](size_t reached) { return std::min(nodes, reached * kGroupStep); };
  size_t reached = std::min(nodes, root_of(rows));
  size_t passes = kGroupPasses, done = 0;
  for (size_t step = reached; step < nodes; step = next(step)) ++passes;
  const auto after_pass = [&] { on_pass(++done, passes); };
  on_pass(0, passes);
  Groups groups = all(reached, after_pass);
  while (reached < nodes) {
    reached = next(reached);
    groups = divided_each(groups, reached, threads, divide);
    after_pass();
  }
  return groups;
}

// Visits of `rows` rows to `beam` groups each, sorted by group: order[starts[g] .. starts[g + 1]) are those to group g,
// ascending; visit v is the v % beam-th of row v / beam.
struct Visits {
  std::vector<uint32_t> order;
  std::vector<uint32_t> starts;
};
Visits visits_by_group(const std::vector<uint16_t>& groups_of_visits, size_t groups, size_t threads);

// Runs work(own, g) for every g < count, each as soon as a thread is free; `own` is what that thread made.
template <typename Make, typename Work>
void each_in_turn(size_t count, size_t threads, const Make& make, const Work& work) {
  std::atomic<size_t> next{0};
  run_parts(std::max<size_t>(1, std::min(threads, count)), [&](size_t) {
    auto own = make();
    for (size_t g = next++; g < count; g = next++) work(own, g);
  });
}

} // namespace farsight
