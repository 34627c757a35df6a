/* Parameters, memory map and registers of the chip `ferrite`.
 * Written by `ferrite gen` from the chip's description: change that, not this file.
 * Programs are compiled with -march=rv32imc_zicsr_zifencei_zba_zbb_zbs -mabi=ilp32. */
#ifndef FERRITE_H
#define FERRITE_H

#ifndef __ASSEMBLER__
#include <stdint.h>
/* The register of 8 or 32 bits at an address. */
#define FERRITE_REG8(address) (*(volatile uint8_t *)(address))
#define FERRITE_REG32(address) (*(volatile uint32_t *)(address))
#endif

/* Parameters */

/* name of the chip and of its top Verilog module */
#define FERRITE_NAME "ferrite"
/* values of all of the core's parameters but `core.reset_vector` and `core.hart_id`; those that are given beside it go first */
#define FERRITE_CORE_PRESET "fast"
/* address of the first instruction after reset: the start of the boot ROM or of the RAM */
#define FERRITE_CORE_RESET_VECTOR 0x00001000
/* what `mhartid` reads */
#define FERRITE_CORE_HART_ID 0
/* multiplication and division (extension M) */
#define FERRITE_CORE_M 1
/* compressed instructions (extension C) */
#define FERRITE_CORE_C 1
/* shift and add (extension Zba) */
#define FERRITE_CORE_ZBA 1
/* basic bit manipulation (extension Zbb) */
#define FERRITE_CORE_ZBB 1
/* single bits (extension Zbs) */
#define FERRITE_CORE_ZBS 1
/* user mode beside machine mode */
#define FERRITE_CORE_USER_MODE 1
/* regions of physical memory protection */
#define FERRITE_CORE_PMP_REGIONS 0
/* `mcycle`, `minstret` and what belongs to them */
#define FERRITE_CORE_COUNTERS 1
/* counters of events from `mhpmcounter3` up; only with `core.counters` */
#define FERRITE_CORE_EVENT_COUNTERS 0
/* `mtval` tells the address or the instruction that a trap is about; without it, it is read-only 0 */
#define FERRITE_CORE_MTVAL 1
/* what happens to loads and stores at addresses that are no multiple of their width: an exception, or the core carries them out, in two accesses if need be */
#define FERRITE_CORE_MISALIGNED "trap"
/* how shifts are made: at once, or some bits in a cycle, which takes fewer LUTs */
#define FERRITE_CORE_SHIFTER "barrel"
/* how products are made: bit by bit, or by DSP blocks in one or two cycles; only with `core.m` */
#define FERRITE_CORE_MULTIPLIER "pipelined"
/* bits of a quotient found in a cycle; only with `core.m` */
#define FERRITE_CORE_DIVIDER_BITS 1
/* how fetch guesses where the program goes on: straight, by the instruction (jumps and branches that go back are taken), or by a branch target buffer */
#define FERRITE_CORE_PREDICTOR "btb"
/* branches that the branch target buffer knows; only with `core.predictor = "btb"` */
#define FERRITE_CORE_BTB_ENTRIES 128
/* outcomes of earlier branches that choose among the counters of a branch (gshare), or 0 for a single counter each; only with `core.predictor = "btb"` */
#define FERRITE_CORE_BRANCH_HISTORY 0
/* return addresses that fetch remembers; not with `core.predictor = "none"` */
#define FERRITE_CORE_RETURN_STACK 4
/* where the registers are */
#define FERRITE_CORE_REGISTER_FILE "lut_ram"
/* whether the chip has a tensor unit */
#define FERRITE_TENSOR_PRESENT 1
/* rows of the array: input channels taken at once */
#define FERRITE_TENSOR_ROWS 16
/* columns of the array: output channels made at once */
#define FERRITE_TENSOR_COLS 16
/* size of the scratchpad, in bytes */
#define FERRITE_TENSOR_SCRATCHPAD_BYTES 131072
/* accumulator rows, each of `tensor.cols` int32, in rows */
#define FERRITE_TENSOR_ACC_ROWS 1024
/* size of the RAM, which holds programs and their data, in bytes */
#define FERRITE_SOC_RAM_BYTES 524288
/* size of the boot ROM, in bytes */
#define FERRITE_SOC_ROM_BYTES 4096
/* frequency of the chip's clock, in Hz */
#define FERRITE_SOC_CLOCK_HZ 50000000
/* speed of the UART; a bit lasts at least 4 clock cycles, in bit/s */
#define FERRITE_SOC_UART_BAUD 115200

/* boot ROM: jumps to the start of the RAM */

/* first address */
#define FERRITE_ROM_BASE 0x00001000
/* size in bytes */
#define FERRITE_ROM_SIZE 0x1000

/* exit device: a program ends its run by writing here */

/* first address */
#define FERRITE_EXIT_BASE 0x00100000
/* size in bytes */
#define FERRITE_EXIT_SIZE 0x1000
/* ends the run; values other than those below do nothing (32 bits, w) */
#define FERRITE_EXIT_FINISH 0x00100000
/* `PASS` or `FAIL` */
#define FERRITE_EXIT_FINISH_STATUS_SHIFT 0
#define FERRITE_EXIT_FINISH_STATUS_MASK 0xffff
/* the exit code, with `FAIL` */
#define FERRITE_EXIT_FINISH_CODE_SHIFT 16
#define FERRITE_EXIT_FINISH_CODE_MASK 0xffff0000
/* ends the run with exit code 0 */
#define FERRITE_EXIT_FINISH_PASS 0x5555
/* ends the run with the exit code in `CODE` */
#define FERRITE_EXIT_FINISH_FAIL 0x3333

/* CLINT: timer and software interrupt */

/* first address */
#define FERRITE_CLINT_BASE 0x02000000
/* size in bytes */
#define FERRITE_CLINT_SIZE 0x10000
/* raises the machine software interrupt (32 bits, rw) */
#define FERRITE_CLINT_MSIP 0x02000000
/* drives `mip.MSIP` */
#define FERRITE_CLINT_MSIP_SHIFT 0
#define FERRITE_CLINT_MSIP_MASK 0x1
/* the timer interrupt is pending while `MTIME` is at or past this (64 bits, rw) */
#define FERRITE_CLINT_MTIMECMP 0x02004000
/* the time in clock cycles (64 bits, rw) */
#define FERRITE_CLINT_MTIME 0x0200bff8

/* UART with the registers of a 16550 */

/* first address */
#define FERRITE_UART_BASE 0x10000000
/* size in bytes */
#define FERRITE_UART_SIZE 0x1000
/* transmitter holding register: a byte written here is sent (8 bits, w) */
#define FERRITE_UART_THR 0x10000000
/* line status register (8 bits, r) */
#define FERRITE_UART_LSR 0x10000005
/* a byte can be written to `THR` */
#define FERRITE_UART_LSR_THRE_SHIFT 5
#define FERRITE_UART_LSR_THRE_MASK 0x20
/* nothing is being sent and nothing waits */
#define FERRITE_UART_LSR_TEMT_SHIFT 6
#define FERRITE_UART_LSR_TEMT_MASK 0x40

/* RAM: program and data */

/* first address */
#define FERRITE_RAM_BASE 0x80000000
/* size in bytes */
#define FERRITE_RAM_SIZE 0x80000

#endif
