/* A 3x3 convolution with padding, on the tensor unit and in C: the core makes a command list, starts it, and sleeps until the unit's interrupt wakes it.
 *
 * out[r][c][n] = clamp(round((sum over i, j, k of image[r + i - 1][c + j - 1][k] * filter[n][i][j][k] + bias[n]) * multiplier / 2^shift) + zero_point);
 * beside the image stands its zero point. */

#include <stdint.h>
#include <stdio.h>

#include "ferrite_runtime.h"
#include "ferrite_tensor.h"

#define HEIGHT 6
#define WIDTH 7
/* Neither fills its tiles. */
#define CHANNELS 5
#define FILTERS (FERRITE_TENSOR_COLS + 3)
#define KERNEL 3
#define PAD 1

#define IMAGE_ZERO_POINT (-7)
#define ZERO_POINT 5
#define MIN (-128)
#define MAX 127
/* Sums reach some 30,000. */
#define MULTIPLIER 0x60000000u
#define SHIFT 38

/* What the tensor unit reads and writes. */
static FERRITE_EXTERNAL int8_t image[HEIGHT][WIDTH][CHANNELS];
static FERRITE_EXTERNAL int8_t weights[TENSOR_WEIGHT_BYTES(CHANNELS, KERNEL, KERNEL, FILTERS)];
static FERRITE_EXTERNAL int8_t parameters[TENSOR_PARAMETERS_BYTES(FILTERS)];
static FERRITE_EXTERNAL int8_t result[HEIGHT][WIDTH][FILTERS];
static FERRITE_EXTERNAL struct tensor_command commands[200];

static int8_t filters[FILTERS][KERNEL][KERNEL][CHANNELS];
static int32_t bias[FILTERS];
static uint32_t multiplier[FILTERS];
static uint8_t shift[FILTERS];

/* A linear congruential generator (Numerical Recipes, section 7.1); its high bits are good enough here. */
static uint32_t next_random(void) {
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

static void make_inputs(void) {
  int8_t *pixels = &image[0][0][0], *taps = &filters[0][0][0][0];
  for (unsigned k = 0; k < sizeof image; k++) pixels[k] = (int8_t)next_random();
  for (unsigned k = 0; k < sizeof filters; k++) taps[k] = (int8_t)next_random();
  for (int n = 0; n < FILTERS; n++) {
    bias[n] = (int32_t)(next_random() % 2001) - 1000;
    multiplier[n] = MULTIPLIER;
    shift[n] = SHIFT;
  }
}

static int8_t pixel(int y, int x, int k) {
  return y >= 0 && y < HEIGHT && x >= 0 && x < WIDTH ? image[y][x][k] : IMAGE_ZERO_POINT;
}

static int8_t expected(int y, int x, int n) {
  int32_t sum = bias[n];
  for (int i = 0; i < KERNEL; i++) {
    for (int j = 0; j < KERNEL; j++) {
      for (int k = 0; k < CHANNELS; k++) sum += pixel(y + i - PAD, x + j - PAD, k) * filters[n][i][j][k];
    }
  }
  int64_t value = ((sum * (int64_t)MULTIPLIER + ((int64_t)1 << (SHIFT - 1))) >> SHIFT) + ZERO_POINT;
  return (int8_t)(value < MIN ? MIN : value > MAX ? MAX : value);
}

int main(void) {
  make_inputs();
  tensor_pack_filters(weights, &filters[0][0][0][0], FILTERS, KERNEL, KERNEL, CHANNELS);
  tensor_pack_parameters(parameters, bias, multiplier, shift, FILTERS);
  struct tensor_conv2d convolution = {
      .width = WIDTH, .height = HEIGHT, .channels = CHANNELS,
      .kernel_columns = KERNEL, .kernel_rows = KERNEL, .filters = FILTERS,
      .out_columns = WIDTH, .out_rows = HEIGHT, .pad_left = PAD, .pad_top = PAD,
      .image_zero_point = IMAGE_ZERO_POINT,
      .image = &image[0][0][0], .weights = weights, .parameters = parameters, .out = &result[0][0][0],
      .zero_point = ZERO_POINT, .min = MIN, .max = MAX,
  };
  struct tensor_list list = {commands, sizeof commands / sizeof commands[0], 0};
  if (tensor_conv2d(&convolution, &list) != TENSOR_OK) {
    printf("the list is too short\n");
    return 2;
  }

  tensor_clear();
  uint64_t start = ferrite_cycles();
  tensor_start(list.commands, list.count);
  uint32_t status = tensor_wait();
  uint32_t cycles = (uint32_t)(ferrite_cycles() - start);
  if (TENSOR_STATUS_ERROR(status)) {
    printf("command %lu failed, cause %d\n", (unsigned long)tensor_number(), (int)TENSOR_STATUS_CAUSE(status));
    return 2;
  }

  int wrong = 0;
  for (int y = 0; y < HEIGHT; y++) {
    for (int x = 0; x < WIDTH; x++) {
      for (int n = 0; n < FILTERS; n++) wrong += result[y][x][n] != expected(y, x, n);
    }
  }
  printf("%d x %d x %d to %d: %d of %d results differ\n", HEIGHT, WIDTH, CHANNELS, FILTERS, wrong, HEIGHT * WIDTH * FILTERS);
  printf("%lu commands, %lu cycles\n", (unsigned long)tensor_number(), (unsigned long)cycles);
  return wrong != 0;
}
