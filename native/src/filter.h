// Which records pass a filter: records are flat JSON objects as JSON.stringify writes them (no white space), so that equal
// values are equal text. Damaged records do not pass and are never read past their end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace farsight {

// One condition on the values of a field: of a list, one of its elements must meet it.
struct Condition {
  std::string field; // as JSON writes it, quotes included
  // Either of these texts (JSON, ascending), or a number within a range.
  bool is_range = false;
  std::vector<std::string> values;
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool above = false; // least itself is outside
  bool below = false; // most itself is outside
};

// Most conditions of one filter.
inline constexpr size_t kMostConditions = 32;

// Whether a record meets all conditions.
bool passes(std::string_view record, std::span<const Condition> conditions);

// Record i is bytes [offsets[i], offsets[i + 1]). Looks at records [first, last) and sets bit i of `admitted` for those that
// pass; returns how many do. The bits must be 0 before.
size_t filter_records(std::span<const uint64_t> offsets, std::span<const uint8_t> bytes,
                      std::span<const Condition> conditions, size_t first, size_t last, std::span<uint32_t> admitted);

} // namespace farsight
