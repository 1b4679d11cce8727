// From here to end-isa.h code is compiled for AVX-512 with VBMI and VNNI (Ice Lake, Zen 4 and later). Other headers come
// before, so that what they define inline, which the linker may share with other files, runs on any machine.
#include <immintrin.h>

// GCC 12's own AVX-512 headers read their "undefined" registers (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vnni,bmi2,fma")
