/* Timer and counters. Each is 64 bits wide and is read and written as two words. */

#include "ferrite.h"
#include "ferrite_runtime.h"

/* Reads a counter's high word, low word and high word again, until no carry went between the two. */
#define READ_PAIR(read_high, read_low)             \
  ({                                               \
    uint32_t high, low, again = (read_high);       \
    do {                                           \
      high = again;                                \
      low = (read_low);                            \
      again = (read_high);                         \
    } while (high != again);                       \
    (uint64_t) high << 32 | low;                   \
  })

#define READ_CSR(name)                                \
  ({                                                  \
    uint32_t value;                                   \
    __asm__ volatile("csrr %0, " name : "=r"(value)); \
    value;                                            \
  })

uint64_t ferrite_time(void) {
  return READ_PAIR(FERRITE_REG32(FERRITE_CLINT_MTIME + 4), FERRITE_REG32(FERRITE_CLINT_MTIME));
}

#if FERRITE_CORE_COUNTERS
uint64_t ferrite_cycles(void) { return READ_PAIR(READ_CSR("mcycleh"), READ_CSR("mcycle")); }

uint64_t ferrite_instructions(void) { return READ_PAIR(READ_CSR("minstreth"), READ_CSR("minstret")); }
#else
uint64_t ferrite_cycles(void) { return ferrite_time(); }

uint64_t ferrite_instructions(void) { return 0; }
#endif

void ferrite_set_timer(uint64_t time) {
  /* In this order no time in between is earlier than both the old and the new one (RISC-V Privileged, 3.2.1). */
  FERRITE_REG32(FERRITE_CLINT_MTIMECMP) = UINT32_MAX;
  FERRITE_REG32(FERRITE_CLINT_MTIMECMP + 4) = (uint32_t)(time >> 32);
  FERRITE_REG32(FERRITE_CLINT_MTIMECMP) = (uint32_t)time;
}

void ferrite_enable_timer_interrupt(int enable) {
  const uint32_t mtie = 1u << 7;
  if (enable) {
    __asm__ volatile("csrs mie, %0" ::"r"(mtie) : "memory");
  } else {
    __asm__ volatile("csrc mie, %0" ::"r"(mtie) : "memory");
  }
}
