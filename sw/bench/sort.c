/* Sorting an array: quicksort with insertion sort for short ranges, then a heap. */

#include "kernel.h"

#define LENGTH 256
/* Ranges up to this long are left to insertion sort. */
#define SHORT 12

static int32_t random_numbers[LENGTH];
static int32_t numbers[LENGTH];

void prepare(void) {
  uint32_t state = 2;
  for (int i = 0; i < LENGTH; i++) random_numbers[i] = (int32_t)(next_random(&state) % 20001) - 10000;
}

static void swap(int32_t *a, int32_t *b) {
  int32_t old = *a;
  *a = *b;
  *b = old;
}

static void insertion_sort(int32_t *range, int length) {
  for (int i = 1; i < length; i++) {
    int32_t number = range[i];
    int place = i;
    for (; place > 0 && range[place - 1] > number; place--) range[place] = range[place - 1];
    range[place] = number;
  }
}

static void quicksort(int32_t *range, int length) {
  while (length > SHORT) {
    int32_t pivot = range[length / 2];
    int low = 0, high = length - 1;
    while (low <= high) {
      while (range[low] < pivot) low++;
      while (range[high] > pivot) high--;
      if (low <= high) swap(&range[low++], &range[high--]);
    }
    quicksort(range, high + 1);
    range += low;
    length -= low;
  }
  insertion_sort(range, length);
}

static void sift_down(int32_t *heap, int root, int length) {
  for (int child; (child = 2 * root + 1) < length; root = child) {
    if (child + 1 < length && heap[child + 1] > heap[child]) child++;
    if (heap[root] >= heap[child]) return;
    swap(&heap[root], &heap[child]);
  }
}

static void heapsort(int32_t *heap, int length) {
  for (int root = length / 2 - 1; root >= 0; root--) sift_down(heap, root, length);
  while (length > 1) {
    swap(&heap[0], &heap[--length]);
    sift_down(heap, 0, length);
  }
}

static uint32_t checksum(void) {
  uint32_t sum = 0;
  for (int i = 0; i < LENGTH; i++) sum = mix(sum, (uint32_t)numbers[i]);
  return sum;
}

uint32_t kernel(void) {
  for (int i = 0; i < LENGTH; i++) numbers[i] = random_numbers[i];
  quicksort(numbers, LENGTH);
  uint32_t sum = checksum();
  for (int i = 0; i < LENGTH; i++) numbers[i] = random_numbers[i] ^ 0x155;
  heapsort(numbers, LENGTH);
  return mix(sum, checksum());
}
