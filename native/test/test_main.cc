#include "test.h"

namespace farsight::test {

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

} // namespace farsight::test

int main() {
  for (const auto& test : farsight::test::tests()) {
    std::printf("%s\n", test.title);
    std::fflush(stdout);
    test.run();
  }
  std::printf("%zu passed, 0 failed\n", farsight::test::tests().size());
}
