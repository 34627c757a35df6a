/* What a kernel and the program around it know of each other. The program is built for the chip and for the host; a kernel must compute
 * the same on both, so its checksum holds no address and nothing whose size differs between them. */
#ifndef FERRITE_BENCH_KERNEL_H
#define FERRITE_BENCH_KERNEL_H

#include <stdint.h>

/* Makes the kernel's data; not measured. */
void prepare(void);

/* Does the work once and returns a checksum of all that it found. */
uint32_t kernel(void);

/* A checksum with one more value in it. */
static inline uint32_t mix(uint32_t sum, uint32_t value) { return ((sum << 5) | (sum >> 27)) + value; }

/* A linear congruential generator (Numerical Recipes, section 7.1), of which the high bits are good enough here. */
static inline uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

#endif
