// Exports: sections, files and checksums.
#include "exports.h"
#include <algorithm>
#include <memory>
#include <vector>

#include "../crc32c.h"
#include "../files.h"
#include "../kernels.h"
#include "../mapping.h"
#include "handles.h"

namespace farsight {

namespace {

Napi::Value isa(Info info) { return Napi::String::New(info.Env(), kernels().isa); }

Napi::Value crc(Info info) {
  const auto env = info.Env();
  const auto bytes = array<uint8_t>(env, info[1], "bytes");
  return Napi::Number::New(
      env, crc32c(static_cast<uint32_t>(whole(env, info[0], "crc", 0, 0xffffffff)), bytes.data(), bytes.size()));
}

Napi::Value map_section(Info info) {
  const auto env = info.Env();
  if (!info[0].IsArray() || !info[1].IsArray()) type_error(env, "mapSection: expected two arrays");
  const auto paths = info[0].As<Napi::Array>();
  const auto sizes = info[1].As<Napi::Array>();
  if (paths.Length() != sizes.Length() || paths.Length() == 0) range_error(env, "mapSection: one size per path");
  std::vector<std::string> names;
  std::vector<uint64_t> bytes;
  for (uint32_t i = 0; i < paths.Length(); ++i) {
    names.push_back(paths.Get(i).ToString().Utf8Value());
    bytes.push_back(whole(env, sizes.Get(i), "payloadBytes", 0, kMaxSafe));
  }
  auto section = std::make_shared<Section>();
  section->mapping = Mapping::open(names, bytes);
  return wrap(env, std::move(section));
}

Napi::Value memory_section(Info info) {
  auto section = std::make_shared<Section>();
  section->copy = shared_bytes(array<uint8_t>(info.Env(), info[0], "bytes"));
  return wrap(info.Env(), std::move(section));
}

Napi::Value section_bytes(Info info) {
  return Napi::Number::New(info.Env(),
                           static_cast<double>(handle<Section>(info.Env(), info[0], "section")->bytes().size()));
}

Napi::Value read_section(Info info) {
  const auto env = info.Env();
  const auto bytes = handle<Section>(env, info[0], "section")->bytes();
  const auto out = array<uint8_t>(env, info[2], "out");
  const auto offset = whole(env, info[1], "offset", 0, kMaxSafe);
  if (offset > bytes.size() || out.size() > bytes.size() - offset) range_error(env, "readSection: past the end");
  std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
  return env.Undefined();
}

Napi::Value warm_section(Info info) {
  const auto env = info.Env();
  const auto& section = *handle<Section>(env, info[0], "section");
  const auto offset = whole(env, info[1], "offset", 0, kMaxSafe);
  const auto bytes = whole(env, info[2], "bytes", 0, kMaxSafe);
  const bool huge = info[3].ToBoolean();
  if (section.mapping) section.mapping->warm(offset, bytes, huge);
  return env.Undefined();
}

Napi::Value release_memory(Info info) {
  release_freed();
  return info.Env().Undefined();
}

Napi::Value exchange(Info info) {
  const auto env = info.Env();
  if (!info[0].IsString() || !info[1].IsString()) type_error(env, "exchangePaths: expected two paths");
  return Napi::Boolean::New(env, exchange_paths(info[0].As<Napi::String>(), info[1].As<Napi::String>()));
}

} // namespace

void export_files(Napi::Env env, Napi::Object exports) {
  add<isa>(env, exports, "isa");
  add<crc>(env, exports, "crc32c");
  add<map_section>(env, exports, "mapSection");
  add<memory_section>(env, exports, "memorySection");
  add<section_bytes>(env, exports, "sectionBytes");
  add<read_section>(env, exports, "readSection");
  add<warm_section>(env, exports, "warmSection");
  add<release_memory>(env, exports, "releaseFreed");
  add<exchange>(env, exports, "exchangePaths");
}

} // namespace farsight
