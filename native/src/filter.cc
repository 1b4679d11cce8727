#include "filter.h"

#include <algorithm>
#include <charconv>

namespace farsight {

namespace {

// A place within a record; every step says whether there was something to step over.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  size_t at() const { return at_; }
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  std::string_view since(size_t from) const { return text_.substr(from, at_ - from); }

  bool step(char expected) {
    if (next() != expected || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  bool string() {
    if (!step('"')) return false;
    for (;;) {
      at_ = std::min(text_.find_first_of("\"\\", at_), text_.size());
      if (at_ == text_.size()) return false;
      if (text_[at_++] == '"') return true;
      if (at_++ >= text_.size()) return false; // the character behind the backslash
    }
  }

  // A number, true, false or null.
  bool plain() {
    const size_t from = at_;
    at_ = std::min(text_.find_first_of(",]}", at_), text_.size());
    return at_ > from;
  }

  // A list or an object, with what is in it.
  bool nested() {
    size_t depth = 0;
    do {
      const char c = next();
      if (c == '"') {
        if (!string()) return false;
        continue;
      }
      if (at_++ >= text_.size()) return false;
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
    } while (depth > 0);
    return true;
  }

  bool value() {
    const char c = next();
    return c == '"' ? string() : c == '[' || c == '{' ? nested() : plain();
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

bool meets_one(std::string_view value, const Condition& condition) {
  if (!condition.is_range) {
    return std::binary_search(condition.values.begin(), condition.values.end(), value, std::less<>());
  }
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return false;
  return (condition.above ? number > condition.least : number >= condition.least) &&
         (condition.below ? number < condition.most : number <= condition.most);
}

bool meets(std::string_view value, const Condition& condition) {
  if (!value.starts_with('[')) return meets_one(value, condition);
  Cursor cursor(value);
  cursor.step('[');
  while (cursor.next() != ']') {
    const size_t from = cursor.at();
    if (!cursor.value()) return false;
    if (meets_one(cursor.since(from), condition)) return true;
    if (!cursor.step(',')) break;
  }
  return false;
}

} // namespace

bool passes(std::string_view record, std::span<const Condition> conditions) {
  uint32_t open = static_cast<uint32_t>((uint64_t{1} << conditions.size()) - 1);
  Cursor cursor(record);
  if (!cursor.step('{')) return false;
  while (open != 0) {
    const size_t key_from = cursor.at();
    if (!cursor.string()) return false;
    const std::string_view key = cursor.since(key_from);
    if (!cursor.step(':')) return false;
    const size_t value_from = cursor.at();
    if (!cursor.value()) return false;
    const std::string_view value = cursor.since(value_from);
    for (size_t c = 0; c < conditions.size(); ++c) {
      if (conditions[c].field != key) continue;
      if (!meets(value, conditions[c])) return false;
      open &= ~(uint32_t{1} << c);
    }
    if (!cursor.step(',')) break;
  }
  return open == 0;
}

size_t filter_records(std::span<const uint64_t> offsets, std::span<const uint8_t> bytes,
                      std::span<const Condition> conditions, size_t first, size_t last, std::span<uint32_t> admitted) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  size_t passed = 0;
  for (size_t i = first; i < last; ++i) {
    const uint64_t begin = offsets[i], end = offsets[i + 1];
    if (begin > end || end > text.size() || !passes(text.substr(begin, end - begin), conditions)) continue;
    admitted[i / 32] |= uint32_t{1} << (i % 32);
    ++passed;
  }
  return passed;
}

} // namespace farsight
