/* What the runtime offers to programs beside the C library: time, interrupts, traps, exit.
 *
 * printf, putchar and puts write to the UART. A program ends with main's return value or exit(code); as on other
 * systems the code's low 8 bits count. */
#ifndef FERRITE_RUNTIME_H
#define FERRITE_RUNTIME_H

/* Exit code of a program that a trap ended which no handler took: this plus mcause (0 to 15). */
#define FERRITE_TRAP_CODE 128
/* Exit code when even the report of such a trap failed. */
#define FERRITE_DOUBLE_TRAP_CODE 255

#ifndef __ASSEMBLER__
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The registers at a trap that a C function may change, and why the trap was taken. */
struct ferrite_trap_frame {
  uint32_t mepc;   /* where the program goes on afterwards; a handler may change it */
  uint32_t mcause; /* RISC-V Privileged 20211203, table 3.6 */
  uint32_t mtval;
  uint32_t ra, t[7], a[8];
};

/* mcause of interrupts. */
#define FERRITE_CAUSE_SOFTWARE_INTERRUPT 0x80000003u
#define FERRITE_CAUSE_TIMER_INTERRUPT 0x80000007u
#define FERRITE_CAUSE_EXTERNAL_INTERRUPT 0x8000000bu

/* Called on a timer interrupt, with interrupts off. A program defines its own, which must move mtimecmp or turn the
 * interrupt off, or it is called again at once. The runtime's turns it off. */
void ferrite_timer_interrupt(void);

/* Called on an interrupt of the interrupt controller, with interrupts off. A program defines its own, which claims the source at
 * the controller, serves it and completes it there, or it is called again at once. The runtime's turns the interrupt off. */
void ferrite_external_interrupt(void);

/* Called on every other trap. A program defines its own, which may move frame->mepc past an instruction.
 * The runtime's reports the trap on the UART and exits with FERRITE_TRAP_CODE + mcause. */
void ferrite_exception(struct ferrite_trap_frame *frame);

/* The time in ticks of the timer; on the chip a tick is a clock cycle. */
uint64_t ferrite_time(void);

/* Lets the timer interrupt be pending from `time` on. */
void ferrite_set_timer(uint64_t time);

/* Clock cycles since reset: mcycle, or the timer where the core has no counters. */
uint64_t ferrite_cycles(void);

/* Instructions retired since reset: minstret, or 0 where the core has no counters. */
uint64_t ferrite_instructions(void);

/* Allows or forbids the timer interrupt (mie.MTIE). */
void ferrite_enable_timer_interrupt(int enable);

/* Allows or forbids the interrupt controller's interrupt (mie.MEIE). */
void ferrite_enable_external_interrupt(int enable);

/* Turns interrupts on (mstatus.MIE); returns whether they were on. */
static inline int ferrite_interrupts_on(void) {
  uint32_t mstatus;
  __asm__ volatile("csrrsi %0, mstatus, 8" : "=r"(mstatus)::"memory");
  return (mstatus >> 3) & 1;
}

/* Turns interrupts off; returns whether they were on. */
static inline int ferrite_interrupts_off(void) {
  uint32_t mstatus;
  __asm__ volatile("csrrci %0, mstatus, 8" : "=r"(mstatus)::"memory");
  return (mstatus >> 3) & 1;
}

/* Waits until an interrupt is pending; may return earlier. */
static inline void ferrite_wait_for_interrupt(void) { __asm__ volatile("wfi" ::: "memory"); }

#ifdef __cplusplus
}
#endif
#endif
#endif
