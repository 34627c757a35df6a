/* Products and convolutions of many shapes, on the tensor unit and in C: given one by one, as a list, and as a list for which the core sleeps. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ferrite_runtime.h"
#include "ferrite_tensor.h"

#define MOST_IMAGE 60000
#define MOST_WEIGHTS 400000
#define MOST_FILTERS 64
#define MOST_OUT 60000

static FERRITE_EXTERNAL int8_t image[MOST_IMAGE];
static FERRITE_EXTERNAL int8_t weights[MOST_WEIGHTS];
static FERRITE_EXTERNAL int8_t parameters[TENSOR_PARAMETERS_BYTES(MOST_FILTERS)];
static FERRITE_EXTERNAL int8_t out[MOST_OUT];
static FERRITE_EXTERNAL struct tensor_command commands[4000];
/* Only the core's. */
static FERRITE_EXTERNAL int8_t filters[MOST_WEIGHTS];

static int32_t bias[MOST_FILTERS];
static uint32_t multiplier[MOST_FILTERS];
static uint8_t shift[MOST_FILTERS];

static uint32_t next_random(void) {
  static uint32_t state = SEED;
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

static uint32_t below(uint32_t bound) { return next_random() % bound; }

static void randomise(int8_t *to, uint32_t bytes) {
  for (uint32_t k = 0; k < bytes; k++) to[k] = (int8_t)next_random();
}

/* Sums of `taps` products become outputs over the whole range. */
static void randomise_parameters(uint32_t count, uint32_t taps) {
  uint32_t bits = 0;
  while (bits < 24 && 1u << bits < taps) bits++;
  for (uint32_t n = 0; n < count; n++) {
    bias[n] = (int32_t)below(20001) - 10000;
    multiplier[n] = (1u << 30) + below(1u << 30);
    shift[n] = (uint8_t)(38 + bits / 2 + below(2));
  }
  tensor_pack_parameters(parameters, bias, multiplier, shift, count);
}

static int8_t requantise(int32_t sum, uint32_t n, int8_t zero_point, int8_t min, int8_t max) {
  sum = (int32_t)((uint32_t)sum + (uint32_t)bias[n]);
  int64_t value = ((sum * (int64_t)multiplier[n] + ((int64_t)1 << (shift[n] - 1))) >> shift[n]) + zero_point;
  return (int8_t)(value < min ? min : value > max ? max : value);
}

static uint32_t finish(const struct tensor_list *list, uint32_t way) {
  if (way == 0) return tensor_fence();
  if (way == 1) return tensor_run(list->commands, list->count);
  tensor_start(list->commands, list->count);
  return tensor_wait();
}

static int check_conv(struct tensor_conv2d c) {
  c.image = image;
  c.weights = weights;
  c.parameters = parameters;
  c.out = out;
  c.zero_point = (int8_t)next_random();
  c.min = -128;
  c.max = (int8_t)below(128);
  c.image_zero_point = (int8_t)next_random();
  uint32_t taps = c.kernel_rows * c.kernel_columns * c.channels;
  uint32_t outputs = c.out_rows * c.out_columns * c.filters;
  if (c.width * c.height * c.channels > MOST_IMAGE || outputs > MOST_OUT || taps * c.filters > MOST_WEIGHTS ||
      TENSOR_WEIGHT_BYTES(c.channels, c.kernel_columns, c.kernel_rows, c.filters) > MOST_WEIGHTS) {
    return 0;
  }
  randomise(image, c.width * c.height * c.channels);
  randomise(filters, taps * c.filters);
  randomise_parameters(c.filters, taps);
  tensor_pack_filters(weights, filters, c.filters, c.kernel_rows, c.kernel_columns, c.channels);
  memset(out, 0x55, outputs);
  tensor_clear();
  uint32_t way = below(3);
  struct tensor_list list = {commands, sizeof commands / sizeof commands[0], 0};
  if (tensor_conv2d(&c, way == 0 ? 0 : &list) != TENSOR_OK) {
    printf("the list is too short\n");
    return 1;
  }
  uint32_t status = finish(&list, way);
  int wrong = status != 0;
  const int8_t *result = out;
  for (uint32_t r = 0; r < c.out_rows; r++) {
    for (uint32_t column = 0; column < c.out_columns; column++) {
      for (uint32_t n = 0; n < c.filters; n++) {
        const int8_t *filter = filters + n * taps;
        int32_t sum = 0;
        for (uint32_t i = 0; i < c.kernel_rows; i++) {
          for (uint32_t j = 0; j < c.kernel_columns; j++, filter += c.channels) {
            int32_t y = (int32_t)(r * c.stride_y + i * c.dilation_y) - c.pad_top;
            int32_t x = (int32_t)(column * c.stride_x + j * c.dilation_x) - c.pad_left;
            int is_inside = y >= 0 && y < (int32_t)c.height && x >= 0 && x < (int32_t)c.width;
            const int8_t *pixel = image + ((uint32_t)y * c.width + (uint32_t)x) * c.channels;
            for (uint32_t k = 0; k < c.channels; k++) sum += (is_inside ? pixel[k] : c.image_zero_point) * filter[k];
          }
        }
        wrong += *result++ != requantise(sum, n, c.zero_point, c.min, c.max);
      }
    }
  }
  if (wrong) {
    printf("image %lux%lux%lu, kernel %lux%lu, out %lux%lux%lu, stride %lu %lu, dilation %lu %lu, pad %ld %ld, way %lu: %d wrong, status %lx at %lu\n",
           (unsigned long)c.height, (unsigned long)c.width, (unsigned long)c.channels, (unsigned long)c.kernel_rows,
           (unsigned long)c.kernel_columns, (unsigned long)c.out_rows, (unsigned long)c.out_columns, (unsigned long)c.filters,
           (unsigned long)c.stride_y, (unsigned long)c.stride_x, (unsigned long)c.dilation_y, (unsigned long)c.dilation_x,
           (long)c.pad_top, (long)c.pad_left, (unsigned long)way, wrong, (unsigned long)status, (unsigned long)tensor_number());
  }
  return wrong;
}

static int check_matmul(uint32_t rows, uint32_t inner, uint32_t columns) {
  if (rows * inner > MOST_IMAGE || TENSOR_WEIGHT_BYTES(inner, 1, 1, columns) > MOST_WEIGHTS || rows * columns > MOST_OUT) return 0;
  randomise(image, rows * inner);
  randomise(filters, inner * columns);
  randomise_parameters(columns, inner);
  tensor_pack_matrix(weights, filters, inner, columns);
  struct tensor_matmul product = {
      .rows = rows, .inner = inner, .columns = columns, .left = image, .weights = weights, .parameters = parameters,
      .out = out, .zero_point = (int8_t)next_random(), .min = -128, .max = 127,
  };
  uint32_t way = below(3);
  struct tensor_list list = {commands, sizeof commands / sizeof commands[0], 0};
  tensor_clear();
  int wrong = tensor_matmul(&product, way == 0 ? 0 : &list) != TENSOR_OK;
  wrong += finish(&list, way) != 0;
  for (uint32_t m = 0; m < rows; m++) {
    for (uint32_t n = 0; n < columns; n++) {
      int32_t sum = 0;
      for (uint32_t k = 0; k < inner; k++) sum += image[m * inner + k] * filters[k * columns + n];
      wrong += out[m * columns + n] != requantise(sum, n, product.zero_point, -128, 127);
    }
  }
  if (wrong) {
    printf("%lu x %lu x %lu, way %lu: %d wrong, status %lx at %lu\n", (unsigned long)rows, (unsigned long)inner,
           (unsigned long)columns, (unsigned long)way, wrong, (unsigned long)tensor_status(), (unsigned long)tensor_number());
  }
  return wrong;
}

int main(void) {
  int wrong = 0, done = 0;
  wrong += check_matmul(1, 1, 1);
  wrong += check_matmul(3, 5000, 5);
  wrong += check_matmul(300, 40, 33);
  wrong += check_matmul(1, 1000, 64);
  struct tensor_conv2d deep = {
      .width = 4, .height = 3, .channels = 500, .kernel_columns = 3, .kernel_rows = 3, .filters = 7, .out_columns = 4,
      .out_rows = 3, .stride_x = 1, .stride_y = 1, .dilation_x = 1, .dilation_y = 1, .pad_left = 1, .pad_top = 1};
  wrong += check_conv(deep);
  struct tensor_conv2d wide = {
      .width = 500, .height = 3, .channels = 16, .kernel_columns = 5, .kernel_rows = 2, .filters = 3, .out_columns = 250,
      .out_rows = 4, .stride_x = 2, .stride_y = 1, .dilation_x = 3, .dilation_y = 1, .pad_left = 6, .pad_top = 1};
  wrong += check_conv(wide);
  for (; done < ROUNDS && wrong == 0; done++) {
    wrong += check_matmul(1 + below(70), 1 + below(90), 1 + below(MOST_FILTERS));
    struct tensor_conv2d c = {
        .width = 1 + below(20), .height = 1 + below(12), .channels = 1 + below(40), .filters = 1 + below(40),
        .kernel_columns = 1 + below(4), .kernel_rows = 1 + below(4), .out_columns = 1 + below(12), .out_rows = 1 + below(8),
        .stride_x = 1 + below(3), .stride_y = 1 + below(3), .dilation_x = 1 + below(2), .dilation_y = 1 + below(2),
        .pad_left = (int32_t)below(6), .pad_top = (int32_t)below(6),
    };
    wrong += check_conv(c);
  }
  printf("%d rounds, %d wrong\n", done, wrong);
  return wrong != 0;
}
