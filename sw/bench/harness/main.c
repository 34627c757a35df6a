/* Runs a kernel ROUNDS times. On the host it prints the checksum. On the chip, which is given the host's as EXPECTED, it prints checksum,
 * cycles and instructions, and fails if the checksums differ. */

#include <stdio.h>

#include "kernel.h"

static uint32_t run(void) {
  uint32_t sum = 0;
  for (int round = 0; round < ROUNDS; round++) sum = mix(sum, kernel());
  return sum;
}

#ifdef __riscv

/* What begins and ends the part that is measured, for those who look on from outside: hints that do nothing, of those that RISC-V leaves
 * to custom use (RISC-V Unprivileged 20240411, 2.9). */
#define BEGIN() __asm__ volatile("slti zero, zero, 1" ::: "memory")
#define END() __asm__ volatile("slti zero, zero, 2" ::: "memory")

#define READ(csr)                                                \
  ({                                                             \
    uint32_t value;                                              \
    __asm__ volatile("csrr %0, " #csr : "=r"(value)::"memory"); \
    value;                                                       \
  })

int main(void) {
  prepare();
  uint32_t instructions = READ(minstret);
  uint32_t cycles = READ(mcycle);
  BEGIN();
  uint32_t sum = run();
  END();
  cycles = READ(mcycle) - cycles;
  instructions = READ(minstret) - instructions;
  printf("%08lx %lu %lu\n", (unsigned long)sum, (unsigned long)cycles, (unsigned long)instructions);
  return sum != EXPECTED;
}

#else

int main(void) {
  prepare();
  printf("%08x\n", (unsigned)run());
  return 0;
}

#endif
