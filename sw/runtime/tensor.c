/* The tensor unit: waiting asleep, packing, and operations of any size cut into commands. */

#include "ferrite.h"

#if FERRITE_TENSOR_PRESENT

#include <string.h>

#include "ferrite_runtime.h"
#include "ferrite_tensor.h"

#define R FERRITE_TENSOR_ROWS
#define C FERRITE_TENSOR_COLS
#define L TENSOR_WORD_BYTES

/* ---- Waiting --------------------------------------------------------------------------------------------------- */

/* mie.MEIE. */
static uint32_t takes_external_interrupts(void) {
  uint32_t mie;
  __asm__ volatile("csrr %0, mie" : "=r"(mie));
  return mie >> 11 & 1;
}

uint32_t tensor_wait(void) {
  /* wfi ends with a pending interrupt, also while none is taken: so no interrupt can come between the question and the sleep. */
  int were_on = ferrite_interrupts_off();
  uint32_t took_external = takes_external_interrupts();
  uintptr_t priority = FERRITE_PLIC_PRIORITY + 4 * FERRITE_TENSOR_INTERRUPT;
  uint32_t old_priority = FERRITE_REG32(priority), old_enable = FERRITE_REG32(FERRITE_PLIC_ENABLE);
  uint32_t old_threshold = FERRITE_REG32(FERRITE_PLIC_THRESHOLD);
  FERRITE_REG32(priority) = 1;
  FERRITE_REG32(FERRITE_PLIC_THRESHOLD) = 0;
  FERRITE_REG32(FERRITE_PLIC_ENABLE) = 1u << FERRITE_TENSOR_INTERRUPT;
  tensor_interrupt(TENSOR_INTERRUPT_IDLE);
  ferrite_enable_external_interrupt(1);
  while (tensor_busy()) ferrite_wait_for_interrupt();
  tensor_interrupt(0);
  /* The controller may have noted it. No other source is enabled. */
  uint32_t source = FERRITE_REG32(FERRITE_PLIC_CLAIM);
  if (source != 0) FERRITE_REG32(FERRITE_PLIC_CLAIM) = source;
  if (!took_external) ferrite_enable_external_interrupt(0);
  FERRITE_REG32(FERRITE_PLIC_ENABLE) = old_enable;
  FERRITE_REG32(FERRITE_PLIC_THRESHOLD) = old_threshold;
  FERRITE_REG32(priority) = old_priority;
  if (were_on) ferrite_interrupts_on();
  return tensor_status();
}

/* ---- Packing --------------------------------------------------------------------------------------------------- */

/* Weights whose element for tap `tap`, input channel `k` and output channel `n` is from[tap * tap_step + k * k_step + n * n_step]: tiles by output tile, tap and input tile. */
static void pack(int8_t *to, const int8_t *from, uint32_t taps, uint32_t inner, uint32_t columns, uint32_t tap_step,
                 uint32_t k_step, uint32_t n_step) {
  for (uint32_t first_n = 0; first_n < columns; first_n += C) {
    for (uint32_t tap = 0; tap < taps; tap++) {
      for (uint32_t k = 0; k < TENSOR_ROUND_UP(inner, R); k++) {
        for (uint32_t n = first_n; n < first_n + C; n++) {
          *to++ = k < inner && n < columns ? from[tap * tap_step + k * k_step + n * n_step] : 0;
        }
      }
    }
  }
}

void tensor_pack_matrix(void *to, const int8_t *matrix, uint32_t inner, uint32_t columns) {
  pack(to, matrix, 1, inner, columns, 0, columns, 1);
}

void tensor_pack_filters(void *to, const int8_t *filters, uint32_t count, uint32_t kernel_rows, uint32_t kernel_columns,
                         uint32_t channels) {
  uint32_t taps = kernel_rows * kernel_columns;
  pack(to, filters, taps, channels, count, channels, 1, taps * channels);
}

void tensor_pack_parameters(void *to, const int32_t *bias, const uint32_t *multiplier, const uint8_t *shift, uint32_t columns) {
  memset(to, 0, TENSOR_PARAMETERS_BYTES(columns));
  for (uint32_t n = 0; n < columns; n++) {
    char *tile = (char *)to + n / C * TENSOR_PARAMETER_BYTES;
    uint32_t column = n % C;
    uint8_t low_shift = shift[n] & 63;
    memcpy(tile + 4 * column, &bias[n], 4);
    memcpy(tile + TENSOR_GROUP_BYTES + 4 * column, &multiplier[n], 4);
    memcpy(tile + 2 * TENSOR_GROUP_BYTES + column, &low_shift, 1);
  }
}

