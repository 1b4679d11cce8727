// Records: encoded, placed, packed and summed up in parts, against the forms for whole arrays.
#include "records.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "members.h"
#include "random_vectors.h"
#include "sq8.h"
#include "test.h"

using namespace farsight;
using test::Dense;

namespace {

constexpr size_t kRows = 5000, kPerRow = 6;
constexpr uint32_t kDims = 40;

struct Input {
  std::vector<uint32_t> ids;
  std::vector<double> values;
};

// Few different rows, so that records repeat; every eleventh is zero.
Input input() {
  Input in;
  for (size_t row = 0; row < kRows; ++row) {
    std::mt19937_64 random(row % 700);
    for (uint32_t j = 0; j < kPerRow; ++j) {
      in.ids.push_back(j * 6 + random() % 6);
      in.values.push_back(row % 11 == 10 ? 0 : double(random() % 1000) / 1000);
    }
  }
  return in;
}

RatioQuantiser quantiser(uint32_t value_bits) {
  const uint32_t most = 255u << (value_bits - 8);
  return {4, 0, 0, false, true, 1.0 / most, most};
}

TEST("records are the same for any number of threads, hold what encode_ratio gives, and pack like its rows") {
  const Input in = input();
  for (const uint32_t value_bits : {8u, 16u, 24u}) {
    const RatioRecordForm form{4, value_bits <= 16 ? 2u : 4u};
    const RatioQuantiser given = quantiser(value_bits);
    std::vector<uint16_t> ids(kRows * 4);
    std::vector<uint32_t> codes(kRows * 4);
    Extremes expected;
    CHECK(!encode_ratio(in.ids.data(), in.values.data(), kRows, kPerRow, kDims, given, ids.data(), codes.data(),
                        &expected.largest, &expected.sum, &expected.error).found);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = codes[i] == 0 ? 0 : ids[i];
    const RatioParameters parameters{kDims, 4, value_bits, given.scale, 10};
    std::vector<uint32_t> order(kRows);
    std::iota(order.begin(), order.end(), 0u);
    std::vector<uint8_t> blocks(ratio_codes_bytes(kRows, parameters)), refine(ratio_refine_bytes(kRows, parameters));
    pack_ratio(ids.data(), codes.data(), order.data(), 0, kRows, parameters, blocks.data(), refine.data());
    for (const size_t threads : {1u, 2u, 3u, 7u}) {
      std::vector<uint8_t> records(kRows * form.bytes());
      Extremes measured, found;
      encode_ratio_records(in.ids.data(), in.values.data(), kRows, kPerRow, kDims, given, form, threads, nullptr,
                           &measured);
      CHECK(measured.largest == expected.largest && measured.sum == expected.sum && measured.error == 0);
      encode_ratio_records(in.ids.data(), in.values.data(), kRows, kPerRow, kDims, given, form, threads,
                           records.data(), &found);
      CHECK(found.largest == expected.largest && found.sum == expected.sum && found.error == expected.error);
      std::vector<uint16_t> out_ids(ids.size());
      std::vector<float> values(ids.size());
      ratio_vectors(records.data(), kRows, form, given.scale, threads, out_ids.data(), values.data());
      CHECK(out_ids == ids);
      for (size_t i = 0; i < ids.size(); ++i) CHECK(values[i] == static_cast<float>(codes[i] * given.scale));
      std::vector<uint8_t> packed(blocks.size(), 1), rests(refine.size(), 1);
      pack_ratio_records(records.data(), kRows, form, parameters, threads, packed.data(), rests.data());
      CHECK(packed == blocks && std::equal(refine.begin(), refine.end() - (refine.empty() ? 0 : 8), rests.begin()));
    }
  }
}

TEST("the bad value that is named is the first, whichever thread met it") {
  Input in = input();
  in.values[4000 * kPerRow + 2] = -1;
  in.values[3000 * kPerRow + 1] = -2;
  for (const size_t threads : {1u, 2u, 5u}) {
    Extremes extremes;
    std::vector<uint8_t> records(kRows * 16);
    for (uint8_t* out : {static_cast<uint8_t*>(nullptr), records.data()}) {
      const BadValue bad = encode_ratio_records(in.ids.data(), in.values.data(), kRows, kPerRow, kDims, quantiser(8),
                                                {4, 2}, threads, out, &extremes);
      CHECK(bad.found && bad.row == 3000 && bad.column == 1 && bad.value == -2);
    }
  }
}

TEST("records go to their slots, those of other partitions nowhere") {
  std::vector<uint8_t> records(kRows * 3), out(1000 * 3), expected(1000 * 3);
  std::iota(records.begin(), records.end(), uint8_t{0});
  std::vector<uint32_t> slots(kRows);
  std::iota(slots.begin(), slots.end(), 0u);
  std::shuffle(slots.begin(), slots.end(), std::mt19937_64(3));
  for (size_t row = 0; row < kRows; ++row) {
    if (slots[row] < 2000 || slots[row] >= 3000) continue;
    std::memcpy(&expected[(slots[row] - 2000) * 3], &records[row * 3], 3);
  }
  for (const size_t threads : {1u, 2u, 4u}) {
    std::fill(out.begin(), out.end(), uint8_t{0});
    place_records(records.data(), kRows, 3, slots.data(), 2000, 1000, threads, out.data());
    CHECK(out == expected);
  }
}

// Borders of clusters with one huge cluster in the middle.
const std::vector<uint32_t> kStarts{0, 3, 700, 704, 4400, 4401, 5000};

TEST("what members amount to does not depend on parts or threads, and repeated and zero records are counted") {
  const Dense rows(kRows, 7, 5);
  const size_t clusters = kStarts.size() - 1;
  std::vector<float> means(clusters * 7), variances(clusters * 7);
  std::vector<uint32_t> order(kRows);
  std::iota(order.begin(), order.end(), 0u);
  farsight::means(rows.view(), order.data(), kStarts.data(), clusters, 1, means.data());
  uint64_t duplicates = 0;
  for (size_t c = 0; c < clusters; ++c) {
    std::set<std::vector<uint8_t>> distinct;
    for (size_t row = kStarts[c]; row < kStarts[c + 1]; ++row) {
      distinct.insert({rows.codes.begin() + static_cast<ptrdiff_t>(row * 7),
                       rows.codes.begin() + static_cast<ptrdiff_t>(row * 7 + 7)});
    }
    duplicates += kStarts[c + 1] - kStarts[c] - distinct.size();
  }
  std::vector<float> first_variances;
  for (const size_t part : {size_t{64}, size_t{640}, kRows}) {
    for (const size_t threads : {1u, 2u, 5u}) {
      Sq8Members members(rows.offset, rows.step);
      std::vector<float> found(means.size());
      for (size_t at = 0; at < kRows; at += part) {
        members.add(rows.codes.data() + at * 7, at, std::min(part, kRows - at), kStarts.data(), clusters, threads,
                    found.data(), variances.data());
      }
      CHECK(found == means);
      CHECK(members.counts().duplicates == duplicates);
      if (first_variances.empty()) first_variances = variances;
      CHECK(variances == first_variances);
    }
  }
}

TEST("sparse members in parts give the moments of the whole, and their zeros and repetitions") {
  const Input in = input();
  const RatioRecordForm form{4, 2};
  const RatioQuantiser given = quantiser(16);
  std::vector<uint8_t> records(kRows * form.bytes());
  Extremes extremes;
  encode_ratio_records(in.ids.data(), in.values.data(), kRows, kPerRow, kDims, given, form, 1, records.data(),
                       &extremes);
  std::vector<uint16_t> ids(kRows * 4);
  std::vector<float> values(kRows * 4);
  ratio_vectors(records.data(), kRows, form, given.scale, 1, ids.data(), values.data());
  std::vector<uint32_t> order(kRows);
  std::iota(order.begin(), order.end(), 0u);
  const size_t clusters = kStarts.size() - 1;
  std::vector<uint16_t> mean_ids(clusters * 8);
  std::vector<float> expected(clusters * 8);
  means(SparseVectors{ids.data(), values.data(), kRows, 4}, kDims, order.data(), kStarts.data(), clusters, 8, 1,
        mean_ids.data(), expected.data());
  std::vector<float> first_variances;
  for (const size_t part : {size_t{128}, size_t{1280}, kRows}) {
    for (const size_t threads : {1u, 3u}) {
      RatioMembers members(kDims, form, given.scale);
      std::vector<uint16_t> found_ids(clusters * 8), variance_ids(clusters * 8);
      std::vector<float> found(clusters * 8), variances(clusters * 8);
      for (size_t at = 0; at < kRows; at += part) {
        members.add(records.data() + at * form.bytes(), at, std::min(part, kRows - at), kStarts.data(), clusters,
                    threads, {8, found_ids.data(), found.data()}, {8, variance_ids.data(), variances.data()});
      }
      CHECK(found == expected && found_ids == mean_ids);
      CHECK(members.counts().zeros == kRows / 11);
      CHECK(members.counts().duplicates > kRows / 2);
      if (first_variances.empty()) first_variances = variances;
      CHECK(variances == first_variances);
    }
  }
}

} // namespace
