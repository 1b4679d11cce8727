// Exports: every item at once.
#include "exports.h"

#include "../diversity.h"
#include "../mapping.h"
#include "../principal.h"
#include "../quantiles.h"
#include "../sample-scores.h"
#include "../search.h"
#include "../survey.h"
#include "spaces-argument.h"

namespace farsight {

// The items chosen in a round, and the cells that they are decoded from.
struct OpenDiverseChoice {
  DiverseChoice choice;
  std::vector<std::shared_ptr<OpenCells>> cells;
};

template <>
inline constexpr napi_type_tag kTag<OpenDiverseChoice>{0x66617273696768ull, 11};

namespace {

SurveyOptions survey_options(Napi::Env env, const Napi::Value& workers, const Napi::Value& deadline) {
  return {whole(env, workers, "workers", 1, 256), time_point(number(env, deadline, "deadlineMs"))};
}

Napi::Value score_everything(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto options = survey_options(env, info[1], info[2]);
  const auto scores = array_of<double>(env, info[3], "scores", head.cells().codes->count());
  return Napi::Boolean::New(env, score_all(head.cells(), head.items(), options, scores));
}

Napi::Value prefer_huge(Info info) {
  const auto memory = array<uint8_t>(info.Env(), info[0], "memory");
  prefer_huge_pages(memory);
  return info.Env().Undefined();
}

Napi::Value moments_object(Napi::Env env, const ScoreMoments& moments) {
  auto result = Napi::Object::New(env);
  result.Set("mean", moments.mean);
  result.Set("deviation", moments.deviation);
  return result;
}

Napi::Value scores_of_sample(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto scores = array_of<double>(env, info[1], "scores", head.cells().codes->count());
  return moments_object(env, scan_sample(head.cells(), head.items(), scores));
}

Napi::Value add_to_sums(Info info) {
  const auto env = info.Env();
  const auto sums = array<double>(env, info[3], "sums");
  const auto scores = array_of<double>(env, info[0], "scores", sums.size());
  const auto factor = number(env, info[1], "factor"), offset = number(env, info[2], "offset");
  return moments_object(env, add_standardised(scores, factor, offset, sums));
}

Napi::Value distances_of_all(Info info) {
  const auto env = info.Env();
  const auto all = spaces(env, info[0], info[1]);
  const auto queries = items_of(env, info[2], "queries", *all[0].cells);
  const auto options = survey_options(env, info[3], info[4]);
  const auto distances = array_of<double>(env, info[5], "distances", all[0].cells->codes->count());
  return Napi::Boolean::New(env, nearest_distances(all, queries, options, distances));
}

Napi::Value open_diverse_choice(Info info) {
  const auto env = info.Env();
  const auto all = spaces(env, info[0], info[1]);
  const auto chosen = items_of(env, info[2], "chosen", *all[0].cells);
  const auto limit = number(env, info[3], "limit");
  const auto wanted = items_of(env, info[4], "wanted", *all[0].cells);
  Wanted near{{wanted.begin(), wanted.end()}, number(env, info[5], "wantedLimit")};
  OpenDiverseChoice open{DiverseChoice(all, chosen, limit, std::move(near)), cells_of(env, info[0])};
  // Two dense rows of all modalities to compare with, and the decoded ones.
  size_t bytes = 0;
  for (const Space& space : all) {
    const Codes& codes = *space.cells->codes;
    bytes += 8 * codes.dims() + 8 * codes.row_values() * (chosen.size() + wanted.size());
  }
  return wrap(env, std::make_shared<OpenDiverseChoice>(std::move(open)), bytes);
}

Napi::Value diverse_items(Info info) {
  const auto env = info.Env();
  auto& open = *handle<OpenDiverseChoice>(env, info[0], "choice");
  const auto items = items_of(env, info[1], "items", open.cells[0]->cells);
  const auto deadline = time_point(number(env, info[2], "deadlineMs"));
  const auto out = array<uint32_t>(env, info[3], "out");
  const auto diverse = open.choice.choose(items, out.size(), deadline, out.data());
  auto result = Napi::Object::New(env);
  result.Set("found", static_cast<double>(diverse.found));
  result.Set("looked", static_cast<double>(diverse.looked));
  result.Set("complete", diverse.complete);
  return result;
}

Napi::Value components_of(Info info) {
  const auto env = info.Env();
  const auto all = spaces(env, info[0], info[1]);
  const auto sample = items_of(env, info[2], "sample", *all[0].cells);
  size_t dims = 0;
  for (const Space& space : all) dims += space.cells->codes->dims();
  const auto out = array<float>(env, info[3], "components");
  require_multiple(env, out, dims, "components");
  const auto count = out.size() / dims;
  if (count == 0 || count > kMaxComponents) {
    range_error(env, "components: expected 1 to " + std::to_string(kMaxComponents) + " of them");
  }
  principal_components(all, sample, count, out.data());
  return env.Undefined();
}

Napi::Value add_all_scores(Info info) {
  const auto env = info.Env();
  auto& head = head_of(env, info[0]);
  const auto options = survey_options(env, info[1], info[2]);
  const auto sums = array_of<double>(env, info[3], "sums", head.cells().codes->count());
  return Napi::Boolean::New(env, add_scores(head.cells(), head.items(), options, sums));
}

Napi::Value segments_of(Info info) {
  const auto env = info.Env();
  const auto values = array<double>(env, info[0], "values");
  const auto segments = static_cast<uint32_t>(whole(env, info[1], "segments", 2, kMaxSegments));
  const auto workers = whole(env, info[2], "workers", 1, 256);
  append_segments(values, segments, workers, array_of<uint32_t>(env, info[3], "cells", values.size()));
  return env.Undefined();
}

} // namespace

void export_survey(Napi::Env env, Napi::Object exports) {
  add<prefer_huge>(env, exports, "preferHugePages");
  add<score_everything>(env, exports, "scoreAll");
  add<scores_of_sample>(env, exports, "scanSample");
  add<add_to_sums>(env, exports, "addStandardised");
  add<distances_of_all>(env, exports, "nearestDistances");
  add<open_diverse_choice>(env, exports, "diverseChoice");
  add<diverse_items>(env, exports, "diverseItems");
  add<components_of>(env, exports, "principalComponents");
  add<add_all_scores>(env, exports, "addScores");
  add<segments_of>(env, exports, "appendSegments");
}

} // namespace farsight
