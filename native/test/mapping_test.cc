// Mapped section files: what is shared, what is refused, and that a renamed file is a new one.
#include "mapping.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "test.h"

using namespace farsight;

namespace {

// A directory that goes away with the test.
struct Directory {
  std::string path;
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "farsight-mapping-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return path + "/" + name; }
};

void write(const std::string& path, size_t payload, uint8_t fill) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  CHECK(file != nullptr);
  std::vector<uint8_t> bytes(kHeaderBytes + payload, fill);
  std::memset(bytes.data(), 'h', kHeaderBytes);
  CHECK(std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size());
  CHECK(std::fclose(file) == 0);
}

bool fails_naming(const std::string& path, uint64_t payload) {
  try {
    Mapping::open({path}, {payload});
  } catch (const std::runtime_error& error) {
    return std::string(error.what()).find(path) != std::string::npos;
  }
  return false;
}

} // namespace

TEST("shards are mapped one behind the other without their headers") {
  const Directory directory;
  write(directory / "a", 8192, 1);
  write(directory / "b", 4096, 2);
  write(directory / "c", 100, 3);
  const auto mapping = Mapping::open({directory / "a", directory / "b", directory / "c"}, {8192, 4096, 100});
  const auto bytes = mapping->bytes();
  CHECK(bytes.size() == 8192 + 4096 + 100);
  for (size_t i = 0; i < bytes.size(); ++i) CHECK(bytes[i] == (i < 8192 ? 1 : i < 12288 ? 2 : 3));
  CHECK(mapping->as<uint32_t>().size() == bytes.size() / 4);
  CHECK(mapping->as<uint32_t>()[0] == 0x01010101);
  // A page behind the end can be read, and is zero past the file's last page.
  CHECK(bytes.data()[bytes.size() + 4095] == 0);
}

TEST("the same files share one mapping for as long as it is used") {
  const Directory directory;
  write(directory / "a", 64, 1);
  std::filesystem::create_hard_link(directory / "a", directory / "same");
  auto first = Mapping::open({directory / "a"}, {64});
  auto second = Mapping::open({directory / "same"}, {64});
  CHECK(first == second);
  const std::weak_ptr<const Mapping> watched = first;
  first.reset();
  CHECK(!watched.expired());
  second.reset();
  CHECK(watched.expired());
  CHECK(Mapping::open({directory / "a"}, {64})->bytes()[63] == 1);
}

TEST("a file renamed over another is a new section, and the old one stays readable") {
  const Directory directory;
  write(directory / "a", 64, 1);
  const auto before = Mapping::open({directory / "a"}, {64});
  write(directory / "b", 64, 2);
  std::filesystem::rename(directory / "b", directory / "a");
  const auto after = Mapping::open({directory / "a"}, {64});
  CHECK(before != after);
  CHECK(before->bytes()[0] == 1);
  CHECK(after->bytes()[0] == 2);
}

TEST("files that are missing, too short, too long or no files are refused by name") {
  const Directory directory;
  write(directory / "a", 64, 1);
  CHECK(fails_naming(directory / "a", 63));
  CHECK(fails_naming(directory / "a", 65));
  CHECK(fails_naming(directory / "a", ~uint64_t{0}));
  CHECK(fails_naming(directory / "missing", 64));
  CHECK(fails_naming(directory.path, 0));
  CHECK(::truncate((directory / "a").c_str(), 100) == 0);
  CHECK(fails_naming(directory / "a", 64));
  write(directory / "b", 64, 1);
  CHECK_THROWS(Mapping::open({directory / "b", directory / "b"}, {64, 64}));
  CHECK_THROWS(Mapping::open({directory / "b"}, {}));
}

TEST("an empty payload is an empty span") {
  const Directory directory;
  write(directory / "a", 0, 0);
  const auto mapping = Mapping::open({directory / "a"}, {0});
  CHECK(mapping->bytes().empty());
  CHECK(mapping->bytes().data() != nullptr);
  CHECK(Mapping::open({}, {})->bytes().empty());
}

TEST("warming changes no byte, on huge pages or not, while others read") {
  const Directory directory;
  const size_t payload = 5 * kHugePage + 12345;
  write(directory / "a", payload, 7);
  const auto mapping = Mapping::open({directory / "a"}, {payload});
  CHECK(reinterpret_cast<uintptr_t>(mapping->bytes().data()) % kHugePage == 0);
  std::atomic<bool> done = false;
  std::atomic<size_t> wrong = 0;
  std::thread reader([&] {
    while (!done) {
      for (size_t at = 0; at < payload; at += 4096) wrong += mapping->bytes()[at] != 7;
    }
  });
  mapping->warm(0, 100, false);
  for (const bool huge : {false, true, true}) {
    for (size_t at = 0; at < payload; at += 2 * kHugePage + 4096) mapping->warm(at, 2 * kHugePage + 4096, huge);
  }
  mapping->warm(payload, 10, true);
  mapping->warm(0, payload + 100, true);
  done = true;
  reader.join();
  CHECK(wrong == 0);
  CHECK(std::all_of(mapping->bytes().begin(), mapping->bytes().end(), [](uint8_t byte) { return byte == 7; }));
}
