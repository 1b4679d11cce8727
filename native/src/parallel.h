// Splitting work over threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace farsight {

// Runs part(0) .. part(parts - 1), the first here and every other on a thread of its own. The first exception of any of
// them is thrown here when all have ended; a part whose thread cannot be had runs here.
template <typename Part>
void run_parts(size_t parts, Part part) {
  std::vector<std::exception_ptr> failures(parts);
  const auto guarded = [&](size_t p) noexcept {
    try {
      part(p);
    } catch (...) {
      failures[p] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(parts);
  for (size_t p = 1; p < parts; ++p) {
    try {
      threads.emplace_back(guarded, p);
    } catch (const std::system_error&) {
      guarded(p);
    }
  }
  guarded(0);
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

// Runs work(first, last) over contiguous shares of [0, count), one per thread.
template <typename Work>
void parallel(size_t count, size_t threads, const Work& work) {
  const size_t shares = std::clamp<size_t>(threads, 1, std::max<size_t>(count, 1));
  run_parts(shares, [&](size_t share) { work(count * share / shares, count * (share + 1) / shares); });
}

} // namespace farsight
