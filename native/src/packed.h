// Numbers of a fixed number of bits, one behind the other from the lowest bit of the first byte. At 99.2 million items
// a number takes 27 bits instead of 32, a quarter of a gigabyte less in the maps of two modalities.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace farsight {

// What every number below `limit` fits into, 1 to 32.
inline uint32_t packed_bits(uint64_t limit) {
  return limit < 3 ? 1 : static_cast<uint32_t>(std::bit_width(limit - 1));
}

// A number is read as one word, so 8 bytes follow the last.
inline size_t packed_bytes(size_t count, uint32_t bits) { return (count * bits + 7) / 8 + 8; }

class PackedNumbers {
 public:
  PackedNumbers() = default;
  // bytes: at least packed_bytes(count, bits).
  PackedNumbers(const uint8_t* bytes, size_t count, uint32_t bits)
      : bytes_(bytes), count_(count), bits_(bits), mask_(~uint64_t{0} >> (64 - bits)) {}

  size_t size() const { return count_; }
  PackedNumbers first(size_t count) const { return {bytes_, count, bits_}; }

  uint32_t operator[](size_t i) const {
    uint64_t word;
    std::memcpy(&word, bytes_ + i * bits_ / 8, sizeof word);
    return static_cast<uint32_t>(word >> (i * bits_ % 8) & mask_);
  }

  void prefetch(size_t i) const { __builtin_prefetch(bytes_ + i * bits_ / 8); }

 private:
  const uint8_t* bytes_ = nullptr;
  size_t count_ = 0;
  uint32_t bits_ = 1;
  uint64_t mask_ = 1;
};

// out: packed_bytes(numbers.size(), bits), which are all written. A number takes its lowest `bits` bits.
inline void pack_numbers(std::span<const uint32_t> numbers, uint32_t bits, uint8_t* out) {
  const uint8_t* const end = out + packed_bytes(numbers.size(), bits);
  const uint64_t mask = ~uint64_t{0} >> (64 - bits);
  uint64_t word = 0;
  uint32_t filled = 0;
  for (const uint32_t number : numbers) {
    word |= (number & mask) << filled;
    for (filled += bits; filled >= 8; filled -= 8, word >>= 8) *out++ = static_cast<uint8_t>(word);
  }
  if (filled > 0) *out++ = static_cast<uint8_t>(word);
  std::memset(out, 0, static_cast<size_t>(end - out));
}

} // namespace farsight
