// Modalities with weights, and items of theirs, as arguments.
#pragma once

#include <vector>

#include "../survey.h"
#include "handles.h"

namespace farsight {

// A list of modalities and their weights, all of one number of items.
inline std::vector<Space> spaces(Napi::Env env, const Napi::Value& cells_value, const Napi::Value& weights_value) {
  if (!cells_value.IsArray()) type_error(env, "cells: expected an array of handles");
  const auto list = cells_value.As<Napi::Array>();
  if (list.Length() == 0) range_error(env, "cells: expected at least one modality");
  const auto weights = array_of<double>(env, weights_value, "weights", list.Length());
  std::vector<Space> result;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const auto& cells = handle<OpenCells>(env, list.Get(i), "cells")->cells;
    if (!(weights[i] > 0) || std::isinf(weights[i])) range_error(env, "weights: expected positive numbers");
    if (cells.codes->count() != handle<OpenCells>(env, list.Get(0u), "cells")->cells.codes->count()) {
      range_error(env, "cells: modalities of different numbers of items");
    }
    result.push_back({&cells, weights[i]});
  }
  return result;
}

// The same modalities, for who keeps them open.
inline std::vector<std::shared_ptr<OpenCells>> cells_of(Napi::Env env, const Napi::Value& cells_value) {
  const auto list = cells_value.As<Napi::Array>();
  std::vector<std::shared_ptr<OpenCells>> cells;
  for (uint32_t i = 0; i < list.Length(); ++i) cells.push_back(handle<OpenCells>(env, list.Get(i), "cells"));
  return cells;
}

inline std::span<const uint32_t> items_of(Napi::Env env, const Napi::Value& value, const char* name, const Cells& cells) {
  const auto items = array<uint32_t>(env, value, name);
  require_below(env, items, cells.codes->count(), name);
  return items;
}

} // namespace farsight
