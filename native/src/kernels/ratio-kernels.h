// The kernels of ratio blocks, a file per instruction set, for the tables of scalar.cc, avx2.cc, avx512.cc and neon.cc.
#pragma once

#include <type_traits>

#include "../kernels.h"

namespace farsight {

using RatioScan = std::remove_pointer_t<decltype(Kernels::ratio_scan)>;
using RatioDistance = std::remove_pointer_t<decltype(Kernels::ratio_distance)>;

RatioScan ratio_scan_scalar, ratio_scan_avx2, ratio_scan_avx512, ratio_scan_neon;
RatioDistance ratio_distance_scalar, ratio_distance_avx2, ratio_distance_avx512, ratio_distance_neon;

} // namespace farsight
