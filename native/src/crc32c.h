// CRC-32C (Castagnoli), as in RFC 3720: crc32c(0, "123456789") == 0xe3069283. Chainable: pass the previous result.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farsight {

uint32_t crc32c(uint32_t crc, const void* bytes, size_t count);

} // namespace farsight
