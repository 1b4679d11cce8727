{
  "targets": [{
    "target_name": "farsight",
    "sources": [
      "src/binding.cc",
      "src/dispatch.cc",
      "src/kernels/scalar.cc",
      "src/kernels/avx2.cc",
      "src/kernels/avx512.cc",
      "src/kernels/neon.cc",
      "src/kernels/panels-scalar.cc",
      "src/kernels/panels-avx2.cc",
      "src/kernels/panels-avx512.cc",
      "src/kernels/panels-neon.cc",
      "src/crc32c.cc",
      "src/mapping.cc",
      "src/ratio.cc",
      "src/ratio-distance.cc",
      "src/sq8.cc",
      "src/repeats.cc",
      "src/search.cc",
      "src/head.cc",
      "src/survey.cc",
      "src/diversity.cc",
      "src/principal.cc",
      "src/svm.cc",
      "src/svm-primal.cc",
      "src/assign-sparse.cc",
      "src/assign-dense.cc",
      "src/assign-groups.cc",
      "src/assign-sparse-tree.cc",
      "src/assign-dense-tree.cc",
      "src/sparse-nodes.cc",
      "src/sparse-panels.cc",
      "src/dense-nodes.cc",
      "src/panel-distances.cc",
      "src/encode.cc",
      "src/moments.cc",
      "src/records.cc",
      "src/members.cc",
      "src/keys.cc",
      "src/order.cc",
      "src/files.cc"
    ],
    "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
    "defines": [
      "NAPI_VERSION=9",
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
      "NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED"
    ],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions", "-fno-rtti"],
    "cflags_cc": ["-std=c++20", "-O3", "-fexceptions", "-fvisibility=hidden", "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-psabi"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "OTHER_CFLAGS": ["-ffp-contract=off"]
    }
  }]
}
