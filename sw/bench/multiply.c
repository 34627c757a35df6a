/* Products of 32 by 32 bits: low halves, high halves, and what is made of them. */

#include "kernel.h"

#define LENGTH 64
#define TAPS 8

/* How many taps there are, unknown to the compiler, which would unroll the loop. */
static volatile int given_taps = TAPS;

static int32_t samples[LENGTH + TAPS];
static int32_t taps[TAPS];

void prepare(void) {
  uint32_t state = 6;
  for (int i = 0; i < LENGTH + TAPS; i++) samples[i] = (int32_t)(next_random(&state) << 8);
  for (int i = 0; i < TAPS; i++) taps[i] = (int32_t)(next_random(&state) << 4);
}

/* A filter in fractions of 1: of every product the high half counts. */
static uint32_t filter(void) {
  int count = given_taps;
  uint32_t sum = 0;
  for (int i = 0; i < LENGTH; i++) {
    int32_t output = 0;
    for (int k = 0; k < count; k++) output += (int32_t)(((int64_t)samples[i + k] * taps[k]) >> 32);
    sum = mix(sum, (uint32_t)output);
  }
  return sum;
}

/* Horner's rule: every product waits for the one before. */
static uint32_t polynomial(uint32_t x) {
  uint32_t value = 1;
  for (int i = 0; i < LENGTH; i++) value = value * x + (uint32_t)samples[i];
  return value;
}

/* Powers modulo 2^61 - 1, in halves of 32 bits. */
static uint32_t powers(uint64_t base) {
  const uint64_t prime = (1ull << 61) - 1;
  uint64_t power = 1;
  for (int i = 0; i < LENGTH; i++) {
    uint64_t low = (power & 0xFFFFFFFFu) * base;
    uint64_t high = (power >> 32) * base + (low >> 32);
    uint64_t remainder = ((high & 0x1FFFFFFFu) << 32 | (low & 0xFFFFFFFFu)) + (high >> 29);
    power = remainder >= prime ? remainder - prime : remainder;
  }
  return (uint32_t)(power ^ (power >> 32));
}

uint32_t kernel(void) {
  uint32_t sum = filter();
  sum = mix(sum, polynomial(0x9E3779B1u));
  return mix(sum, powers(3141592653u));
}
