// Rows to records and records to sections. Encoding and packing are those of encode.h, ratio.h and sq8.h, a batch of rows
// at a time.
#include "records.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "parallel.h"
#include "sq8.h"

namespace farsight {

namespace {

// Rows encoded or packed together: what lies between the two forms stays in the cache. Whole blocks.
constexpr size_t kBatchRows = 256;
// Fewer rows than this are not worth a thread.
constexpr size_t kShareRows = 1024;

size_t shares_of(size_t rows, size_t threads) {
  return std::clamp<size_t>(rows / kShareRows, 1, std::max<size_t>(threads, 1));
}

void write_ratio(const uint16_t* ids, const uint32_t* codes, size_t rows, RatioRecordForm form, uint8_t* out) {
  const size_t features = form.features;
  for (size_t row = 0; row < rows; ++row, ids += features, codes += features, out += form.bytes()) {
    uint8_t* code_bytes = out + 2 * features;
    for (size_t j = 0; j < features; ++j) {
      const uint16_t id = codes[j] == 0 ? 0 : ids[j];
      std::memcpy(out + 2 * j, &id, 2);
      if (form.code_bytes == 2) {
        const uint16_t code = static_cast<uint16_t>(codes[j]);
        std::memcpy(code_bytes + 2 * j, &code, 2);
      } else {
        std::memcpy(code_bytes + 4 * j, &codes[j], 4);
      }
    }
  }
}

// Calls visit(j, id, code) for the entries of a record.
template <typename Visit>
void read_ratio(const uint8_t* record, RatioRecordForm form, Visit visit) {
  const uint8_t* code_bytes = record + 2 * size_t{form.features};
  for (uint32_t j = 0; j < form.features; ++j) {
    uint16_t id;
    std::memcpy(&id, record + 2 * j, 2);
    uint32_t code = 0;
    std::memcpy(&code, code_bytes + size_t{form.code_bytes} * j, form.code_bytes);
    visit(j, id, code);
  }
}

// Runs encode(first row, rows, out ids, out codes, extremes) in batches over all threads. Without records one batch a
// thread, which measures only.
template <typename Encode>
BadValue encode_records(size_t rows, RatioRecordForm form, size_t threads, uint8_t* records, Extremes* extremes,
                        Encode encode) {
  const size_t shares = shares_of(rows, threads);
  std::vector<Extremes> found(shares, *extremes);
  std::vector<BadValue> bad(shares);
  run_parts(shares, [&](size_t share) {
    const size_t from = rows * share / shares, to = rows * (share + 1) / shares;
    std::vector<uint16_t> ids(records ? kBatchRows * form.features : 0);
    std::vector<uint32_t> codes(ids.size());
    const size_t batch = records ? kBatchRows : std::max<size_t>(to - from, 1);
    for (size_t first = from; first < to; first += batch) {
      const size_t count = std::min(batch, to - first);
      bad[share] = encode(first, count, records ? ids.data() : nullptr, records ? codes.data() : nullptr, &found[share]);
      if (bad[share].found) {
        bad[share].row += first;
        return;
      }
      if (records) write_ratio(ids.data(), codes.data(), count, form, records + first * form.bytes());
    }
  });
  for (const Extremes& part : found) {
    extremes->largest = std::max(extremes->largest, part.largest);
    extremes->sum = std::max(extremes->sum, part.sum);
    extremes->error = std::max(extremes->error, part.error);
  }
  const auto first_bad = std::find_if(bad.begin(), bad.end(), [](const BadValue& value) { return value.found; });
  return first_bad == bad.end() ? BadValue{} : *first_bad;
}

} // namespace

BadValue encode_ratio_records(const uint32_t* ids, const double* values, size_t rows, size_t per_row, uint32_t dims,
                              const RatioQuantiser& quantiser, RatioRecordForm form, size_t threads, uint8_t* records,
                              Extremes* extremes) {
  return encode_records(rows, form, threads, records, extremes,
                        [&](size_t first, size_t count, uint16_t* out_ids, uint32_t* out_codes, Extremes* found) {
                          return encode_ratio(ids + first * per_row, values + first * per_row, count, per_row, dims,
                                              quantiser, out_ids, out_codes, &found->largest, &found->sum,
                                              &found->error);
                        });
}

BadValue encode_ratio_records(const float* values, size_t rows, uint32_t dims, const RatioQuantiser& quantiser,
                              RatioRecordForm form, size_t threads, uint8_t* records, Extremes* extremes) {
  return encode_records(rows, form, threads, records, extremes,
                        [&](size_t first, size_t count, uint16_t* out_ids, uint32_t* out_codes, Extremes* found) {
                          return encode_ratio_dense(values + first * dims, count, dims, quantiser, out_ids, out_codes,
                                                    &found->largest, &found->sum, &found->error);
                        });
}

BadValue measure_sq8_records(float* rows, size_t count, size_t dims, bool normalize, size_t threads, float* lowest,
                             float* highest) {
  const size_t shares = shares_of(count, threads);
  std::vector<std::vector<float>> low(shares, std::vector<float>(lowest, lowest + dims));
  std::vector<std::vector<float>> high(shares, std::vector<float>(highest, highest + dims));
  std::vector<BadValue> bad(shares);
  run_parts(shares, [&](size_t share) {
    const size_t from = count * share / shares, to = count * (share + 1) / shares;
    bad[share] = measure_sq8(rows + from * dims, to - from, dims, normalize, low[share].data(), high[share].data());
    bad[share].row += from;
  });
  for (size_t share = 0; share < shares; ++share) {
    for (size_t d = 0; d < dims; ++d) {
      lowest[d] = std::min(lowest[d], low[share][d]);
      highest[d] = std::max(highest[d], high[share][d]);
    }
  }
  const auto first_bad = std::find_if(bad.begin(), bad.end(), [](const BadValue& value) { return value.found; });
  return first_bad == bad.end() ? BadValue{} : *first_bad;
}

void encode_sq8_records(const float* rows, size_t count, size_t dims, const float* offset, const float* step,
                        size_t threads, uint8_t* records, double* largest_error) {
  const size_t shares = shares_of(count, threads);
  std::vector<double> errors(shares, *largest_error);
  run_parts(shares, [&](size_t share) {
    const size_t from = count * share / shares, to = count * (share + 1) / shares;
    encode_sq8(rows + from * dims, to - from, dims, offset, step, records + from * dims, &errors[share]);
  });
  *largest_error = *std::max_element(errors.begin(), errors.end());
}

void ratio_vectors(const uint8_t* records, size_t rows, RatioRecordForm form, double scale, size_t threads,
                   uint16_t* ids, float* values) {
  parallel(rows, shares_of(rows, threads), [&](size_t first, size_t last) {
    for (size_t row = first; row < last; ++row) {
      const size_t at = row * form.features;
      read_ratio(records + row * form.bytes(), form, [&](uint32_t j, uint16_t id, uint32_t code) {
        ids[at + j] = id;
        values[at + j] = static_cast<float>(code * scale);
      });
    }
  });
}

void place_records(const uint8_t* records, size_t rows, size_t record_bytes, const uint32_t* slots, size_t first_slot,
                   size_t out_slots, size_t threads, uint8_t* out) {
  constexpr size_t kAhead = 16; // slots are random: the lines they fall on are asked for early
  parallel(rows, shares_of(rows, threads), [&](size_t first, size_t last) {
    for (size_t row = first; row < last; ++row) {
      if (row + kAhead < last) {
        const size_t ahead = slots[row + kAhead] - first_slot;
        if (ahead < out_slots) __builtin_prefetch(out + ahead * record_bytes, 1);
      }
      const size_t slot = slots[row] - first_slot; // below first_slot it wraps to a huge number
      if (slot < out_slots) std::memcpy(out + slot * record_bytes, records + row * record_bytes, record_bytes);
    }
  });
}

void pack_ratio_records(const uint8_t* records, size_t rows, RatioRecordForm form, const RatioParameters& parameters,
                        size_t threads, uint8_t* blocks, uint8_t* refine) {
  const size_t block_bytes = ratio_block_bytes({form.features, ratio_id_form(parameters.dims), parameters.dims});
  const size_t batches = (rows + kBatchRows - 1) / kBatchRows;
  const size_t batch_refine = kBatchRows * form.features * (parameters.value_bits - 8) / 8;
  // The bytes behind the last rest, which readers may load.
  if (batch_refine != 0) {
    const size_t end = ratio_refine_bytes(rows, parameters);
    if (end != 0) std::memset(refine + end - 8, 0, 8);
  }
  std::vector<uint32_t> order(kBatchRows);
  std::iota(order.begin(), order.end(), 0u);
  parallel(batches, shares_of(rows, threads), [&](size_t first, size_t last) {
    std::vector<uint16_t> ids(kBatchRows * form.features);
    std::vector<uint32_t> codes(ids.size());
    for (size_t batch = first; batch < last; ++batch) {
      const size_t from = batch * kBatchRows, count = std::min(kBatchRows, rows - from);
      for (size_t row = 0; row < count; ++row) {
        read_ratio(records + (from + row) * form.bytes(), form, [&](uint32_t j, uint16_t id, uint32_t code) {
          ids[row * form.features + j] = id;
          codes[row * form.features + j] = code;
        });
      }
      pack_ratio(ids.data(), codes.data(), order.data(), 0, count, parameters,
                 blocks + from / kRatioBlockItems * block_bytes, refine + batch * batch_refine);
    }
  });
}

void pack_sq8_records(const uint8_t* records, size_t rows, uint32_t dims, size_t threads, uint8_t* blocks) {
  const size_t batches = (rows + kBatchRows - 1) / kBatchRows;
  std::vector<uint32_t> order(kBatchRows);
  std::iota(order.begin(), order.end(), 0u);
  parallel(batches, shares_of(rows, threads), [&](size_t first, size_t last) {
    for (size_t batch = first; batch < last; ++batch) {
      const size_t from = batch * kBatchRows, count = std::min(kBatchRows, rows - from);
      pack_sq8(records + from * dims, order.data(), 0, count, dims,
               blocks + from / kSq8BlockItems * sq8_block_bytes(dims));
    }
  });
}

} // namespace farsight
