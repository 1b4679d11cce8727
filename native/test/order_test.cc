// Ordering candidates beside a comparison sort.
#include "../src/order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "test.h"

using namespace farsight;

namespace {

std::vector<uint32_t> expected(const std::vector<uint32_t>& items, const std::vector<double>& scores) {
  std::vector<uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto score = [&](uint32_t i) { return std::isnan(scores[i]) ? -INFINITY : scores[i]; };
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return score(a) != score(b) ? score(a) > score(b) : items[a] < items[b];
  });
  return order;
}

} // namespace

TEST("candidates are ordered as by comparing score, then item, whatever the scores") {
  std::mt19937 random(3);
  const double special[] = {0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, NAN, -NAN, 5e-324, -5e-324,
                            std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(), 1 + 0x1p-52};
  for (const size_t count : {0, 1, 2, 3, 100, 5000}) {
    for (const bool ties : {false, true}) {
      std::vector<uint32_t> items(count);
      std::vector<double> scores(count);
      for (size_t i = 0; i < count; ++i) {
        items[i] = random();
        scores[i] = ties ? special[random() % std::size(special)] : std::normal_distribution<double>()(random);
      }
      std::vector<uint32_t> order(count);
      order_by_score(items, scores, order);
      CHECK(order == expected(items, scores));
    }
  }
}
