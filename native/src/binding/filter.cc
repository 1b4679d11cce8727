// Exports: filters over records.
#include "exports.h"
#include <algorithm>

#include "../filter.h"
#include "handles.h"

namespace farsight {

namespace {

std::string text_of(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw Napi::TypeError::New(env, std::string(name) + ": expected a string");
  return value.As<Napi::String>().Utf8Value();
}

Condition condition_of(Napi::Env env, const Napi::Value& value) {
  const auto given = object(env, value, "condition");
  Condition condition;
  condition.field = text_of(env, given.Get("field"), "field");
  const auto values = given.Get("values");
  condition.is_range = values.IsNull();
  if (condition.is_range) {
    condition.least = number(env, given.Get("least"), "least");
    condition.most = number(env, given.Get("most"), "most");
    condition.above = given.Get("above").ToBoolean();
    condition.below = given.Get("below").ToBoolean();
    return condition;
  }
  if (!values.IsArray()) throw Napi::TypeError::New(env, "values: expected an array or null");
  const auto list = values.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) condition.values.push_back(text_of(env, list.Get(i), "values"));
  std::sort(condition.values.begin(), condition.values.end());
  return condition;
}

Napi::Value filter_some(Info info) {
  const auto env = info.Env();
  const auto offsets = handle<Section>(env, info[0], "offsets")->as<uint64_t>();
  const auto bytes = handle<Section>(env, info[1], "bytes")->bytes();
  if (!info[2].IsArray()) throw Napi::TypeError::New(env, "conditions: expected an array");
  const auto list = info[2].As<Napi::Array>();
  if (list.Length() > kMostConditions) {
    range_error(env, "conditions: expected at most " + std::to_string(kMostConditions));
  }
  std::vector<Condition> conditions;
  for (uint32_t i = 0; i < list.Length(); ++i) conditions.push_back(condition_of(env, list.Get(i)));
  const size_t records = offsets.empty() ? 0 : offsets.size() - 1;
  const auto first = whole(env, info[3], "first", 0, records);
  const auto last = whole(env, info[4], "last", first, records);
  const auto admitted = array_of<uint32_t>(env, info[5], "admitted", (records + 31) / 32);
  return Napi::Number::New(env, static_cast<double>(filter_records(offsets, bytes, conditions, first, last, admitted)));
}

} // namespace

void export_filter(Napi::Env env, Napi::Object exports) { add<filter_some>(env, exports, "filterRecords"); }

} // namespace farsight
