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
#include <span>
#include <string>
#include <vector>

namespace farsight {

inline constexpr size_t kHeaderBytes = 4096;

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
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

 private:
  Mapping() = default;
  void* base_ = nullptr;
  size_t reserved_ = 0;
  std::span<const uint8_t> bytes_;
};

} // namespace farsight
