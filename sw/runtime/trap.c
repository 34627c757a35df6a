/* What happens on a trap, unless the program says otherwise. */

#include <stdio.h>
#include <unistd.h>

#include "ferrite_runtime.h"

void ferrite_double_trap(void);

/* Called by ferrite_trap_entry of crt0.S. */
void ferrite_trap(struct ferrite_trap_frame *frame) {
  if (frame->mcause == FERRITE_CAUSE_TIMER_INTERRUPT) {
    ferrite_timer_interrupt();
  } else if (frame->mcause == FERRITE_CAUSE_EXTERNAL_INTERRUPT) {
    ferrite_external_interrupt();
  } else {
    ferrite_exception(frame);
  }
}

__attribute__((weak)) void ferrite_timer_interrupt(void) { ferrite_enable_timer_interrupt(0); }

/* Bit 11 is loaded by the assembler: as an operand, GCC 12 with Zbs ends with an internal error. */
void ferrite_enable_external_interrupt(int enable) {
  uint32_t meie;
  if (enable) {
    __asm__ volatile("li %0, 1 << 11\n\tcsrs mie, %0" : "=r"(meie)::"memory");
  } else {
    __asm__ volatile("li %0, 1 << 11\n\tcsrc mie, %0" : "=r"(meie)::"memory");
  }
}

__attribute__((weak)) void ferrite_external_interrupt(void) { ferrite_enable_external_interrupt(0); }

/* RISC-V Privileged 20211203, table 3.6. */
static const char *cause_name(uint32_t mcause) {
  switch (mcause) {
  case 0: return "instruction address misaligned";
  case 1: return "instruction access fault";
  case 2: return "illegal instruction";
  case 3: return "breakpoint";
  case 4: return "load address misaligned";
  case 5: return "load access fault";
  case 6: return "store address misaligned";
  case 7: return "store access fault";
  case 8: return "environment call from user mode";
  case 11: return "environment call from machine mode";
  case FERRITE_CAUSE_SOFTWARE_INTERRUPT: return "software interrupt";
  default: return "unknown cause";
  }
}

__attribute__((weak)) void ferrite_exception(struct ferrite_trap_frame *frame) {
  __asm__ volatile("csrw mtvec, %0" ::"r"(ferrite_double_trap));
  printf("trap: %s (mcause 0x%08lx) at pc 0x%08lx, mtval 0x%08lx\n", cause_name(frame->mcause),
         (unsigned long)frame->mcause, (unsigned long)frame->mepc, (unsigned long)frame->mtval);
  _exit(FERRITE_TRAP_CODE + (int)(frame->mcause & 15));
}
