// Mean and variance of every cluster. Cluster c holds rows order[starts[c] .. starts[c + 1]); an empty cluster is left as
// it is in the output. Results do not depend on the number of threads.
#pragma once

#include "vectors.h"

namespace farsight {

// Sparse moments keep their `features` largest entries (value descending, then id ascending; 0 pads), dense ones are
// dims floats.
void means(const SparseVectors& rows, size_t dims, const uint32_t* order, const uint32_t* starts, size_t clusters,
           size_t features, size_t threads, uint16_t* ids, float* values);
void means(const Sq8Vectors& rows, const uint32_t* order, const uint32_t* starts, size_t clusters, size_t threads,
           float* values);

// Population variance of each feature: how far a cluster's members spread around its mean.
void variances(const SparseVectors& rows, size_t dims, const uint32_t* order, const uint32_t* starts, size_t clusters,
               size_t features, size_t threads, uint16_t* ids, float* values);
void variances(const Sq8Vectors& rows, const uint32_t* order, const uint32_t* starts, size_t clusters, size_t threads,
               float* values);

} // namespace farsight
