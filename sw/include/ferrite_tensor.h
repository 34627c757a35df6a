/* The tensor unit in C: its instructions, its commands, and products of matrices and convolutions of any size.
 *
 * References: docs/tensor-unit.md for instructions, status and counters, docs/commands.md for commands.
 *
 * The unit works on external memory, on a scratchpad of FERRITE_TENSOR_SCRATCHPAD_BYTES and on FERRITE_TENSOR_ACC_ROWS accumulator rows of C sums. R and C are FERRITE_TENSOR_ROWS and
 * FERRITE_TENSOR_COLS, L is TENSOR_WORD_BYTES. Everything that it shall see must be declared FERRITE_EXTERNAL.
 *
 * Commands take effect one after the other, in the order in which they are given, whatever overlaps in truth: a program waits only before it reads what the unit wrote, and before it
 * changes what the unit still has to read. A command that breaks a rule stops the unit until tensor_clear: look at the status that waiting returns. */
#ifndef FERRITE_TENSOR_H
#define FERRITE_TENSOR_H

#include <stdint.h>

#include "ferrite.h"

#if !FERRITE_TENSOR_PRESENT
#error "this chip has no tensor unit (tensor.present in its description)"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Puts a variable into external memory, at a multiple of 64. The program's file holds what it is initialised with, or zeros. */
#define FERRITE_EXTERNAL __attribute__((section(".external"), aligned(64)))

/* ---- Instructions ---------------------------------------------------------------------------------------------- */

