// What lives between calls, behind handles that JavaScript cannot mix up.
#pragma once

#include <memory>
#include <vector>

#include "../assign.h"
#include "../head.h"
#include "../levels.h"
#include "../mapping.h"
#include "../members.h"
#include "../repeats.h"
#include "../row-cache.h"
#include "../search.h"
#include "../shared-bytes.h"
#include "arguments.h"

namespace farsight {

// Bytes of a section: a mapping or a copy in memory, both shared by all threads that open them.
struct Section {
  std::shared_ptr<const Mapping> mapping;
  SharedBytes copy;
  std::span<const uint8_t> bytes() const { return mapping ? mapping->bytes() : std::span<const uint8_t>(*copy); }
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes().data()), bytes().size() / sizeof(T)};
  }
};

struct OpenCodes {
  std::vector<std::shared_ptr<Section>> sections; // kept alive
  std::shared_ptr<OpenCodes> representatives;     // that the codes refer to, if they do
  std::unique_ptr<Codes> codes;
};

struct OpenCells {
  std::shared_ptr<OpenCodes> codes, representatives, spread, groups; // spread, groups: may be null
  std::vector<std::shared_ptr<Section>> sections;
  Cells cells;
  std::vector<BlockRun> repeats; // found when everything is scanned for the first time
  bool repeats_known = false;
};

// A model prepared for the cells it keeps alive.
struct OpenHead {
  std::shared_ptr<OpenCells> cells;
  std::unique_ptr<Head> head;
};

// The levels above a modality's clusters; read when they are first walked.
struct OpenLevels {
  std::shared_ptr<Section> nodes, parents;
  std::vector<uint32_t> sizes;
  std::unique_ptr<Levels> levels;

  const Levels* get() {
    if (!levels) levels = std::make_unique<Levels>(sizes, nodes->as<uint32_t>(), parents->as<uint32_t>());
    return levels.get();
  }
};

// Members of clusters, taken part by part; one of the two.
struct OpenMembers {
  std::unique_ptr<RatioMembers> ratio;
  std::unique_ptr<Sq8Members> sq8;
  size_t taken = 0; // slots
};

template <typename T>
inline constexpr napi_type_tag kTag{};
template <>
inline constexpr napi_type_tag kTag<Section>{0x66617273696768ull, 1};
template <>
inline constexpr napi_type_tag kTag<OpenCodes>{0x66617273696768ull, 2};
template <>
inline constexpr napi_type_tag kTag<OpenCells>{0x66617273696768ull, 3};

template <>
inline constexpr napi_type_tag kTag<OpenMembers>{0x66617273696768ull, 6};
template <>
inline constexpr napi_type_tag kTag<OpenHead>{0x66617273696768ull, 7};
template <>
inline constexpr napi_type_tag kTag<RowCache>{0x66617273696768ull, 8};

template <>
inline constexpr napi_type_tag kTag<OpenLevels>{0x66617273696768ull, 9};

// What a handle holds: nothing once it was released.
template <typename T>
struct Held {
  std::shared_ptr<T> value;
  int64_t bytes; // as V8 was told

  void release(Napi::Env env) {
    Napi::MemoryManagement::AdjustExternalMemory(env, -bytes);
    value.reset();
    bytes = 0;
  }
};

// bytes: about what the value takes when it is made for one round. V8 collects handles when it knows of much memory, and
// sees none of this by itself.
template <typename T>
Napi::Value wrap(Napi::Env env, std::shared_ptr<T> value, size_t bytes = 0) {
  auto* held = new Held<T>{std::move(value), static_cast<int64_t>(bytes)};
  auto external = Napi::External<Held<T>>::New(env, held, [](Napi::Env finalizing, Held<T>* last) {
    last->release(finalizing);
    delete last;
  });
  external.TypeTag(&kTag<T>);
  Napi::MemoryManagement::AdjustExternalMemory(env, held->bytes);
  return external;
}

template <typename T>
Held<T>& held_by(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsExternal()) type_error(env, std::string(name) + ": expected a handle");
  const auto external = value.As<Napi::External<Held<T>>>();
  if (!external.CheckTypeTag(&kTag<T>)) type_error(env, std::string(name) + ": a handle of another kind");
  return *external.Data();
}

template <typename T>
const std::shared_ptr<T>& handle(Napi::Env env, const Napi::Value& value, const char* name) {
  const auto& held = held_by<T>(env, value, name);
  if (!held.value) range_error(env, std::string(name) + ": was released");
  return held.value;
}

inline Head& head_of(Napi::Env env, const Napi::Value& value) { return *handle<OpenHead>(env, value, "head")->head; }

// What an assigner was prepared for, beside itself: the rows must fit.
template <typename Assigner>
struct Prepared {
  size_t dims;
  std::unique_ptr<Assigner> assigner;
};
using PreparedSparse = Prepared<SparseAssigner>;
using PreparedDense = Prepared<DenseAssigner>;
template <>
inline constexpr napi_type_tag kTag<PreparedSparse>{0x66617273696768ull, 4};
template <>
inline constexpr napi_type_tag kTag<PreparedDense>{0x66617273696768ull, 5};

} // namespace farsight
