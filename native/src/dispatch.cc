// Chooses the kernel table once, when the first caller asks.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "kernels.h"

namespace farsight {

namespace {

const Kernels& choose() {
  // Best first; scalar is always there.
  const Kernels* const tables[] = {avx512_kernels(), avx2_kernels(), neon_kernels(), scalar_kernels()};
  const char* pinned = std::getenv("KERNELS_ISA");
  std::string names;
  for (const Kernels* table : tables) {
    if (table == nullptr) continue;
    if (pinned == nullptr || *pinned == '\0' || table->isa == std::string(pinned)) return *table;
    names += names.empty() ? table->isa : std::string(", ") + table->isa;
  }
  throw std::runtime_error("KERNELS_ISA=" + std::string(pinned) + " cannot run here; this CPU runs " + names);
}

} // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

} // namespace farsight
