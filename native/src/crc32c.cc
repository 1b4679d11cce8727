// CRC-32C: the processor's instruction in three interleaved streams where it has one, eight table look-ups per word
// elsewhere. Notation: a crc is a polynomial over GF(2), highest power in bit 0; P is Castagnoli's.
#include "crc32c.h"

#include <array>
#include <cstring>

namespace farsight {

namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;

using ByteTable = std::array<uint32_t, 256>;

// kTables[k][b]: the crc of byte b followed by k zero bytes.
constexpr std::array<ByteTable, 8> make_tables() {
  std::array<ByteTable, 8> tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t b = 0; b < 256; ++b) tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 0xff];
  }
  return tables;
}

constexpr std::array<ByteTable, 8> kTables = make_tables();

uint32_t portable(uint32_t crc, const uint8_t* bytes, size_t count) {
  for (; count >= 8; bytes += 8, count -= 8) {
    uint32_t next = 0;
    for (size_t k = 0; k < 8; ++k) {
      const uint32_t byte = k < 4 ? bytes[k] ^ (crc >> (8 * k) & 0xff) : bytes[k];
      next ^= kTables[7 - k][byte];
    }
    crc = next;
  }
  for (; count > 0; ++bytes, --count) crc = crc >> 8 ^ kTables[0][(crc ^ *bytes) & 0xff];
  return crc;
}

} // namespace

} // namespace farsight

#if defined(__x86_64__)

#include <nmmintrin.h>

#pragma GCC push_options
#pragma GCC target("sse4.2")

namespace farsight {

namespace {

// Bytes of each of the three streams between two joins.
constexpr size_t kStream = 2048;

// a * b mod P.
constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = b >> 1 ^ (b & 1 ? kPolynomial : 0);
  }
  return product;
}

// x^(8 * bytes) mod P: what `bytes` zero bytes multiply a crc by.
constexpr uint32_t zeros(size_t bytes) {
  uint32_t power = 0x80000000;  // x^0
  uint32_t square = 0x00800000; // x^8
  for (; bytes != 0; bytes >>= 1, square = multiply(square, square)) {
    if (bytes & 1) power = multiply(power, square);
  }
  return power;
}

// kSkip[k][b]: byte k of a crc, worth b, after kStream zero bytes.
constexpr std::array<ByteTable, 4> make_skip() {
  std::array<ByteTable, 4> tables{};
  const uint32_t factor = zeros(kStream);
  for (size_t k = 0; k < 4; ++k) {
    for (uint32_t b = 0; b < 256; ++b) tables[k][b] = multiply(b << (8 * k), factor);
  }
  return tables;
}

constexpr std::array<ByteTable, 4> kSkip = make_skip();

uint32_t skip_stream(uint32_t crc) {
  return kSkip[0][crc & 0xff] ^ kSkip[1][crc >> 8 & 0xff] ^ kSkip[2][crc >> 16 & 0xff] ^ kSkip[3][crc >> 24];
}

uint64_t load_word(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The instruction takes three cycles but starts every one: three streams keep it busy.
uint32_t with_instruction(uint32_t crc, const uint8_t* bytes, size_t count) {
  for (; count >= 3 * kStream; bytes += 3 * kStream, count -= 3 * kStream) {
    uint64_t first = crc;
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kStream; i += 8) {
      first = _mm_crc32_u64(first, load_word(bytes + i));
      second = _mm_crc32_u64(second, load_word(bytes + kStream + i));
      third = _mm_crc32_u64(third, load_word(bytes + 2 * kStream + i));
    }
    crc = skip_stream(static_cast<uint32_t>(first)) ^ static_cast<uint32_t>(second);
    crc = skip_stream(crc) ^ static_cast<uint32_t>(third);
  }
  uint64_t rest = crc;
  for (; count >= 8; bytes += 8, count -= 8) rest = _mm_crc32_u64(rest, load_word(bytes));
  crc = static_cast<uint32_t>(rest);
  for (; count > 0; ++bytes, --count) crc = _mm_crc32_u8(crc, *bytes);
  return crc;
}

} // namespace

} // namespace farsight

#pragma GCC pop_options

#endif

namespace farsight {

uint32_t crc32c(uint32_t crc, const void* bytes, size_t count) {
  const uint8_t* from = static_cast<const uint8_t*>(bytes);
#if defined(__x86_64__)
  static const bool fast = __builtin_cpu_supports("sse4.2");
  if (fast) return ~with_instruction(~crc, from, count);
#endif
  return ~portable(~crc, from, count);
}

} // namespace farsight
