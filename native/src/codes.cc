// What queries do alike.
#include "codes.h"

#include "reach.h"

namespace farsight {

size_t Query::reaching(size_t first, size_t count, size_t slots, float threshold, uint32_t* positions,
                       float* scores) const {
  approximate(first, count, scores);
  return keep_reaching(kernels(), scores, slots, threshold, positions);
}

} // namespace farsight
