// What node:fs cannot do with files.
#pragma once

#include <string>

namespace farsight {

// Atomically exchanges two existing paths of one file system. Returns false where the system cannot do that;
// throws std::runtime_error when it fails.
bool exchange_paths(const std::string& a, const std::string& b);

} // namespace farsight
