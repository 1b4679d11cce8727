// The checksum against its published values and its definition bit by bit.
#include "crc32c.h"

#include "test.h"

using namespace farsight;

TEST("crc32c matches RFC 3720 and chains at any split") {
  CHECK(crc32c(0, "123456789", 9) == 0xe3069283);
  CHECK(crc32c(0, nullptr, 0) == 0);
  const std::vector<uint8_t> zeros(32);
  CHECK(crc32c(0, zeros.data(), 32) == 0x8a9136aa);
  std::mt19937 random(6);
  std::vector<uint8_t> bytes(20000);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  uint32_t bit_by_bit = ~0u;
  for (const uint8_t byte : bytes) {
    bit_by_bit ^= byte;
    for (int bit = 0; bit < 8; ++bit) bit_by_bit = bit_by_bit >> 1 ^ (bit_by_bit & 1 ? 0x82f63b78 : 0);
  }
  CHECK(crc32c(0, bytes.data(), bytes.size()) == ~bit_by_bit);
  for (size_t split = 0; split <= bytes.size(); split += 613) {
    CHECK(crc32c(crc32c(0, bytes.data(), split), bytes.data() + split, bytes.size() - split) == ~bit_by_bit);
  }
}
