// Exports: topics of texts.
#include "exports.h"
#include "../topics.h"

namespace farsight {

namespace {

constexpr uint64_t kMaxTopics = 65536;

TextBatch text_batch(Napi::Env env, const Napi::Value& starts_value, const Napi::Value& words_value,
                     const Napi::Value& counts_value, size_t words) {
  const auto starts = array<uint32_t>(env, starts_value, "starts");
  const auto numbers = array<uint32_t>(env, words_value, "words");
  const auto counts = array_of<float>(env, counts_value, "counts", numbers.size());
  if (starts.empty() || starts.front() != 0 || starts.back() != numbers.size() || !std::ranges::is_sorted(starts)) {
    range_error(env, "starts: expected ascending places from 0 to the number of words");
  }
  require_below(env, numbers, words, "words");
  return {starts.size() - 1, starts.data(), numbers.data(), counts.data()};
}

Napi::Value weigh_topics(Info info) {
  const auto env = info.Env();
  const auto totals = array<double>(env, info[1], "totals");
  const auto counts = array<double>(env, info[0], "counts");
  require_multiple(env, counts, totals.size(), "counts");
  const auto threads = whole(env, info[2], "threads", 1, 256);
  const auto weights = array_of<float>(env, info[3], "weights", counts.size());
  topic_weights(counts.data(), counts.size() / totals.size(), totals.size(), totals.data(), threads, weights.data());
  return env.Undefined();
}

Napi::Value infer_given_topics(Info info) {
  const auto env = info.Env();
  const auto topics = whole(env, info[4], "topics", 1, kMaxTopics);
  const auto weights = array<float>(env, info[3], "weights");
  require_multiple(env, weights, topics, "weights");
  const auto batch = text_batch(env, info[0], info[1], info[2], weights.size() / topics);
  const auto given = object(env, info[5], "options");
  const TopicInference options{
      static_cast<float>(number(env, given.Get("prior"), "prior")),
      static_cast<uint32_t>(whole(env, given.Get("maxIterations"), "maxIterations", 1, 1000000)),
      static_cast<float>(number(env, given.Get("tolerance"), "tolerance")),
      whole(env, given.Get("threads"), "threads", 1, 256),
  };
  const auto gamma = array_of<float>(env, info[6], "gamma", batch.texts * topics);
  const auto exponentials = array_of<float>(env, info[7], "exponentials", batch.texts * topics);
  const auto ratios = array_of<float>(env, info[8], "ratios", batch.starts[batch.texts]);
  return Napi::Number::New(env, static_cast<double>(infer_topics(batch, topics, weights.data(), options, gamma.data(),
                                                                 exponentials.data(), ratios.data())));
}

Napi::Value count_topics(Info info) {
  const auto env = info.Env();
  const auto topics = whole(env, info[4], "topics", 1, kMaxTopics);
  const auto weights = array<float>(env, info[3], "weights");
  require_multiple(env, weights, topics, "weights");
  const auto batch = text_batch(env, info[0], info[1], info[2], weights.size() / topics);
  const auto exponentials = array_of<float>(env, info[5], "exponentials", batch.texts * topics);
  const auto ratios = array_of<float>(env, info[6], "ratios", batch.starts[batch.texts]);
  const auto threads = whole(env, info[7], "threads", 1, 256);
  const auto out = array_of<double>(env, info[8], "out", weights.size());
  topic_counts(batch, weights.size() / topics, topics, weights.data(), exponentials.data(), ratios.data(), threads,
               out.data());
  return env.Undefined();
}

} // namespace

void export_topics(Napi::Env env, Napi::Object exports) {
  add<weigh_topics>(env, exports, "topicWeights");
  add<infer_given_topics>(env, exports, "inferTopics");
  add<count_topics>(env, exports, "topicCounts");
}

} // namespace farsight
