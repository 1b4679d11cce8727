// Logistic regression from a few thousand labelled rows:
//   min_w  1/2 (w.w + b^2) + sum_i C_i log(1 + exp(-y_i (w.x_i + b)))
// by truncated Newton steps (Lin, Weng, Keerthi, JMLR 2008). The bias is regularised with w, as in svm.h.
#pragma once

#include "byte-rows.h"
#include "svm.h"

namespace farsight {

struct LogisticOptions {
  // Stops where the objective is proven to be within epsilon of its optimum, relatively: with alpha_i the derivatives of
  // the losses, the duality gap is |gradient|^2 / 2.
  double epsilon = 1e-3;
  uint32_t max_steps = 100; // of Newton
  bool warm = false;        // start from the weights given and `bias`, not from 0
  double bias = 0;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct LogisticResult {
  double bias = 0;
  double objective = 0;
  double gap = 0;
  bool converged = false; // false: max_steps, the deadline, or the end of what floats can tell came first
};

// labels: +1 or -1 per row. costs: C_i per row; 0 leaves a row out. weights: dims floats out, in too for
// a warm start. scores, when not null: w.x_i + b per row. bytes: of the rows, which directions are found with.
LogisticResult train_logistic(const DenseRows& rows, const ByteRows& bytes, const int8_t* labels, const double* costs,
                              const LogisticOptions& options, float* weights, double* scores = nullptr);
LogisticResult train_logistic(const SparseRows& rows, const int8_t* labels, const double* costs,
                              const LogisticOptions& options, float* weights, double* scores = nullptr);

} // namespace farsight
