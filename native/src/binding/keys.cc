// Exports: external keys.
#include "exports.h"
#include "../keys.h"
#include "parameters.h"

namespace farsight {

namespace {

Napi::Value key_table_slots(Info info) {
  return Napi::Number::New(info.Env(), static_cast<double>(key_table_size(item_count(info.Env(), info[0]))));
}

Napi::Value build_keys(Info info) {
  const auto env = info.Env();
  const auto offsets = array<uint64_t>(env, info[0], "offsets");
  const auto bytes = array<uint8_t>(env, info[1], "bytes");
  if (offsets.empty() || offsets.back() > bytes.size()) range_error(env, "offsets: past the end of bytes");
  for (size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i - 1] > offsets[i]) range_error(env, "offsets: expected an ascending list");
  }
  const auto table = array_of<uint32_t>(env, info[2], "table", key_table_size(offsets.size() - 1));
  uint32_t duplicate[2];
  if (build_key_table(Keys{offsets, bytes}, table, duplicate)) return env.Null();
  auto pair = Napi::Array::New(env, 2);
  pair.Set(0u, duplicate[0]);
  pair.Set(1u, duplicate[1]);
  return pair;
}

Napi::Value look_up_key(Info info) {
  const auto env = info.Env();
  const Keys keys{handle<Section>(env, info[0], "offsets")->as<uint64_t>(),
                  handle<Section>(env, info[1], "bytes")->bytes()};
  return Napi::Number::New(env, static_cast<double>(find_key(
                                    keys, handle<Section>(env, info[2], "table")->as<uint32_t>(),
                                    array<uint8_t>(env, info[3], "key"))));
}

} // namespace

void export_keys(Napi::Env env, Napi::Object exports) {
  add<key_table_slots>(env, exports, "keyTableSize");
  add<build_keys>(env, exports, "buildKeyTable");
  add<look_up_key>(env, exports, "findKey");
}

} // namespace farsight
