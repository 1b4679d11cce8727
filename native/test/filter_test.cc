// Filters: records pass as their values say, and damaged ones are never read past their end.
#include "filter.h"

#include <algorithm>
#include <memory>
#include <random>

#include "test.h"

using namespace farsight;

namespace {

Condition one_of(const char* field, std::vector<std::string> values) { return {field, false, std::move(values)}; }

Condition within(const char* field, double least, double most, bool above = false, bool below = false) {
  return {field, true, {}, least, most, above, below};
}

bool meets(const std::string& record, const Condition& condition) { return passes(record, {&condition, 1}); }

TEST("a record passes when every condition holds for a value of its field") {
  const std::string record = R"({"year":2010,"city":["Paris","a\"b\\"],"nested":{"year":1,"x":[{"}":"]"}]},"last":null})";
  CHECK(meets(record, one_of("\"year\"", {"2010"})));
  CHECK(!meets(record, one_of("\"year\"", {"201", "20100"})));
  CHECK(meets(record, one_of("\"city\"", {"\"Paris\"", "\"Rome\""})));
  CHECK(meets(record, one_of("\"city\"", {R"("a\"b\\")"})));
  CHECK(meets(record, one_of("\"last\"", {"null"})));
  CHECK(!meets(record, one_of("\"x\"", {"1"})));
  CHECK(!meets(record, one_of("\"nested\"", {"1"})));
  CHECK(meets(record, within("\"year\"", 2010, 2010)));
  CHECK(!meets(record, within("\"year\"", 2010, 2011, true)));
  CHECK(!meets(record, within("\"year\"", 2000, 2010, false, true)));
  CHECK(!meets(record, within("\"city\"", -1e300, 1e300)));
  const std::vector<Condition> both = {one_of("\"last\"", {"null"}), within("\"year\"", 2000, 2020)};
  CHECK(passes(record, both));
  CHECK(!passes("{\"last\":null}", both));
  CHECK(!passes("{}", both));
  CHECK(passes("{}", {}));
}

TEST("as many conditions as a filter may have are all looked at") {
  std::vector<Condition> conditions(kMostConditions, within("\"a\"", 0, 1));
  CHECK(passes("{\"a\":1}", conditions));
  conditions.back().most = 0;
  CHECK(!passes("{\"a\":1}", conditions));
}

TEST("records outside of the bytes, and damaged ones, do not pass and are not read past their end") {
  const std::string whole = R"({"a":"x\"y","b":[1,"]",{"c":2}],"d":3})";
  const std::vector<Condition> conditions = {one_of("\"d\"", {"3"}), one_of("\"b\"", {"1"})};
  CHECK(passes(whole, conditions));
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    // Memory of exactly this size, so that the sanitizer sees every byte too far.
    const size_t size = random() % (whole.size() + 1);
    const auto bytes = std::make_unique<uint8_t[]>(size);
    std::copy_n(whole.begin(), size, bytes.get());
    for (size_t i = 0; i < random() % 3 && size > 0; ++i) bytes[random() % size] = static_cast<uint8_t>(random());
    const std::vector<uint64_t> offsets = {0, random() % 4 ? size : random(), size};
    std::vector<uint32_t> admitted(1);
    CHECK(filter_records(offsets, {bytes.get(), size}, conditions, 0, 2, admitted) <= 2);
  }
}

TEST("bits are set for the records that pass, in the range asked for") {
  std::string text;
  std::vector<uint64_t> offsets = {0};
  for (int i = 0; i < 100; ++i) {
    text += "{\"a\":" + std::to_string(i % 3) + "}";
    offsets.push_back(text.size());
  }
  const Condition condition = one_of("\"a\"", {"1"});
  std::vector<uint32_t> admitted(4);
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  CHECK(filter_records(offsets, bytes, {&condition, 1}, 10, 90, admitted) == 27);
  for (uint32_t i = 0; i < 100; ++i) {
    CHECK((admitted[i / 32] >> (i % 32) & 1) == (i >= 10 && i < 90 && i % 3 == 1));
  }
}

} // namespace
