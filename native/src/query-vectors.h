// Items as queries: their vectors, decoded once, and exact distances to them.
#pragma once

#include <limits>
#include <numeric>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "spaces.h"

namespace farsight {

// The distinct vectors among the queries, dense, space after space.
class QueryVectors {
 public:
  QueryVectors(std::span<const Space> spaces, std::span<const uint32_t> items)
      : spaces_(spaces.size()), width_(total_dims(spaces)) {
    rows_.reserve(items.size() * width_);
    std::vector<float> row(width_);
    // Equal queries would be equally near to everything, which the first pass cannot tell apart.
    std::unordered_set<std::string_view> seen;
    for (const uint32_t item : items) {
      if (!decode_concatenated(spaces, item, row.data())) continue;
      rows_.insert(rows_.end(), row.begin(), row.end());
      const auto* added = reinterpret_cast<const char*>(rows_.data() + rows_.size() - width_);
      if (seen.insert(std::string_view(added, width_ * sizeof(float))).second) {
        items_.push_back(item);
      } else {
        rows_.resize(rows_.size() - width_);
      }
    }
    for (size_t q = 0; q < count(); ++q) {
      size_t from = 0;
      for (const Space& space : spaces) {
        const float* vector = this->vector(q) + from;
        from += space.cells->codes->dims();
        norms_.push_back(std::inner_product(vector, this->vector(q) + from, vector, 0.0, std::plus<>{},
                                            [](float a, float b) { return static_cast<double>(a) * b; }));
      }
    }
  }

  size_t count() const { return items_.size(); }
  // The first item with this vector.
  uint32_t item(size_t q) const { return items_[q]; }
  const float* vector(size_t q) const { return rows_.data() + q * width_; }
  double norm(size_t q, size_t space) const { return norms_[q * spaces_ + space]; }

  // The exact distance of an item, infinite when it has no slot in some space; or, when that is above `limit`, something
  // above it.
  double distance(std::span<const Space> spaces, size_t q, uint32_t item,
                  double limit = std::numeric_limits<double>::infinity()) const {
    double sum = 0;
    const float* vector = this->vector(q);
    for (size_t s = 0; s < spaces.size(); ++s) {
      const Codes& codes = *spaces[s].cells->codes;
      const size_t slot = slot_of(*spaces[s].cells, item);
      if (slot >= codes.count() || sum > limit) return std::numeric_limits<double>::infinity();
      sum += spaces[s].weight * codes.distance(slot, vector, norm(q, s));
      vector += codes.dims();
    }
    return sum;
  }

 private:
  size_t spaces_;
  size_t width_;
  std::vector<uint32_t> items_;
  std::vector<float> rows_;
  std::vector<double> norms_; // per query and space
};

} // namespace farsight
