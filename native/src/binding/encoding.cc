// Exports: vectors into records.
#include "exports.h"
#include "../encode.h"
#include "parameters.h"

namespace farsight {

namespace {

RatioQuantiser ratio_quantiser(Napi::Env env, const Napi::Object& given) {
  RatioQuantiser quantiser;
  quantiser.features = static_cast<uint32_t>(whole(env, given.Get("features"), "features", 1, 255));
  quantiser.value_divisor = number(env, given.Get("valueDivisor"), "valueDivisor");
  quantiser.ratio_divisor = number(env, given.Get("ratioDivisor"), "ratioDivisor");
  quantiser.floor = given.Get("floor").ToBoolean();
  quantiser.normalize = given.Get("normalize").ToBoolean();
  quantiser.scale = number(env, given.Get("scale"), "scale");
  quantiser.max_code = static_cast<uint32_t>(whole(env, given.Get("maxCode"), "maxCode", 0, 0xffffff));
  return quantiser;
}

Napi::Value bad_value(Napi::Env env, const BadValue& bad) {
  if (!bad.found) return env.Null();
  auto out = Napi::Object::New(env);
  out.Set("row", static_cast<double>(bad.row));
  out.Set("column", static_cast<double>(bad.column));
  out.Set("value", bad.value);
  return out;
}

// Where encoded records go (null: measure only), and the three extremes that are raised.
struct RatioOutput {
  uint8_t* records;
  std::span<double> values;
  Extremes extremes;
  RatioOutput(Napi::Env env, const Napi::Value& given, const Napi::Value& raised, size_t bytes)
      : records(given.IsNull() ? nullptr : array_of<uint8_t>(env, given, "records", bytes).data()),
        values(array_of<double>(env, raised, "extremes", 3)),
        extremes{values[0], values[1], values[2]} {}
  void raise() const {
    values[0] = extremes.largest;
    values[1] = extremes.sum;
    values[2] = extremes.error;
  }
};

Napi::Value encode_ratio_rows(Info info) {
  const auto env = info.Env();
  const auto per_row = whole(env, info[2], "perRow", 1, 65536);
  const auto values = array<double>(env, info[1], "values");
  require_multiple(env, values, per_row, "values");
  const auto ids = array_of<uint32_t>(env, info[0], "ids", values.size());
  const auto given = object(env, info[3], "quantiser");
  const auto quantiser = ratio_quantiser(env, given);
  const auto dims = static_cast<uint32_t>(whole(env, given.Get("dims"), "dims", 1, 65536));
  const auto threads = thread_count(env, info[4]);
  const auto rows = values.size() / per_row;
  const auto form = ratio_form(quantiser);
  RatioOutput out(env, info[5], info[6], rows * form.bytes());
  const auto bad = encode_ratio_records(ids.data(), values.data(), rows, per_row, dims, quantiser, form, threads,
                                        out.records, &out.extremes);
  out.raise();
  return bad_value(env, bad);
}

Napi::Value encode_ratio_dense_rows(Info info) {
  const auto env = info.Env();
  const auto given = object(env, info[1], "quantiser");
  const auto quantiser = ratio_quantiser(env, given);
  const auto dims = static_cast<uint32_t>(whole(env, given.Get("dims"), "dims", 1, 65536));
  const auto threads = thread_count(env, info[2]);
  const auto values = array<float>(env, info[0], "values");
  require_multiple(env, values, dims, "values");
  const auto rows = values.size() / dims;
  const auto form = ratio_form(quantiser);
  RatioOutput out(env, info[3], info[4], rows * form.bytes());
  const auto bad = encode_ratio_records(values.data(), rows, dims, quantiser, form, threads, out.records, &out.extremes);
  out.raise();
  return bad_value(env, bad);
}

Napi::Value measure_sq8_rows(Info info) {
  const auto env = info.Env();
  const auto dims = dense_dims(env, info[1]);
  const auto rows = array<float>(env, info[0], "rows");
  require_multiple(env, rows, dims, "rows");
  const auto threads = thread_count(env, info[3]);
  const auto lowest = array_of<float>(env, info[4], "lowest", dims);
  const auto highest = array_of<float>(env, info[5], "highest", dims);
  return bad_value(env, measure_sq8_records(rows.data(), rows.size() / dims, dims, info[2].ToBoolean(), threads,
                                            lowest.data(), highest.data()));
}

Napi::Value encode_sq8_rows(Info info) {
  const auto env = info.Env();
  const auto offset = array<float>(env, info[1], "offset");
  const auto step = array_of<float>(env, info[2], "step", offset.size());
  const auto rows = array<float>(env, info[0], "rows");
  require_multiple(env, rows, offset.size(), "rows");
  const auto threads = thread_count(env, info[3]);
  const auto codes = array_of<uint8_t>(env, info[4], "codes", rows.size());
  double largest_error = 0;
  encode_sq8_records(rows.data(), rows.size() / offset.size(), offset.size(), offset.data(), step.data(), threads,
                     codes.data(), &largest_error);
  return Napi::Number::New(env, largest_error);
}

Napi::Value halves(Info info) {
  const auto env = info.Env();
  const auto in = array<uint16_t>(env, info[0], "halves");
  half_to_float(in.data(), in.size(), array_of<float>(env, info[1], "out", in.size()).data());
  return env.Undefined();
}

Napi::Value decode_r64_rows(Info info) {
  const auto env = info.Env();
  const auto given = object(env, info[3], "layout");
  const auto bits = [&](const char* name, uint64_t least, uint64_t most) {
    return static_cast<uint32_t>(whole(env, given.Get(name), name, least, most));
  };
  const R64Layout layout{bits("features", 1, 64),
                         bits("idBits", 1, 16),
                         bits("valueBits", 1, 63),
                         bits("ratioBits", 1, 32),
                         bits("idPadBits", 0, 63),
                         bits("ratioPadBits", 0, 63),
                         number(env, given.Get("valueDivisor"), "valueDivisor"),
                         number(env, given.Get("ratioDivisor"), "ratioDivisor")};
  const auto further = layout.features - 1;
  if (layout.id_bits + layout.value_bits > 64 || further * layout.id_bits + layout.id_pad_bits > 64 ||
      further * layout.ratio_bits + layout.ratio_pad_bits > 64) {
    range_error(env, "layout: the fields do not fit a 64-bit word");
  }
  const auto init = array<uint64_t>(env, info[0], "init");
  const auto ids = array_of<uint64_t>(env, info[1], "ids", init.size());
  const auto ratios = array_of<uint64_t>(env, info[2], "ratios", init.size());
  const auto dims = static_cast<uint32_t>(whole(env, info[4], "dims", 1, 65536));
  const auto out_ids = array_of<uint32_t>(env, info[5], "outIds", init.size() * layout.features);
  const auto out_values = array_of<double>(env, info[6], "outValues", out_ids.size());
  const auto refused =
      decode_r64(init.data(), ids.data(), ratios.data(), init.size(), layout, dims, out_ids.data(), out_values.data());
  return Napi::Number::New(env, refused == out_ids.size() ? -1.0 : static_cast<double>(refused));
}

} // namespace

void export_encoding(Napi::Env env, Napi::Object exports) {
  add<encode_ratio_rows>(env, exports, "encodeRatio");
  add<encode_ratio_dense_rows>(env, exports, "encodeRatioDense");
  add<measure_sq8_rows>(env, exports, "measureSq8");
  add<encode_sq8_rows>(env, exports, "encodeSq8");
  add<halves>(env, exports, "halfToFloat");
  add<decode_r64_rows>(env, exports, "decodeR64");
}

} // namespace farsight
