// Given items by direct access: their exact scores, their vectors, their distances.
#pragma once

#include <cstdint>
#include <span>

#include "cells.h"

namespace farsight {

// Exact scores of given items by direct access (the cross-modality look-ups of Exquisitor §3.3). An item that has no
// slot scores minus infinity.
void score_items(const Cells& cells, const Query& query, std::span<const uint32_t> items, double* scores);

// The decoded vectors of given items, row_values() values each and for sparse codes as many ids (ids may be null for
// dense codes); zeros for an item that has no slot.
void decode_items(const Cells& cells, std::span<const uint32_t> items, uint32_t* ids, float* values);

// Squared distances of given items to a dense query of dims floats; infinity for an item that has no slot.
void item_distances(const Cells& cells, const float* query, std::span<const uint32_t> items, double* distances);

} // namespace farsight
