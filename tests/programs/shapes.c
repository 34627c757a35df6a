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
static FERRITE_EXTERNAL struct tensor_command commands[40000];
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

#define C FERRITE_TENSOR_COLS
/* Pixels of the scratchpad's words, and channels of one tile. */
#define PIXEL TENSOR_WORD_BYTES

/* Runs commands on `bytes` of `image` at address 0 of the scratchpad, and brings back what is then at `from`. */
static uint32_t on_scratchpad(uint32_t bytes, struct tensor_command command, uint32_t from, uint32_t out_bytes) {
  commands[0] = tensor_load((struct tensor_transfer){.external = image, .local = 0, .bytes = bytes});
  commands[1] = command;
  commands[2] = tensor_store((struct tensor_transfer){.external = out, .local = from, .bytes = out_bytes});
  tensor_clear();
  return tensor_run(commands, 3);
}

/* Two by two windows of 5 x 4 pixels, moved by one and two, from one pixel left of the image on. */
static int check_pool(int maximum) {
  randomise(image, 20 * PIXEL);
  uint32_t to = 1024;
  struct tensor_pool pool = {
      .input = 0, .output = to, .maximum = maximum, .columns = 5, .rows = 2, .column_step = PIXEL, .row_step = 5 * PIXEL,
      .min = -100, .max = 100, .pixel_step = PIXEL, .line_step = 5 * PIXEL, .width = 5, .height = 4, .x = -1, .y = 0,
      .kernel_columns = 2, .kernel_rows = 2, .stride_x = 1, .stride_y = 2};
  int wrong = on_scratchpad(20 * PIXEL, tensor_pool(pool), to, 10 * PIXEL) != 0;
  for (int r = 0; r < 2; r++) {
    for (int c = 0; c < 5; c++) {
      for (int n = 0; n < C; n++) {
        int sum = 0, count = 0, most = -128;
        for (int y = 2 * r; y < 2 * r + 2; y++) {
          for (int x = c - 1 < 0 ? 0 : c - 1; x < c + 1; x++, count++) {
            int value = image[(5 * y + x) * (int)PIXEL + n];
            sum += value;
            most = value > most ? value : most;
          }
        }
        int value = maximum ? most : (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
        wrong += out[(5 * r + c) * (int)PIXEL + n] != (value < -100 ? -100 : value > 100 ? 100 : value);
      }
    }
  }
  if (wrong) printf("pool %d: %d wrong, status %lx\n", maximum, wrong, (unsigned long)tensor_status());
  return wrong;
}

static int64_t scale(int64_t x, int64_t multiplier, int shift) { return (x * multiplier + ((int64_t)1 << (shift - 1))) >> shift; }

/* Seven rows of two operands, the second in reverse order. */
static int check_add(void) {
  randomise(image, 14 * PIXEL);
  uint32_t to = 1024;
  struct tensor_add add = {
      .input1 = {0, PIXEL, 0, 3, 32, 0x50000000}, .input2 = {7 * PIXEL, 0, PIXEL, -4, 33, 0x7fffffff},
      .output = {to, PIXEL, 0, 9, 50, 0x60000000}, .columns = 7, .rows = 1, .min = -128, .max = 120};
  int wrong = on_scratchpad(14 * PIXEL, tensor_add(add), to, 7 * PIXEL) != 0;
  for (int c = 0; c < 7; c++) {
    for (int n = 0; n < C; n++) {
      int64_t sum = scale((int64_t)(image[c * (int)PIXEL + n] - 3) << 20, 0x50000000, 32) +
                    scale((int64_t)(image[7 * (int)PIXEL + n] + 4) << 20, 0x7fffffff, 33);
      int64_t value = scale(sum, 0x60000000, 50) + 9;
      wrong += out[c * (int)PIXEL + n] != (value < -128 ? -128 : value > 120 ? 120 : value);
    }
  }
  if (wrong) printf("add: %d wrong, status %lx\n", wrong, (unsigned long)tensor_status());
  return wrong;
}

/* One tap of a depthwise kernel weighs 1: the sums are the pixels right of the outputs. */
static int check_depthwise_sums(void) {
  uint32_t weights_at = 512;
  while (weights_at < 8 * PIXEL) weights_at *= 2;
  memset(image, 0, weights_at + TENSOR_TILE_BYTES);
  randomise(image, 4 * PIXEL);
  memset(image + weights_at + 2 * C, 1, C);
  struct tensor_depthwise depthwise = {
      .act = 0, .weights = weights_at, .zero_point = -9, .columns = 4, .width = 4, .x = -1, .pixel_step = PIXEL};
  uint32_t to = 2048;
  commands[0] = tensor_load((struct tensor_transfer){.external = image, .local = 0, .bytes = weights_at + TENSOR_TILE_BYTES});
  commands[1] = tensor_depthwise(depthwise);
  commands[2] = tensor_sums((struct tensor_sums){.output = to, .accumulators = 0, .columns = 4, .column_step = TENSOR_GROUP_BYTES});
  commands[3] = tensor_store((struct tensor_transfer){
      .external = out, .local = to, .bytes = 4 * C, .n1 = 4, .s1 = 4 * C, .d1 = TENSOR_GROUP_BYTES});
  tensor_clear();
  int wrong = tensor_run(commands, 4) != 0;
  for (int c = 0; c < 4; c++) {
    for (int n = 0; n < C; n++) {
      int32_t sum;
      memcpy(&sum, out + 4 * (c * C + n), 4);
      /* Beside the image stands the zero point. */
      wrong += sum != (c < 3 ? image[(c + 1) * (int)PIXEL + n] : -9);
    }
  }
  if (wrong) printf("depthwise, sums: %d wrong, status %lx\n", wrong, (unsigned long)tensor_status());
  return wrong;
}

/* A kernel of one row of two columns over pixels of two channels: four taps, in one tile. */
static int check_packed_sums(void) {
  uint32_t weights_at = 512, to = 2048;
  memset(image, 0, weights_at + TENSOR_TILE_BYTES);
  randomise(image, 10);
  randomise(image + weights_at, 4 * C);
  struct tensor_packed packed = {
      .act = 1, .weights = weights_at, .zero_point = 11, .columns = 4, .kernel_columns = 2, .width = 4, .x = -1, .channels = 2};
  commands[0] = tensor_load((struct tensor_transfer){.external = image, .local = 0, .bytes = weights_at + TENSOR_TILE_BYTES});
  commands[1] = tensor_packed(packed);
  commands[2] = tensor_sums((struct tensor_sums){.output = to, .accumulators = 0, .columns = 4, .column_step = TENSOR_GROUP_BYTES});
  commands[3] = tensor_store((struct tensor_transfer){
      .external = out, .local = to, .bytes = 4 * C, .n1 = 4, .s1 = 4 * C, .d1 = TENSOR_GROUP_BYTES});
  tensor_clear();
  int wrong = tensor_run(commands, 4) != 0;
  for (int c = 0; c < 4; c++) {
    for (int n = 0; n < C; n++) {
      int32_t sum, expected = 0;
      memcpy(&sum, out + 4 * (c * C + n), 4);
      for (int b = 0; b < 4; b++) {
        int at = 2 * (c - 1) + b;
        expected += (at >= 0 ? image[1 + at] : 11) * image[weights_at + (uint32_t)b * C + (uint32_t)n];
      }
      wrong += sum != expected;
    }
  }
  if (wrong) printf("packed: %d wrong, status %lx\n", wrong, (unsigned long)tensor_status());
  return wrong;
}

int main(void) {
  int wrong = check_packed_sums() + check_pool(0) + check_pool(1) + check_add() + check_depthwise_sums(), done = 0;
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
