#include <algorithm>
#include <random>
#include <vector>

#include "packed.h"
#include "test.h"

namespace farsight {

TEST("packed numbers come back at every width") {
  std::mt19937 random(1);
  for (uint32_t bits = 1; bits <= 32; ++bits) {
    for (const size_t count : {0, 1, 2, 7, 8, 63, 64, 65, 1000}) {
      std::vector<uint32_t> numbers(count);
      for (uint32_t& number : numbers) number = static_cast<uint32_t>(random()) >> (32 - bits);
      std::vector<uint8_t> bytes(packed_bytes(count, bits), 0xff);
      pack_numbers(numbers, bits, bytes.data());
      const PackedNumbers packed(bytes.data(), count, bits);
      CHECK(packed.size() == count);
      for (size_t i = 0; i < count; ++i) CHECK(packed[i] == numbers[i]);
      for (size_t b = (count * bits + 7) / 8; b < bytes.size(); ++b) CHECK(bytes[b] == 0);
    }
  }
}

TEST("parts that begin at whole blocks lie where the whole has them") {
  std::vector<uint32_t> numbers(300);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<uint32_t>(i * 2654435761u >> 5);
  const uint32_t bits = 27;
  std::vector<uint8_t> whole(packed_bytes(numbers.size(), bits)), parts(whole.size());
  pack_numbers(numbers, bits, whole.data());
  for (size_t first = 0; first < numbers.size(); first += 64) {
    const size_t count = std::min<size_t>(64, numbers.size() - first);
    std::vector<uint8_t> part(packed_bytes(count, bits));
    pack_numbers(std::span(numbers).subspan(first, count), bits, part.data());
    std::memcpy(parts.data() + first * bits / 8, part.data(), (count * bits + 7) / 8);
  }
  CHECK(parts == whole);
}

TEST("widths fit the numbers below a limit") {
  CHECK(packed_bits(0) == 1 && packed_bits(1) == 1 && packed_bits(2) == 1);
  CHECK(packed_bits(3) == 2 && packed_bits(4) == 2 && packed_bits(5) == 3);
  CHECK(packed_bits(99'206'564) == 27);
  CHECK(packed_bits(uint64_t{1} << 32) == 32);
}

} // namespace farsight
