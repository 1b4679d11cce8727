// From here to end-isa.h code is compiled for AVX2 with FMA (Haswell, Zen and later). Other headers come before, so that
// what they define inline, which the linker may share with other files, runs on any machine.
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx2,fma")
