// The panel kernels in plain C++: their specification, and the choice among their forms.
#include <algorithm>
#include <cstring>

#include "../kernels.h"
#include "../panels.h"

namespace farsight {

namespace {

int16_t panel_scores(const int16_t* panel, size_t lanes, const uint32_t* rows, const int16_t* weights, size_t count,
                     int16_t* scores) {
  std::fill_n(scores, lanes, int16_t{0});
  for (size_t j = 0; j < count; ++j) {
    const int16_t* row = panel + rows[j] * lanes;
    for (size_t l = 0; l < lanes; ++l) {
      scores[l] = static_cast<int16_t>(scores[l] + ((int32_t{weights[j]} * row[l] + 0x4000) >> 15));
    }
  }
  return *std::max_element(scores, scores + lanes);
}

size_t panel_select(const int16_t* scores, size_t lanes, int16_t threshold, uint32_t* positions) {
  size_t found = 0;
  for (size_t l = 0; l < lanes; ++l) {
    if (scores[l] >= threshold) positions[found++] = static_cast<uint32_t>(l);
  }
  return found;
}

constexpr PanelKernels kTable = {"scalar", panel_scores, panel_select};

} // namespace

const PanelKernels* scalar_panels() { return &kTable; }

const PanelKernels& panel_kernels() {
  static const PanelKernels& chosen = [&]() -> const PanelKernels& {
    for (const PanelKernels* table : {avx512_panels(), avx2_panels(), neon_panels()}) {
      if (table != nullptr && std::strcmp(table->isa, kernels().isa) == 0) return *table;
    }
    return kTable;
  }();
  return chosen;
}

} // namespace farsight