/* ---- Operations ------------------------------------------------------------------------------------------------ */

/* The scratchpad: two places for the image, a ring of weights and parameters, a ring of outputs. Which place is free the unit knows: commands wait for those before them. */
#define IMAGE_BYTES (FERRITE_TENSOR_SCRATCHPAD_BYTES / 4)
#define WEIGHTS (2 * IMAGE_BYTES)
#define WEIGHTS_BYTES (FERRITE_TENSOR_SCRATCHPAD_BYTES * 3 / 8)
#define OUTPUTS (WEIGHTS + WEIGHTS_BYTES)
#define OUTPUTS_BYTES (FERRITE_TENSOR_SCRATCHPAD_BYTES / 8)
/* While sums enter one half of the accumulators, the other half is turned into outputs. */
#define HALF_ROWS (FERRITE_TENSOR_ACC_ROWS / 2)
/* Outputs of a block, of one tile of channels, at most: twice as many as the array needs to hide the way of weights behind them. With more of them, more waits for the first and the last block. */
#define BLOCK_OUTPUTS 32u
/* Cycles for which a command shall keep the array busy, since the unit takes some 150 for all commands of a group of output channels. */
#define GROUP_CYCLES 256u
/* Weights that are loaded at once, at most: fields of commands hold no more than 65,535. */
#define MOST_PIECE_BYTES 32768u

_Static_assert(WEIGHTS_BYTES >= TENSOR_TILE_BYTES + TENSOR_PARAMETER_BYTES, "a tile and its parameters fit into the ring");
_Static_assert(OUTPUTS_BYTES >= TENSOR_ROUND_UP(C, L), "an output fits");

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* A ring in the scratchpad. */
struct ring {
  uint32_t first, bytes, next;
};

static uint32_t take(struct ring *ring, uint32_t bytes) {
  if (ring->next + bytes > ring->bytes) ring->next = 0;
  uint32_t place = ring->first + ring->next;
  ring->next += bytes;
  return place;
}

/* An operation while its commands are made. */
struct work {
  const struct tensor_conv2d *op;
  struct tensor_list *list;
  enum tensor_result result;
  struct ring weights, outputs;
  uint32_t image_place; /* 0 or IMAGE_BYTES */
  uint32_t half;        /* of the accumulators: 0 or HALF_ROWS */
  /* Tiles of input and of output channels of the whole operation. */
  uint32_t in_tiles, out_tiles;
  /* What the array takes at once: kernel rows, kernel columns, tiles of input channels; tiles of output channels. */
  uint32_t part_rows, part_columns, part_tiles, group;
  /* Outputs of a block. */
  uint32_t block_rows, block_columns;
  /* Whether each part has the stretch of the image that it needs loaded for itself. */
  int image_by_part;
};

/* A part of the kernel, and the channels it takes. */
struct part {
  uint32_t row, column, tile;    /* the first */
  uint32_t rows, columns, tiles; /* how many */
};

/* A stretch of the image in the scratchpad. */
struct stretch {
  uint32_t place, pixel_bytes, width, height;
  int32_t x, y;  /* of its first pixel */
  uint32_t tile; /* its first tile of channels */
};

static void emit(struct work *work, struct tensor_command command) {
  if (work->list == 0) {
    tensor_push(&command);
  } else if (work->list->count < work->list->capacity) {
    work->list->commands[work->list->count++] = command;
  } else {
    work->result = TENSOR_LIST_FULL;
  }
}

/* Pixels of a line or lines of the image that `outputs` outputs of a kernel of `taps` need. */
static uint32_t reach(uint32_t outputs, uint32_t stride, uint32_t taps, uint32_t dilation) {
  return (outputs - 1) * stride + (taps - 1) * dilation + 1;
}

static uint32_t channel_bytes(const struct work *work, uint32_t tile, uint32_t tiles) {
  return min(tiles * R, work->op->channels - tile * R);
}

/* Whether the image that a block of outputs needs, with so many taps and tiles of channels, fits into its place and a pixel of it into a run. */
static int image_fits(const struct work *work, uint32_t rows, uint32_t columns, uint32_t kernel_rows, uint32_t kernel_columns,
                      uint32_t tiles) {
  const struct tensor_conv2d *op = work->op;
  uint64_t height = min(reach(rows, op->stride_y, kernel_rows, op->dilation_y), op->height);
  uint64_t width = min(reach(columns, op->stride_x, kernel_columns, op->dilation_x), op->width);
  uint32_t bytes = channel_bytes(work, 0, tiles);
  return bytes < 65536 && height * width * TENSOR_ROUND_UP(bytes, L) <= IMAGE_BYTES;
}

