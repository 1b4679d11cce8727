// Exports: assigning rows to clusters, and what clusters amount to.
#include "exports.h"
#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "../assign.h"
#include "../members.h"
#include "../moments.h"
#include "../folded.h"
#include "../rabitq-pack.h"
#include "../rabitq.h"
#include "../records.h"
#include "parameters.h"

namespace farsight {

namespace {

SparseVectors sparse_vectors(Napi::Env env, const Napi::Value& value, size_t dims, const char* name) {
  const auto given = object(env, value, name);
  const auto per_row = whole(env, given.Get("perRow"), "perRow", 1, 65536);
  const auto values = array<float>(env, given.Get("values"), "values");
  require_multiple(env, values, per_row, "values");
  const auto ids = array_of<uint16_t>(env, given.Get("ids"), "ids", values.size());
  require_below(env, ids, dims, "ids");
  // Posting lists count on it: a dot product is then never negative.
  for (const float value : values) {
    if (!(value >= 0)) range_error(env, std::string(name) + ": expected values of 0 or more");
  }
  return {ids.data(), values.data(), values.size() / per_row, per_row};
}

Sq8Vectors sq8_vectors(Napi::Env env, const Napi::Value& value) {
  const auto given = object(env, value, "rows");
  const auto offset = array<float>(env, given.Get("offset"), "offset");
  const auto step = array_of<float>(env, given.Get("step"), "step", offset.size());
  const auto codes = array<uint8_t>(env, given.Get("codes"), "codes");
  require_multiple(env, codes, offset.size(), "codes");
  return {codes.data(), offset.data(), step.data(), codes.size() / offset.size(), offset.size()};
}

// What residuals are packed from: records of the slots from `first` on, and the clusters they are in.
struct PackedFrom {
  FineRecords records;
  size_t first;
  ResidualClusters clusters;
};

// records, first, starts and representatives as the first four arguments.
PackedFrom packed_from(Info info, uint32_t dims) {
  const auto env = info.Env();
  const auto given = object(env, info[0], "records");
  const auto offset = array_of<float>(env, given.Get("offset"), "offset", dims);
  const auto step = array_of<float>(env, given.Get("step"), "step", dims);
  const auto codes = array<uint8_t>(env, given.Get("codes"), "codes");
  require_multiple(env, codes, 2 * size_t{dims}, "codes");
  const FineRecords records{codes.data(), offset.data(), step.data(), codes.size() / 2 / dims, dims};
  const auto starts = array<uint32_t>(env, info[2], "starts");
  if (starts.size() < 2 || starts[0] != 0 || std::adjacent_find(starts.begin(), starts.end(), std::greater_equal<>()) != starts.end()) {
    range_error(env, "starts: expected to ascend from 0, without empty clusters");
  }
  const auto first = whole(env, info[1], "first", 0, starts.back());
  if (first % kRabitqBlockItems != 0 || records.rows > starts.back() - first) {
    range_error(env, "records: expected to begin at a block, and no more than the clusters hold");
  }
  const auto clusters = starts.size() - 1;
  const auto means = array_of<float>(env, info[3], "representatives", clusters * dims);
  return {records, first, {means.data(), starts.data(), clusters}};
}

Napi::Value pack_rabitq_records(Info info) {
  const auto env = info.Env();
  const auto parameters = rabitq_parameters(env, info[4]);
  const auto [records, first, clusters] = packed_from(info, parameters.dims);
  const auto threads = thread_count(env, info[5]);
  const auto blocks = array_of<uint8_t>(env, info[6], "blocks", rabitq_codes_bytes(records.rows, parameters));
  const auto refine = array_of<uint8_t>(env, info[7], "refine", rabitq_refine_bytes(records.rows, parameters));
  const double error = pack_rabitq(records, first, clusters, parameters, threads, blocks.data(), refine.data());
  return Napi::Number::New(env, error);
}

Napi::Value pack_folded_records(Info info) {
  const auto env = info.Env();
  const auto dims = folded_dims(env, info[4]);
  const auto [records, first, clusters] = packed_from(info, dims);
  const auto largest = largest_factor(env, info[5]);
  const auto threads = thread_count(env, info[6]);
  const auto blocks = array_of<uint8_t>(env, info[7], "blocks", folded_codes_bytes(records.rows, dims));
  return Napi::Number::New(env, pack_folded(records, first, clusters, largest, threads, blocks.data()));
}

// The groups to search by, or none for null.
std::optional<AssignTree> assign_tree(Napi::Env env, const Napi::Value& value) {
  if (value.IsNull()) return std::nullopt;
  const auto given = object(env, value, "tree");
  return AssignTree{static_cast<uint32_t>(whole(env, given.Get("nodes"), "nodes", 1, kMaxTreeNodes)),
                    static_cast<uint32_t>(whole(env, given.Get("beam"), "beam", 1, kMaxTreeNodes)),
                    whole(env, given.Get("seed"), "seed", 0, kMaxSafe)};
}

Napi::Value prepare_sparse(Info info) {
  const auto env = info.Env();
  const auto dims = whole(env, info[1], "dims", 1, 65536);
  const auto representatives = sparse_vectors(env, info[0], dims, "representatives");
  if (representatives.rows == 0) range_error(env, "representatives: expected at least one");
  const auto tree = assign_tree(env, info[2]);
  auto assigner = sparse_assigner(representatives, dims, tree ? &*tree : nullptr, thread_count(env, info[3]));
  return wrap(env, std::shared_ptr<PreparedSparse>(new PreparedSparse{dims, std::move(assigner)}));
}

Napi::Value prepare_dense(Info info) {
  const auto env = info.Env();
  const auto representatives = array<float>(env, info[0], "representatives");
  const auto dims = dense_dims(env, info[1]);
  require_multiple(env, representatives, dims, "representatives");
  if (representatives.empty()) range_error(env, "representatives: expected at least one");
  const auto tree = assign_tree(env, info[2]);
  auto assigner = dense_assigner(representatives.data(), representatives.size() / dims, dims,
                                 tree ? &*tree : nullptr, thread_count(env, info[3]));
  return wrap(env, std::shared_ptr<PreparedDense>(new PreparedDense{dims, std::move(assigner)}));
}

template <typename Prepared>
Napi::Value release_assigner(Info info) {
  held_by<Prepared>(info.Env(), info[0], "assigner").release(info.Env());
  return info.Env().Undefined();
}

// The tree that groups are those of.
AssignTree group_tree(Napi::Env env, const Napi::Value& value) {
  const auto tree = assign_tree(env, value);
  if (!tree) type_error(env, "tree: expected an object");
  return *tree;
}

// A function that is told of passes; what it throws ends them.
OnPass pass_listener(Napi::Env env, const Napi::Value& value) {
  if (!value.IsFunction()) type_error(env, "onPass: expected a function");
  return [env, listener = value.As<Napi::Function>()](size_t done, size_t passes) {
    listener.Call({Napi::Number::New(env, static_cast<double>(done)), Napi::Number::New(env, static_cast<double>(passes))});
  };
}

Napi::Value group_sparse(Info info) {
  const auto env = info.Env();
  const auto dims = whole(env, info[1], "dims", 1, 65536);
  const auto representatives = sparse_vectors(env, info[0], dims, "representatives");
  if (representatives.rows == 0) range_error(env, "representatives: expected at least one");
  const auto groups = array_of<uint32_t>(env, info[4], "groups", representatives.rows);
  const auto count = sparse_groups(representatives, dims, group_tree(env, info[2]), thread_count(env, info[3]),
                                   groups.data(), pass_listener(env, info[5]));
  return Napi::Number::New(env, static_cast<double>(count));
}

Napi::Value group_dense(Info info) {
  const auto env = info.Env();
  const auto representatives = array<float>(env, info[0], "representatives");
  const auto dims = dense_dims(env, info[1]);
  require_multiple(env, representatives, dims, "representatives");
  if (representatives.empty()) range_error(env, "representatives: expected at least one");
  const auto groups = array_of<uint32_t>(env, info[4], "groups", representatives.size() / dims);
  const auto count = dense_groups(representatives.data(), groups.size(), dims, group_tree(env, info[2]),
                                  thread_count(env, info[3]), groups.data(), pass_listener(env, info[5]));
  return Napi::Number::New(env, static_cast<double>(count));
}

Napi::Value assign_sparse(Info info) {
  const auto env = info.Env();
  const auto& prepared = *handle<PreparedSparse>(env, info[0], "assigner");
  const auto rows = sparse_vectors(env, info[1], prepared.dims, "rows");
  const auto threads = thread_count(env, info[2]);
  const auto nearest = array_of<uint32_t>(env, info[3], "nearest", rows.rows);
  const auto distances = array_of<float>(env, info[4], "distances", rows.rows);
  prepared.assigner->assign(rows, threads, nearest.data(), distances.data());
  return env.Undefined();
}

Napi::Value assign_dense(Info info) {
  const auto env = info.Env();
  const auto& prepared = *handle<PreparedDense>(env, info[0], "assigner");
  const auto rows = sq8_vectors(env, info[1]);
  if (rows.dims != prepared.dims) range_error(env, "rows: expected " + std::to_string(prepared.dims) + " dims");
  const auto threads = thread_count(env, info[2]);
  const auto nearest = array_of<uint32_t>(env, info[3], "nearest", rows.rows);
  const auto distances = array_of<float>(env, info[4], "distances", rows.rows);
  prepared.assigner->assign(rows, threads, nearest.data(), distances.data());
  return env.Undefined();
}

// order and starts of a clustering of `rows` rows.
struct Clustering {
  std::span<uint32_t> order, starts;
  size_t clusters;
};

Clustering clustering(Napi::Env env, const Napi::Value& order_value, const Napi::Value& starts_value, size_t rows) {
  const auto order = array_of<uint32_t>(env, order_value, "order", rows);
  require_below(env, order, rows, "order");
  const auto starts = array<uint32_t>(env, starts_value, "starts");
  if (starts.size() < 2 || starts.front() != 0 || starts.back() != rows) {
    range_error(env, "starts: expected 0 to the number of rows");
  }
  for (size_t i = 1; i < starts.size(); ++i) {
    if (starts[i - 1] > starts[i]) range_error(env, "starts: expected an ascending list");
  }
  return {order, starts, starts.size() - 1};
}

// One sparse vector a cluster.
SparseMoments sparse_output(Napi::Env env, const Napi::Value& value, size_t clusters, const char* name) {
  const auto out = object(env, value, name);
  const auto features = whole(env, out.Get("perRow"), "perRow", 1, 65536);
  return {features, array_of<uint16_t>(env, out.Get("ids"), "ids", clusters * features).data(),
          array_of<float>(env, out.Get("values"), "values", clusters * features).data()};
}

Napi::Value sparse_means(Info info) {
  const auto env = info.Env();
  const auto dims = whole(env, info[1], "dims", 1, 65536);
  const auto rows = sparse_vectors(env, info[0], dims, "rows");
  const auto given = clustering(env, info[2], info[3], rows.rows);
  const auto threads = thread_count(env, info[4]);
  const auto out = sparse_output(env, info[5], given.clusters, "means");
  means(rows, dims, given.order.data(), given.starts.data(), given.clusters, out.features, threads, out.ids, out.values);
  return env.Undefined();
}

Napi::Value dense_means(Info info) {
  const auto env = info.Env();
  const auto rows = sq8_vectors(env, info[0]);
  const auto given = clustering(env, info[1], info[2], rows.rows);
  const auto out = array_of<float>(env, info[4], "means", given.clusters * rows.dims);
  means(rows, given.order.data(), given.starts.data(), given.clusters, thread_count(env, info[3]), out.data());
  return env.Undefined();
}

// Slots [first, first + rows) of clusters none of which is empty; they follow on the slots taken before.
size_t next_slots(Napi::Env env, size_t taken, std::span<uint32_t> starts, size_t rows) {
  if (starts.size() < 2 || starts.front() != 0) range_error(env, "starts: expected 0 first");
  for (size_t i = 1; i < starts.size(); ++i) {
    if (starts[i - 1] >= starts[i]) range_error(env, "starts: expected clusters that are not empty");
  }
  if (rows == 0 || rows > starts.back() - std::min<size_t>(taken, starts.back())) {
    range_error(env, "records: expected some, and no more than the clusters hold");
  }
  return taken;
}

Napi::Value open_ratio_members(Info info) {
  const auto env = info.Env();
  const auto parameters = ratio_parameters(env, info[0]);
  const auto form = ratio_form(env, parameters.features, info[1]);
  auto open = std::make_shared<OpenMembers>();
  open->ratio = std::make_unique<RatioMembers>(parameters.dims, form, parameters.scale);
  return wrap(env, std::move(open));
}

Napi::Value open_sq8_members(Info info) {
  const auto env = info.Env();
  const auto offset = array<float>(env, info[0], "offset");
  const auto step = array_of<float>(env, info[1], "step", offset.size());
  if (offset.empty()) range_error(env, "offset: expected at least one dimension");
  auto open = std::make_shared<OpenMembers>();
  open->sq8 = std::make_unique<Sq8Members>(std::vector<float>(offset.begin(), offset.end()),
                                           std::vector<float>(step.begin(), step.end()));
  return wrap(env, std::move(open));
}

Napi::Value member_counts(Napi::Env env, const MemberCounts& counts) {
  auto out = Napi::Object::New(env);
  out.Set("duplicates", static_cast<double>(counts.duplicates));
  out.Set("zeros", static_cast<double>(counts.zeros));
  return out;
}

Napi::Value add_ratio_members(Info info) {
  const auto env = info.Env();
  auto& open = *handle<OpenMembers>(env, info[0], "members");
  if (!open.ratio) type_error(env, "members: expected those of ratio records");
  const auto bytes = open.ratio->form().bytes();
  const auto records = array<uint8_t>(env, info[1], "records");
  require_multiple(env, records, bytes, "records");
  const auto rows = records.size() / bytes;
  const auto starts = array<uint32_t>(env, info[2], "starts");
  const auto first = next_slots(env, open.taken, starts, rows);
  const auto threads = thread_count(env, info[3]);
  const auto clusters = starts.size() - 1;
  const auto means = sparse_output(env, info[4], clusters, "means");
  const auto variances =
      info[5].IsNull() ? SparseMoments{0, nullptr, nullptr} : sparse_output(env, info[5], clusters, "variances");
  for (size_t row = 0; row < rows; ++row) {
    for (uint32_t j = 0; j < open.ratio->form().features; ++j) {
      const uint8_t* id = records.data() + row * bytes + 2 * j;
      if (size_t{id[0]} + size_t{id[1]} * 256 >= open.ratio->dims()) range_error(env, "records: an id is too large");
    }
  }
  open.ratio->add(records.data(), first, rows, starts.data(), clusters, threads, means, variances);
  open.taken += rows;
  return member_counts(env, open.ratio->counts());
}

Napi::Value add_sq8_members(Info info) {
  const auto env = info.Env();
  auto& open = *handle<OpenMembers>(env, info[0], "members");
  if (!open.sq8) type_error(env, "members: expected those of sq8 records");
  const auto dims = open.sq8->dims();
  const auto records = array<uint8_t>(env, info[1], "records");
  require_multiple(env, records, dims, "records");
  const auto rows = records.size() / dims;
  const auto starts = array<uint32_t>(env, info[2], "starts");
  const auto first = next_slots(env, open.taken, starts, rows);
  const auto threads = thread_count(env, info[3]);
  const auto clusters = starts.size() - 1;
  const auto means = array_of<float>(env, info[4], "means", clusters * dims);
  float* variances = info[5].IsNull() ? nullptr : array_of<float>(env, info[5], "variances", means.size()).data();
  open.sq8->add(records.data(), first, rows, starts.data(), clusters, threads, means.data(), variances);
  open.taken += rows;
  return member_counts(env, open.sq8->counts());
}

} // namespace

void export_clusters(Napi::Env env, Napi::Object exports) {
  add<pack_rabitq_records>(env, exports, "packRabitqRecords");
  add<pack_folded_records>(env, exports, "packFoldedRecords");
  add<prepare_sparse>(env, exports, "sparseAssigner");
  add<prepare_dense>(env, exports, "denseAssigner");
  add<release_assigner<PreparedSparse>>(env, exports, "releaseSparseAssigner");
  add<release_assigner<PreparedDense>>(env, exports, "releaseDenseAssigner");
  add<group_sparse>(env, exports, "groupSparse");
  add<group_dense>(env, exports, "groupDense");
  add<assign_sparse>(env, exports, "assignSparse");
  add<assign_dense>(env, exports, "assignDense");
  add<sparse_means>(env, exports, "meansSparse");
  add<dense_means>(env, exports, "meansDense");
  add<open_ratio_members>(env, exports, "openRatioMembers");
  add<open_sq8_members>(env, exports, "openSq8Members");
  add<add_ratio_members>(env, exports, "addRatioMembers");
  add<add_sq8_members>(env, exports, "addSq8Members");
}

} // namespace farsight
