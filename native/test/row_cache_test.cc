// Kept rows: the answers of decode_items() whatever is kept, within the limit.
#include "row-cache.h"

#include <memory>
#include <numeric>

#include "lookups.h"
#include "ratio.h"
#include "sq8.h"
#include "test.h"

using namespace farsight;

namespace {

constexpr size_t kItems = 500;

// Random codes in the order of their items.
class Plain {
 public:
  Plain(std::mt19937& random, bool sparse) : starts_{0, kItems} {
    std::vector<uint32_t> order(kItems);
    std::iota(order.begin(), order.end(), 0);
    if (sparse) {
      const RatioParameters parameters{300, 5, 10, 0.001, 5 * 1020 * 0.001};
      std::vector<uint16_t> ids(kItems * 5);
      std::vector<uint32_t> values(kItems * 5);
      for (size_t i = 0; i < ids.size(); ++i) {
        ids[i] = static_cast<uint16_t>(i % 5 * 60 + random() % 60);
        values[i] = random() % 1021;
      }
      blocks_.resize(ratio_codes_bytes(kItems, parameters));
      refine_.resize(ratio_refine_bytes(kItems, parameters));
      pack_ratio(ids.data(), values.data(), order.data(), 0, kItems, parameters, blocks_.data(), refine_.data());
      codes_ = std::make_unique<RatioCodes>(parameters, kItems, blocks_.data(), refine_.data());
    } else {
      std::vector<uint8_t> rows(kItems * 20);
      for (auto& code : rows) code = static_cast<uint8_t>(random());
      const std::vector<float> offset(20, -0.5f), step(20, 0.004f);
      blocks_.resize(sq8_codes_bytes(kItems, 20));
      pack_sq8(rows.data(), order.data(), 0, kItems, 20, blocks_.data());
      codes_ = std::make_unique<Sq8Codes>(Sq8Parameters{20, offset.data(), step.data()}, kItems, blocks_.data());
    }
    numbers_.resize(packed_bytes(kItems, packed_bits(kItems)));
    pack_numbers(order, packed_bits(kItems), numbers_.data());
  }

  Cells cells() const {
    const PackedNumbers same{numbers_.data(), kItems, packed_bits(kItems)};
    return {codes_.get(), codes_.get(), same, same, starts_};
  }

 private:
  std::vector<uint8_t> blocks_, refine_, numbers_;
  std::vector<uint32_t> starts_;
  std::unique_ptr<Codes> codes_;
};

struct Rows {
  std::vector<uint32_t> ids;
  std::vector<float> values;
  Rows(const Cells& cells, size_t count)
      : ids(cells.codes->sparse() ? count * cells.codes->row_values() : 0), values(count * cells.codes->row_values()) {}
  bool operator==(const Rows&) const = default;
};

} // namespace

TEST("kept rows are the decoded ones, at any limit, for growing, repeated and changing lists of two kinds of cells") {
  std::mt19937 random(1);
  const Plain sparse(random, true), dense(random, false);
  for (const size_t limit : {0, 1, 100, 2000, 20'000, 1'000'000}) {
    RowCache cache(limit);
    std::vector<uint32_t> items;
    for (int round = 0; round < 60; ++round) {
      if (round % 20 == 19) items.erase(items.begin(), items.begin() + static_cast<ptrdiff_t>(items.size() / 2));
      for (int n = 0; n < 11; ++n) items.push_back(random() % kItems); // some of them again
      for (const Plain* plain : {&sparse, &dense}) {
        const Cells cells = plain->cells();
        Rows expected(cells, items.size()), kept(cells, items.size());
        decode_items(cells, items, expected.ids.data(), expected.values.data());
        cache.decode(plain == &sparse ? 0 : 7, cells, items, kept.ids.data(), kept.values.data());
        CHECK(kept == expected);
        CHECK(cache.bytes() <= limit);
      }
    }
    // All 500 rows of both kinds and their places, at most four times as many, are far below the largest limit.
    if (limit == 1'000'000) CHECK(cache.bytes() >= kItems * (10 + 20) * 4 / 2);
  }
}

TEST("what is kept is not looked up again: rows stay as they were although the codes have changed") {
  std::mt19937 random(2);
  const Plain before(random, true), after(random, true);
  std::vector<uint32_t> items(100);
  std::iota(items.begin(), items.end(), 50);
  RowCache cache(1'000'000);
  Rows first(before.cells(), items.size()), second(first), third(first), other(first);
  cache.decode(3, before.cells(), items, first.ids.data(), first.values.data());
  cache.decode(3, after.cells(), items, second.ids.data(), second.values.data());
  CHECK(first == second);
  cache.decode(4, after.cells(), items, third.ids.data(), third.values.data());
  decode_items(after.cells(), items, other.ids.data(), other.values.data());
  CHECK(third == other && !(third == first));
}

TEST("of rows beyond the limit those used last are kept") {
  std::mt19937 random(3);
  const Plain before(random, false), after(random, false);
  RowCache cache(20'000); // about 90 rows of 80 bytes a half
  const std::vector<uint32_t> wanted{5, 6, 7};
  Rows first(before.cells(), wanted.size()), last(first);
  cache.decode(0, before.cells(), wanted, first.ids.data(), first.values.data());
  for (uint32_t item = 10; item < kItems; ++item) {
    Rows passing(before.cells(), 1);
    cache.decode(0, before.cells(), std::span(&item, 1), passing.ids.data(), passing.values.data());
    cache.decode(0, after.cells(), wanted, last.ids.data(), last.values.data());
    CHECK(last == first);
  }
  const uint32_t passed = 11;
  Rows again(after.cells(), 1), decoded(after.cells(), 1);
  cache.decode(0, after.cells(), std::span(&passed, 1), again.ids.data(), again.values.data());
  decode_items(after.cells(), std::span(&passed, 1), decoded.ids.data(), decoded.values.data());
  CHECK(again == decoded);
}
