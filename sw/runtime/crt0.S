/* Start-up and trap entry. The program is already in the RAM, `.data` included: a loader put it there.
 *
 * Registers and symbols: RISC-V ELF psABI 1.0; traps: RISC-V Privileged 20211203, chapter 3. */

#include "ferrite.h"
#include "ferrite_runtime.h"

  .section .text.start, "ax"
  .globl _start
_start:
  .option push
  .option norelax               /* gp cannot be found relative to gp */
  la gp, __global_pointer$
  .option pop
  la sp, __stack
  la t0, ferrite_trap_entry
  csrw mtvec, t0
  csrw mie, zero

  /* Zero .tbss and .bss; both bounds are multiples of 8. */
  la t0, __bss_start
  la t1, __bss_end
  bgeu t0, t1, 2f
1:
  sw zero, 0(t0)
  sw zero, 4(t0)
  addi t0, t0, 8
  bltu t0, t1, 1b
2:
  la tp, __tls_base
  call __libc_init_array        /* constructors */
  li a0, 0                      /* argc */
  li a1, 0                      /* argv */
  call main
  call exit                     /* with main's return value; runs destructors, then _exit */
3:
  j 3b                          /* exit does not return */

/* Saves what a C function may change, calls ferrite_trap(frame) and goes back to frame->mepc.
 * The layout is `struct ferrite_trap_frame` of ferrite_runtime.h. */
#define FRAME_BYTES 80          /* a multiple of 16, as the psABI wants */

  .section .text.trap, "ax"
  .balign 4                     /* mtvec.BASE, direct mode */
  .globl ferrite_trap_entry
ferrite_trap_entry:
  addi sp, sp, -FRAME_BYTES
  sw ra, 12(sp)
  sw t0, 16(sp)
  sw t1, 20(sp)
  sw t2, 24(sp)
  sw t3, 28(sp)
  sw t4, 32(sp)
  sw t5, 36(sp)
  sw t6, 40(sp)
  sw a0, 44(sp)
  sw a1, 48(sp)
  sw a2, 52(sp)
  sw a3, 56(sp)
  sw a4, 60(sp)
  sw a5, 64(sp)
  sw a6, 68(sp)
  sw a7, 72(sp)
  csrr t0, mepc
  csrr t1, mcause
  csrr t2, mtval
  sw t0, 0(sp)
  sw t1, 4(sp)
  sw t2, 8(sp)
  mv a0, sp
  call ferrite_trap
  lw t0, 0(sp)
  csrw mepc, t0
  lw ra, 12(sp)
  lw t0, 16(sp)
  lw t1, 20(sp)
  lw t2, 24(sp)
  lw t3, 28(sp)
  lw t4, 32(sp)
  lw t5, 36(sp)
  lw t6, 40(sp)
  lw a0, 44(sp)
  lw a1, 48(sp)
  lw a2, 52(sp)
  lw a3, 56(sp)
  lw a4, 60(sp)
  lw a5, 64(sp)
  lw a6, 68(sp)
  lw a7, 72(sp)
  addi sp, sp, FRAME_BYTES
  mret

/* Ends the run without using the stack: the last resort when the handling of a fatal trap traps itself. */
  .balign 4
  .globl ferrite_double_trap
ferrite_double_trap:
  li t0, FERRITE_EXIT_FINISH
  li t1, (FERRITE_DOUBLE_TRAP_CODE << FERRITE_EXIT_FINISH_CODE_SHIFT) | FERRITE_EXIT_FINISH_FAIL
  sw t1, 0(t0)
4:
  j 4b
