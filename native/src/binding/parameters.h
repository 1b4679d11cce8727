// Parameters of codecs and records, as several exports take them.
#pragma once

#include "../encode.h"
#include "../folded.h"
#include "../mlp-head.h"
#include "../rabitq.h"
#include "../ratio.h"
#include "../records.h"
#include "handles.h"

namespace farsight {

inline RatioParameters ratio_parameters(Napi::Env env, const Napi::Value& value) {
  const auto given = object(env, value, "parameters");
  const RatioParameters parameters{
      static_cast<uint32_t>(whole(env, given.Get("dims"), "dims", 1, 65536)),
      static_cast<uint32_t>(whole(env, given.Get("features"), "features", 1, 255)),
      static_cast<uint32_t>(whole(env, given.Get("valueBits"), "valueBits", 8, 24)),
      number(env, given.Get("scale"), "scale"),
      number(env, given.Get("maxSum"), "maxSum"),
  };
  if (!(parameters.scale > 0) || !std::isfinite(parameters.scale)) range_error(env, "scale: expected more than 0");
  if (!(parameters.max_sum >= 0)) range_error(env, "maxSum: expected 0 or more");
  return parameters;
}

inline size_t item_count(Napi::Env env, const Napi::Value& value) { return whole(env, value, "count", 0, kMaxItems); }

inline uint32_t dense_dims(Napi::Env env, const Napi::Value& value) {
  return static_cast<uint32_t>(whole(env, value, "dims", 1, 4096));
}

inline void require_bytes(Napi::Env env, const Section& section, size_t bytes, const char* name) {
  if (section.bytes().size() < bytes) {
    range_error(env, std::string(name) + ": expected at least " + std::to_string(bytes) + " bytes, got " +
                         std::to_string(section.bytes().size()));
  }
}

inline RabitqParameters rabitq_parameters(Napi::Env env, const Napi::Value& value) {
  const auto given = object(env, value, "parameters");
  const auto dims = static_cast<uint32_t>(whole(env, given.Get("dims"), "dims", 1, kMostRabitqDims));
  const auto scan_bits = static_cast<uint32_t>(whole(env, given.Get("scanBits"), "scanBits", 1, 4));
  if (scan_bits == 3) range_error(env, "scanBits: expected 1, 2 or 4");
  const auto bits = static_cast<uint32_t>(whole(env, given.Get("bits"), "bits", scan_bits, kMostRabitqBits));
  const auto full = static_cast<uint32_t>(whole(env, given.Get("fullDims"), "fullDims", bits == scan_bits ? dims : 1, dims));
  return {dims, bits, scan_bits, full};
}

inline uint32_t folded_dims(Napi::Env env, const Napi::Value& value) {
  return static_cast<uint32_t>(whole(env, value, "dims", kLeastFoldedDims, kMostRabitqDims));
}

inline float largest_factor(Napi::Env env, const Napi::Value& value) {
  const auto largest = static_cast<float>(number(env, value, "largestFactor"));
  if (!(largest >= 0) || !std::isfinite(largest)) range_error(env, "largestFactor: expected 0 or more, finite");
  return largest;
}

inline size_t rabitq_refine_bytes(size_t count, const RabitqParameters& parameters) {
  return count * rabitq_refine_row_bytes(parameters);
}

inline size_t thread_count(Napi::Env env, const Napi::Value& value) { return whole(env, value, "threads", 1, 256); }

inline RatioRecordForm ratio_form(Napi::Env env, uint32_t features, const Napi::Value& code_bytes) {
  const auto bytes = static_cast<uint32_t>(whole(env, code_bytes, "codeBytes", 2, 4));
  if (bytes == 3) range_error(env, "codeBytes: expected 2 or 4");
  return {features, bytes};
}

// The form of a quantiser's records: 2 bytes hold its codes or 4 do.
inline RatioRecordForm ratio_form(const RatioQuantiser& quantiser) {
  return {quantiser.features, quantiser.max_code < 65536 ? 2u : 4u};
}

// The layers of a network of `dims` inputs from its parameters in a row: per layer the weights unit by unit, then the
// biases. hidden: units of the hidden layers.
inline MlpModel mlp_model(Napi::Env env, size_t dims, std::span<const uint32_t> hidden, std::span<const float> parameters) {
  MlpModel model;
  size_t inputs = dims, at = 0;
  for (size_t l = 0; l <= hidden.size(); ++l) {
    const size_t units = l < hidden.size() ? hidden[l] : 1;
    if (parameters.size() - at < units * (inputs + 1)) range_error(env, "parameters: too few for these layers");
    const auto* from = parameters.data() + at;
    model.layers.push_back({inputs, units, {from, from + units * inputs},
                            {from + units * inputs, from + units * (inputs + 1)}});
    at += units * (inputs + 1);
    inputs = units;
  }
  if (at != parameters.size()) range_error(env, "parameters: more than these layers have");
  return model;
}

inline std::span<const uint32_t> hidden_units(Napi::Env env, const Napi::Value& value) {
  const auto hidden = array<uint32_t>(env, value, "hidden");
  if (hidden.size() > kMaxHiddenLayers) {
    range_error(env, "hidden: expected at most " + std::to_string(kMaxHiddenLayers) + " layers");
  }
  for (const uint32_t units : hidden) {
    if (units == 0 || units > kMaxUnits) {
      range_error(env, "hidden: expected 1 to " + std::to_string(kMaxUnits) + " units a layer");
    }
  }
  return hidden;
}

} // namespace farsight
