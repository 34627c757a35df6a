/* Functions that call themselves: Fibonacci numbers, Ackermann's function, the towers of Hanoi, queens on a board. */

#include "kernel.h"

void prepare(void) {}

/* Nothing is inlined, so that calls are what is measured. */
#define CALLED __attribute__((noinline, noclone))

static CALLED uint32_t fibonacci(uint32_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static CALLED uint32_t ackermann(uint32_t m, uint32_t n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

static CALLED uint32_t hanoi(uint32_t discs, uint32_t from, uint32_t to, uint32_t over) {
  if (discs == 0) return 0;
  uint32_t before = hanoi(discs - 1, from, over, to);
  return mix(before, from * 4 + to) + hanoi(discs - 1, over, to, from);
}

/* In how many ways queens can stand on the rows from here on; bits are the columns and diagonals that are taken. */
static CALLED uint32_t queens(uint32_t columns, uint32_t left, uint32_t right, uint32_t all) {
  if (columns == all) return 1;
  uint32_t ways = 0;
  for (uint32_t free = all & ~(columns | left | right); free; free &= free - 1) {
    uint32_t queen = free & -free;
    ways += queens(columns | queen, (left | queen) << 1, (right | queen) >> 1, all);
  }
  return ways;
}

uint32_t kernel(void) {
  uint32_t sum = fibonacci(11);
  sum = mix(sum, ackermann(2, 6));
  sum = mix(sum, hanoi(7, 0, 1, 2));
  return mix(sum, queens(0, 0, 0, 63));
}
