// Exports: heads, and searching with them.
#include "exports.h"
#include <memory>
#include <vector>

#include "../head.h"
#include "../lookups.h"
#include "../mlp-head.h"
#include "../order.h"
#include "../search.h"
#include "../selection.h"
#include "parameters.h"

namespace farsight {

namespace {

std::unique_ptr<Query> prepare(Napi::Env env, const Codes& codes, const Napi::Value& weights, const Napi::Value& bias) {
  return codes.prepare(array_of<float>(env, weights, "weights", codes.dims()).data(), number(env, bias, "bias"));
}

// The first of the blocks that `out` has room for, all of which exist.
size_t first_block(Napi::Env env, const Codes& codes, const Napi::Value& value, std::span<float> out,
                   const std::string& function) {
  require_multiple(env, out, codes.block_items(), "out");
  const auto blocks = (codes.count() + codes.block_items() - 1) / codes.block_items();
  const auto first = whole(env, value, "first", 0, blocks);
  if (out.size() / codes.block_items() > blocks - first) range_error(env, function + ": past the end");
  return first;
}

Napi::Value score_blocks(Info info) {
  const auto env = info.Env();
  const auto& codes = *handle<OpenCodes>(env, info[0], "codes")->codes;
  const auto query = prepare(env, codes, info[1], info[2]);
  const auto out = array<float>(env, info[4], "out");
  const auto first = first_block(env, codes, info[3], out, "scoreBlocks");
  query->approximate(first, out.size() / codes.block_items(), out.data());
  return env.Undefined();
}

Napi::Value score_error(Info info) {
  const auto env = info.Env();
  const auto& codes = *handle<OpenCodes>(env, info[0], "codes")->codes;
  return Napi::Number::New(env, prepare(env, codes, info[1], info[2])->error());
}

std::unique_ptr<DistanceQuery> prepare_distance(Napi::Env env, const Codes& codes, const Napi::Value& query) {
  return codes.prepare_distance(array_of<float>(env, query, "query", codes.dims()).data());
}

Napi::Value distance_blocks(Info info) {
  const auto env = info.Env();
  const auto& codes = *handle<OpenCodes>(env, info[0], "codes")->codes;
  const auto query = prepare_distance(env, codes, info[1]);
  const auto out = array<float>(env, info[3], "out");
  const auto first = first_block(env, codes, info[2], out, "distanceBlocks");
  query->approximate(first, out.size() / codes.block_items(), out.data());
  return env.Undefined();
}

Napi::Value distance_error(Info info) {
  const auto env = info.Env();
  const auto& codes = *handle<OpenCodes>(env, info[0], "codes")->codes;
  return Napi::Number::New(env, prepare_distance(env, codes, info[1])->error());
}

void decode_all(Napi::Env env, const Codes& codes, std::span<const uint32_t> slots, const Napi::Value& ids_value,
                const Napi::Value& values_value) {
  const auto row = codes.row_values();
  const auto values = array_of<float>(env, values_value, "values", slots.size() * row);
  const auto ids = array_of<uint32_t>(env, ids_value, "ids", codes.sparse() ? values.size() : 0);
  for (size_t i = 0; i < slots.size(); ++i) {
    if (slots[i] >= codes.count()) range_error(env, "slots: " + std::to_string(slots[i]) + " is past the end");
    codes.decode(slots[i], codes.sparse() ? ids.data() + i * row : nullptr, values.data() + i * row);
  }
}

Napi::Value decode_slots(Info info) {
  const auto env = info.Env();
  decode_all(env, *handle<OpenCodes>(env, info[0], "codes")->codes, array<uint32_t>(env, info[1], "slots"), info[2],
             info[3]);
  return env.Undefined();
}

Napi::Value decode_given(Info info) {
  const auto env = info.Env();
  const auto& cells = handle<OpenCells>(env, info[0], "cells")->cells;
  const auto items = array<uint32_t>(env, info[1], "items");
  require_below(env, items, cells.codes->count(), "items");
  const auto values = array_of<float>(env, info[3], "values", items.size() * cells.codes->row_values());
  const auto ids = array_of<uint32_t>(env, info[2], "ids", cells.codes->sparse() ? values.size() : 0);
  decode_items(cells, items, ids.data(), values.data());
  return env.Undefined();
}

Napi::Value row_cache(Info info) {
  const auto env = info.Env();
  return wrap(env, std::make_shared<RowCache>(whole(env, info[0], "limitBytes", 0, kMaxSafe)));
}

Napi::Value decode_kept(Info info) {
  const auto env = info.Env();
  auto& cache = *handle<RowCache>(env, info[0], "cache");
  const auto space = static_cast<uint32_t>(whole(env, info[1], "space", 0, UINT32_MAX));
  const auto& cells = handle<OpenCells>(env, info[2], "cells")->cells;
  const auto items = array<uint32_t>(env, info[3], "items");
  require_below(env, items, cells.codes->count(), "items");
  const auto values = array_of<float>(env, info[5], "values", items.size() * cells.codes->row_values());
  const auto ids = array_of<uint32_t>(env, info[4], "ids", cells.codes->sparse() ? values.size() : 0);
  cache.decode(space, cells, items, ids.data(), values.data());
  return env.Undefined();
}

// About what a head takes with its queries: weights in several precisions and tables of them, three or four times.
size_t head_bytes(const Cells& cells, size_t parameters) { return (cells.codes->dims() + parameters) * 20; }

Napi::Value linear_head(Info info) {
  const auto env = info.Env();
  const auto& cells = handle<OpenCells>(env, info[0], "cells");
  const auto weights = array_of<float>(env, info[1], "weights", cells->cells.codes->dims());
  const auto bias = number(env, info[2], "bias");
  auto open = std::make_shared<OpenHead>();
  open->cells = cells;
  open->head = std::make_unique<LinearHead>(cells->cells, cells->spread ? cells->spread->codes.get() : nullptr,
                                            std::vector<float>(weights.begin(), weights.end()), bias);
  return wrap(env, std::move(open), head_bytes(cells->cells, weights.size()));
}

Napi::Value mlp_head(Info info) {
  const auto env = info.Env();
  const auto& cells = handle<OpenCells>(env, info[0], "cells");
  const auto hidden = hidden_units(env, info[1]);
  const auto parameters = array<float>(env, info[2], "parameters");
  auto open = std::make_shared<OpenHead>();
  open->cells = cells;
  open->head = std::make_unique<MlpHead>(cells->cells, cells->spread ? cells->spread->codes.get() : nullptr,
                                         mlp_model(env, cells->cells.codes->dims(), hidden, parameters));
  return wrap(env, std::move(open), head_bytes(cells->cells, parameters.size()));
}

Napi::Value release_head(Info info) {
  held_by<OpenHead>(info.Env(), info[0], "head").release(info.Env());
  return info.Env().Undefined();
}

Napi::Value select(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto limit = whole(env, info[1], "sizeLimit", 0, kMaxSafe);
  const auto clusters = array<uint32_t>(env, info[2], "clusters");
  size_t ordinary = 0;
  const ClusterQueries queries{head.representatives(), head.spread(), head.groups()};
  const auto written = select_clusters(head.cells(), queries, clusters.size(), limit, clusters.data(), &ordinary);
  auto result = Napi::Object::New(env);
  result.Set("written", static_cast<double>(written));
  result.Set("ordinary", static_cast<double>(ordinary));
  return result;
}

ScanOptions scan_options(Napi::Env env, const Cells& cells, const Napi::Value& skip, const Napi::Value& workers,
                         const Napi::Value& deadline, const Napi::Value& admitted) {
  ScanOptions options;
  if (!admitted.IsUndefined()) {
    options.admitted = array_of<uint32_t>(env, admitted, "admitted", (cells.slots.size() + 31) / 32);
  }
  const auto items = array<uint32_t>(env, skip, "skip");
  for (size_t i = 1; i < items.size(); ++i) {
    if (items[i - 1] >= items[i]) range_error(env, "skip: expected ascending, unique items");
  }
  options.skip = items;
  options.workers = whole(env, workers, "workers", 1, 256);
  options.deadline = time_point(number(env, deadline, "deadlineMs"));
  return options;
}

Napi::Object scan_result(Napi::Env env, const ScanResult& result) {
  auto out = Napi::Object::New(env);
  out.Set("itemsScored", static_cast<double>(result.items_scored));
  out.Set("clustersRead", static_cast<double>(result.clusters_read));
  out.Set("complete", result.complete);
  return out;
}

Napi::Value scan_some(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto clusters = array<uint32_t>(env, info[1], "clusters");
  require_below(env, clusters, head.cells().representatives->count(), "clusters");
  const auto per_segment = whole(env, info[2], "perSegment", 1, kMaxItems);
  const auto counts = array<uint32_t>(env, info[8], "counts");
  if (counts.empty()) range_error(env, "counts: expected at least one segment");
  const auto items = array_of<uint32_t>(env, info[6], "items", counts.size() * per_segment);
  const auto scores = array_of<double>(env, info[7], "scores", items.size());
  return scan_result(env, scan_clusters(head.cells(), head.items(), clusters, counts.size(), per_segment,
                                        scan_options(env, head.cells(), info[3], info[4], info[5], info[9]), items.data(),
                                        scores.data(), counts.data()));
}

Napi::Value scan_everything(Info info) {
  const auto env = info.Env();
  const auto& opened = *handle<OpenHead>(env, info[0], "head");
  auto& open = *opened.cells;
  if (!open.repeats_known) {
    open.repeats = repeated_blocks(*open.cells.codes, open.cells.starts);
    open.cells.repeats = open.repeats;
    open.repeats_known = true;
  }
  const auto items = array<uint32_t>(env, info[4], "items");
  const auto scores = array_of<double>(env, info[5], "scores", items.size());
  size_t found = 0;
  auto result = scan_result(env, scan_all(open.cells, opened.head->items(), &opened.head->representatives(),
                                          items.size(), scan_options(env, open.cells, info[1], info[2], info[3], info[6]),
                                          items.data(), scores.data(), &found));
  result.Set("found", static_cast<double>(found));
  return result;
}

Napi::Value score_given(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto items = array<uint32_t>(env, info[1], "items");
  require_below(env, items, head.cells().codes->count(), "items");
  score_items(head.cells(), head.items(), items, array_of<double>(env, info[2], "scores", items.size()).data());
  return env.Undefined();
}

Napi::Value distances_to(Info info) {
  const auto env = info.Env();
  const auto& cells = handle<OpenCells>(env, info[0], "cells")->cells;
  const auto query = array_of<float>(env, info[1], "query", cells.codes->dims());
  const auto items = array<uint32_t>(env, info[2], "items");
  require_below(env, items, cells.codes->count(), "items");
  const auto out = array_of<double>(env, info[3], "distances", items.size());
  item_distances(cells, query.data(), items, out.data());
  return env.Undefined();
}

Napi::Value order_scores(Info info) {
  const auto env = info.Env();
  const auto items = array<uint32_t>(env, info[0], "items");
  order_by_score(items, array_of<double>(env, info[1], "scores", items.size()),
                 array_of<uint32_t>(env, info[2], "order", items.size()));
  return env.Undefined();
}

} // namespace

void export_scores(Napi::Env env, Napi::Object exports) {
  add<score_blocks>(env, exports, "scoreBlocks");
  add<score_error>(env, exports, "scoreError");
  add<distance_blocks>(env, exports, "distanceBlocks");
  add<distance_error>(env, exports, "distanceError");
  add<decode_slots>(env, exports, "decodeSlots");
  add<decode_given>(env, exports, "decodeItems");
  add<row_cache>(env, exports, "rowCache");
  add<decode_kept>(env, exports, "decodeKeptItems");
  add<linear_head>(env, exports, "linearHead");
  add<mlp_head>(env, exports, "mlpHead");
  add<release_head>(env, exports, "releaseHead");
  add<select>(env, exports, "selectClusters");
  add<scan_some>(env, exports, "scanClusters");
  add<scan_everything>(env, exports, "scanAll");
  add<score_given>(env, exports, "scoreItems");
  add<distances_to>(env, exports, "itemDistances");
  add<order_scores>(env, exports, "orderByScore");
}

} // namespace farsight
