/* Multiplies two int8 matrices and requantises the product, on the tensor unit and in C, and compares the results.
 *
 * out[i][n] = clamp(round((sum over k of a[i][k] * b[k][n] + bias[n]) * multiplier[n] / 2^shift[n]) + zero_point) */

#include <stdint.h>
#include <stdio.h>

#include "ferrite_runtime.h"
#include "ferrite_tensor.h"

#define R FERRITE_TENSOR_ROWS
#define C FERRITE_TENSOR_COLS

/* Two tiles deep and two wide, so that sums are accumulated and columns change their bias and scale. */
#define M 24
#define K (2 * R)
#define N (2 * C)

#define ZERO_POINT (-3)
#define MIN (-120)
#define MAX 110

static int8_t a[M][K] __attribute__((aligned(8)));
static int8_t b[K][N];
static int32_t bias[N];
static uint32_t multiplier[N];
static uint32_t shift[N];
static int8_t expected[M][N];
static int8_t result[M][N] __attribute__((aligned(4)));

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
    shift[n] = 38 + next_random() % 2;
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

/* Where things stand in the scratchpad: the activations, one weight tile, the outputs. Sizes are multiples of 8. */
#define ACTIVATIONS 0
#define WEIGHTS (ACTIVATIONS + M * K)
#define OUTPUTS (WEIGHTS + R * C)
_Static_assert(WEIGHTS % C == 0 && OUTPUTS % C == 0 && R * C % 8 == 0, "alignments of docs/tensor-unit.md");
_Static_assert(OUTPUTS + M * N <= FERRITE_TENSOR_SCRATCHPAD_BYTES, "size of the scratchpad");

/* Brings the tile of `b` whose top left element is [k][n] into the array. */
static void load_weights(int k, int n) {
  int8_t tile[R][C] __attribute__((aligned(8)));
  for (int row = 0; row < R; row++) {
    for (int column = 0; column < C; column++) tile[row][column] = b[k + row][n + column];
  }
  tensor_copy_in(WEIGHTS, tile, sizeof tile);
  tensor_weights(WEIGHTS);
}

static uint32_t multiply_on_tensor_unit(void) {
  tensor_clear();
  tensor_stride(K, N);
  tensor_output(ZERO_POINT, MIN, MAX);
  tensor_copy_in(ACTIVATIONS, a, sizeof a);
  for (int n = 0; n < N; n += C) {
    for (int column = 0; column < C; column++) {
      tensor_bias(column, bias[n + column]);
      tensor_scale(column, shift[n + column], multiplier[n + column]);
    }
    load_weights(0, n);
    tensor_matmul(ACTIVATIONS, 0, M);
    load_weights(R, n);
    tensor_matmul_acc(ACTIVATIONS + R, 0, M);
    tensor_requant(OUTPUTS + n, 0, M);
  }
  uint32_t status = tensor_fence();
  tensor_copy_out(result, OUTPUTS, sizeof result);
  return status;
}

int main(void) {
  make_inputs();

  uint64_t start = ferrite_cycles();
  uint32_t status = multiply_on_tensor_unit();
  uint32_t tensor_cycles = (uint32_t)(ferrite_cycles() - start);
  if (TENSOR_STATUS_ERROR(status)) {
    printf("command 0x%02x was refused, cause %d\n", (unsigned)TENSOR_STATUS_FUNCT7(status),
           (int)TENSOR_STATUS_CAUSE(status));
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
