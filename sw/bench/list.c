/* A linked list whose nodes lie in no order: searched, reversed, and sorted by merging. */

#include <stddef.h>

#include "kernel.h"

#define NODES 128
#define SEARCHES 16

struct node {
  struct node *next;
  uint16_t key;
  uint16_t value;
};

static struct node nodes[NODES];
static struct node *head;

void prepare(void) {
  uint32_t state = 1;
  /* 37 has no factor in common with the number of nodes: every node is met once. */
  for (int i = 0; i < NODES; i++) {
    struct node *node = &nodes[i * 37 % NODES];
    *node = (struct node){.next = head, .key = (uint16_t)(next_random(&state) % 256), .value = (uint16_t)i};
    head = node;
  }
}

static struct node *find(struct node *list, uint16_t key) {
  while (list && list->key != key) list = list->next;
  return list;
}

static struct node *reverse(struct node *list) {
  struct node *reversed = NULL;
  while (list) {
    struct node *next = list->next;
    list->next = reversed;
    reversed = list;
    list = next;
  }
  return reversed;
}

typedef int comparison(const struct node *a, const struct node *b);

static int by_key(const struct node *a, const struct node *b) { return a->key - b->key; }

static int by_value(const struct node *a, const struct node *b) { return a->value - b->value; }

static struct node *merge(struct node *a, struct node *b, comparison *compare) {
  struct node *merged = NULL;
  struct node **end = &merged;
  while (a && b) {
    struct node **least = compare(a, b) <= 0 ? &a : &b;
    *end = *least;
    end = &(*least)->next;
    *least = *end;
  }
  *end = a ? a : b;
  return merged;
}

static struct node *sort(struct node *list, int length, comparison *compare) {
  if (length == 1) {
    list->next = NULL;
    return list;
  }
  struct node *middle = list;
  for (int i = 0; i < length / 2; i++) middle = middle->next;
  struct node *behind = sort(middle, length - length / 2, compare);
  return merge(sort(list, length / 2, compare), behind, compare);
}

static uint32_t checksum(const struct node *list) {
  uint32_t sum = 0;
  for (; list; list = list->next) sum = mix(sum, list->key ^ ((uint32_t)list->value << 16));
  return sum;
}

uint32_t kernel(void) {
  uint32_t sum = 0;
  for (int i = 0; i < SEARCHES; i++) {
    struct node *found = find(head, (uint16_t)(i * 19));
    sum = mix(sum, found ? found->value : NODES);
    head = reverse(head);
  }
  head = sort(head, NODES, by_key);
  sum = mix(sum, checksum(head));
  head = sort(head, NODES, by_value);
  return mix(sum, checksum(head));
}
