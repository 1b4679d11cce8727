// How functions become exports, and who has them.
#pragma once

#include <exception>

#include "arguments.h"

namespace farsight {

// What the core throws becomes a JavaScript Error; errors already thrown pass through.
template <Napi::Value (*function)(Info)>
Napi::Value guarded(Info info) {
  try {
    return function(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

template <Napi::Value (*function)(Info)>
void add(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New(env, guarded<function>, name));
}

void export_files(Napi::Env env, Napi::Object exports);
void export_codes(Napi::Env env, Napi::Object exports);
void export_scores(Napi::Env env, Napi::Object exports);
void export_near(Napi::Env env, Napi::Object exports);
void export_survey(Napi::Env env, Napi::Object exports);
void export_sweep(Napi::Env env, Napi::Object exports);
void export_training(Napi::Env env, Napi::Object exports);
void export_encoding(Napi::Env env, Napi::Object exports);
void export_records(Napi::Env env, Napi::Object exports);
void export_clusters(Napi::Env env, Napi::Object exports);
void export_keys(Napi::Env env, Napi::Object exports);
void export_filter(Napi::Env env, Napi::Object exports);
void export_topics(Napi::Env env, Napi::Object exports);

} // namespace farsight
