/* Text a byte at a time: length, copy, comparison, search, capitals, words, and numbers read and written. */

#include "kernel.h"

static const char text[] =
    "the grey cat sat on the wall and watched 14 sparrows fight over 3 crumbs, 250 metres from the old mill; nobody else had "
    "noticed that the mill turned again after 97 years, or that the water ran uphill";

static const char *const needles[] = {"mill", "uphill", "sparrow", "the w", "zebra", "metres from the new"};
#define NEEDLES (sizeof needles / sizeof needles[0])

static char copy[sizeof text];

void prepare(void) {}

static uint32_t length(const char *string) {
  const char *end = string;
  while (*end) end++;
  return (uint32_t)(end - string);
}

static void copy_string(char *to, const char *from) {
  while ((*to++ = *from++)) {
  }
}

static int compare(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (uint8_t)*a - (uint8_t)*b;
}

/* Where `needle` begins in `string`, or its length. */
static uint32_t search(const char *string, const char *needle) {
  for (uint32_t start = 0;; start++) {
    uint32_t matched = 0;
    while (needle[matched] && string[start + matched] == needle[matched]) matched++;
    if (!needle[matched] || !string[start]) return start;
  }
}

static void capitals(char *string) {
  for (; *string; string++) {
    if (*string >= 'a' && *string <= 'z') *string -= 'a' - 'A';
  }
}

static uint32_t words(const char *string) {
  uint32_t count = 0;
  int inside = 0;
  for (; *string; string++) {
    int letter = *string != ' ' && *string != ',' && *string != ';';
    count += letter && !inside;
    inside = letter;
  }
  return count;
}

static uint32_t sum_of_numbers(const char *string) {
  uint32_t sum = 0, number = 0;
  for (; *string; string++) {
    if (*string >= '0' && *string <= '9') {
      number = 10 * number + (uint32_t)(*string - '0');
    } else {
      sum += number;
      number = 0;
    }
  }
  return sum + number;
}

uint32_t kernel(void) {
  uint32_t sum = length(text);
  copy_string(copy, text);
  sum = mix(sum, (uint32_t)compare(copy, text));
  for (uint32_t i = 0; i < NEEDLES; i++) sum = mix(sum, search(text, needles[i]));
  capitals(copy);
  sum = mix(sum, (uint32_t)compare(copy, text));
  sum = mix(sum, words(copy));
  sum = mix(sum, sum_of_numbers(copy));
  for (const char *c = copy; *c; c++) sum = mix(sum, (uint8_t)*c);
  return sum;
}
