// Section files mapped read-only into one range, shared by everyone who opens the same ones.
#include "mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace farsight {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + ": " + what);
}

// An open file that closes itself.
class File {
 public:
  explicit File(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) fail(path, std::strerror(errno));
  }
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// What tells two sections apart: per shard device, inode, size and modification time in seconds and nanoseconds.
using Identity = std::vector<int64_t>;

struct Registry {
  std::mutex mutex;
  std::map<Identity, std::weak_ptr<const Mapping>> open;
};

// Leaked, so that a mapping released while the process ends still finds it.
Registry& registry() {
  static Registry& all = *new Registry;
  return all;
}

// Whether the system gives huge pages to those who ask; without them a copy would only be memory that cannot be dropped.
bool huge_pages_exist() {
  char text[64] = {};
  std::FILE* const file = std::fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
  if (file == nullptr) return false;
  const size_t length = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  return length > 0 && std::strstr(text, "[never]") == nullptr;
}

// Maps the pages of a range, read from the file where they have to be. Throws std::runtime_error when one cannot be.
void touch(uint8_t* first, size_t length) {
#if defined(MADV_POPULATE_READ)
  // Unlike a load, this reports a page that cannot be read instead of ending the process. Linux before 5.14 lacks it.
  if (::madvise(first, length, MADV_POPULATE_READ) == 0) return;
  if (errno != EINVAL) throw std::runtime_error(std::string("a section cannot be read: ") + std::strerror(errno));
#endif
  for (size_t at = 0; at < length; at += kHeaderBytes) static_cast<void>(static_cast<volatile uint8_t*>(first)[at]);
}

size_t whole_pages(uint64_t bytes) { return (bytes + kHeaderBytes - 1) / kHeaderBytes * kHeaderBytes; }

// Anonymous memory of whole pages from a multiple of kHugePage on, or nullptr.
uint8_t* reserve(size_t bytes, int protection) {
  bytes = whole_pages(bytes);
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* all = ::mmap(nullptr, bytes + kHugePage, protection, flags, -1, 0);
  if (all == MAP_FAILED) return nullptr;
  uint8_t* const begin = static_cast<uint8_t*>(all);
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  if (before > 0) ::munmap(begin, before);
  if (before < kHugePage) ::munmap(begin + before + bytes, kHugePage - before);
  return begin + before;
}

} // namespace

std::shared_ptr<const Mapping> Mapping::open(const std::vector<std::string>& paths,
                                             const std::vector<uint64_t>& payload_bytes) {
  if (paths.size() != payload_bytes.size()) throw std::runtime_error("one payload size per shard is needed");
  if (kHeaderBytes % static_cast<size_t>(::sysconf(_SC_PAGESIZE)) != 0) {
    throw std::runtime_error("section files need memory pages of at most 4096 bytes");
  }
  std::vector<File> files;
  Identity identity;
  uint64_t total = 0;
  for (size_t i = 0; i < paths.size(); ++i) {
    const uint64_t payload = payload_bytes[i];
    if (payload > (uint64_t{1} << 46)) fail(paths[i], "payload of " + std::to_string(payload) + " bytes is too large");
    if (i + 1 < paths.size() && payload % kHeaderBytes != 0) fail(paths[i], "shard does not fill whole pages");
    const File& file = files.emplace_back(paths[i]);
    struct stat status;
    if (::fstat(file.descriptor(), &status) != 0) fail(paths[i], std::strerror(errno));
    if (!S_ISREG(status.st_mode)) fail(paths[i], "not a regular file");
    const uint64_t expected = kHeaderBytes + payload;
    if (static_cast<uint64_t>(status.st_size) != expected) {
      fail(paths[i], "holds " + std::to_string(status.st_size) + " bytes instead of " + std::to_string(expected));
    }
    identity.insert(identity.end(), {static_cast<int64_t>(status.st_dev), static_cast<int64_t>(status.st_ino),
                                     status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec});
    total += payload;
  }

  Registry& shared = registry();
  const std::lock_guard lock(shared.mutex);
  const auto known = shared.open.find(identity);
  if (known != shared.open.end()) {
    if (std::shared_ptr<const Mapping> mapping = known->second.lock()) return mapping;
  }

  std::shared_ptr<Mapping> mapping(new Mapping);
  // One zero page behind the payload: readers that look a few bytes past the end stay inside the range.
  mapping->reserved_ = whole_pages(total) + kHeaderBytes;
  uint8_t* at = reserve(mapping->reserved_, PROT_READ);
  if (at == nullptr) throw std::runtime_error(std::string("cannot reserve memory: ") + std::strerror(errno));
  mapping->base_ = at;
  mapping->copied_.resize(total / kHugePage);
  mapping->bytes_ = {at, total};
  for (size_t i = 0; i < paths.size(); at += payload_bytes[i], ++i) {
    if (payload_bytes[i] == 0) continue;
    if (::mmap(at, payload_bytes[i], PROT_READ, MAP_SHARED | MAP_FIXED, files[i].descriptor(), kHeaderBytes) ==
        MAP_FAILED) {
      fail(paths[i], std::strerror(errno));
    }
  }
  std::erase_if(shared.open, [](const auto& entry) { return entry.second.expired(); });
  shared.open[identity] = mapping;
  return mapping;
}

