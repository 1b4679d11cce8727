// Bytes that several hold.
#include "shared-bytes.h"

#include <thread>

#include "test.h"

using namespace farsight;

TEST("equal bytes are one copy while anybody holds them, and others are not") {
  std::vector<uint8_t> bytes(100000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * i >> 3);
  SharedBytes first = shared_bytes(bytes);
  CHECK(*first == bytes && first->data() != bytes.data());
  CHECK(shared_bytes(std::vector<uint8_t>(bytes)) == first);
  std::vector<uint8_t> other(bytes);
  ++other[77777];
  CHECK(shared_bytes(other) != first);
  CHECK(shared_bytes(std::span(bytes).first(99999)) != first);
  CHECK(shared_bytes({})->empty());
  const std::weak_ptr<const std::vector<uint8_t>> gone = first;
  first.reset();
  CHECK(gone.expired());
  CHECK(*shared_bytes(bytes) == bytes);
}

TEST("threads that make the same bytes at once hold one copy") {
  const std::vector<uint8_t> bytes(50000, 7);
  std::vector<SharedBytes> held(8);
  std::vector<std::thread> threads;
  for (SharedBytes& one : held) threads.emplace_back([&] { one = shared_bytes(bytes); });
  for (std::thread& thread : threads) thread.join();
  for (const SharedBytes& one : held) CHECK(one == held[0] && *one == bytes);
}