/* One without a result: opcode custom-0 (RISC-V Unprivileged 20240411, table 72), funct7 as a literal. */
#define FERRITE_TENSOR_ACT(funct7, rs1, rs2) \
  __asm__ volatile(".insn r 0x0b, 0, " #funct7 ", x0, %z0, %z1" ::"rJ"(rs1), "rJ"(rs2) : "memory")

/* One with a result of 32 bits. */
#define FERRITE_TENSOR_ASK(funct7, rs1)                                                                  \
  ({                                                                                                     \
    uint32_t result_;                                                                                    \
    __asm__ volatile(".insn r 0x0b, 0, " #funct7 ", %0, %z1, x0" : "=r"(result_) : "rJ"(rs1) : "memory"); \
    result_;                                                                                             \
  })

/* Fields of the status word. */
#define TENSOR_STATUS_BUSY(status) ((status)&1u)
#define TENSOR_STATUS_ERROR(status) (((status) >> 1) & 1u)
#define TENSOR_STATUS_CAUSE(status) ((enum tensor_cause)(((status) >> 8) & 0xffu))

/* Why the unit has stopped. */
enum tensor_cause {
  TENSOR_CAUSE_NONE = 0,
  TENSOR_CAUSE_UNKNOWN = 1,    /* no such command or instruction */
  TENSOR_CAUSE_FIELD = 2,      /* a reserved bit, or a field outside of its range */
  TENSOR_CAUSE_ALIGNMENT = 3,  /* an address or a step is not aligned */
  TENSOR_CAUSE_OUTSIDE = 4,    /* scratchpad, accumulators or external memory are left */
  TENSOR_CAUSE_LOAD = 5,       /* external memory answered a load with an error */
  TENSOR_CAUSE_STORE = 6,      /* ... a store */
  TENSOR_CAUSE_FETCH = 7,      /* ... the fetch of a list */
};

/* What is counted since reset or tensor_clear, modulo 2^32. TENSOR_COUNTER_COMPUTE to TENSOR_COUNTER_REST add up to TENSOR_COUNTER_CYCLES. */
enum tensor_counter {
  TENSOR_COUNTER_CYCLES = 0,
  TENSOR_COUNTER_COMPUTE = 1,           /* cycles in which an activation row enters the array */
  TENSOR_COUNTER_WAIT_ACTIVATIONS = 2,
  TENSOR_COUNTER_WAIT_WEIGHTS = 3,
  TENSOR_COUNTER_WAIT_ACCUMULATORS = 4,
  TENSOR_COUNTER_WAIT_LOAD = 5,
  TENSOR_COUNTER_WAIT_STORE = 6,
  TENSOR_COUNTER_IDLE = 7,
  TENSOR_COUNTER_REST = 8,
  TENSOR_COUNTER_BYTES_LOADED = 9,
  TENSOR_COUNTER_BYTES_STORED = 10,
  TENSOR_COUNTER_MACS = 11,
  TENSOR_COUNTER_MACS_HIGH = 12,
};

/* When the unit interrupts. */
#define TENSOR_INTERRUPT_IDLE 1u  /* while it is not busy */
#define TENSOR_INTERRUPT_ERROR 2u /* while there is an error */

/* The status word, at once. */
static inline uint32_t tensor_status(void) { return FERRITE_TENSOR_ASK(0x00, 0); }

/* Whether something is still queued or under way. */
static inline int tensor_busy(void) { return TENSOR_STATUS_BUSY(tensor_status()); }

/* Waits until the unit is not busy, with the core at rest; the status word. */
static inline uint32_t tensor_fence(void) { return FERRITE_TENSOR_ASK(0x01, 0); }

/* What a counter holds now. */
static inline uint32_t tensor_counter(enum tensor_counter index) { return FERRITE_TENSOR_ASK(0x02, index); }

/* Resets the unit: abandons what is under way, and clears errors, counters and interrupt enables. */
static inline void tensor_clear(void) { FERRITE_TENSOR_ACT(0x03, 0, 0); }

/* Commands accepted since tensor_clear; after an error, the number of the one at fault, from 0. */
static inline uint32_t tensor_number(void) { return FERRITE_TENSOR_ASK(0x06, 0); }

/* After TENSOR_CAUSE_LOAD, _STORE and _FETCH: the address in external memory that gave the error. */
static inline uint32_t tensor_error_address(void) { return FERRITE_TENSOR_ASK(0x06, 1); }

/* When to interrupt: TENSOR_INTERRUPT_..., or 0 for never. The source at the interrupt controller is FERRITE_TENSOR_INTERRUPT. */
static inline void tensor_interrupt(uint32_t when) { FERRITE_TENSOR_ACT(0x07, when, 0); }

/* A command, as it is made by tensor_load and the functions after it. */
struct tensor_command {
  uint32_t word[16];
};

/* Gives a command to the unit; waits only while its queue is full. The command may stand anywhere, best in the RAM, which the core reads faster. */
static inline void tensor_push(const struct tensor_command *command) {
  for (int k = 0; k < 16; k += 2) FERRITE_TENSOR_ACT(0x04, command->word[k], command->word[k + 1]);
}

/* Gives a list of commands to the unit, which fetches them itself: `list` is FERRITE_EXTERNAL. Does not wait. */
static inline void tensor_start(const struct tensor_command *list, uint32_t count) {
  FERRITE_TENSOR_ACT(0x05, (uint32_t)(uintptr_t)list, count);
}

/* The same, and waits until it is done; the status word. */
static inline uint32_t tensor_run(const struct tensor_command *list, uint32_t count) {
  tensor_start(list, count);
  return tensor_fence();
}

/* Waits until the unit is not busy, with the core asleep (wfi); the status word. Uses the unit's interrupt, which it leaves switched off, and
 * the interrupt controller; interrupts that the program has enabled otherwise are taken afterwards. */
uint32_t tensor_wait(void);

/* ---- Commands -------------------------------------------------------------------------------------------------- */

/* Bytes of a scratchpad word, of which scratchpad addresses of transfers are multiples. */
#define TENSOR_WORD_BYTES \
  (FERRITE_TENSOR_ROWS > FERRITE_TENSOR_COLS ? TENSOR_MAX_(FERRITE_TENSOR_ROWS, 8) : TENSOR_MAX_(FERRITE_TENSOR_COLS, 8))
#define TENSOR_MAX_(a, b) ((a) > (b) ? (a) : (b))
/* `value`, rounded up to a multiple of `to`, and how many times `to` that is. */
#define TENSOR_ROUND_UP(value, to) (((value) + (to)-1) / (to) * (to))
#define TENSOR_TILES(channels, tile) (((channels) + (tile)-1) / (tile))
/* Bytes of a tile of weights, and of the parameters of a tile of output channels. */
#define TENSOR_TILE_BYTES (FERRITE_TENSOR_ROWS * FERRITE_TENSOR_COLS)
#define TENSOR_GROUP_BYTES TENSOR_ROUND_UP(4 * FERRITE_TENSOR_COLS, TENSOR_WORD_BYTES)
#define TENSOR_PARAMETER_BYTES (2 * TENSOR_GROUP_BYTES + TENSOR_WORD_BYTES)

/* The fields below have the names and the limits of docs/commands.md. Where a number of turns, a stride or a dilation is left 0, it is 1. */

/* A load or a store: `n1` runs of `bytes` bytes each, and that `n2` times. */
struct tensor_transfer {
  const void *external;
  uint32_t local;  /* scratchpad address */
  uint32_t bytes;
  uint8_t fill;    /* of loads: what fills up the last word of a run */
  uint32_t n1, n2;
  int32_t s1, s2;  /* steps in external memory */
  uint32_t d1, d2; /* steps in the scratchpad */
};

/* A convolution out of the scratchpad into the accumulators. */
struct tensor_convolve {
  uint32_t act, weights, accumulators;
  int accumulate;
  int8_t zero_point;
  uint32_t columns, rows, in_tiles, out_tiles, kernel_columns, kernel_rows, width, height;
  int32_t x, y;
  uint32_t stride_x, stride_y, dilation_x, dilation_y;
  uint32_t pixel_step, line_step, in_tile_step;
};

/* A depthwise convolution, of a kernel of 3 columns. */
struct tensor_depthwise {
  uint32_t act, weights, accumulators;
  int accumulate;
  int8_t zero_point;
  uint32_t columns, rows, tiles, width, height;
  int32_t x, y;
  uint32_t stride_x, stride_y;
  uint32_t pixel_step, line_step, tile_step;
};

/* A convolution of few input channels, whose pixels lie dense in the scratchpad. */
struct tensor_packed {
  uint32_t act, weights, accumulators;
  int accumulate;
  int8_t zero_point;
  uint32_t columns, rows, in_tiles, out_tiles, kernel_columns, kernel_rows, width, height;
  int32_t x, y;
  uint32_t stride_x, stride_y;
  uint32_t channels, line_step;
};

/* From the accumulators to int8 in the scratchpad. */
struct tensor_requantise {
  uint32_t parameters, output, accumulators;
  uint32_t columns, rows, tiles;
  uint32_t column_step, row_step, tile_step;
  int8_t zero_point, min, max;
};

/* From the accumulators to the scratchpad as they are. */
struct tensor_sums {
  uint32_t output, accumulators;
  uint32_t columns, rows, tiles;
  uint32_t column_step, row_step, tile_step;
};

/* The sum of two tensors in the scratchpad, each with its own scale. */
struct tensor_operand {
  uint32_t address, column_step, row_step;
  int8_t zero_point;
  uint8_t shift;
  uint32_t multiplier;
};
struct tensor_add {
  struct tensor_operand input1, input2, output;
  uint32_t columns, rows;
  int8_t min, max;
};

/* The largest or the average value of windows of an image in the scratchpad. */
struct tensor_pool {
  uint32_t input, output;
  int maximum; /* else the average */
  uint32_t columns, rows, tiles;
  uint32_t column_step, row_step, tile_step;
  int8_t min, max;
  uint32_t pixel_step, line_step, in_tile_step, width, height;
  int32_t x, y;
  uint32_t kernel_columns, kernel_rows, stride_x, stride_y;
};

#define TENSOR_ONE_(value) ((value) ? (value) : 1)

static inline struct tensor_command tensor_transfer_(uint32_t code, struct tensor_transfer t) {
  return (struct tensor_command){{code, (uint32_t)(uintptr_t)t.external, t.local, t.bytes | (uint32_t)t.fill << 16,
                                  TENSOR_ONE_(t.n1) | TENSOR_ONE_(t.n2) << 16, (uint32_t)t.s1, (uint32_t)t.s2, t.d1, t.d2}};
}

/* From external memory to the scratchpad. */
static inline struct tensor_command tensor_load(struct tensor_transfer fields) { return tensor_transfer_(1, fields); }

/* From the scratchpad to external memory. */
static inline struct tensor_command tensor_store(struct tensor_transfer fields) { return tensor_transfer_(2, fields); }

static inline struct tensor_command tensor_convolve(struct tensor_convolve c) {
  return (struct tensor_command){{3, c.act, c.weights,
                                  c.accumulators | (uint32_t)!!c.accumulate << 16 | (uint32_t)(uint8_t)c.zero_point << 24,
                                  TENSOR_ONE_(c.columns) | TENSOR_ONE_(c.rows) << 16,
                                  TENSOR_ONE_(c.in_tiles) | TENSOR_ONE_(c.out_tiles) << 16,
                                  TENSOR_ONE_(c.kernel_columns) | TENSOR_ONE_(c.kernel_rows) << 8,
                                  TENSOR_ONE_(c.width) | TENSOR_ONE_(c.height) << 16,
                                  (uint32_t)(uint16_t)c.x | (uint32_t)(uint16_t)c.y << 16,
                                  TENSOR_ONE_(c.stride_x) | TENSOR_ONE_(c.stride_y) << 8 | TENSOR_ONE_(c.dilation_x) << 16 |
                                      TENSOR_ONE_(c.dilation_y) << 24,
                                  c.pixel_step, c.line_step, c.in_tile_step}};
}

static inline struct tensor_command tensor_depthwise(struct tensor_depthwise d) {
  return (struct tensor_command){{5, d.act, d.weights,
                                  d.accumulators | (uint32_t)!!d.accumulate << 16 | (uint32_t)(uint8_t)d.zero_point << 24,
                                  TENSOR_ONE_(d.columns) | TENSOR_ONE_(d.rows) << 16, TENSOR_ONE_(d.tiles) << 16, 0,
                                  TENSOR_ONE_(d.width) | TENSOR_ONE_(d.height) << 16,
                                  (uint32_t)(uint16_t)d.x | (uint32_t)(uint16_t)d.y << 16,
                                  TENSOR_ONE_(d.stride_x) | TENSOR_ONE_(d.stride_y) << 8, d.pixel_step, d.line_step,
                                  d.tile_step}};
}

static inline struct tensor_command tensor_packed(struct tensor_packed c) {
  return (struct tensor_command){{9, c.act, c.weights,
                                  c.accumulators | (uint32_t)!!c.accumulate << 16 | (uint32_t)(uint8_t)c.zero_point << 24,
                                  TENSOR_ONE_(c.columns) | TENSOR_ONE_(c.rows) << 16,
                                  TENSOR_ONE_(c.in_tiles) | TENSOR_ONE_(c.out_tiles) << 16,
                                  TENSOR_ONE_(c.kernel_columns) | TENSOR_ONE_(c.kernel_rows) << 8,
                                  TENSOR_ONE_(c.width) | TENSOR_ONE_(c.height) << 16,
                                  (uint32_t)(uint16_t)c.x | (uint32_t)(uint16_t)c.y << 16,
                                  TENSOR_ONE_(c.stride_x) | TENSOR_ONE_(c.stride_y) << 8, TENSOR_ONE_(c.channels), c.line_step}};
}

static inline struct tensor_command tensor_requantise(struct tensor_requantise r) {
  return (struct tensor_command){{4, r.parameters, r.output, r.accumulators, TENSOR_ONE_(r.columns) | TENSOR_ONE_(r.rows) << 16,
                                  TENSOR_ONE_(r.tiles), r.column_step, r.row_step, r.tile_step,
                                  (uint32_t)(uint8_t)r.zero_point | (uint32_t)(uint8_t)r.min << 8 |
                                      (uint32_t)(uint8_t)r.max << 16}};
}

static inline struct tensor_command tensor_sums(struct tensor_sums s) {
  return (struct tensor_command){{6, 0, s.output, s.accumulators, TENSOR_ONE_(s.columns) | TENSOR_ONE_(s.rows) << 16,
                                  TENSOR_ONE_(s.tiles), s.column_step, s.row_step, s.tile_step}};
}

static inline struct tensor_command tensor_add(struct tensor_add a) {
  return (struct tensor_command){{7, a.input1.address, a.output.address, a.input2.address,
                                  TENSOR_ONE_(a.columns) | TENSOR_ONE_(a.rows) << 16,
                                  (uint32_t)(uint8_t)a.input1.zero_point | (uint32_t)(uint8_t)a.input2.zero_point << 8 |
                                      (uint32_t)a.input1.shift << 16 | (uint32_t)a.input2.shift << 24,
                                  a.output.column_step, a.output.row_step, a.input1.column_step,
                                  (uint32_t)(uint8_t)a.output.zero_point | (uint32_t)(uint8_t)a.min << 8 |
                                      (uint32_t)(uint8_t)a.max << 16 | (uint32_t)a.output.shift << 24,
                                  a.input1.row_step, a.input2.column_step, a.input2.row_step, a.input1.multiplier,
                                  a.input2.multiplier, a.output.multiplier}};
}

static inline struct tensor_command tensor_pool(struct tensor_pool p) {
  return (struct tensor_command){{8, p.input, p.output, (uint32_t)!!p.maximum,
                                  TENSOR_ONE_(p.columns) | TENSOR_ONE_(p.rows) << 16, TENSOR_ONE_(p.tiles), p.column_step,
                                  p.row_step, p.tile_step, (uint32_t)(uint8_t)p.min << 8 | (uint32_t)(uint8_t)p.max << 16,
                                  p.pixel_step, p.line_step, p.in_tile_step,
                                  TENSOR_ONE_(p.width) | TENSOR_ONE_(p.height) << 16,
                                  (uint32_t)(uint16_t)p.x | (uint32_t)(uint16_t)p.y << 16,
                                  TENSOR_ONE_(p.kernel_columns) | TENSOR_ONE_(p.kernel_rows) << 8 |
                                      TENSOR_ONE_(p.stride_x) << 16 | TENSOR_ONE_(p.stride_y) << 24}};
}

/* ---- Whole operations ------------------------------------------------------------------------------------------ */

/* Where the commands of an operation go. A list that is in external memory can be run, again and again, by tensor_start. */
struct tensor_list {
  struct tensor_command *commands; /* FERRITE_EXTERNAL */
  uint32_t capacity;
  uint32_t count;                  /* how many there are */
};

/* What the operations below return. */
enum tensor_result {
  TENSOR_OK = 0,
  TENSOR_LIST_FULL = -1, /* the list holds the first `capacity` commands only */
};

/* A product of matrices with requantisation:
 *   out[m][n] = requantise(sum over k of left[m][k] * right[k][n])
 * `left`, `weights`, `parameters` and `out` are in external memory; `weights` is what tensor_pack_matrix made of the right matrix. */
struct tensor_matmul {
  uint32_t rows, inner, columns; /* of left, of both, of right */
  const int8_t *left;            /* rows * inner, row by row */
  const void *weights;
  const void *parameters;        /* what tensor_pack_parameters made */
  int8_t *out;                   /* rows * columns, row by row */
  int8_t zero_point, min, max;   /* of out */
};

/* A convolution with requantisation:
 *   out[r][c][n] = requantise(sum over i, j, k of image[r * stride_y + i * dilation_y - pad_top][c * stride_x + j * dilation_x - pad_left][k] * weight[n][i][j][k])
 * where image_zero_point stands beside the image. Images are line by line, pixel by pixel, channel by channel, all in external memory as `weights` (made by tensor_pack_filters)
 * and `parameters`. Weights meet the image's values as they are: what its zero point adds to the sums belongs into the bias. Strides and dilations of 0 are 1. */
struct tensor_conv2d {
  uint32_t width, height, channels;          /* of the image */
  uint32_t kernel_columns, kernel_rows;      /* up to 16 */
  uint32_t filters;                          /* output channels */
  uint32_t out_columns, out_rows;
  uint32_t stride_x, stride_y, dilation_x, dilation_y;
  int32_t pad_left, pad_top;
  int8_t image_zero_point;
  const int8_t *image;
  const void *weights;
  const void *parameters;
  int8_t *out;                               /* out_rows * out_columns * filters */
  int8_t zero_point, min, max;               /* of out */
};

/* Appends the commands to a list, or gives them to the unit one by one if `list` is null. Any size; does not wait for the unit to be done. */
enum tensor_result tensor_matmul(const struct tensor_matmul *product, struct tensor_list *list);
enum tensor_result tensor_conv2d(const struct tensor_conv2d *convolution, struct tensor_list *list);

/* Bytes of packed weights, of a matrix (with a kernel of 1 x 1) or of filters, and of packed parameters. */
#define TENSOR_WEIGHT_BYTES(inner, kernel_columns, kernel_rows, columns)                                              \
  (TENSOR_TILES(inner, FERRITE_TENSOR_ROWS) * (kernel_columns) * (kernel_rows) * TENSOR_TILES(columns, FERRITE_TENSOR_COLS) * \
   TENSOR_TILE_BYTES)
#define TENSOR_PARAMETERS_BYTES(columns) (TENSOR_TILES(columns, FERRITE_TENSOR_COLS) * TENSOR_PARAMETER_BYTES)

/* Brings a matrix of inner * columns, row by row, into the order that the unit reads. */
void tensor_pack_matrix(void *to, const int8_t *matrix, uint32_t inner, uint32_t columns);

/* The same with filters: filter by filter, kernel row by row, column by column, channel by channel. */
void tensor_pack_filters(void *to, const int8_t *filters, uint32_t count, uint32_t kernel_rows, uint32_t kernel_columns,
                         uint32_t channels);

/* What requantisation does to a column: the bias is added, and the sum scaled by multiplier / 2^shift; multipliers from 0 to 2^31-1, shifts from 1 to 64. */
void tensor_pack_parameters(void *to, const int32_t *bias, const uint32_t *multiplier, const uint8_t *shift, uint32_t columns);

#ifdef __cplusplus
}
#endif
#endif
