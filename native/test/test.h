// The smallest test runner that prints what failed: CHECK in a TEST, every TEST run by main in test_main.cc.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace farsight::test {

struct Test {
  const char* title;
  void (*run)();
};
std::vector<Test>& tests();
inline bool add(const char* title, void (*run)()) {
  tests().push_back({title, run});
  return true;
}

} // namespace farsight::test

#define FARSIGHT_JOIN2(a, b) a##b
#define FARSIGHT_JOIN(a, b) FARSIGHT_JOIN2(a, b)
// TEST("a sentence about behaviour") { ... }
#define TEST(title)                                                                                            \
  static void FARSIGHT_JOIN(test_, __LINE__)();                                                                \
  static const bool FARSIGHT_JOIN(added_, __LINE__) = farsight::test::add(title, FARSIGHT_JOIN(test_, __LINE__)); \
  static void FARSIGHT_JOIN(test_, __LINE__)()

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);       \
      std::exit(1);                                                                      \
    }                                                                                    \
  } while (false)

#define CHECK_THROWS(expression)                                                         \
  do {                                                                                   \
    bool thrown = false;                                                                 \
    try {                                                                                \
      (void)(expression);                                                                \
    } catch (const std::exception&) {                                                    \
      thrown = true;                                                                     \
    }                                                                                    \
    CHECK(thrown);                                                                       \
  } while (false)
