// Exports: what samplers ask of a part of a large collection.
#include "../near.h"

#include <vector>

#include "../collector.h"
#include "../valued-clusters.h"
#include "exports.h"
#include "spaces-argument.h"

namespace farsight {

// The clusters near some queries, and the cells that they are clusters of.
struct OpenNearSearch {
  NearSearch search;
  std::vector<std::shared_ptr<OpenCells>> cells;
};

template <>
inline constexpr napi_type_tag kTag<OpenNearSearch>{0x66617273696768ull, 10};

namespace {

Napi::Value open_levels(Info info) {
  const auto env = info.Env();
  auto open = std::make_shared<OpenLevels>();
  const auto sizes = array<uint32_t>(env, info[0], "sizes");
  open->sizes.assign(sizes.begin(), sizes.end());
  open->nodes = handle<Section>(env, info[1], "nodes");
  open->parents = handle<Section>(env, info[2], "parents");
  return wrap(env, std::move(open));
}

Napi::Value search_near(Info info) {
  const auto env = info.Env();
  const auto all = spaces(env, info[0], info[1]);
  if (!info[2].IsArray()) type_error(env, "levels: expected an array of handles");
  const auto list = info[2].As<Napi::Array>();
  if (list.Length() != all.size()) range_error(env, "levels: expected those of every modality");
  std::vector<const Levels*> levels;
  for (uint32_t i = 0; i < list.Length(); ++i) levels.push_back(handle<OpenLevels>(env, list.Get(i), "levels")->get());
  const auto queries = items_of(env, info[3], "queries", *all[0].cells);
  const auto clusters = whole(env, info[4], "clusters", 1, kMaxItems);
  const auto deadline = time_point(number(env, info[5], "deadlineMs"));
  OpenNearSearch open{NearSearch(all, levels, queries, clusters, deadline), cells_of(env, info[0])};
  size_t bytes = 0;
  for (const Space& space : all) bytes += queries.size() * 4 * (space.cells->codes->dims() + clusters);
  return wrap(env, std::make_shared<OpenNearSearch>(std::move(open)), bytes);
}

Napi::Value items_near(Info info) {
  const auto env = info.Env();
  const auto& search = handle<OpenNearSearch>(env, info[0], "search")->search;
  const auto skip = array<uint32_t>(env, info[1], "skip");
  const auto deadline = time_point(number(env, info[2], "deadlineMs"));
  const auto near = search.find(skip, array<uint32_t>(env, info[3], "items"), deadline);
  auto result = Napi::Object::New(env);
  result.Set("found", static_cast<double>(near.found));
  result.Set("itemsScored", static_cast<double>(near.items_scored));
  result.Set("clustersRead", static_cast<double>(near.clusters_read));
  result.Set("complete", near.complete);
  return result;
}

Napi::Value distances_of_items(Info info) {
  const auto env = info.Env();
  const auto all = spaces(env, info[0], info[1]);
  const auto queries = items_of(env, info[2], "queries", *all[0].cells);
  const auto items = items_of(env, info[3], "items", *all[0].cells);
  nearest_of_items(all, queries, items, array_of<double>(env, info[4], "distances", items.size()).data());
  return env.Undefined();
}

Napi::Value select_valued(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto centres = array<float>(env, info[1], "centres");
  require_multiple(env, centres, head.cells().codes->dims(), "centres");
  const auto given = object(env, info[2], "value");
  const ClusterValue value{number(env, given.Get("scoreFactor"), "scoreFactor"),
                           number(env, given.Get("distanceFactor"), "distanceFactor"),
                           number(env, given.Get("weight"), "weight"), number(env, given.Get("rest"), "rest")};
  const auto size_limit = whole(env, info[3], "sizeLimit", 1, kMaxSafe);
  const auto clusters = array<uint32_t>(env, info[4], "clusters");
  const auto written = valued_clusters(head.cells(), head.representatives(), centres, value, size_limit, clusters);
  return Napi::Number::New(env, static_cast<double>(written));
}

Napi::Value items_of_clusters(Info info) {
  const auto env = info.Env();
  const auto& cells = handle<OpenCells>(env, info[0], "cells")->cells;
  const auto clusters = array<uint32_t>(env, info[1], "clusters");
  require_below(env, clusters, cells.starts.size() - 1, "clusters");
  const auto items = array<uint32_t>(env, info[2], "items");
  return Napi::Number::New(env, static_cast<double>(cluster_items(cells, clusters, items)));
}

// Numbers of a packed section, by position.
Napi::Value numbers_at(Info info) {
  const auto env = info.Env();
  const auto& section = handle<Section>(env, info[0], "section");
  const auto count = whole(env, info[1], "count", 0, 0xffffffff);
  const auto bits = packed_bits(whole(env, info[2], "limit", 1, uint64_t{1} << 32));
  if (section->bytes().size() < packed_bytes(count, bits)) range_error(env, "section: too short for its numbers");
  const auto positions = array<uint32_t>(env, info[3], "positions");
  require_below(env, positions, count, "positions");
  const auto out = array_of<uint32_t>(env, info[4], "out", positions.size());
  const PackedNumbers numbers(section->bytes().data(), count, bits);
  for (size_t i = 0; i < positions.size(); ++i) {
    if (i + kPrefetchSlots < positions.size()) numbers.prefetch(positions[i + kPrefetchSlots]);
    out[i] = numbers[positions[i]];
  }
  return env.Undefined();
}

} // namespace

void export_near(Napi::Env env, Napi::Object exports) {
  add<open_levels>(env, exports, "openLevels");
  add<search_near>(env, exports, "nearSearch");
  add<items_near>(env, exports, "nearItems");
  add<distances_of_items>(env, exports, "nearestOfItems");
  add<select_valued>(env, exports, "valuedClusters");
  add<items_of_clusters>(env, exports, "clusterItems");
  add<numbers_at>(env, exports, "numbersAt");
}

} // namespace farsight
