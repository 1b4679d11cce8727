#include "files.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#if defined(__linux__)
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <stdio.h>
#endif

namespace farsight {

bool exchange_paths(const std::string& a, const std::string& b) {
#if defined(__linux__) && defined(SYS_renameat2)
  constexpr unsigned kExchange = 2; // RENAME_EXCHANGE; older libc headers lack the name
  const long result = syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), kExchange);
#elif defined(__APPLE__)
  const int result = renamex_np(a.c_str(), b.c_str(), RENAME_SWAP);
#else
  const int result = -1;
  errno = ENOSYS;
#endif
  if (result == 0) return true;
  if (errno == ENOSYS || errno == EINVAL || errno == ENOTSUP) return false;
  throw std::runtime_error("cannot exchange " + a + " and " + b + ": " + std::strerror(errno));
}

} // namespace farsight
