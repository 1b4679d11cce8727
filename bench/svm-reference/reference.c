// Trains one linear SVM with LIBLINEAR and prints what bench/svm.bench.ts compares: the objective and the time.
//
//   reference FILE SOLVER C EPS     SOLVER 3: hinge, dual; 1: squared hinge, dual
//
// FILE (little-endian): uint32 rows, dims, per_row; per row int32 label, then per_row pairs uint32 id, float32 value
// (a value of 0 pads). A constant feature 1 carries the bias, regularised, as with `liblinear-train -B 1`.
// Prints: objective, seconds of CPU in train(). The objective is computed here from the weights, in double:
//   1/2 |w|^2 + C sum_i loss(1 - y_i w.x_i),  loss(t) = max(0, t) or its square
#include <linear.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void silent(const char *text) { (void)text; }

static double objective(const struct problem *problem, const struct model *model, int squared, double c) {
  const double sign = model->label[0] > 0 ? 1 : -1;
  double norm = 0;
  double loss = 0;
  for (int j = 0; j < problem->n; ++j) norm += model->w[j] * model->w[j];
  for (int i = 0; i < problem->l; ++i) {
    double score = 0;
    for (const struct feature_node *node = problem->x[i]; node->index != -1; ++node) {
      score += model->w[node->index - 1] * node->value;
    }
    const double slack = 1 - problem->y[i] * sign * score;
    if (slack > 0) loss += squared ? slack * slack : slack;
  }
  return norm / 2 + c * loss;
}

static void require(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "reference: %s\n", what);
  exit(1);
}

int main(int argc, char **argv) {
  require(argc == 5, "usage: reference FILE SOLVER C EPS");
  FILE *file = fopen(argv[1], "rb");
  require(file != NULL, "cannot open the file");
  uint32_t shape[3];
  require(fread(shape, sizeof shape, 1, file) == 1, "the file is cut");
  const uint32_t rows = shape[0], dims = shape[1], per_row = shape[2];

  struct problem problem = {.l = (int)rows, .n = (int)dims + 1, .bias = 1};
  problem.y = malloc(rows * sizeof *problem.y);
  problem.x = malloc(rows * sizeof *problem.x);
  struct feature_node *nodes = malloc((size_t)rows * (per_row + 2) * sizeof *nodes);
  require(problem.y != NULL && problem.x != NULL && nodes != NULL, "out of memory");
  for (uint32_t i = 0; i < rows; ++i) {
    int32_t label;
    require(fread(&label, sizeof label, 1, file) == 1, "the file is cut");
    problem.y[i] = label;
    problem.x[i] = nodes;
    for (uint32_t j = 0; j < per_row; ++j) {
      uint32_t id;
      float value;
      require(fread(&id, sizeof id, 1, file) == 1 && fread(&value, sizeof value, 1, file) == 1, "the file is cut");
      if (value != 0) *nodes++ = (struct feature_node){.index = (int)id + 1, .value = value};
    }
    *nodes++ = (struct feature_node){.index = (int)dims + 1, .value = 1};
    *nodes++ = (struct feature_node){.index = -1};
  }
  fclose(file);

  const struct parameter parameter = {.solver_type = atoi(argv[2]), .C = atof(argv[3]), .eps = atof(argv[4])};
  const char *error = check_parameter(&problem, &parameter);
  require(error == NULL, error);
  set_print_string_function(silent);
  const clock_t before = clock();
  const struct model *model = train(&problem, &parameter);
  const double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
  printf("%.17g %.9f\n", objective(&problem, model, parameter.solver_type == L2R_L2LOSS_SVC_DUAL, parameter.C), seconds);
  return 0;
}
