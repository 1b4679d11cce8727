// Exports: packing and opening codes.
#include "exports.h"
#include <memory>

#include "../packed.h"
#include "../folded.h"
#include "../rabitq.h"
#include "../ratio.h"
#include "../sq8.h"
#include "parameters.h"

namespace farsight {

namespace {

Napi::Value ratio_codes_size(Info info) {
  return Napi::Number::New(info.Env(), static_cast<double>(ratio_codes_bytes(item_count(info.Env(), info[0]),
                                                                             ratio_parameters(info.Env(), info[1]))));
}

Napi::Value ratio_refine_size(Info info) {
  return Napi::Number::New(info.Env(), static_cast<double>(ratio_refine_bytes(item_count(info.Env(), info[0]),
                                                                              ratio_parameters(info.Env(), info[1]))));
}

Napi::Value sq8_codes_size(Info info) {
  const auto env = info.Env();
  return Napi::Number::New(env, static_cast<double>(sq8_codes_bytes(item_count(env, info[0]),
                                                                    dense_dims(env, info[1]))));
}

Napi::Value pack_ratio_rows(Info info) {
  const auto env = info.Env();
  const auto parameters = ratio_parameters(env, info[3]);
  const auto ids = array<uint16_t>(env, info[0], "ids");
  require_multiple(env, ids, parameters.features, "ids");
  const auto codes = array_of<uint32_t>(env, info[1], "codes", ids.size());
  const auto order = array<uint32_t>(env, info[2], "order");
  require_below(env, order, ids.size() / parameters.features, "order");
  const auto blocks = array_of<uint8_t>(env, info[4], "blocks", ratio_codes_bytes(order.size(), parameters));
  const auto refine = array_of<uint8_t>(env, info[5], "refine", ratio_refine_bytes(order.size(), parameters));
  pack_ratio(ids.data(), codes.data(), order.data(), 0, order.size(), parameters, blocks.data(), refine.data());
  return env.Undefined();
}

Napi::Value pack_sq8_rows(Info info) {
  const auto env = info.Env();
  const auto dims = dense_dims(env, info[2]);
  const auto rows = array<uint8_t>(env, info[0], "rows");
  require_multiple(env, rows, dims, "rows");
  const auto order = array<uint32_t>(env, info[1], "order");
  require_below(env, order, rows.size() / dims, "order");
  const auto blocks = array_of<uint8_t>(env, info[3], "blocks", sq8_codes_bytes(order.size(), dims));
  pack_sq8(rows.data(), order.data(), 0, order.size(), dims, blocks.data());
  return env.Undefined();
}

uint32_t packed_width(Napi::Env env, const Napi::Value& limit) {
  return packed_bits(whole(env, limit, "limit", 1, kMaxItems));
}

Napi::Value packed_size(Info info) {
  const auto env = info.Env();
  const auto count = whole(env, info[0], "count", 0, kMaxItems);
  return Napi::Number::New(env, static_cast<double>(packed_bytes(count, packed_width(env, info[1]))));
}

Napi::Value pack_given_numbers(Info info) {
  const auto env = info.Env();
  const auto numbers = array<uint32_t>(env, info[0], "numbers");
  const auto bits = packed_width(env, info[1]);
  pack_numbers(numbers, bits, array_of<uint8_t>(env, info[2], "out", packed_bytes(numbers.size(), bits)).data());
  return env.Undefined();
}

Napi::Value unpack_given_numbers(Info info) {
  const auto env = info.Env();
  const auto numbers = array<uint32_t>(env, info[2], "numbers");
  const auto bits = packed_width(env, info[1]);
  const auto bytes = array_of<uint8_t>(env, info[0], "bytes", packed_bytes(numbers.size(), bits));
  const PackedNumbers packed(bytes.data(), numbers.size(), bits);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = packed[i];
  return env.Undefined();
}

Napi::Value open_ratio(Info info) {
  const auto env = info.Env();
  const auto count = item_count(env, info[0]);
  const auto parameters = ratio_parameters(env, info[1]);
  const auto& blocks = handle<Section>(env, info[2], "blocks");
  const auto& refine = handle<Section>(env, info[3], "refine");
  require_bytes(env, *blocks, ratio_codes_bytes(count, parameters), "blocks");
  require_bytes(env, *refine, ratio_refine_bytes(count, parameters), "refine");
  auto open = std::make_shared<OpenCodes>();
  open->sections = {blocks, refine};
  open->codes =
      std::make_unique<RatioCodes>(parameters, count, blocks->bytes().data(), refine->bytes().data());
  return wrap(env, std::move(open));
}

Napi::Value open_sq8(Info info) {
  const auto env = info.Env();
  const auto count = item_count(env, info[0]);
  const auto offset = array<float>(env, info[1], "offset");
  const auto dims = static_cast<uint32_t>(offset.size());
  if (dims < 1 || dims > 4096) range_error(env, "offset: expected 1 to 4096 dimensions");
  const auto step = array_of<float>(env, info[2], "step", dims);
  const auto& blocks = handle<Section>(env, info[3], "blocks");
  require_bytes(env, *blocks, sq8_codes_bytes(count, dims), "blocks");
  auto open = std::make_shared<OpenCodes>();
  open->sections = {blocks};
  open->codes = std::make_unique<Sq8Codes>(Sq8Parameters{dims, offset.data(), step.data()}, count,
                                           blocks->bytes().data());
  return wrap(env, std::move(open));
}

Napi::Value rabitq_codes_size(Info info) {
  const auto env = info.Env();
  const auto bytes = rabitq_codes_bytes(item_count(env, info[0]), rabitq_parameters(env, info[1]));
  return Napi::Number::New(env, static_cast<double>(bytes));
}

Napi::Value rabitq_refine_size(Info info) {
  const auto env = info.Env();
  const auto bytes = rabitq_refine_bytes(item_count(env, info[0]), rabitq_parameters(env, info[1]));
  return Napi::Number::New(env, static_cast<double>(bytes));
}

// Codes of what representatives leave refer to them.
const Codes& dense_means(Napi::Env env, const OpenCodes& representatives, size_t dims) {
  const Codes& means = *representatives.codes;
  if (means.sparse() || means.dims() != dims || means.block_items() > kMostRepresentativeBlock) {
    range_error(env, "representatives: expected dense ones of " + std::to_string(dims) + " dims");
  }
  if (means.count() == 0) range_error(env, "representatives: expected at least one");
  return means;
}

Napi::Value folded_codes_size(Info info) {
  const auto env = info.Env();
  const auto count = item_count(env, info[0]);
  return Napi::Number::New(env, static_cast<double>(folded_codes_bytes(count, dense_dims(env, info[1]))));
}

Napi::Value open_folded(Info info) {
  const auto env = info.Env();
  const auto count = item_count(env, info[0]);
  const auto dims = folded_dims(env, info[1]);
  const auto largest = largest_factor(env, info[2]);
  const auto& blocks = handle<Section>(env, info[3], "blocks");
  const auto& starts = handle<Section>(env, info[4], "starts");
  const auto& representatives = handle<OpenCodes>(env, info[5], "representatives");
  require_bytes(env, *blocks, folded_codes_bytes(count, dims), "blocks");
  const Codes& means = dense_means(env, *representatives, dims);
  require_bytes(env, *starts, (means.count() + 1) * sizeof(uint32_t), "starts");
  auto open = std::make_shared<OpenCodes>();
  open->sections = {blocks, starts};
  open->representatives = representatives;
  open->codes = std::make_unique<FoldedCodes>(dims, largest, count, blocks->bytes().data(),
                                              starts->as<uint32_t>().first(means.count() + 1), means);
  return wrap(env, std::move(open));
}

Napi::Value open_rabitq(Info info) {
  const auto env = info.Env();
  const auto count = item_count(env, info[0]);
  const auto parameters = rabitq_parameters(env, info[1]);
  const auto& blocks = handle<Section>(env, info[2], "blocks");
  const auto& refine = handle<Section>(env, info[3], "refine");
  const auto& representatives = handle<OpenCodes>(env, info[4], "representatives");
  require_bytes(env, *blocks, rabitq_codes_bytes(count, parameters), "blocks");
  require_bytes(env, *refine, rabitq_refine_bytes(count, parameters), "refine");
  const Codes& means = dense_means(env, *representatives, parameters.dims);
  auto open = std::make_shared<OpenCodes>();
  open->sections = {blocks, refine};
  open->representatives = representatives;
  open->codes = std::make_unique<RabitqCodes>(parameters, count, blocks->bytes().data(), refine->bytes().data(), means);
  return wrap(env, std::move(open));
}

Napi::Value open_cells(Info info) {
  const auto env = info.Env();
  auto open = std::make_shared<OpenCells>();
  open->codes = handle<OpenCodes>(env, info[0], "codes");
  open->representatives = handle<OpenCodes>(env, info[1], "representatives");
  if (!info[2].IsNull()) open->spread = handle<OpenCodes>(env, info[2], "spread");
  const auto& items = handle<Section>(env, info[3], "items");
  const auto& slots = handle<Section>(env, info[4], "slots");
  const auto& starts = handle<Section>(env, info[5], "starts");
  const auto& codes = *open->codes->codes;
  const auto& representatives = *open->representatives->codes;
  const Codes* spread = open->spread ? open->spread->codes.get() : nullptr;
  if (codes.dims() != representatives.dims()) range_error(env, "openCells: representatives of other dims");
  if (spread != nullptr && (spread->dims() != codes.dims() || spread->count() != representatives.count())) {
    range_error(env, "openCells: a spread of other dims or clusters");
  }
  const uint32_t bits = packed_bits(codes.count());
  require_bytes(env, *items, packed_bytes(codes.count(), bits), "items");
  require_bytes(env, *slots, packed_bytes(codes.count(), bits), "slots");
  require_bytes(env, *starts, (representatives.count() + 1) * 4, "starts");
  open->sections = {items, slots, starts};
  open->cells = Cells{&codes, &representatives, PackedNumbers(items->bytes().data(), codes.count(), bits),
                      PackedNumbers(slots->bytes().data(), codes.count(), bits),
                      starts->as<uint32_t>().first(representatives.count() + 1)};
  if (!info[6].IsUndefined() && !info[6].IsNull()) {
    const auto groups = object(env, info[6], "groups");
    open->groups = handle<OpenCodes>(env, groups.Get("means"), "means");
    const auto& group_starts = handle<Section>(env, groups.Get("starts"), "groups.starts");
    const auto& means = *open->groups->codes;
    if (means.dims() != codes.dims()) range_error(env, "openCells: groups of other dims");
    require_bytes(env, *group_starts, (means.count() + 1) * 4, "groups.starts");
    open->sections.push_back(group_starts);
    open->cells.groups = {&means, group_starts->as<uint32_t>().first(means.count() + 1)};
  }
  return wrap(env, std::move(open));
}

} // namespace

void export_codes(Napi::Env env, Napi::Object exports) {
  add<ratio_codes_size>(env, exports, "ratioCodesBytes");
  add<ratio_refine_size>(env, exports, "ratioRefineBytes");
  add<sq8_codes_size>(env, exports, "sq8CodesBytes");
  add<pack_ratio_rows>(env, exports, "packRatio");
  add<pack_sq8_rows>(env, exports, "packSq8");
  add<open_ratio>(env, exports, "openRatio");
  add<open_sq8>(env, exports, "openSq8");
  add<rabitq_codes_size>(env, exports, "rabitqCodesBytes");
  add<rabitq_refine_size>(env, exports, "rabitqRefineBytes");
  add<open_rabitq>(env, exports, "openRabitq");
  add<folded_codes_size>(env, exports, "foldedCodesBytes");
  add<open_folded>(env, exports, "openFolded");
  add<open_cells>(env, exports, "openCells");
  add<packed_size>(env, exports, "packedBytes");
  add<pack_given_numbers>(env, exports, "packNumbers");
  add<unpack_given_numbers>(env, exports, "unpackNumbers");
}

} // namespace farsight
