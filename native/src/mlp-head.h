// A multilayer perceptron as the head of a modality.
#pragma once

#include "head.h"
#include "mlp.h"

namespace farsight {

class MlpHead final : public Head {
 public:
  MlpHead(const Cells& cells, const Codes* spread, MlpModel model) : Head(cells, spread), model_(std::move(model)) {}

 private:
  std::unique_ptr<Query> prepare(const Codes& codes) const override;
  std::unique_ptr<Query> prepare_spread(const Codes& spread) const override;

  MlpModel model_;
};

} // namespace farsight
