// Assignment by groups of representatives; see AssignTree.
#pragma once

#include "assign.h"

namespace farsight {

std::unique_ptr<SparseAssigner> sparse_tree_assigner(const SparseVectors& representatives, size_t dims,
                                                     const AssignTree& tree, size_t threads);
std::unique_ptr<DenseAssigner> dense_tree_assigner(const float* representatives, size_t count, size_t dims,
                                                   const AssignTree& tree, size_t threads);

} // namespace farsight
