// Equal bytes are found by their number and checksum; see shared-bytes.h.
#include "shared-bytes.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "crc32c.h"

namespace farsight {

namespace {

using Key = std::pair<size_t, uint32_t>;

struct Registry {
  std::mutex mutex;
  std::multimap<Key, std::weak_ptr<const std::vector<uint8_t>>> held;
};

// Leaked, so that threads which end while the process does still find it.
Registry& registry() {
  static Registry& all = *new Registry;
  return all;
}

} // namespace

SharedBytes shared_bytes(std::span<const uint8_t> bytes) {
  const Key key{bytes.size(), crc32c(0, bytes.data(), bytes.size())};
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::erase_if(all.held, [](const auto& entry) { return entry.second.expired(); });
  const auto [first, last] = all.held.equal_range(key);
  for (auto at = first; at != last; ++at) {
    const SharedBytes held = at->second.lock();
    if (held && std::ranges::equal(*held, bytes)) return held;
  }
  const auto made = std::make_shared<const std::vector<uint8_t>>(bytes.begin(), bytes.end());
  all.held.emplace(key, made);
  return made;
}

} // namespace farsight
