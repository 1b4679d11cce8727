// Looking at every item of a collection: what the samplers of IRIS ask of it. Exact, whatever the number of threads.
#pragma once

#include <chrono>
#include <span>

#include "search.h"

namespace farsight {

// One modality and its weight. In a list of them, squared distances add up: sum over m of weight_m * |x_m - y_m|^2, which
// is the squared distance of the vectors concatenated, each scaled by the root of its weight.
struct Space {
  const Cells* cells;
  double weight;
};

struct SurveyOptions {
  size_t workers = 1; // threads that split the work; the answer does not depend on it
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

// The exact score of every item, by item number; minus infinity for one that has no slot. False: the deadline passed
// first, and the scores are of no use.
bool score_all(const Cells& cells, const Query& query, const SurveyOptions& options, std::span<double> scores);

// Adds the exact score of every item to its sum, by item number. False as above.
bool add_scores(const Cells& cells, const Query& query, const SurveyOptions& options, std::span<double> sums);

// The approximate scores of the items of slots [first, last), by item number; other places are left as they are. Returns
// how far they may be from the exact ones: query.error(), or where that is infinite, what the exact scores lose as floats,
// which is what these are then.
double scan_slots(const Cells& cells, const Query& query, size_t first, size_t last, std::span<float> scores);

// SpreadS (IRIS): the squared distance of every item to the nearest of `queries` (items), by item number; infinity for
// one without a slot in some modality. Every space holds distances.size() items. False as above.
bool nearest_distances(std::span<const Space> spaces, std::span<const uint32_t> queries, const SurveyOptions& options,
                       std::span<double> distances);

} // namespace farsight
