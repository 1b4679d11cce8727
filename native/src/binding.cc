// The Node glue begins here: binding/ checks arguments and calls the core. Nothing outside knows Node-API.
// What the core throws becomes an Error.
#include "binding/exports.h"
#include "kernels.h"

namespace farsight {
namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  // Chosen now, so that a KERNELS_ISA that cannot run fails the load and not a round.
  try {
    kernels();
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
  export_files(env, exports);
  export_codes(env, exports);
  export_scores(env, exports);
  export_near(env, exports);
  export_survey(env, exports);
  export_sweep(env, exports);
  export_training(env, exports);
  export_encoding(env, exports);
  export_records(env, exports);
  export_clusters(env, exports);
  export_keys(env, exports);
  export_filter(env, exports);
  export_topics(env, exports);
  return exports;
}

} // namespace

NODE_API_MODULE(farsight, init)

} // namespace farsight
