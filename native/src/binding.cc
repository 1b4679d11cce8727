// The Node glue: checks arguments, calls a kernel. The only file that knows Node-API.
// A wrong type is a TypeError, a wrong length or number a RangeError, what the core throws an Error.
// Every length a kernel relies on is checked here, because here the pointer is made.

#include <napi.h>

#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assign.h"
#include "crc32c.h"
#include "diversity.h"
#include "encode.h"
#include "files.h"
#include "head.h"
#include "kernels.h"
#include "keys.h"
#include "mapping.h"
#include "members.h"
#include "mlp-head.h"
#include "moments.h"
#include "order.h"
#include "packed.h"
#include "principal.h"
#include "rabitq-pack.h"
#include "rabitq.h"
#include "ratio.h"
#include "records.h"
#include "search.h"
#include "sq8.h"
#include "survey.h"
#include "svm.h"
#include "topics.h"

namespace farsight {
namespace {

// ---- Arguments -----------------------------------------------------------------------------------------------

template <typename T>
constexpr napi_typedarray_type kArrayType = napi_uint8_array;
template <>
constexpr napi_typedarray_type kArrayType<int8_t> = napi_int8_array;
template <>
constexpr napi_typedarray_type kArrayType<uint16_t> = napi_uint16_array;
template <>
constexpr napi_typedarray_type kArrayType<uint32_t> = napi_uint32_array;
template <>
constexpr napi_typedarray_type kArrayType<float> = napi_float32_array;
template <>
constexpr napi_typedarray_type kArrayType<double> = napi_float64_array;
template <>
constexpr napi_typedarray_type kArrayType<uint64_t> = napi_biguint64_array;

[[noreturn]] void type_error(Napi::Env env, const std::string& what) { throw Napi::TypeError::New(env, what); }
[[noreturn]] void range_error(Napi::Env env, const std::string& what) { throw Napi::RangeError::New(env, what); }

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

double number(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) type_error(env, std::string(name) + ": expected a number");
  return value.As<Napi::Number>().DoubleValue();
}

uint64_t whole(Napi::Env env, const Napi::Value& value, const char* name, uint64_t least, uint64_t most) {
  const double given = number(env, value, name);
  if (!(given >= static_cast<double>(least) && given <= static_cast<double>(most)) || given != std::floor(given)) {
    range_error(env, std::string(name) + ": expected a whole number from " + std::to_string(least) + " to " +
                         std::to_string(most));
  }
  return static_cast<uint64_t>(given);
}

constexpr uint64_t kMaxItems = 0xfffffffe;
constexpr uint64_t kMaxSafe = (1ull << 53) - 1;
constexpr uint64_t kMaxTreeNodes = 65536;

Napi::Object object(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsObject()) type_error(env, std::string(name) + ": expected an object");
  return value.As<Napi::Object>();
}

template <typename T>
void require_multiple(Napi::Env env, std::span<T> values, size_t of, const char* name) {
  if (of == 0 || values.size() % of != 0) {
    range_error(env, std::string(name) + ": expected a multiple of " + std::to_string(of) + " elements");
  }
}

template <typename T>
void require_below(Napi::Env env, std::span<T> values, uint64_t limit, const char* name) {
  for (const auto value : values) {
    if (value >= limit) {
      range_error(env, std::string(name) + ": " + std::to_string(value) + " is not below " + std::to_string(limit));
    }
  }
}

// A time in milliseconds of process.hrtime's clock, which is steady_clock's; from 10^12 on there is none.
std::chrono::steady_clock::time_point time_point(double milliseconds) {
  if (!(milliseconds < 1e12)) return std::chrono::steady_clock::time_point::max();
  return std::chrono::steady_clock::time_point(
      std::chrono::nanoseconds(static_cast<int64_t>(std::max(0.0, milliseconds) * 1e6)));
}

// ---- Handles -------------------------------------------------------------------------------------------------

// Bytes of a section: a shared mapping, or a copy in memory.
struct Section {
  std::shared_ptr<const Mapping> mapping;
  std::vector<uint8_t> copy;
  std::span<const uint8_t> bytes() const { return mapping ? mapping->bytes() : std::span<const uint8_t>(copy); }
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
  std::shared_ptr<OpenCodes> codes, representatives, spread; // spread: may be null
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

// Members of clusters, taken part by part; one of the two.
struct OpenMembers {
  std::unique_ptr<RatioMembers> ratio;
  std::unique_ptr<Sq8Members> sq8;
  size_t taken = 0; // slots
};

template <typename T>
constexpr napi_type_tag kTag{};
template <>
constexpr napi_type_tag kTag<Section>{0x66617273696768ull, 1};
template <>
constexpr napi_type_tag kTag<OpenCodes>{0x66617273696768ull, 2};
template <>
constexpr napi_type_tag kTag<OpenCells>{0x66617273696768ull, 3};

template <>
constexpr napi_type_tag kTag<OpenMembers>{0x66617273696768ull, 6};
template <>
constexpr napi_type_tag kTag<OpenHead>{0x66617273696768ull, 7};

template <typename T>
Napi::Value wrap(Napi::Env env, std::shared_ptr<T> value) {
  auto external = Napi::External<std::shared_ptr<T>>::New(
      env, new std::shared_ptr<T>(std::move(value)), [](Napi::Env, std::shared_ptr<T>* held) { delete held; });
  external.TypeTag(&kTag<T>);
  return external;
}

template <typename T>
const std::shared_ptr<T>& handle(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsExternal()) type_error(env, std::string(name) + ": expected a handle");
  const auto external = value.As<Napi::External<std::shared_ptr<T>>>();
  if (!external.CheckTypeTag(&kTag<T>)) type_error(env, std::string(name) + ": a handle of another kind");
  return *external.Data();
}

using Info = const Napi::CallbackInfo&;

// ---- Files ---------------------------------------------------------------------------------------------------

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
  const auto bytes = array<uint8_t>(info.Env(), info[0], "bytes");
  auto section = std::make_shared<Section>();
  section->copy.assign(bytes.begin(), bytes.end());
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

Napi::Value exchange(Info info) {
  const auto env = info.Env();
  if (!info[0].IsString() || !info[1].IsString()) type_error(env, "exchangePaths: expected two paths");
  return Napi::Boolean::New(env, exchange_paths(info[0].As<Napi::String>(), info[1].As<Napi::String>()));
}

// ---- Codes ---------------------------------------------------------------------------------------------------

