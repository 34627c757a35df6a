/* Pointers that lead to pointers: a ring in random order, and a search tree. */

#include <stddef.h>

#include "kernel.h"

#define LENGTH 256
#define SEARCHES 64

struct link {
  struct link *next;
  uint32_t value;
};

struct tree {
  struct tree *child[2];
  uint32_t key;
};

static struct link ring[LENGTH];
static struct tree leaves[LENGTH];
static struct tree *root;

static void insert(struct tree *leaf) {
  struct tree **place = &root;
  while (*place) place = &(*place)->child[leaf->key > (*place)->key];
  *place = leaf;
}

void prepare(void) {
  uint32_t state = 5;
  uint32_t order[LENGTH];
  for (uint32_t i = 0; i < LENGTH; i++) order[i] = i;
  for (uint32_t i = LENGTH - 1; i > 0; i--) {
    uint32_t other = next_random(&state) % (i + 1);
    uint32_t old = order[i];
    order[i] = order[other];
    order[other] = old;
  }
  for (uint32_t i = 0; i < LENGTH; i++) {
    ring[order[i]] = (struct link){.next = &ring[order[(i + 1) % LENGTH]], .value = i};
    leaves[i].key = next_random(&state) % 1024;
    insert(&leaves[i]);
  }
}

static uint32_t around(void) {
  const struct link *link = ring;
  uint32_t sum = 0;
  do {
    sum += link->value & 5;
    link = link->next;
  } while (link != ring);
  return sum;
}

static uint32_t far_along(uint32_t steps) {
  const struct link *link = ring;
  while (steps--) link = link->next;
  return link->value;
}

static uint32_t depth_of(uint32_t key) {
  uint32_t depth = 0;
  for (const struct tree *tree = root; tree; tree = tree->child[key > tree->key], depth++) {
    if (tree->key == key) return depth + 100;
  }
  return depth;
}

uint32_t kernel(void) {
  uint32_t sum = around();
  sum = mix(sum, far_along(1000));
  for (uint32_t i = 0; i < SEARCHES; i++) sum = mix(sum, depth_of(i * 16 + 5));
  return sum;
}
