// A trained model, prepared for the codes it scores.
#pragma once

#include <memory>
#include <vector>

#include "cells.h"

namespace farsight {

// One model over one modality. What a model needs of each set of codes (tables, quantised weights, bounds) is prepared
// once, when it is first asked for. Refers to the cells; not for several threads at a time.
class Head {
 public:
  // spread: codes of the clusters' variances per dimension, or nullptr.
  Head(const Cells& cells, const Codes* spread) : cells_(cells), spread_codes_(spread) {}
  virtual ~Head() = default;

  const Cells& cells() const { return cells_; }
  const Query& items();
  const Query& representatives();
  // nullptr: clusters are not grouped.
  const Query* groups();
  // exact(c) is the variance of the scores of cluster c's items, approximate() means nothing; nullptr: not known.
  const Query* spread();

 protected:
  virtual std::unique_ptr<Query> prepare(const Codes& codes) const = 0;
  // The model's variances from the variances of the dimensions, taken as independent.
  virtual std::unique_ptr<Query> prepare_spread(const Codes& spread) const = 0;

 private:
  const Cells& cells_;
  const Codes* spread_codes_;
  std::unique_ptr<Query> items_, representatives_, groups_, spread_;
};

// score(x) = weights . x + bias.
class LinearHead final : public Head {
 public:
  LinearHead(const Cells& cells, const Codes* spread, std::vector<float> weights, double bias)
      : Head(cells, spread), weights_(std::move(weights)), bias_(bias) {}

 private:
  std::unique_ptr<Query> prepare(const Codes& codes) const override;
  std::unique_ptr<Query> prepare_spread(const Codes& spread) const override;

  std::vector<float> weights_;
  double bias_;
};

} // namespace farsight