/* Chooses the part's size: as much of kernel and channels as fits twice into the ring of weights, kernels before channels. */
static void choose_part(struct work *work) {
  const struct tensor_conv2d *op = work->op;
  uint32_t room = WEIGHTS_BYTES / 2 > TENSOR_TILE_BYTES + TENSOR_PARAMETER_BYTES ? WEIGHTS_BYTES / 2 : WEIGHTS_BYTES;
  uint32_t most_tiles = (min(room, MOST_PIECE_BYTES) - TENSOR_PARAMETER_BYTES) / TENSOR_TILE_BYTES;
  work->part_rows = op->kernel_rows;
  work->part_columns = op->kernel_columns;
  work->part_tiles = work->in_tiles;
  if (work->part_rows * work->part_columns * work->part_tiles > most_tiles) work->part_rows = 1;
  if (work->part_columns * work->part_tiles > most_tiles) work->part_columns = 1;
  work->part_tiles = min(work->part_tiles, most_tiles);
  work->image_by_part = !image_fits(work, 1, 1, op->kernel_rows, op->kernel_columns, work->in_tiles);
  if (!work->image_by_part) return;
  if (!image_fits(work, 1, 1, work->part_rows, work->part_columns, work->part_tiles)) work->part_rows = 1;
  if (!image_fits(work, 1, 1, work->part_rows, work->part_columns, work->part_tiles)) work->part_columns = 1;
  /* A single tile of a single pixel always fits. */
  while (!image_fits(work, 1, 1, work->part_rows, work->part_columns, work->part_tiles)) {
    work->part_tiles = (work->part_tiles + 1) / 2;
  }
}

/* Chooses the block's size: whole lines if they fit, and as many as fit. */
static void choose_block(struct work *work) {
  const struct tensor_conv2d *op = work->op;
  uint32_t rows = work->image_by_part ? work->part_rows : op->kernel_rows;
  uint32_t columns = work->image_by_part ? work->part_columns : op->kernel_columns;
  uint32_t tiles = work->image_by_part ? work->part_tiles : work->in_tiles;
  uint32_t most = min(min(HALF_ROWS, BLOCK_OUTPUTS), OUTPUTS_BYTES / TENSOR_ROUND_UP(C, L));
  work->block_columns = min(op->out_columns, most);
  while (!image_fits(work, 1, work->block_columns, rows, columns, tiles)) work->block_columns = (work->block_columns + 1) / 2;
  /* Blocks of a line are as equal as can be. */
  uint32_t blocks = TENSOR_TILES(op->out_columns, work->block_columns);
  work->block_columns = TENSOR_TILES(op->out_columns, blocks);
  work->block_rows = 1;
  while (work->block_rows < op->out_rows && (work->block_rows + 1) * work->block_columns <= most &&
         image_fits(work, work->block_rows + 1, work->block_columns, rows, columns, tiles)) {
    work->block_rows++;
  }
  /* Tiles of output channels that are computed together: of weights that follow each other in memory. */
  uint32_t outputs = work->block_rows * work->block_columns;
  uint32_t part_bytes = work->part_rows * work->part_columns * work->part_tiles * TENSOR_TILE_BYTES;
  int is_whole = work->part_rows == op->kernel_rows && work->part_columns == op->kernel_columns && work->part_tiles == work->in_tiles;
  work->group = 1;
  uint32_t tile_cycles = outputs * (part_bytes / TENSOR_TILE_BYTES);
  while (is_whole && work->group * tile_cycles < GROUP_CYCLES && work->group < work->out_tiles && (work->group + 1) * outputs <= HALF_ROWS &&
         (work->group + 1) * part_bytes <= min(WEIGHTS_BYTES / 4, MOST_PIECE_BYTES) &&
         outputs * TENSOR_ROUND_UP((work->group + 1) * C, L) <= OUTPUTS_BYTES / 2) {
    work->group++;
  }
}

