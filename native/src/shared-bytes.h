// Bytes in memory that several threads come to hold alike: one copy of them serves all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace farsight {

using SharedBytes = std::shared_ptr<const std::vector<uint8_t>>;

// A copy of the bytes, the same for all who ask for equal ones while anybody holds it.
SharedBytes shared_bytes(std::span<const uint8_t> bytes);

} // namespace farsight
