// Checked arguments: a wrong type is a TypeError, a wrong length or number a RangeError. Every length a kernel relies on is
// checked here, because here the pointer is made.
#pragma once

#include <napi.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

namespace farsight {

using Info = const Napi::CallbackInfo&;

template <typename T>
inline constexpr napi_typedarray_type kArrayType = napi_uint8_array;
template <>
inline constexpr napi_typedarray_type kArrayType<int8_t> = napi_int8_array;
template <>
inline constexpr napi_typedarray_type kArrayType<uint16_t> = napi_uint16_array;
template <>
inline constexpr napi_typedarray_type kArrayType<uint32_t> = napi_uint32_array;
template <>
inline constexpr napi_typedarray_type kArrayType<float> = napi_float32_array;
template <>
inline constexpr napi_typedarray_type kArrayType<double> = napi_float64_array;
template <>
inline constexpr napi_typedarray_type kArrayType<uint64_t> = napi_biguint64_array;

[[noreturn]] inline void type_error(Napi::Env env, const std::string& what) { throw Napi::TypeError::New(env, what); }
[[noreturn]] inline void range_error(Napi::Env env, const std::string& what) { throw Napi::RangeError::New(env, what); }

template <typename T>
std::span<T> array(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray()) type_error(env, std::string(name) + ": expected a typed array");
  const auto typed = value.As<Napi::TypedArray>();
  const bool bytes = kArrayType<T> == napi_uint8_array && typed.TypedArrayType() == napi_uint8_clamped_array;
  if (typed.TypedArrayType() != kArrayType<T> && !bytes) {
    type_error(env, std::string(name) + ": a typed array of another type");
  }
  // The data pointer of an empty array may be null; kernels get a valid one.
  static T nothing{};
  if (typed.ElementLength() == 0) return {&nothing, 0};
  auto* data = static_cast<uint8_t*>(typed.ArrayBuffer().Data()) + typed.ByteOffset();
  return {reinterpret_cast<T*>(data), typed.ElementLength()};
}

template <typename T>
std::span<T> array_of(Napi::Env env, const Napi::Value& value, const char* name, size_t length) {
  const auto span = array<T>(env, value, name);
  if (span.size() != length) {
    range_error(env, std::string(name) + ": expected " + std::to_string(length) + " elements, got " +
                         std::to_string(span.size()));
  }
  return span;
}

inline double number(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) type_error(env, std::string(name) + ": expected a number");
  return value.As<Napi::Number>().DoubleValue();
}

inline uint64_t whole(Napi::Env env, const Napi::Value& value, const char* name, uint64_t least, uint64_t most) {
  const double given = number(env, value, name);
  if (!(given >= static_cast<double>(least) && given <= static_cast<double>(most)) || given != std::floor(given)) {
    range_error(env, std::string(name) + ": expected a whole number from " + std::to_string(least) + " to " +
                         std::to_string(most));
  }
  return static_cast<uint64_t>(given);
}

inline constexpr uint64_t kMaxItems = 0xfffffffe;
inline constexpr uint64_t kMaxSafe = (1ull << 53) - 1;
inline constexpr uint64_t kMaxTreeNodes = 65536;

inline Napi::Object object(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsObject()) type_error(env, std::string(name) + ": expected an object");
  return value.As<Napi::Object>();
}

template <typename T>
inline void require_multiple(Napi::Env env, std::span<T> values, size_t of, const char* name) {
  if (of == 0 || values.size() % of != 0) {
    range_error(env, std::string(name) + ": expected a multiple of " + std::to_string(of) + " elements");
  }
}

template <typename T>
inline void require_below(Napi::Env env, std::span<T> values, uint64_t limit, const char* name) {
  for (const auto value : values) {
    if (value >= limit) {
      range_error(env, std::string(name) + ": " + std::to_string(value) + " is not below " + std::to_string(limit));
    }
  }
}

// A time in milliseconds of process.hrtime's clock, which is steady_clock's; from 10^12 on there is none.
inline std::chrono::steady_clock::time_point time_point(double milliseconds) {
  if (!(milliseconds < 1e12)) return std::chrono::steady_clock::time_point::max();
  return std::chrono::steady_clock::time_point(
      std::chrono::nanoseconds(static_cast<int64_t>(std::max(0.0, milliseconds) * 1e6)));
}

} // namespace farsight