static struct stretch load_image(struct work *work, struct part part, uint32_t row, uint32_t column, uint32_t rows,
                                 uint32_t columns) {
  const struct tensor_conv2d *op = work->op;
  int32_t x = (int32_t)(column * op->stride_x + part.column * op->dilation_x) - op->pad_left;
  int32_t y = (int32_t)(row * op->stride_y + part.row * op->dilation_y) - op->pad_top;
  int32_t x_end = x + (int32_t)reach(columns, op->stride_x, part.columns, op->dilation_x);
  int32_t y_end = y + (int32_t)reach(rows, op->stride_y, part.rows, op->dilation_y);
  if (x_end > (int32_t)op->width) x_end = (int32_t)op->width;
  if (y_end > (int32_t)op->height) y_end = (int32_t)op->height;
  /* Where nothing of the image is met, a pixel that is not met either stands for it. */
  int32_t last_x = (int32_t)op->width - 1, last_y = (int32_t)op->height - 1;
  if (x < 0) x = 0;
  if (y < 0) y = 0;
  if (x > last_x) x = last_x;
  if (y > last_y) y = last_y;
  if (x_end <= x) x_end = x + 1;
  if (y_end <= y) y_end = y + 1;

  uint32_t bytes = channel_bytes(work, part.tile, part.tiles);
  struct stretch stretch = {
      .place = work->image_place,
      .pixel_bytes = TENSOR_ROUND_UP(bytes, L),
      .width = (uint32_t)(x_end - x),
      .height = (uint32_t)(y_end - y),
      .x = x,
      .y = y,
      .tile = part.tile,
  };
  work->image_place ^= IMAGE_BYTES;
  const int8_t *from = op->image + ((uint32_t)y * op->width + (uint32_t)x) * op->channels + part.tile * R;
  uint32_t line_bytes = stretch.width * stretch.pixel_bytes;
  struct tensor_transfer load = {
      .external = from, .local = stretch.place, .bytes = bytes, .n1 = stretch.width, .s1 = (int32_t)op->channels,
      .n2 = stretch.height, .s2 = (int32_t)(op->width * op->channels),
      .d1 = stretch.pixel_bytes, .d2 = stretch.height > 1 ? line_bytes : 0,
  };
  if (bytes == op->channels && bytes % L == 0 && line_bytes < 65536) {
    /* Pixels follow each other without gaps on both sides. */
    load.bytes = line_bytes;
    load.n1 = 1;
    load.s1 = 0;
    load.d1 = 0;
  } else if (stretch.width == 1) {
    load.d1 = 0;
  }
  emit(work, tensor_load(load));
  return stretch;
}

/* One group of tiles of output channels of one block. */
static void compute(struct work *work, struct stretch image, uint32_t row, uint32_t column, uint32_t rows, uint32_t columns,
                    uint32_t first_tile, uint32_t tiles) {
  const struct tensor_conv2d *op = work->op;
  uint32_t taps = op->kernel_rows * op->kernel_columns;
  int accumulate = 0;
  struct part part;
  for (part.row = 0; part.row < op->kernel_rows; part.row += work->part_rows) {
    part.rows = min(work->part_rows, op->kernel_rows - part.row);
    for (part.column = 0; part.column < op->kernel_columns; part.column += work->part_columns) {
      part.columns = min(work->part_columns, op->kernel_columns - part.column);
      for (part.tile = 0; part.tile < work->in_tiles; part.tile += work->part_tiles) {
        part.tiles = min(work->part_tiles, work->in_tiles - part.tile);
        if (work->image_by_part) image = load_image(work, part, row, column, rows, columns);
        uint32_t tap = part.row * op->kernel_columns + part.column;
        uint32_t first = (first_tile * taps + tap) * work->in_tiles + part.tile;
        uint32_t bytes = tiles * part.rows * part.columns * part.tiles * TENSOR_TILE_BYTES;
        uint32_t weights = take(&work->weights, bytes);
        emit(work, tensor_load((struct tensor_transfer){
                       .external = (const char *)op->weights + first * TENSOR_TILE_BYTES, .local = weights, .bytes = bytes}));
        emit(work, tensor_convolve((struct tensor_convolve){
                       .act = image.place + (part.tile - image.tile) * R,
                       .weights = weights,
                       .accumulators = work->half,
                       .accumulate = accumulate,
                       .zero_point = op->image_zero_point,
                       .columns = columns, .rows = rows,
                       .in_tiles = part.tiles, .out_tiles = tiles,
                       .kernel_columns = part.columns, .kernel_rows = part.rows,
                       .width = image.width, .height = image.height,
                       .x = (int32_t)(column * op->stride_x + part.column * op->dilation_x) - op->pad_left - image.x,
                       .y = (int32_t)(row * op->stride_y + part.row * op->dilation_y) - op->pad_top - image.y,
                       .stride_x = op->stride_x, .stride_y = op->stride_y,
                       .dilation_x = op->dilation_x, .dilation_y = op->dilation_y,
                       .pixel_step = image.width > 1 ? image.pixel_bytes : 0,
                       .line_step = image.height > 1 ? image.width * image.pixel_bytes : 0,
                       .in_tile_step = part.tiles > 1 ? R : 0}));
        accumulate = 1;
      }
    }
  }
  uint32_t parameters = take(&work->weights, tiles * TENSOR_PARAMETER_BYTES);
  uint32_t pixel_bytes = TENSOR_ROUND_UP(tiles * C, L);
  uint32_t outputs = take(&work->outputs, rows * columns * pixel_bytes);
  emit(work, tensor_load((struct tensor_transfer){
                 .external = (const char *)op->parameters + first_tile * TENSOR_PARAMETER_BYTES,
                 .local = parameters, .bytes = tiles * TENSOR_PARAMETER_BYTES}));
  emit(work, tensor_requantise((struct tensor_requantise){
                 .parameters = parameters, .output = outputs, .accumulators = work->half,
                 .columns = columns, .rows = rows, .tiles = tiles,
                 .column_step = columns > 1 ? pixel_bytes : 0,
                 .row_step = rows > 1 ? columns * pixel_bytes : 0,
                 .tile_step = tiles > 1 ? C : 0,
                 .zero_point = op->zero_point, .min = op->min, .max = op->max}));
  work->half = HALF_ROWS - work->half;
  emit(work, tensor_store((struct tensor_transfer){
                 .external = op->out + (row * op->out_columns + column) * op->filters + first_tile * C,
                 .local = outputs, .bytes = min(tiles * C, op->filters - first_tile * C),
                 .n1 = columns, .s1 = (int32_t)op->filters, .d1 = columns > 1 ? pixel_bytes : 0,
                 .n2 = rows, .s2 = (int32_t)(op->out_columns * op->filters), .d2 = rows > 1 ? columns * pixel_bytes : 0}));
}

