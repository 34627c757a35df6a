/* Multiplies two int8 matrices and requantises the product, on the tensor unit and in C, and compares the results.
 *
 * out[i][n] = clamp(round((sum over k of a[i][k] * b[k][n] + bias[n]) * multiplier[n] / 2^shift[n]) + zero_point) */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ferrite_runtime.h"
#include "ferrite_tensor.h"

/* Two tiles deep and two wide. */
#define M 24
#define K (2 * FERRITE_TENSOR_ROWS)
#define N (2 * FERRITE_TENSOR_COLS)

#define ZERO_POINT (-3)
#define MIN (-120)
#define MAX 110

/* What the tensor unit reads and writes. */
static FERRITE_EXTERNAL int8_t left[M][K];
static FERRITE_EXTERNAL int8_t weights[TENSOR_WEIGHT_BYTES(K, 1, 1, N)];
static FERRITE_EXTERNAL int8_t parameters[TENSOR_PARAMETERS_BYTES(N)];
static FERRITE_EXTERNAL int8_t result[M][N];

/* The same in the RAM, which the core reads faster than external memory. */
static int8_t a[M][K];
static int8_t b[K][N];
static int32_t bias[N];
static uint32_t multiplier[N];
static uint8_t shift[N];
static int8_t expected[M][N];

/* A linear congruential generator (Numerical Recipes, section 7.1); its high bits are good enough here. */
static uint32_t next_random(void) {
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

static void make_inputs(void) {
  for (int i = 0; i < M; i++) {
    for (int k = 0; k < K; k++) a[i][k] = (int8_t)next_random();
  }
  for (int k = 0; k < K; k++) {
    for (int n = 0; n < N; n++) b[k][n] = (int8_t)next_random();
  }
  for (int n = 0; n < N; n++) {
    bias[n] = (int32_t)(next_random() % 20001) - 10000;
    /* Sums reach some 30,000 here; a scale near 1/256 uses the whole range of int8 and clamps some. */
    multiplier[n] = (1u << 30) + next_random() % (1u << 30);
    shift[n] = (uint8_t)(38 + next_random() % 2);
  }
}

static void multiply_in_c(void) {
  for (int i = 0; i < M; i++) {
    for (int n = 0; n < N; n++) {
      int32_t sum = bias[n];
      for (int k = 0; k < K; k++) sum += a[i][k] * b[k][n];
      int64_t rounding = (int64_t)1 << (shift[n] - 1);
      int64_t value = ((sum * (int64_t)multiplier[n] + rounding) >> shift[n]) + ZERO_POINT;
      expected[i][n] = (int8_t)(value < MIN ? MIN : value > MAX ? MAX : value);
    }
  }
}

static uint32_t multiply_on_tensor_unit(void) {
  struct tensor_matmul product = {
      .rows = M, .inner = K, .columns = N,
      .left = &left[0][0], .weights = weights, .parameters = parameters, .out = &result[0][0],
      .zero_point = ZERO_POINT, .min = MIN, .max = MAX,
  };
  tensor_matmul(&product, 0);
  return tensor_fence();
}

int main(void) {
  make_inputs();
  memcpy(left, a, sizeof a);
  /* Done once for a matrix that is multiplied by many. */
  tensor_pack_matrix(weights, &b[0][0], K, N);
  tensor_pack_parameters(parameters, bias, multiplier, shift, N);

  tensor_clear();
  uint64_t start = ferrite_cycles();
  uint32_t status = multiply_on_tensor_unit();
  uint32_t tensor_cycles = (uint32_t)(ferrite_cycles() - start);
  if (TENSOR_STATUS_ERROR(status)) {
    printf("command %lu failed, cause %d\n", (unsigned long)tensor_number(), (int)TENSOR_STATUS_CAUSE(status));
    return 2;
  }
  uint32_t macs = tensor_counter(TENSOR_COUNTER_MACS);

  start = ferrite_cycles();
  multiply_in_c();
  uint32_t c_cycles = (uint32_t)(ferrite_cycles() - start);

  int wrong = 0;
  for (int i = 0; i < M; i++) {
    for (int n = 0; n < N; n++) wrong += result[i][n] != expected[i][n];
  }
  printf("%d x %d x %d: %d of %d results differ\n", M, K, N, wrong, M * N);
  printf("%lu MACs; tensor unit %lu cycles, C %lu cycles\n", (unsigned long)macs, (unsigned long)tensor_cycles,
         (unsigned long)c_cycles);
  return wrong != 0 || macs != M * K * N;
}
