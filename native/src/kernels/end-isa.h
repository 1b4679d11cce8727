// Ends what begin-avx2.h or begin-avx512.h began.
#pragma GCC pop_options
