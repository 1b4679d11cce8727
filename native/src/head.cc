// Preparing a model for the codes it scores.
#include "head.h"

namespace farsight {

const Query& Head::items() {
  if (!items_) items_ = prepare(*cells_.codes);
  return *items_;
}

const Query& Head::representatives() {
  if (const Query* const held = items().held_for(*cells_.representatives)) return *held;
  if (!representatives_) representatives_ = prepare(*cells_.representatives);
  return *representatives_;
}

const Query* Head::groups() {
  if (!groups_ && cells_.groups.means != nullptr) groups_ = prepare(*cells_.groups.means);
  return groups_.get();
}

const Query* Head::spread() {
  if (!spread_ && spread_codes_ != nullptr) spread_ = prepare_spread(*spread_codes_);
  return spread_.get();
}

std::unique_ptr<Query> LinearHead::prepare(const Codes& codes) const { return codes.prepare(weights_.data(), bias_); }

std::unique_ptr<Query> LinearHead::prepare_spread(const Codes& spread) const {
  std::vector<float> squares(weights_);
  for (float& weight : squares) weight *= weight;
  return spread.prepare(squares.data(), 0);
}

} // namespace farsight
