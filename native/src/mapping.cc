// Section files mapped read-only into one range, shared by everyone who opens the same ones.
#include "mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

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

size_t whole_pages(uint64_t bytes) { return (bytes + kHeaderBytes - 1) / kHeaderBytes * kHeaderBytes; }

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
  void* base = ::mmap(nullptr, mapping->reserved_, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) throw std::runtime_error(std::string("cannot reserve memory: ") + std::strerror(errno));
  mapping->base_ = base;
  uint8_t* at = static_cast<uint8_t*>(base);
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

Mapping::~Mapping() {
  if (base_ != nullptr) ::munmap(base_, reserved_);
}

} // namespace farsight