void Mapping::warm(size_t offset, size_t bytes, bool huge) const {
  const size_t begin = std::min(offset, bytes_.size());
  const size_t end = begin + std::min(bytes, bytes_.size() - begin);
  if (begin == end) return;
  uint8_t* const first = base_ + begin / kHeaderBytes * kHeaderBytes;
  const size_t length = static_cast<size_t>(base_ + end - first);
  touch(first, length);
  const size_t first_huge = (begin + kHugePage - 1) / kHugePage;
  const size_t last_huge = end / kHugePage;
  if (huge && first_huge < last_huge) copy_to_huge_pages(first_huge, last_huge - first_huge);
}

bool Mapping::copy_to_huge_pages(size_t first, size_t count) const {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (!huge_pages_exist()) return false;
  const std::lock_guard lock(copying_);
  const auto copied = copied_.begin() + static_cast<ptrdiff_t>(first);
  if (std::all_of(copied, copied + static_cast<ptrdiff_t>(count), [](bool already) { return already; })) return true;
  const size_t bytes = count * kHugePage;
  uint8_t* const copy = reserve(bytes, PROT_READ | PROT_WRITE);
  if (copy == nullptr) return false;
  uint8_t* const place = base_ + first * kHugePage;
  if (::madvise(copy, bytes, MADV_HUGEPAGE) != 0) {
    ::munmap(copy, bytes);
    return false;
  }
  std::memcpy(copy, place, bytes);
  ::mprotect(copy, bytes, PROT_READ);
  // Moving replaces what is mapped at `place` in one step: a reader finds the one or the other.
  if (::mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place) != place) {
    // The system may have unmapped the place before it failed; the bytes go back there in any case.
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (::mmap(place, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) != place) std::abort();
    std::memcpy(place, copy, bytes);
    ::mprotect(place, bytes, PROT_READ);
    ::munmap(copy, bytes);
  }
  std::fill_n(copied, count, true);
  return true;
#else
  static_cast<void>(first);
  static_cast<void>(count);
  return false;
#endif
}

Mapping::~Mapping() {
  if (base_ != nullptr) ::munmap(base_, reserved_);
}

void release_freed() {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

void prefer_huge_pages(std::span<uint8_t> memory) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const size_t skipped = (kHugePage - reinterpret_cast<uintptr_t>(memory.data()) % kHugePage) % kHugePage;
  if (skipped >= memory.size()) return;
  const size_t whole = (memory.size() - skipped) / kHugePage * kHugePage;
  // Refused, the pages are small ones.
  if (whole > 0) static_cast<void>(::madvise(memory.data() + skipped, whole, MADV_HUGEPAGE));
#else
  static_cast<void>(memory);
#endif
}

} // namespace farsight
