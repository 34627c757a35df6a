/* Matrices of 16-bit numbers: product, product with a vector, sum, and a product of which some bits are taken. */

#include "kernel.h"

#define N 12

/* How many rows and columns there are, unknown to the compiler, which would unroll the loops. */
static volatile int given_size = N;
static int size;

static int16_t a[N][N];
static int16_t b[N][N];
static int32_t product[N][N];
static int32_t vector[N];

void prepare(void) {
  size = given_size;
  uint32_t state = 3;
  for (int i = 0; i < N; i++) {
    for (int k = 0; k < N; k++) {
      a[i][k] = (int16_t)(next_random(&state) % 2001) - 1000;
      b[i][k] = (int16_t)(next_random(&state) % 2001) - 1000;
    }
  }
}

static void add(int16_t constant) {
  for (int i = 0; i < size; i++) {
    for (int k = 0; k < size; k++) a[i][k] = (int16_t)(a[i][k] + constant);
  }
}

static void multiply(void) {
  for (int i = 0; i < size; i++) {
    for (int n = 0; n < size; n++) {
      int32_t sum = 0;
      for (int k = 0; k < size; k++) sum += a[i][k] * b[k][n];
      product[i][n] = sum;
    }
  }
}

static void multiply_vector(void) {
  for (int i = 0; i < size; i++) {
    int32_t sum = 0;
    for (int k = 0; k < size; k++) sum += a[i][k] * b[0][k];
    vector[i] = sum;
  }
}

static void multiply_bits(void) {
  for (int i = 0; i < size; i++) {
    for (int n = 0; n < size; n++) {
      int32_t sum = 0;
      for (int k = 0; k < size; k++) {
        int32_t term = a[i][k] * b[k][n];
        sum += ((term >> 2) & 15) * ((term >> 5) & 127);
      }
      product[i][n] = sum;
    }
  }
}

static uint32_t checksum(void) {
  uint32_t sum = 0;
  for (int i = 0; i < size; i++) {
    for (int k = 0; k < size; k++) sum = mix(sum, (uint32_t)product[i][k]);
    sum = mix(sum, (uint32_t)vector[i]);
  }
  return sum;
}

uint32_t kernel(void) {
  add(7);
  multiply();
  multiply_vector();
  uint32_t sum = checksum();
  multiply_bits();
  add(-7);
  return mix(sum, checksum());
}
