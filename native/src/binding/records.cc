// Exports: records of rows.
#include "exports.h"
#include "../ratio.h"
#include "../records.h"
#include "../sq8.h"
#include "parameters.h"

namespace farsight {

namespace {

Napi::Value ratio_record_vectors(Info info) {
  const auto env = info.Env();
  const auto features = static_cast<uint32_t>(whole(env, info[1], "features", 1, 255));
  const auto form = ratio_form(env, features, info[2]);
  const auto records = array<uint8_t>(env, info[0], "records");
  require_multiple(env, records, form.bytes(), "records");
  const auto rows = records.size() / form.bytes();
  const auto scale = number(env, info[3], "scale");
  const auto threads = thread_count(env, info[4]);
  const auto ids = array_of<uint16_t>(env, info[5], "ids", rows * features);
  const auto values = array_of<float>(env, info[6], "values", rows * features);
  ratio_vectors(records.data(), rows, form, scale, threads, ids.data(), values.data());
  return env.Undefined();
}

Napi::Value place(Info info) {
  const auto env = info.Env();
  const auto records = array<uint8_t>(env, info[0], "records");
  const auto bytes = whole(env, info[1], "recordBytes", 1, 1 << 20);
  require_multiple(env, records, bytes, "records");
  const auto rows = records.size() / bytes;
  const auto slots = array_of<uint32_t>(env, info[2], "slots", rows);
  const auto first = whole(env, info[3], "firstSlot", 0, kMaxItems);
  const auto threads = thread_count(env, info[4]);
  const auto out = array<uint8_t>(env, info[5], "out");
  require_multiple(env, out, bytes, "out");
  place_records(records.data(), rows, bytes, slots.data(), first, out.size() / bytes, threads, out.data());
  return env.Undefined();
}

Napi::Value pack_ratio_record_rows(Info info) {
  const auto env = info.Env();
  const auto parameters = ratio_parameters(env, info[2]);
  const auto form = ratio_form(env, parameters.features, info[1]);
  const auto records = array<uint8_t>(env, info[0], "records");
  require_multiple(env, records, form.bytes(), "records");
  const auto rows = records.size() / form.bytes();
  const auto threads = thread_count(env, info[3]);
  const auto blocks = array_of<uint8_t>(env, info[4], "blocks", ratio_codes_bytes(rows, parameters));
  const auto refine = array_of<uint8_t>(env, info[5], "refine", ratio_refine_bytes(rows, parameters));
  pack_ratio_records(records.data(), rows, form, parameters, threads, blocks.data(), refine.data());
  return env.Undefined();
}

Napi::Value pack_sq8_record_rows(Info info) {
  const auto env = info.Env();
  const auto dims = dense_dims(env, info[1]);
  const auto records = array<uint8_t>(env, info[0], "records");
  require_multiple(env, records, dims, "records");
  const auto rows = records.size() / dims;
  const auto threads = thread_count(env, info[2]);
  const auto blocks = array_of<uint8_t>(env, info[3], "blocks", sq8_codes_bytes(rows, dims));
  pack_sq8_records(records.data(), rows, dims, threads, blocks.data());
  return env.Undefined();
}

} // namespace

void export_records(Napi::Env env, Napi::Object exports) {
  add<ratio_record_vectors>(env, exports, "ratioVectors");
  add<place>(env, exports, "placeRecords");
  add<pack_ratio_record_rows>(env, exports, "packRatioRecords");
  add<pack_sq8_record_rows>(env, exports, "packSq8Records");
}

} // namespace farsight
