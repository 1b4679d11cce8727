// Exports: the passes of a sweep and of its audit.
#include "../sweep.h"

#include <algorithm>
#include <string>

#include "../strata.h"
#include "exports.h"
#include "handles.h"

namespace farsight {

namespace {

// The numbers of ScoreSums, in their order.
constexpr size_t kSums = 6;

ScoreSums sums_of(std::span<const double> numbers) {
  return {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
}

void write_sums(const ScoreSums& sums, std::span<double> numbers) {
  numbers[0] = sums.count;
  numbers[1] = sums.shift;
  numbers[2] = sums.sum;
  numbers[3] = sums.squares;
  numbers[4] = sums.least;
  numbers[5] = sums.greatest;
}

struct Range {
  size_t first, last;
};

Range range_of(Napi::Env env, size_t all, const Napi::Value& first_value, const Napi::Value& count_value) {
  const auto first = whole(env, first_value, "first", 0, all);
  return {first, first + whole(env, count_value, "count", 0, all - first)};
}

Napi::Value sweep_range(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto slots = head.cells().codes->count();
  const auto [first, last] = range_of(env, slots, info[1], info[2]);
  const auto scores = array_of<float>(env, info[3], "scores", slots);
  const auto numbers = array_of<double>(env, info[4], "sums", kSums);
  auto sums = sums_of(numbers);
  const auto error = sweep_slots(head.cells(), head.items(), first, last, scores, sums);
  write_sums(sums, numbers);
  return Napi::Number::New(env, error);
}

Napi::Value sum_scores(Info info) {
  const auto env = info.Env();
  const auto scores = array<float>(env, info[0], "scores");
  const auto numbers = array_of<double>(env, info[1], "sums", kSums);
  auto sums = sums_of(numbers);
  sums.add(scores);
  write_sums(sums, numbers);
  return env.Undefined();
}

Napi::Value add_by_item(Info info) {
  const auto env = info.Env();
  const auto& cells = head_of(env, info[0]).cells();
  const auto items = cells.codes->count();
  const auto scores = array_of<float>(env, info[1], "scores", items);
  const auto [first, last] = range_of(env, items, info[2], info[3]);
  const auto factor = number(env, info[4], "factor");
  const auto offset = number(env, info[5], "offset");
  add_to_items(cells, scores, first, last, factor, offset, array_of<float>(env, info[6], "fused", items));
  return env.Undefined();
}

Napi::Value leave_items_out(Info info) {
  const auto env = info.Env();
  const auto scores = array<float>(env, info[0], "scores");
  leave_out(array_of<uint32_t>(env, info[1], "admitted", (scores.size() + 31) / 32), scores);
  return env.Undefined();
}

Napi::Value slots_in_order(Info info) {
  const auto env = info.Env();
  const auto& cells = head_of(env, info[0]).cells();
  const auto items = array<uint32_t>(env, info[1], "items");
  require_below(env, items, cells.codes->count(), "items");
  sort_by_slot(cells, items, array_of<uint32_t>(env, info[2], "slots", items.size()),
               array_of<uint32_t>(env, info[3], "places", items.size()));
  return env.Undefined();
}

Napi::Value add_exact_scores(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto slots = array<uint32_t>(env, info[1], "slots");
  if (!std::is_sorted(slots.begin(), slots.end())) range_error(env, "slots: expected ascending ones");
  const auto places = array_of<uint32_t>(env, info[2], "places", slots.size());
  const auto factor = number(env, info[3], "factor");
  const auto offset = number(env, info[4], "offset");
  const auto sums = array<double>(env, info[5], "sums");
  require_below(env, places, sums.size(), "places");
  add_exact(head.cells(), head.items(), slots, places, factor, offset, sums);
  return env.Undefined();
}

Napi::Value numbers_reaching(Info info) {
  const auto env = info.Env();
  const auto found = numbers_at_least(array<float>(env, info[0], "values"), number(env, info[1], "bound"),
                                      array<uint32_t>(env, info[2], "numbers"));
  return Napi::Number::New(env, static_cast<double>(found));
}

Napi::Value greatest_of(Info info) {
  const auto env = info.Env();
  const auto ranks = array<uint32_t>(env, info[1], "ranks");
  if (ranks.size() > kMaxCuts) range_error(env, "ranks: expected at most " + std::to_string(kMaxCuts));
  greatest_values(array<float>(env, info[0], "values"), ranks, array_of<float>(env, info[2], "out", ranks.size()));
  return env.Undefined();
}

std::span<const uint32_t> ascending_items(Napi::Env env, const Napi::Value& value, const char* name, size_t limit) {
  const auto items = array<uint32_t>(env, value, name);
  require_below(env, items, limit, name);
  for (size_t i = 1; i < items.size(); ++i) {
    if (items[i - 1] >= items[i]) range_error(env, std::string(name) + ": expected ascending, unique items");
  }
  return items;
}

// From five arguments.
Strata strata_of(Info info) {
  const auto env = info.Env();
  const auto scores = array<float>(env, info[0], "scores");
  const auto selected = ascending_items(env, info[1], "selected", scores.size());
  const auto labelled = ascending_items(env, info[2], "labelled", scores.size());
  const auto selected_cuts = array<float>(env, info[3], "selectedCuts");
  const auto rest_cuts = array<float>(env, info[4], "restCuts");
  if (std::max(selected_cuts.size(), rest_cuts.size()) > kMaxCuts) {
    range_error(env, "cuts: expected at most " + std::to_string(kMaxCuts));
  }
  return {scores, selected, labelled, selected_cuts, rest_cuts};
}

Napi::Value count_by_stratum(Info info) {
  const auto env = info.Env();
  const auto strata = strata_of(info);
  count_strata(strata, array_of<double>(env, info[5], "counts", strata.count()));
  return env.Undefined();
}

Napi::Value pick_by_stratum(Info info) {
  const auto env = info.Env();
  const auto strata = strata_of(info);
  const auto places = array<uint32_t>(env, info[5], "places");
  const auto starts = array_of<uint32_t>(env, info[6], "starts", strata.count() + 1);
  for (size_t s = 1; s < starts.size(); ++s) {
    if (starts[s - 1] > starts[s] || starts[s] > places.size()) range_error(env, "starts: expected ascending places");
  }
  pick_from_strata(strata, places, starts, array_of<uint32_t>(env, info[7], "items", places.size()));
  return env.Undefined();
}

} // namespace

void export_sweep(Napi::Env env, Napi::Object exports) {
  add<sweep_range>(env, exports, "sweepSlots");
  add<sum_scores>(env, exports, "sumScores");
  add<add_by_item>(env, exports, "addToItems");
  add<leave_items_out>(env, exports, "leaveOut");
  add<slots_in_order>(env, exports, "sortBySlot");
  add<add_exact_scores>(env, exports, "addExactScores");
  add<numbers_reaching>(env, exports, "numbersAtLeast");
  add<greatest_of>(env, exports, "greatestValues");
  add<count_by_stratum>(env, exports, "countStrata");
  add<pick_by_stratum>(env, exports, "pickFromStrata");
}

} // namespace farsight
