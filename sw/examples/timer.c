/* Counts timer interrupts while the main program waits for them. */

#include <stdint.h>
#include <stdio.h>

#include "ferrite_runtime.h"

/* Ticks from one interrupt to the next: long against the handler's few hundred instructions. */
#define INTERVAL 2000
#define COUNT 5

static volatile int interrupts;
static uint64_t due;

void ferrite_timer_interrupt(void) {
  interrupts++;
  due += INTERVAL;
  ferrite_set_timer(due);
}

int main(void) {
  uint64_t start = ferrite_time();
  due = start + INTERVAL;
  ferrite_set_timer(due);
  ferrite_enable_timer_interrupt(1);
  ferrite_interrupts_on();
  while (interrupts < COUNT) {
    ferrite_wait_for_interrupt();
  }
  ferrite_interrupts_off();
  int late_enough = ferrite_time() - start >= COUNT * INTERVAL;
  printf("%d timer interrupts, %s\n", COUNT, late_enough ? "on time" : "too early");
  return late_enough ? 0 : 1;
}