RatioParameters ratio_parameters(Napi::Env env, const Napi::Value& value) {
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

size_t item_count(Napi::Env env, const Napi::Value& value) { return whole(env, value, "count", 0, kMaxItems); }
uint32_t dense_dims(Napi::Env env, const Napi::Value& value) {
  return static_cast<uint32_t>(whole(env, value, "dims", 1, 4096));
}

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

void require_bytes(Napi::Env env, const Section& section, size_t bytes, const char* name) {
  if (section.bytes().size() < bytes) {
    range_error(env, std::string(name) + ": expected at least " + std::to_string(bytes) + " bytes, got " +
                         std::to_string(section.bytes().size()));
  }
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

RabitqParameters rabitq_parameters(Napi::Env env, const Napi::Value& value) {
  const auto given = object(env, value, "parameters");
  const auto dims = static_cast<uint32_t>(whole(env, given.Get("dims"), "dims", 1, kMostRabitqDims));
  const auto scan_bits = static_cast<uint32_t>(whole(env, given.Get("scanBits"), "scanBits", 1, 4));
  if (scan_bits == 3) range_error(env, "scanBits: expected 1, 2 or 4");
  const auto bits = static_cast<uint32_t>(whole(env, given.Get("bits"), "bits", scan_bits, kMostRabitqBits));
  const auto full = static_cast<uint32_t>(whole(env, given.Get("fullDims"), "fullDims", bits == scan_bits ? dims : 1, dims));
  return {dims, bits, scan_bits, full};
}

size_t rabitq_refine_bytes(size_t count, const RabitqParameters& parameters) {
  return count * rabitq_refine_row_bytes(parameters);
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

Napi::Value open_rabitq(Info info) {
  const auto env = info.Env();
  const auto count = item_count(env, info[0]);
  const auto parameters = rabitq_parameters(env, info[1]);
  const auto& blocks = handle<Section>(env, info[2], "blocks");
  const auto& refine = handle<Section>(env, info[3], "refine");
  const auto& representatives = handle<OpenCodes>(env, info[4], "representatives");
  require_bytes(env, *blocks, rabitq_codes_bytes(count, parameters), "blocks");
  require_bytes(env, *refine, rabitq_refine_bytes(count, parameters), "refine");
  const Codes& means = *representatives->codes;
  if (means.sparse() || means.dims() != parameters.dims || means.block_items() > kMostRepresentativeBlock) {
    range_error(env, "representatives: expected dense ones of " + std::to_string(parameters.dims) + " dims");
  }
  if (means.count() == 0) range_error(env, "representatives: expected at least one");
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
  return wrap(env, std::move(open));
}

// ---- Search --------------------------------------------------------------------------------------------------

std::unique_ptr<Query> prepare(Napi::Env env, const Codes& codes, const Napi::Value& weights, const Napi::Value& bias) {
  return codes.prepare(array_of<float>(env, weights, "weights", codes.dims()).data(), number(env, bias, "bias"));
}

// The first of the blocks that `out` has room for, all of which exist.
size_t first_block(Napi::Env env, const Codes& codes, const Napi::Value& value, std::span<float> out,
                   const std::string& function) {
  require_multiple(env, out, codes.block_items(), "out");
  const auto blocks = (codes.count() + codes.block_items() - 1) / codes.block_items();
  const auto first = whole(env, value, "first", 0, blocks);
  if (out.size() / codes.block_items() > blocks - first) range_error(env, function + ": past the end");
  return first;
}

Napi::Value score_blocks(Info info) {
  const auto env = info.Env();
  const auto& codes = *handle<OpenCodes>(env, info[0], "codes")->codes;
  const auto query = prepare(env, codes, info[1], info[2]);
  const auto out = array<float>(env, info[4], "out");
  const auto first = first_block(env, codes, info[3], out, "scoreBlocks");
  query->approximate(first, out.size() / codes.block_items(), out.data());
  return env.Undefined();
}

Napi::Value score_error(Info info) {
  const auto env = info.Env();
  const auto& codes = *handle<OpenCodes>(env, info[0], "codes")->codes;
  return Napi::Number::New(env, prepare(env, codes, info[1], info[2])->error());
}

std::unique_ptr<DistanceQuery> prepare_distance(Napi::Env env, const Codes& codes, const Napi::Value& query) {
  return codes.prepare_distance(array_of<float>(env, query, "query", codes.dims()).data());
}

Napi::Value distance_blocks(Info info) {
  const auto env = info.Env();
  const auto& codes = *handle<OpenCodes>(env, info[0], "codes")->codes;
  const auto query = prepare_distance(env, codes, info[1]);
  const auto out = array<float>(env, info[3], "out");
  const auto first = first_block(env, codes, info[2], out, "distanceBlocks");
  query->approximate(first, out.size() / codes.block_items(), out.data());
  return env.Undefined();
}

Napi::Value distance_error(Info info) {
  const auto env = info.Env();
  const auto& codes = *handle<OpenCodes>(env, info[0], "codes")->codes;
  return Napi::Number::New(env, prepare_distance(env, codes, info[1])->error());
}

void decode_all(Napi::Env env, const Codes& codes, std::span<const uint32_t> slots, const Napi::Value& ids_value,
                const Napi::Value& values_value) {
  const auto row = codes.row_values();
  const auto values = array_of<float>(env, values_value, "values", slots.size() * row);
  const auto ids = array_of<uint32_t>(env, ids_value, "ids", codes.sparse() ? values.size() : 0);
  for (size_t i = 0; i < slots.size(); ++i) {
    if (slots[i] >= codes.count()) range_error(env, "slots: " + std::to_string(slots[i]) + " is past the end");
    codes.decode(slots[i], codes.sparse() ? ids.data() + i * row : nullptr, values.data() + i * row);
  }
}

Napi::Value decode_slots(Info info) {
  const auto env = info.Env();
  decode_all(env, *handle<OpenCodes>(env, info[0], "codes")->codes, array<uint32_t>(env, info[1], "slots"), info[2],
             info[3]);
  return env.Undefined();
}

Napi::Value decode_given(Info info) {
  const auto env = info.Env();
  const auto& cells = handle<OpenCells>(env, info[0], "cells")->cells;
  const auto items = array<uint32_t>(env, info[1], "items");
  require_below(env, items, cells.codes->count(), "items");
  const auto values = array_of<float>(env, info[3], "values", items.size() * cells.codes->row_values());
  const auto ids = array_of<uint32_t>(env, info[2], "ids", cells.codes->sparse() ? values.size() : 0);
  decode_items(cells, items, ids.data(), values.data());
  return env.Undefined();
}

Napi::Value linear_head(Info info) {
  const auto env = info.Env();
  const auto& cells = handle<OpenCells>(env, info[0], "cells");
  const auto weights = array_of<float>(env, info[1], "weights", cells->cells.codes->dims());
  const auto bias = number(env, info[2], "bias");
  auto open = std::make_shared<OpenHead>();
  open->cells = cells;
  open->head = std::make_unique<LinearHead>(cells->cells, cells->spread ? cells->spread->codes.get() : nullptr,
                                            std::vector<float>(weights.begin(), weights.end()), bias);
  return wrap(env, std::move(open));
}

// The layers of a network of `dims` inputs from its parameters in a row: per layer the weights unit by unit, then the
// biases. hidden: units of the hidden layers.
MlpModel mlp_model(Napi::Env env, size_t dims, std::span<const uint32_t> hidden, std::span<const float> parameters) {
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

std::span<const uint32_t> hidden_units(Napi::Env env, const Napi::Value& value) {
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

Napi::Value mlp_head(Info info) {
  const auto env = info.Env();
  const auto& cells = handle<OpenCells>(env, info[0], "cells");
  const auto hidden = hidden_units(env, info[1]);
  const auto parameters = array<float>(env, info[2], "parameters");
  auto open = std::make_shared<OpenHead>();
  open->cells = cells;
  open->head = std::make_unique<MlpHead>(cells->cells, cells->spread ? cells->spread->codes.get() : nullptr,
                                         mlp_model(env, cells->cells.codes->dims(), hidden, parameters));
  return wrap(env, std::move(open));
}

Head& head_of(Napi::Env env, const Napi::Value& value) { return *handle<OpenHead>(env, value, "head")->head; }

Napi::Value select(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto limit = whole(env, info[1], "sizeLimit", 0, kMaxSafe);
  const auto clusters = array<uint32_t>(env, info[2], "clusters");
  size_t ordinary = 0;
  const auto written = select_clusters(head.cells(), head.representatives(), head.spread(), clusters.size(), limit,
                                       clusters.data(), &ordinary);
  auto result = Napi::Object::New(env);
  result.Set("written", static_cast<double>(written));
  result.Set("ordinary", static_cast<double>(ordinary));
  return result;
}

ScanOptions scan_options(Napi::Env env, const Napi::Value& skip, const Napi::Value& workers,
                         const Napi::Value& deadline) {
  ScanOptions options;
  const auto items = array<uint32_t>(env, skip, "skip");
  for (size_t i = 1; i < items.size(); ++i) {
    if (items[i - 1] >= items[i]) range_error(env, "skip: expected ascending, unique items");
  }
  options.skip = items;
  options.workers = whole(env, workers, "workers", 1, 256);
  options.deadline = time_point(number(env, deadline, "deadlineMs"));
  return options;
}

Napi::Object scan_result(Napi::Env env, const ScanResult& result) {
  auto out = Napi::Object::New(env);
  out.Set("itemsScored", static_cast<double>(result.items_scored));
  out.Set("clustersRead", static_cast<double>(result.clusters_read));
  out.Set("complete", result.complete);
  return out;
}

Napi::Value scan_some(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto clusters = array<uint32_t>(env, info[1], "clusters");
  require_below(env, clusters, head.cells().representatives->count(), "clusters");
  const auto per_segment = whole(env, info[2], "perSegment", 1, kMaxItems);
  const auto counts = array<uint32_t>(env, info[8], "counts");
  if (counts.empty()) range_error(env, "counts: expected at least one segment");
  const auto items = array_of<uint32_t>(env, info[6], "items", counts.size() * per_segment);
  const auto scores = array_of<double>(env, info[7], "scores", items.size());
  return scan_result(env, scan_clusters(head.cells(), head.items(), clusters, counts.size(), per_segment,
                                        scan_options(env, info[3], info[4], info[5]), items.data(), scores.data(),
                                        counts.data()));
}

Napi::Value scan_everything(Info info) {
  const auto env = info.Env();
  const auto& opened = *handle<OpenHead>(env, info[0], "head");
  auto& open = *opened.cells;
  if (!open.repeats_known) {
    open.repeats = repeated_blocks(*open.cells.codes, open.cells.starts);
    open.cells.repeats = open.repeats;
    open.repeats_known = true;
  }
  const auto items = array<uint32_t>(env, info[4], "items");
  const auto scores = array_of<double>(env, info[5], "scores", items.size());
  size_t found = 0;
  auto result = scan_result(env, scan_all(open.cells, opened.head->items(), items.size(),
                                          scan_options(env, info[1], info[2], info[3]), items.data(), scores.data(),
                                          &found));
  result.Set("found", static_cast<double>(found));
  return result;
}

Napi::Value score_given(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto items = array<uint32_t>(env, info[1], "items");
  require_below(env, items, head.cells().codes->count(), "items");
  score_items(head.cells(), head.items(), items, array_of<double>(env, info[2], "scores", items.size()).data());
  return env.Undefined();
}

Napi::Value distances_to(Info info) {
  const auto env = info.Env();
  const auto& cells = handle<OpenCells>(env, info[0], "cells")->cells;
  const auto query = array_of<float>(env, info[1], "query", cells.codes->dims());
  const auto items = array<uint32_t>(env, info[2], "items");
  require_below(env, items, cells.codes->count(), "items");
  const auto out = array_of<double>(env, info[3], "distances", items.size());
  item_distances(cells, query.data(), items, out.data());
  return env.Undefined();
}

Napi::Value order_scores(Info info) {
  const auto env = info.Env();
  const auto items = array<uint32_t>(env, info[0], "items");
  order_by_score(items, array_of<double>(env, info[1], "scores", items.size()),
                 array_of<uint32_t>(env, info[2], "order", items.size()));
  return env.Undefined();
}

// ---- Looking at everything -----------------------------------------------------------------------------------

// A list of modalities and their weights, all of one number of items.
std::vector<Space> spaces(Napi::Env env, const Napi::Value& cells_value, const Napi::Value& weights_value) {
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

std::span<const uint32_t> items_of(Napi::Env env, const Napi::Value& value, const char* name, const Cells& cells) {
  const auto items = array<uint32_t>(env, value, name);
  require_below(env, items, cells.codes->count(), name);
  return items;
}

SurveyOptions survey_options(Napi::Env env, const Napi::Value& workers, const Napi::Value& deadline) {
  return {whole(env, workers, "workers", 1, 256), time_point(number(env, deadline, "deadlineMs"))};
}

Napi::Value score_everything(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto options = survey_options(env, info[1], info[2]);
  const auto scores = array_of<double>(env, info[3], "scores", head.cells().codes->count());
  return Napi::Boolean::New(env, score_all(head.cells(), head.items(), options, scores));
}

Napi::Value prefer_huge(Info info) {
  const auto memory = array<uint8_t>(info.Env(), info[0], "memory");
  prefer_huge_pages(memory);
  return info.Env().Undefined();
}

Napi::Value scan_range(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto slots = head.cells().codes->count();
  const auto first = whole(env, info[1], "first", 0, slots);
  const auto count = whole(env, info[2], "count", 0, slots - first);
  scan_slots(head.cells(), head.items(), first, first + count, array_of<float>(env, info[3], "scores", slots));
  return Napi::Number::New(env, head.items().error());
}

Napi::Value distances_of_all(Info info) {
  const auto env = info.Env();
  const auto all = spaces(env, info[0], info[1]);
  const auto queries = items_of(env, info[2], "queries", *all[0].cells);
  const auto options = survey_options(env, info[3], info[4]);
  const auto distances = array_of<double>(env, info[5], "distances", all[0].cells->codes->count());
  return Napi::Boolean::New(env, nearest_distances(all, queries, options, distances));
}

Napi::Value diverse_items(Info info) {
  const auto env = info.Env();
  const auto all = spaces(env, info[0], info[1]);
  const auto chosen = items_of(env, info[2], "chosen", *all[0].cells);
  const auto items = items_of(env, info[3], "items", *all[0].cells);
  const auto limit = number(env, info[4], "limit");
  const auto deadline = time_point(number(env, info[5], "deadlineMs"));
  const auto out = array<uint32_t>(env, info[6], "out");
  const auto diverse = select_diverse(all, chosen, items, limit, out.size(), deadline, out.data());
  auto result = Napi::Object::New(env);
  result.Set("found", static_cast<double>(diverse.found));
  result.Set("looked", static_cast<double>(diverse.looked));
  result.Set("complete", diverse.complete);
  return result;
}

Napi::Value components_of(Info info) {
  const auto env = info.Env();
  const auto all = spaces(env, info[0], info[1]);
  const auto sample = items_of(env, info[2], "sample", *all[0].cells);
  size_t dims = 0;
  for (const Space& space : all) dims += space.cells->codes->dims();
  const auto out = array<float>(env, info[3], "components");
  require_multiple(env, out, dims, "components");
  const auto count = out.size() / dims;
  if (count == 0 || count > kMaxComponents) {
    range_error(env, "components: expected 1 to " + std::to_string(kMaxComponents) + " of them");
  }
  principal_components(all, sample, count, out.data());
  return env.Undefined();
}

// ---- Training ------------------------------------------------------------------------------------------------

DenseRows dense_rows(Napi::Env env, const Napi::Value& values, const Napi::Value& dims) {
  const auto width = whole(env, dims, "dims", 1, 1 << 24);
  const auto rows = array<float>(env, values, "values");
  require_multiple(env, rows, width, "values");
  return {rows.data(), rows.size() / width, width};
}

SparseRows sparse_rows(Napi::Env env, const Napi::Value& ids, const Napi::Value& values, const Napi::Value& per_row,
                       size_t dims) {
  const auto width = whole(env, per_row, "perRow", 1, 65536);
  const auto numbers = array<float>(env, values, "values");
  require_multiple(env, numbers, width, "values");
  const auto features = array_of<uint32_t>(env, ids, "ids", numbers.size());
  require_below(env, features, dims, "ids");
  return {features.data(), numbers.data(), numbers.size() / width, width, dims};
}

std::span<const int8_t> row_labels(Napi::Env env, const Napi::Value& value, size_t rows) {
  const auto labels = array_of<int8_t>(env, value, "labels", rows);
  for (const auto label : labels) {
    if (label != 1 && label != -1) range_error(env, "labels: expected 1 or -1");
  }
  return labels;
}

template <typename Rows>
Napi::Value train(Napi::Env env, const Rows& rows, const Napi::Value& labels_value, const Napi::Value& costs_value,
                  const Napi::Value& options_value, const Napi::Value& alpha_value, float* weights) {
  const auto labels = row_labels(env, labels_value, rows.rows);
  const auto costs = array_of<double>(env, costs_value, "costs", rows.rows);
  for (const double cost : costs) {
    if (!(cost > 0) || !std::isfinite(cost)) range_error(env, "costs: expected finite numbers above 0");
  }
  const auto given = object(env, options_value, "options");
  SvmOptions options;
  options.squared_hinge = given.Get("squaredHinge").ToBoolean();
  options.epsilon = number(env, given.Get("epsilon"), "epsilon");
  options.max_iterations = static_cast<uint32_t>(whole(env, given.Get("maxIterations"), "maxIterations", 1, 1000000));
  options.seed = whole(env, given.Get("seed"), "seed", 0, kMaxSafe);
  if (given.Has("deadlineMs")) options.deadline = time_point(number(env, given.Get("deadlineMs"), "deadlineMs"));
  const auto alpha = array_of<double>(env, alpha_value, "alpha", rows.rows);
  const auto result = train_svm(rows, labels.data(), costs.data(), options, alpha.data(), weights);
  auto out = Napi::Object::New(env);
  out.Set("bias", result.bias);
  out.Set("primal", result.primal);
  out.Set("dual", result.dual);
  out.Set("iterations", result.iterations);
  out.Set("converged", result.converged);
  return out;
}

Napi::Value train_dense(Info info) {
  const auto env = info.Env();
  const auto rows = dense_rows(env, info[0], info[1]);
  const auto weights = array_of<float>(env, info[6], "weights", rows.dims);
  return train(env, rows, info[2], info[3], info[4], info[5], weights.data());
}

Napi::Value train_sparse(Info info) {
  const auto env = info.Env();
  const auto weights = array<float>(env, info[7], "weights");
  const auto rows = sparse_rows(env, info[0], info[1], info[2], weights.size());
  return train(env, rows, info[3], info[4], info[5], info[6], weights.data());
}

template <typename Rows>
Napi::Value train_network(Napi::Env env, const Rows& rows, const Napi::Value& labels_value,
                          const Napi::Value& options_value, const Napi::Value& parameters_value) {
  const auto labels = row_labels(env, labels_value, rows.rows);
  if (labels.empty()) range_error(env, "labels: expected at least one row");
  const auto given = object(env, options_value, "options");
  const auto hidden = hidden_units(env, given.Get("hidden"));
  MlpOptions options;
  options.hidden.assign(hidden.begin(), hidden.end());
  options.cost = number(env, given.Get("cost"), "cost");
  if (!(options.cost > 0) || !std::isfinite(options.cost)) range_error(env, "cost: expected a finite number above 0");
  options.seed = whole(env, given.Get("seed"), "seed", 0, kMaxSafe);
  if (given.Has("deadlineMs")) options.deadline = time_point(number(env, given.Get("deadlineMs"), "deadlineMs"));
  const auto parameters = array<float>(env, parameters_value, "parameters");
  (void)mlp_model(env, rows.dims, hidden, parameters);
  MlpModel model;
  const auto result = train_mlp(rows, labels.data(), options, model);
  auto* out = parameters.data();
  for (const MlpLayer& layer : model.layers) {
    out = std::copy(layer.weights.begin(), layer.weights.end(), out);
    out = std::copy(layer.bias.begin(), layer.bias.end(), out);
  }
  auto report = Napi::Object::New(env);
  report.Set("epochs", result.epochs);
  report.Set("bestEpoch", result.best_epoch);
  report.Set("heldBack", static_cast<double>(result.held_back));
  report.Set("startLoss", result.start_loss);
  report.Set("loss", result.loss);
  report.Set("complete", result.complete);
  return report;
}

Napi::Value train_mlp_dense(Info info) {
  const auto env = info.Env();
  return train_network(env, dense_rows(env, info[0], info[1]), info[2], info[3], info[4]);
}

Napi::Value train_mlp_sparse(Info info) {
  const auto env = info.Env();
  const auto dims = whole(env, info[3], "dims", 1, 1 << 24);
  return train_network(env, sparse_rows(env, info[0], info[1], info[2], dims), info[4], info[5], info[6]);
}

Napi::Value rocchio_dense(Info info) {
  const auto env = info.Env();
  const auto rows = dense_rows(env, info[0], info[1]);
  const auto weights = array_of<float>(env, info[5], "weights", rows.dims);
  rocchio(rows, row_labels(env, info[2], rows.rows).data(), number(env, info[3], "positiveWeight"),
          number(env, info[4], "negativeWeight"), weights.data());
  return env.Undefined();
}

Napi::Value rocchio_sparse(Info info) {
  const auto env = info.Env();
  const auto weights = array<float>(env, info[6], "weights");
  const auto rows = sparse_rows(env, info[0], info[1], info[2], weights.size());
  rocchio(rows, row_labels(env, info[3], rows.rows).data(), number(env, info[4], "positiveWeight"),
          number(env, info[5], "negativeWeight"), weights.data());
  return env.Undefined();
}

// ---- Encoding ------------------------------------------------------------------------------------------------

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

size_t thread_count(Napi::Env env, const Napi::Value& value) { return whole(env, value, "threads", 1, 256); }

RatioRecordForm ratio_form(Napi::Env env, uint32_t features, const Napi::Value& code_bytes) {
  const auto bytes = static_cast<uint32_t>(whole(env, code_bytes, "codeBytes", 2, 4));
  if (bytes == 3) range_error(env, "codeBytes: expected 2 or 4");
  return {features, bytes};
}

// The form of a quantiser's records: 2 bytes hold its codes or 4 do.
RatioRecordForm ratio_form(const RatioQuantiser& quantiser) {
  return {quantiser.features, quantiser.max_code < 65536 ? 2u : 4u};
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

// ---- Records -------------------------------------------------------------------------------------------------

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

// ---- Clusters ------------------------------------------------------------------------------------------------

SparseVectors sparse_vectors(Napi::Env env, const Napi::Value& value, size_t dims, const char* name) {
  const auto given = object(env, value, name);
  const auto per_row = whole(env, given.Get("perRow"), "perRow", 1, 65536);
  const auto values = array<float>(env, given.Get("values"), "values");
  require_multiple(env, values, per_row, "values");
  const auto ids = array_of<uint16_t>(env, given.Get("ids"), "ids", values.size());
  require_below(env, ids, dims, "ids");
  // Posting lists count on it: a dot product is then never negative.
  for (const float value : values) {
    if (!(value >= 0)) range_error(env, std::string(name) + ": expected values of 0 or more");
  }
  return {ids.data(), values.data(), values.size() / per_row, per_row};
}

Sq8Vectors sq8_vectors(Napi::Env env, const Napi::Value& value) {
  const auto given = object(env, value, "rows");
  const auto offset = array<float>(env, given.Get("offset"), "offset");
  const auto step = array_of<float>(env, given.Get("step"), "step", offset.size());
  const auto codes = array<uint8_t>(env, given.Get("codes"), "codes");
  require_multiple(env, codes, offset.size(), "codes");
  return {codes.data(), offset.data(), step.data(), codes.size() / offset.size(), offset.size()};
}

Napi::Value pack_rabitq_records(Info info) {
  const auto env = info.Env();
  const auto parameters = rabitq_parameters(env, info[4]);
  const auto given = object(env, info[0], "records");
  const auto offset = array_of<float>(env, given.Get("offset"), "offset", parameters.dims);
  const auto step = array_of<float>(env, given.Get("step"), "step", parameters.dims);
  const auto codes = array<uint8_t>(env, given.Get("codes"), "codes");
  require_multiple(env, codes, 2 * size_t{parameters.dims}, "codes");
  const FineRecords records{codes.data(), offset.data(), step.data(), codes.size() / 2 / parameters.dims, parameters.dims};
  const auto starts = array<uint32_t>(env, info[2], "starts");
  if (starts.size() < 2 || starts[0] != 0 || std::adjacent_find(starts.begin(), starts.end(), std::greater_equal<>()) != starts.end()) {
    range_error(env, "starts: expected to ascend from 0, without empty clusters");
  }
  const auto first = whole(env, info[1], "first", 0, starts.back());
  if (first % kRabitqBlockItems != 0 || records.rows > starts.back() - first) {
    range_error(env, "records: expected to begin at a block, and no more than the clusters hold");
  }
  const auto clusters = starts.size() - 1;
  const auto means = array_of<float>(env, info[3], "representatives", clusters * parameters.dims);
  const auto threads = thread_count(env, info[5]);
  const auto blocks = array_of<uint8_t>(env, info[6], "blocks", rabitq_codes_bytes(records.rows, parameters));
  const auto refine = array_of<uint8_t>(env, info[7], "refine", rabitq_refine_bytes(records.rows, parameters));
  const double error = pack_rabitq(records, first, {means.data(), starts.data(), clusters}, parameters, threads,
                                   blocks.data(), refine.data());
  return Napi::Number::New(env, error);
}

// The groups to search by, or none for null.
std::optional<AssignTree> assign_tree(Napi::Env env, const Napi::Value& value) {
  if (value.IsNull()) return std::nullopt;
  const auto given = object(env, value, "tree");
  return AssignTree{static_cast<uint32_t>(whole(env, given.Get("nodes"), "nodes", 1, kMaxTreeNodes)),
                    static_cast<uint32_t>(whole(env, given.Get("beam"), "beam", 1, kMaxTreeNodes)),
                    whole(env, given.Get("seed"), "seed", 0, kMaxSafe)};
}

// What an assigner was prepared for, beside itself: the rows must fit.
template <typename Assigner>
struct Prepared {
  size_t dims;
  std::unique_ptr<Assigner> assigner;
};
using PreparedSparse = Prepared<SparseAssigner>;
using PreparedDense = Prepared<DenseAssigner>;
template <>
constexpr napi_type_tag kTag<PreparedSparse>{0x66617273696768ull, 4};
template <>
constexpr napi_type_tag kTag<PreparedDense>{0x66617273696768ull, 5};

Napi::Value prepare_sparse(Info info) {
  const auto env = info.Env();
  const auto dims = whole(env, info[1], "dims", 1, 65536);
  const auto representatives = sparse_vectors(env, info[0], dims, "representatives");
  if (representatives.rows == 0) range_error(env, "representatives: expected at least one");
  const auto tree = assign_tree(env, info[2]);
  auto assigner = sparse_assigner(representatives, dims, tree ? &*tree : nullptr, thread_count(env, info[3]));
  return wrap(env, std::shared_ptr<PreparedSparse>(new PreparedSparse{dims, std::move(assigner)}));
}

Napi::Value prepare_dense(Info info) {
  const auto env = info.Env();
  const auto representatives = array<float>(env, info[0], "representatives");
  const auto dims = dense_dims(env, info[1]);
  require_multiple(env, representatives, dims, "representatives");
  if (representatives.empty()) range_error(env, "representatives: expected at least one");
  const auto tree = assign_tree(env, info[2]);
  auto assigner = dense_assigner(representatives.data(), representatives.size() / dims, dims,
                                 tree ? &*tree : nullptr, thread_count(env, info[3]));
  return wrap(env, std::shared_ptr<PreparedDense>(new PreparedDense{dims, std::move(assigner)}));
}

Napi::Value assign_sparse(Info info) {
  const auto env = info.Env();
  const auto& prepared = *handle<PreparedSparse>(env, info[0], "assigner");
  const auto rows = sparse_vectors(env, info[1], prepared.dims, "rows");
  const auto threads = thread_count(env, info[2]);
  const auto nearest = array_of<uint32_t>(env, info[3], "nearest", rows.rows);
  const auto distances = array_of<float>(env, info[4], "distances", rows.rows);
  prepared.assigner->assign(rows, threads, nearest.data(), distances.data());
  return env.Undefined();
}

Napi::Value assign_dense(Info info) {
  const auto env = info.Env();
  const auto& prepared = *handle<PreparedDense>(env, info[0], "assigner");
  const auto rows = sq8_vectors(env, info[1]);
  if (rows.dims != prepared.dims) range_error(env, "rows: expected " + std::to_string(prepared.dims) + " dims");
  const auto threads = thread_count(env, info[2]);
  const auto nearest = array_of<uint32_t>(env, info[3], "nearest", rows.rows);
  const auto distances = array_of<float>(env, info[4], "distances", rows.rows);
  prepared.assigner->assign(rows, threads, nearest.data(), distances.data());
  return env.Undefined();
}

// order and starts of a clustering of `rows` rows.
struct Clustering {
  std::span<uint32_t> order, starts;
  size_t clusters;
};

Clustering clustering(Napi::Env env, const Napi::Value& order_value, const Napi::Value& starts_value, size_t rows) {
  const auto order = array_of<uint32_t>(env, order_value, "order", rows);
  require_below(env, order, rows, "order");
  const auto starts = array<uint32_t>(env, starts_value, "starts");
  if (starts.size() < 2 || starts.front() != 0 || starts.back() != rows) {
    range_error(env, "starts: expected 0 to the number of rows");
  }
  for (size_t i = 1; i < starts.size(); ++i) {
    if (starts[i - 1] > starts[i]) range_error(env, "starts: expected an ascending list");
  }
  return {order, starts, starts.size() - 1};
}

// One sparse vector a cluster.
SparseMoments sparse_output(Napi::Env env, const Napi::Value& value, size_t clusters, const char* name) {
  const auto out = object(env, value, name);
  const auto features = whole(env, out.Get("perRow"), "perRow", 1, 65536);
  return {features, array_of<uint16_t>(env, out.Get("ids"), "ids", clusters * features).data(),
          array_of<float>(env, out.Get("values"), "values", clusters * features).data()};
}

Napi::Value sparse_means(Info info) {
  const auto env = info.Env();
  const auto dims = whole(env, info[1], "dims", 1, 65536);
  const auto rows = sparse_vectors(env, info[0], dims, "rows");
  const auto given = clustering(env, info[2], info[3], rows.rows);
  const auto threads = thread_count(env, info[4]);
  const auto out = sparse_output(env, info[5], given.clusters, "means");
  means(rows, dims, given.order.data(), given.starts.data(), given.clusters, out.features, threads, out.ids, out.values);
  return env.Undefined();
}

Napi::Value dense_means(Info info) {
  const auto env = info.Env();
  const auto rows = sq8_vectors(env, info[0]);
  const auto given = clustering(env, info[1], info[2], rows.rows);
  const auto out = array_of<float>(env, info[4], "means", given.clusters * rows.dims);
  means(rows, given.order.data(), given.starts.data(), given.clusters, thread_count(env, info[3]), out.data());
  return env.Undefined();
}

// Slots [first, first + rows) of clusters none of which is empty; they follow on the slots taken before.
size_t next_slots(Napi::Env env, size_t taken, std::span<uint32_t> starts, size_t rows) {
  if (starts.size() < 2 || starts.front() != 0) range_error(env, "starts: expected 0 first");
  for (size_t i = 1; i < starts.size(); ++i) {
    if (starts[i - 1] >= starts[i]) range_error(env, "starts: expected clusters that are not empty");
  }
  if (rows == 0 || rows > starts.back() - std::min<size_t>(taken, starts.back())) {
    range_error(env, "records: expected some, and no more than the clusters hold");
  }
  return taken;
}

Napi::Value open_ratio_members(Info info) {
  const auto env = info.Env();
  const auto parameters = ratio_parameters(env, info[0]);
  const auto form = ratio_form(env, parameters.features, info[1]);
  auto open = std::make_shared<OpenMembers>();
  open->ratio = std::make_unique<RatioMembers>(parameters.dims, form, parameters.scale);
  return wrap(env, std::move(open));
}

Napi::Value open_sq8_members(Info info) {
  const auto env = info.Env();
  const auto offset = array<float>(env, info[0], "offset");
  const auto step = array_of<float>(env, info[1], "step", offset.size());
  if (offset.empty()) range_error(env, "offset: expected at least one dimension");
  auto open = std::make_shared<OpenMembers>();
  open->sq8 = std::make_unique<Sq8Members>(std::vector<float>(offset.begin(), offset.end()),
                                           std::vector<float>(step.begin(), step.end()));
  return wrap(env, std::move(open));
}

Napi::Value member_counts(Napi::Env env, const MemberCounts& counts) {
  auto out = Napi::Object::New(env);
  out.Set("duplicates", static_cast<double>(counts.duplicates));
  out.Set("zeros", static_cast<double>(counts.zeros));
  return out;
}

Napi::Value add_ratio_members(Info info) {
  const auto env = info.Env();
  auto& open = *handle<OpenMembers>(env, info[0], "members");
  if (!open.ratio) type_error(env, "members: expected those of ratio records");
  const auto bytes = open.ratio->form().bytes();
  const auto records = array<uint8_t>(env, info[1], "records");
  require_multiple(env, records, bytes, "records");
  const auto rows = records.size() / bytes;
  const auto starts = array<uint32_t>(env, info[2], "starts");
  const auto first = next_slots(env, open.taken, starts, rows);
  const auto threads = thread_count(env, info[3]);
  const auto clusters = starts.size() - 1;
  const auto means = sparse_output(env, info[4], clusters, "means");
  const auto variances =
      info[5].IsNull() ? SparseMoments{0, nullptr, nullptr} : sparse_output(env, info[5], clusters, "variances");
  for (size_t row = 0; row < rows; ++row) {
    for (uint32_t j = 0; j < open.ratio->form().features; ++j) {
      const uint8_t* id = records.data() + row * bytes + 2 * j;
      if (size_t{id[0]} + size_t{id[1]} * 256 >= open.ratio->dims()) range_error(env, "records: an id is too large");
    }
  }
  open.ratio->add(records.data(), first, rows, starts.data(), clusters, threads, means, variances);
  open.taken += rows;
  return member_counts(env, open.ratio->counts());
}

Napi::Value add_sq8_members(Info info) {
  const auto env = info.Env();
  auto& open = *handle<OpenMembers>(env, info[0], "members");
  if (!open.sq8) type_error(env, "members: expected those of sq8 records");
  const auto dims = open.sq8->dims();
  const auto records = array<uint8_t>(env, info[1], "records");
  require_multiple(env, records, dims, "records");
  const auto rows = records.size() / dims;
  const auto starts = array<uint32_t>(env, info[2], "starts");
  const auto first = next_slots(env, open.taken, starts, rows);
  const auto threads = thread_count(env, info[3]);
  const auto clusters = starts.size() - 1;
  const auto means = array_of<float>(env, info[4], "means", clusters * dims);
  float* variances = info[5].IsNull() ? nullptr : array_of<float>(env, info[5], "variances", means.size()).data();
  open.sq8->add(records.data(), first, rows, starts.data(), clusters, threads, means.data(), variances);
  open.taken += rows;
  return member_counts(env, open.sq8->counts());
}

// ---- Keys ----------------------------------------------------------------------------------------------------

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

// ---- Topics --------------------------------------------------------------------------------------------------

constexpr uint64_t kMaxTopics = 65536;

TextBatch text_batch(Napi::Env env, const Napi::Value& starts_value, const Napi::Value& words_value,
                     const Napi::Value& counts_value, size_t words) {
  const auto starts = array<uint32_t>(env, starts_value, "starts");
  const auto numbers = array<uint32_t>(env, words_value, "words");
  const auto counts = array_of<float>(env, counts_value, "counts", numbers.size());
  if (starts.empty() || starts.front() != 0 || starts.back() != numbers.size() || !std::ranges::is_sorted(starts)) {
    range_error(env, "starts: expected ascending places from 0 to the number of words");
  }
  require_below(env, numbers, words, "words");
  return {starts.size() - 1, starts.data(), numbers.data(), counts.data()};
}

Napi::Value weigh_topics(Info info) {
  const auto env = info.Env();
  const auto totals = array<double>(env, info[1], "totals");
  const auto counts = array<double>(env, info[0], "counts");
  require_multiple(env, counts, totals.size(), "counts");
  const auto threads = whole(env, info[2], "threads", 1, 256);
  const auto weights = array_of<float>(env, info[3], "weights", counts.size());
  topic_weights(counts.data(), counts.size() / totals.size(), totals.size(), totals.data(), threads, weights.data());
  return env.Undefined();
}

Napi::Value infer_given_topics(Info info) {
  const auto env = info.Env();
  const auto topics = whole(env, info[4], "topics", 1, kMaxTopics);
  const auto weights = array<float>(env, info[3], "weights");
  require_multiple(env, weights, topics, "weights");
  const auto batch = text_batch(env, info[0], info[1], info[2], weights.size() / topics);
  const auto given = object(env, info[5], "options");
  const TopicInference options{
      static_cast<float>(number(env, given.Get("prior"), "prior")),
      static_cast<uint32_t>(whole(env, given.Get("maxIterations"), "maxIterations", 1, 1000000)),
      static_cast<float>(number(env, given.Get("tolerance"), "tolerance")),
      whole(env, given.Get("threads"), "threads", 1, 256),
  };
  const auto gamma = array_of<float>(env, info[6], "gamma", batch.texts * topics);
  const auto exponentials = array_of<float>(env, info[7], "exponentials", batch.texts * topics);
  const auto ratios = array_of<float>(env, info[8], "ratios", batch.starts[batch.texts]);
  return Napi::Number::New(env, static_cast<double>(infer_topics(batch, topics, weights.data(), options, gamma.data(),
                                                                 exponentials.data(), ratios.data())));
}

Napi::Value count_topics(Info info) {
  const auto env = info.Env();
  const auto topics = whole(env, info[4], "topics", 1, kMaxTopics);
  const auto weights = array<float>(env, info[3], "weights");
  require_multiple(env, weights, topics, "weights");
  const auto batch = text_batch(env, info[0], info[1], info[2], weights.size() / topics);
  const auto exponentials = array_of<float>(env, info[5], "exponentials", batch.texts * topics);
  const auto ratios = array_of<float>(env, info[6], "ratios", batch.starts[batch.texts]);
  const auto threads = whole(env, info[7], "threads", 1, 256);
  const auto out = array_of<double>(env, info[8], "out", weights.size());
  topic_counts(batch, weights.size() / topics, topics, weights.data(), exponentials.data(), ratios.data(), threads,
               out.data());
  return env.Undefined();
}

// ---- Exports -------------------------------------------------------------------------------------------------

// What the core throws becomes a JavaScript Error; errors already thrown pass through.
template <Napi::Value (*function)(Info)>
Napi::Value guarded(Info info) {
  try {
    return function(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

template <Napi::Value (*function)(Info)>
void add(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New(env, guarded<function>, name));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  // Chosen now, so that a KERNELS_ISA that cannot run fails the load and not a round.
  try {
    kernels();
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
  add<isa>(env, exports, "isa");
  add<crc>(env, exports, "crc32c");
  add<map_section>(env, exports, "mapSection");
  add<memory_section>(env, exports, "memorySection");
  add<section_bytes>(env, exports, "sectionBytes");
  add<read_section>(env, exports, "readSection");
  add<warm_section>(env, exports, "warmSection");
  add<prefer_huge>(env, exports, "preferHugePages");
  add<exchange>(env, exports, "exchangePaths");
  add<ratio_codes_size>(env, exports, "ratioCodesBytes");
  add<ratio_refine_size>(env, exports, "ratioRefineBytes");
  add<sq8_codes_size>(env, exports, "sq8CodesBytes");
  add<pack_ratio_rows>(env, exports, "packRatio");
  add<pack_sq8_rows>(env, exports, "packSq8");
  add<open_ratio>(env, exports, "openRatio");
  add<open_sq8>(env, exports, "openSq8");
  add<rabitq_codes_size>(env, exports, "rabitqCodesBytes");
  add<rabitq_refine_size>(env, exports, "rabitqRefineBytes");
  add<pack_rabitq_records>(env, exports, "packRabitqRecords");
  add<open_rabitq>(env, exports, "openRabitq");
  add<open_cells>(env, exports, "openCells");
  add<packed_size>(env, exports, "packedBytes");
  add<pack_given_numbers>(env, exports, "packNumbers");
  add<unpack_given_numbers>(env, exports, "unpackNumbers");
  add<score_blocks>(env, exports, "scoreBlocks");
  add<score_error>(env, exports, "scoreError");
  add<distance_blocks>(env, exports, "distanceBlocks");
  add<distance_error>(env, exports, "distanceError");
  add<decode_slots>(env, exports, "decodeSlots");
  add<decode_given>(env, exports, "decodeItems");
  add<linear_head>(env, exports, "linearHead");
  add<mlp_head>(env, exports, "mlpHead");
  add<select>(env, exports, "selectClusters");
  add<scan_some>(env, exports, "scanClusters");
  add<scan_everything>(env, exports, "scanAll");
  add<score_given>(env, exports, "scoreItems");
  add<distances_to>(env, exports, "itemDistances");
  add<order_scores>(env, exports, "orderByScore");
  add<score_everything>(env, exports, "scoreAll");
  add<scan_range>(env, exports, "scanSlots");
  add<distances_of_all>(env, exports, "nearestDistances");
  add<diverse_items>(env, exports, "diverseItems");
  add<components_of>(env, exports, "principalComponents");
  add<train_dense>(env, exports, "trainSvmDense");
  add<train_sparse>(env, exports, "trainSvmSparse");
  add<train_mlp_dense>(env, exports, "trainMlpDense");
  add<train_mlp_sparse>(env, exports, "trainMlpSparse");
  add<rocchio_dense>(env, exports, "rocchioDense");
  add<rocchio_sparse>(env, exports, "rocchioSparse");
  add<encode_ratio_rows>(env, exports, "encodeRatio");
  add<encode_ratio_dense_rows>(env, exports, "encodeRatioDense");
  add<measure_sq8_rows>(env, exports, "measureSq8");
  add<encode_sq8_rows>(env, exports, "encodeSq8");
  add<halves>(env, exports, "halfToFloat");
  add<decode_r64_rows>(env, exports, "decodeR64");
  add<prepare_sparse>(env, exports, "sparseAssigner");
  add<prepare_dense>(env, exports, "denseAssigner");
  add<assign_sparse>(env, exports, "assignSparse");
  add<assign_dense>(env, exports, "assignDense");
  add<sparse_means>(env, exports, "meansSparse");
  add<dense_means>(env, exports, "meansDense");
  add<ratio_record_vectors>(env, exports, "ratioVectors");
  add<place>(env, exports, "placeRecords");
  add<pack_ratio_record_rows>(env, exports, "packRatioRecords");
  add<pack_sq8_record_rows>(env, exports, "packSq8Records");
  add<open_ratio_members>(env, exports, "openRatioMembers");
  add<open_sq8_members>(env, exports, "openSq8Members");
  add<add_ratio_members>(env, exports, "addRatioMembers");
  add<add_sq8_members>(env, exports, "addSq8Members");
  add<weigh_topics>(env, exports, "topicWeights");
  add<infer_given_topics>(env, exports, "inferTopics");
  add<count_topics>(env, exports, "topicCounts");
  add<key_table_slots>(env, exports, "keyTableSize");
  add<build_keys>(env, exports, "buildKeyTable");
  add<look_up_key>(env, exports, "findKey");
  return exports;
}

} // namespace

NODE_API_MODULE(farsight, init)

} // namespace farsight
