#include "levels.h"

#include <algorithm>

#include "collector.h"

namespace farsight {

Levels::Levels(std::span<const uint32_t> sizes, std::span<const uint32_t> nodes, std::span<const uint32_t> parents) {
  size_t first_node = 0, first_parent = 0;
  for (size_t l = 1; l < sizes.size(); ++l) {
    const size_t size = sizes[l], below = sizes[l - 1];
    if (first_node + size > nodes.size() || first_parent + below > parents.size()) break;
    const auto own = nodes.subspan(first_node, size);
    const auto parent = parents.subspan(first_parent, below);
    Level level;
    level.clusters.assign(own.begin(), own.end());
    level.starts.assign(size + 1, 0);
    for (const uint32_t p : parent) {
      if (p < size) ++level.starts[p + 1];
    }
    for (size_t n = 0; n < size; ++n) level.starts[n + 1] += level.starts[n];
    level.children.resize(level.starts[size]);
    std::vector<uint32_t> next(level.starts.begin(), level.starts.end() - 1);
    for (size_t child = 0; child < below; ++child) {
      if (parent[child] < size) level.children[next[parent[child]]++] = static_cast<uint32_t>(child);
    }
    levels_.push_back(std::move(level));
    first_node += size;
    first_parent += below;
  }
  std::reverse(levels_.begin(), levels_.end());
  roots_ = levels_.empty() ? (sizes.empty() ? 0 : sizes[0]) : levels_.front().clusters.size();
}

void Levels::nearest(const Codes& representatives, const float* query, double norm, size_t beam, size_t count,
                     std::vector<uint32_t>& out) const {
  std::vector<uint32_t> places(roots_);
  for (size_t n = 0; n < roots_; ++n) places[n] = static_cast<uint32_t>(n);
  std::vector<Scored> near;
  for (size_t l = 0; l <= levels_.size(); ++l) {
    const bool bottom = l == levels_.size();
    const auto cluster = [&](uint32_t place) { return bottom ? place : levels_[l].clusters[place]; };
    near.clear();
    for (size_t i = 0; i < places.size(); ++i) {
      if (i + kPrefetchCodes < places.size() && cluster(places[i + kPrefetchCodes]) < representatives.count()) {
        representatives.prefetch(cluster(places[i + kPrefetchCodes]));
      }
      if (cluster(places[i]) >= representatives.count()) continue;
      near.push_back({-representatives.distance(cluster(places[i]), query, norm), places[i]});
    }
    keep_best(near, bottom ? count : beam);
    if (bottom) break;
    places.clear();
    const Level& level = levels_[l];
    for (const Scored& node : near) {
      places.insert(places.end(), level.children.begin() + level.starts[node.item],
                    level.children.begin() + level.starts[node.item + 1]);
    }
  }
  std::sort(near.begin(), near.end(), Better{});
  for (const Scored& cluster : near) out.push_back(cluster.item);
}

} // namespace farsight
