/* The tensor unit's commands as C functions: one instruction each (docs/tensor-unit.md is the reference).
 *
 * Addresses are byte addresses in the scratchpad, of FERRITE_TENSOR_SCRATCHPAD_BYTES. R and C are FERRITE_TENSOR_ROWS
 * and FERRITE_TENSOR_COLS. Commands enter a queue and take effect in program order; those that return a value wait for
 * the earlier ones, except tensor_status. A command that breaks a rule changes nothing but the status word, and every
 * later one is ignored until tensor_clear: check the result of tensor_fence. */
#ifndef FERRITE_TENSOR_H
#define FERRITE_TENSOR_H

#include <stdint.h>

#include "ferrite.h"

#if !FERRITE_TENSOR_PRESENT
#error "this chip has no tensor unit (tensor.present in its description)"
#endif


/* A command without a result: opcode custom-0 (RISC-V Unprivileged 20240411, table 72), funct7 as a literal. */
#define FERRITE_TENSOR_COMMAND(funct7, rs1, rs2) \
  __asm__ volatile(".insn r 0x0b, 0, " #funct7 ", x0, %z0, %z1" ::"rJ"(rs1), "rJ"(rs2))

/* A command with a result of 32 bits. */
#define FERRITE_TENSOR_QUERY(funct7, rs1)                                                 \
  ({                                                                                      \
    uint32_t result_;                                                                     \
    __asm__ volatile(".insn r 0x0b, 0, " #funct7 ", %0, %z1, x0" : "=r"(result_) : "rJ"(rs1)); \
    result_;                                                                              \
  })

/* Fields of the status word. */
#define TENSOR_STATUS_BUSY(status) ((status)&1u)
#define TENSOR_STATUS_ERROR(status) (((status) >> 1) & 1u)
#define TENSOR_STATUS_CAUSE(status) ((enum tensor_cause)(((status) >> 8) & 0xffu))
#define TENSOR_STATUS_FUNCT7(status) (((status) >> 16) & 0x7fu)

/* Why a command was refused. */
enum tensor_cause {
  TENSOR_CAUSE_UNKNOWN_COMMAND = 1,
  TENSOR_CAUSE_BAD_FIELD = 2,
  TENSOR_CAUSE_MISALIGNED = 3,
  TENSOR_CAUSE_OUTSIDE = 4,
};

/* What can be counted since reset or tensor_clear, modulo 2^32. */
enum tensor_counter {
  TENSOR_COUNTER_WEIGHT_CYCLES = 0,  /* cycles in which a weight tile was being loaded */
  TENSOR_COUNTER_MATMUL_CYCLES = 1,  /* cycles in which a multiplication was executing */
  TENSOR_COUNTER_REQUANT_CYCLES = 2, /* cycles in which tensor_requant was executing */
  TENSOR_COUNTER_IDLE_CYCLES = 3,    /* cycles in which no command was executing */
  TENSOR_COUNTER_MACS = 4,           /* multiply-accumulate operations */
  TENSOR_COUNTER_BYTES_WRITTEN = 5,  /* bytes written by tensor_write */
};

/* The status word, at once. */
static inline uint32_t tensor_status(void) { return FERRITE_TENSOR_QUERY(0x00, 0); }

/* Waits until every earlier command has finished; the status word. */
static inline uint32_t tensor_fence(void) { return FERRITE_TENSOR_QUERY(0x01, 0); }

/* Waits for earlier commands; a counter's value. */
static inline uint32_t tensor_counter(enum tensor_counter index) { return FERRITE_TENSOR_QUERY(0x02, index); }

/* Clears the error and the counters; sets the strides to R and C, the host pointer to 0. */
static inline void tensor_clear(void) { FERRITE_TENSOR_COMMAND(0x03, 0, 0); }

/* Sets the host pointer: a multiple of 4. */
static inline void tensor_address(uint32_t address) { FERRITE_TENSOR_COMMAND(0x08, address, 0); }

/* Writes 8 bytes, the low byte of `low` first, at the host pointer (a multiple of 8) and advances it by 8. */
static inline void tensor_write(uint32_t low, uint32_t high) { FERRITE_TENSOR_COMMAND(0x09, low, high); }

/* Reads 4 bytes, the first as the low byte, at the host pointer and advances it by 4. */
static inline uint32_t tensor_read(void) { return FERRITE_TENSOR_QUERY(0x0a, 0); }

/* Bytes from one activation row to the next (a multiple of R) and from one output row to the next (of C);
 * both below 65,536. */
static inline void tensor_stride(uint32_t activation_bytes, uint32_t output_bytes) {
  FERRITE_TENSOR_COMMAND(0x10, activation_bytes, output_bytes);
}

/* Zero point and bounds of what tensor_requant makes. */
static inline void tensor_output(int8_t zero_point, int8_t min, int8_t max) {
  uint32_t fields = (uint32_t)(uint8_t)zero_point | (uint32_t)(uint8_t)min << 8 | (uint32_t)(uint8_t)max << 16;
  FERRITE_TENSOR_COMMAND(0x11, fields, 0);
}

/* Sets the bias of a column (below C). */
static inline void tensor_bias(uint32_t column, int32_t bias) { FERRITE_TENSOR_COMMAND(0x12, column, bias); }

/* Sets the scale of a column (below C) to multiplier / 2^shift; multiplier from 0 to 2^31-1, shift from 1 to 62. */
static inline void tensor_scale(uint32_t column, uint32_t shift, uint32_t multiplier) {
  FERRITE_TENSOR_COMMAND(0x13, column | shift << 16, multiplier);
}

/* Loads a weight tile into the array: R rows of C bytes at an address that is a multiple of C. */
static inline void tensor_weights(uint32_t address) { FERRITE_TENSOR_COMMAND(0x20, address, 0); }

/* Multiplies `rows` activation rows (the first at an address that is a multiple of R) with the loaded tile; the sums
 * replace accumulator rows acc_row and following. */
static inline void tensor_matmul(uint32_t address, uint32_t acc_row, uint32_t rows) {
  FERRITE_TENSOR_COMMAND(0x21, address, acc_row | rows << 16);
}

/* The same, but adds to the accumulator rows. */
static inline void tensor_matmul_acc(uint32_t address, uint32_t acc_row, uint32_t rows) {
  FERRITE_TENSOR_COMMAND(0x22, address, acc_row | rows << 16);
}

/* Requantises `rows` accumulator rows into output rows, the first at an address that is a multiple of C. */
static inline void tensor_requant(uint32_t address, uint32_t acc_row, uint32_t rows) {
  FERRITE_TENSOR_COMMAND(0x23, address, acc_row | rows << 16);
}

/* Copies `bytes` (a multiple of 8) from memory (aligned to 4) into the scratchpad at a multiple of 8. */
static inline void tensor_copy_in(uint32_t address, const void *from, uint32_t bytes) {
  const uint32_t __attribute__((may_alias)) *words = from;
  tensor_address(address);
  for (uint32_t i = 0; i < bytes / 4; i += 2) {
    tensor_write(words[i], words[i + 1]);
  }
}

/* Copies `bytes` (a multiple of 4) from the scratchpad at a multiple of 4 into memory (aligned to 4). */
static inline void tensor_copy_out(void *to, uint32_t address, uint32_t bytes) {
  uint32_t __attribute__((may_alias)) *words = to;
  tensor_address(address);
  for (uint32_t i = 0; i < bytes / 4; i++) {
    words[i] = tensor_read();
  }
}

#endif