static enum tensor_result run(const struct tensor_conv2d *op, struct tensor_list *list) {
  struct work work = {
      .op = op,
      .list = list,
      .result = TENSOR_OK,
      .weights = {WEIGHTS, WEIGHTS_BYTES, 0},
      .outputs = {OUTPUTS, OUTPUTS_BYTES, 0},
      .in_tiles = TENSOR_TILES(op->channels, R),
      .out_tiles = TENSOR_TILES(op->filters, C),
  };
  choose_part(&work);
  choose_block(&work);
  struct part whole = {0, 0, 0, op->kernel_rows, op->kernel_columns, work.in_tiles};
  for (uint32_t row = 0; row < op->out_rows; row += work.block_rows) {
    uint32_t rows = min(work.block_rows, op->out_rows - row);
    for (uint32_t column = 0; column < op->out_columns; column += work.block_columns) {
      uint32_t columns = min(work.block_columns, op->out_columns - column);
      struct stretch image = {0};
      if (!work.image_by_part) image = load_image(&work, whole, row, column, rows, columns);
      for (uint32_t tile = 0; tile < work.out_tiles; tile += work.group) {
        compute(&work, image, row, column, rows, columns, tile, min(work.group, work.out_tiles - tile));
      }
    }
  }
  return work.result;
}

enum tensor_result tensor_conv2d(const struct tensor_conv2d *convolution, struct tensor_list *list) {
  struct tensor_conv2d op = *convolution;
  op.stride_x = op.stride_x ? op.stride_x : 1;
  op.stride_y = op.stride_y ? op.stride_y : 1;
  op.dilation_x = op.dilation_x ? op.dilation_x : 1;
  op.dilation_y = op.dilation_y ? op.dilation_y : 1;
  return run(&op, list);
}

enum tensor_result tensor_matmul(const struct tensor_matmul *product, struct tensor_list *list) {
  /* An image of one line, whose pixels are the rows of the left matrix. */
  struct tensor_conv2d op = {
      .width = product->rows, .height = 1, .channels = product->inner,
      .kernel_columns = 1, .kernel_rows = 1, .filters = product->columns,
      .out_columns = product->rows, .out_rows = 1,
      .stride_x = 1, .stride_y = 1, .dilation_x = 1, .dilation_y = 1,
      .image = product->left, .weights = product->weights, .parameters = product->parameters, .out = product->out,
      .zero_point = product->zero_point, .min = product->min, .max = product->max,
  };
  return run(&op, list);
}

#endif
