/* Quotients and remainders of 32 by 32 bits: greatest common divisors, digits, primes. */

#include "kernel.h"

#define PAIRS 8

static uint32_t pairs[PAIRS][2];

void prepare(void) {
  uint32_t state = 7;
  for (int i = 0; i < PAIRS; i++) {
    pairs[i][0] = next_random(&state);
    pairs[i][1] = next_random(&state) + 1;
  }
}

static uint32_t greatest_common_divisor(uint32_t a, uint32_t b) {
  while (b) {
    uint32_t remainder = a % b;
    a = b;
    b = remainder;
  }
  return a;
}

/* The digits in a base that the compiler does not know, the last one first. */
static uint32_t digits(int32_t number, int32_t base) {
  uint32_t sum = 0;
  for (; number; number /= base) sum = mix(sum, (uint32_t)(number % base));
  return sum;
}

static uint32_t primes_below(uint32_t end) {
  uint32_t count = 0;
  for (uint32_t number = 2; number < end; number++) {
    uint32_t divisor = 2;
    while (divisor * divisor <= number && number % divisor) divisor++;
    count += divisor * divisor > number;
  }
  return count;
}

uint32_t kernel(void) {
  uint32_t sum = 0;
  for (int i = 0; i < PAIRS; i++) {
    sum = mix(sum, greatest_common_divisor(pairs[i][0], pairs[i][1]));
    sum = mix(sum, digits(-(int32_t)pairs[i][0], i + 7));
  }
  return mix(sum, primes_below(100));
}
