// A multilayer perceptron as the head of a modality.
#include "mlp-head.h"

#include "mlp-query.h"

namespace farsight {

std::unique_ptr<Query> MlpHead::prepare(const Codes& codes) const { return prepare_mlp(model_, codes); }

std::unique_ptr<Query> MlpHead::prepare_spread(const Codes& spread) const {
  return prepare_mlp_spread(model_, *cells().representatives, spread);
}

} // namespace farsight
