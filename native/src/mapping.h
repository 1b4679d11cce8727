// Read-only memory mappings of section files, shared by all threads of the process.
//
// A section is one or more shard files of a header page and a payload. The payloads are mapped one behind the other
// into one reserved range, so that readers see contiguous bytes however many shards there are. Identical sections
// (same device, inode, size and modification time of every shard; not the same path, since a new index is renamed
// over an old one) share one mapping, released with its last user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace farsight {

inline constexpr size_t kHeaderBytes = 4096;
inline constexpr size_t kHugePage = size_t{2} << 20;

class Mapping {
 public:
  // payload_bytes: of each shard; every one but the last a multiple of the page size. Throws std::runtime_error that
  // names the file when one cannot be opened or is shorter or longer than kHeaderBytes + its payload.
  static std::shared_ptr<const Mapping> open(const std::vector<std::string>& paths,
                                             const std::vector<uint64_t>& payload_bytes);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<const uint8_t> bytes() const { return bytes_; }

  // Reads [offset, offset + bytes) into memory, so that no search waits for a disk. With `huge`, the whole huge pages of
  // the range become private copies on huge pages, put in place of the file's pages under the feet of whoever reads
  // them: the bytes are the same before and after, only addresses are looked up faster. What the system refuses (no
  // memory, no huge pages) stays mapped from the file. Throws std::runtime_error when the file cannot be read.
  void warm(size_t offset, size_t bytes, bool huge) const;
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

 private:
  Mapping() = default;
  bool copy_to_huge_pages(size_t first, size_t bytes) const;

  uint8_t* base_ = nullptr; // a multiple of kHugePage
  size_t reserved_ = 0;
  mutable std::mutex copying_;
  mutable std::vector<bool> copied_; // by huge page
  std::span<const uint8_t> bytes_;
};

// Gives memory that was freed, and that the allocator holds for later, back to the system.
void release_freed();

// Asks that memory not used yet be of huge pages, so that writing all over it looks up few addresses. A hint.
void prefer_huge_pages(std::span<uint8_t> memory);

} // namespace farsight
