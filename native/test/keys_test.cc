// Key tables: every key finds its item, duplicates are named, corrupt tables answer without reading out of range.
#include "keys.h"

#include <cstring>
#include <limits>
#include <string>

#include "test.h"

using namespace farsight;

namespace {

struct Owned {
  explicit Owned(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      bytes.insert(bytes.end(), name.begin(), name.end());
      offsets.push_back(bytes.size());
    }
    table.resize(key_table_size(names.size()));
  }
  Keys keys() const { return {offsets, bytes}; }
  int64_t find(const std::string& key) const {
    return find_key(keys(), table, {reinterpret_cast<const uint8_t*>(key.data()), key.size()});
  }
  std::vector<uint64_t> offsets{0};
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> table;
  uint32_t duplicate[2] = {};
};

TEST("a key table has a power of two of slots, at least 3/2 of the keys and at least 4") {
  CHECK(key_table_size(0) == 4);
  CHECK(key_table_size(2) == 4);
  CHECK(key_table_size(3) == 8);
  CHECK(key_table_size(5) == 8);
  CHECK(key_table_size(6) == 16);
  for (size_t count = 1; count < 5000; ++count) {
    const size_t size = key_table_size(count);
    CHECK((size & (size - 1)) == 0 && 2 * size >= 3 * count && (size == 4 || size < 3 * count + 2));
  }
}

TEST("every key finds its item and no other string does, keys of any length and the empty key among them") {
  std::vector<std::string> names{""};
  for (int i = 0; i < 3000; ++i) names.push_back("flickr/" + std::string(i % 20, '/') + std::to_string(i));
  names.push_back(std::string("\0", 1));
  names.push_back(std::string("\0\0", 2));
  names.push_back(std::string(1000, 'x'));
  Owned owned(names);
  CHECK(build_key_table(owned.keys(), owned.table, owned.duplicate));
  for (size_t i = 0; i < names.size(); ++i) {
    CHECK(owned.find(names[i]) == static_cast<int64_t>(i));
    CHECK(owned.find(names[i] + "?") == -1);
  }
}

TEST("a key that occurs twice is named by both its items") {
  Owned owned({"a", "b", "", "c", "b", ""});
  CHECK(!build_key_table(owned.keys(), owned.table, owned.duplicate));
  CHECK(owned.duplicate[0] == 1 && owned.duplicate[1] == 4);
}

TEST("a table without keys finds nothing") {
  Owned owned({});
  CHECK(build_key_table(owned.keys(), owned.table, owned.duplicate));
  CHECK(owned.find("") == -1);
  CHECK(find_key(owned.keys(), {}, {}) == -1);
}

TEST("corrupt tables and offsets neither loop nor read out of range") {
  Owned owned({"one", "two", "three", "four"});
  CHECK(build_key_table(owned.keys(), owned.table, owned.duplicate));
  const Owned good = owned;
  std::fill(owned.table.begin(), owned.table.end(), std::numeric_limits<uint32_t>::max());
  CHECK(owned.find("one") == -1);
  std::fill(owned.table.begin(), owned.table.end(), 5u);
  CHECK(owned.find("one") == -1);
  std::fill(owned.table.begin(), owned.table.end(), 1u);
  CHECK(owned.find("one") == 0);
  CHECK(owned.find("two") == -1);
  owned = good;
  owned.table.pop_back();
  CHECK(owned.find("one") == -1);
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    owned = good;
    for (uint64_t& offset : owned.offsets) offset = random() % 4 ? offset : random() >> (random() % 64);
    for (uint32_t& slot : owned.table) slot = random() % 4 ? slot : static_cast<uint32_t>(random() >> (random() % 64));
    for (const char* key : {"one", "two", "three", "four", "five", ""}) {
      CHECK(owned.find(key) < 4);
    }
  }
}

TEST("the hash is part of the file format: a table's slots never change") {
  Owned owned({"flickr/88123", "a", "", "0123456789abcdef"});
  CHECK(build_key_table(owned.keys(), owned.table, owned.duplicate));
  CHECK(owned.table == (std::vector<uint32_t>{1, 4, 0, 0, 0, 0, 3, 2}));
}

} // namespace
