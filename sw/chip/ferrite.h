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
/* width of the AXI4 port to external memory, in bits */
#define FERRITE_TENSOR_AXI_BITS 128
/* size of the RAM, which holds programs and their data, in bytes */
#define FERRITE_SOC_RAM_BYTES 524288
/* size of the boot ROM, in bytes */
#define FERRITE_SOC_ROM_BYTES 4096
/* frequency of the chip's clock, in Hz */
#define FERRITE_SOC_CLOCK_HZ 50000000
/* speed of the UART; a bit lasts at least 4 clock cycles, in bit/s */
#define FERRITE_SOC_UART_BAUD 115200
/* general-purpose pins; 0 leaves their device out */
#define FERRITE_SOC_GPIO_PINS 0
/* size of the AXI4-Lite port for a user's own peripherals; 0 leaves it out, in bytes */
#define FERRITE_SOC_USER_BYTES 0
/* first address of that port, a multiple of its size */
#define FERRITE_SOC_USER_BASE 0x40000000
/* bytes of SPI flash memory that can be read; 0 leaves the reader out, in bytes */
#define FERRITE_SOC_FLASH_BYTES 0
/* size of the external memory behind the AXI4 port, on which the tensor unit works; 0 leaves the port out, in bytes */
#define FERRITE_SOC_EXTERNAL_BYTES 16777216
/* number of the tensor unit's source at the interrupt controller */
#define FERRITE_TENSOR_INTERRUPT 14

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

/* PLIC: interrupt controller */

/* first address */
#define FERRITE_PLIC_BASE 0x0c000000
/* size in bytes */
#define FERRITE_PLIC_SIZE 0x400000
/* register `n` is the priority of source `n`, from 0 (never interrupts) to 7; read-only 0 where there is no source (first of 32, 32 bits, rw) */
#define FERRITE_PLIC_PRIORITY 0x0c000000
/* bit `n`: source `n` waits to be claimed (32 bits, r) */
#define FERRITE_PLIC_PENDING 0x0c001000
/* bit `n`: source `n` may interrupt; read-only 0 where there is no source (32 bits, rw) */
#define FERRITE_PLIC_ENABLE 0x0c002000
/* only sources of a higher priority than this interrupt; from 0 to 7 (32 bits, rw) */
#define FERRITE_PLIC_THRESHOLD 0x0c200000
/* a load claims the most urgent source that is enabled and pending, the lowest number among equals, and gives its number, or 0 if there is none; the source is not pending again until a store of its number completes the interrupt (32 bits, rw) */
#define FERRITE_PLIC_CLAIM 0x0c200004
/* number of a source */
#define FERRITE_PLIC_CLAIM_SOURCE_SHIFT 0
#define FERRITE_PLIC_CLAIM_SOURCE_MASK 0x3ff

/* UART with the registers of a 16550 */

/* first address */
#define FERRITE_UART_BASE 0x10000000
/* size in bytes */
#define FERRITE_UART_SIZE 0x1000
/* number of its source at the interrupt controller */
#define FERRITE_UART_INTERRUPT 10
/* receiver buffer register: takes the oldest byte received; with `LCR.DLAB` 0 (8 bits, r) */
#define FERRITE_UART_RBR 0x10000000
/* transmitter holding register: a byte written here is sent; with `LCR.DLAB` 0 (8 bits, w) */
#define FERRITE_UART_THR 0x10000000
/* divisor latch, low byte: with `DLM` the clock cycles that a bit lasts, or 65535 if they are more; writes are ignored; with `LCR.DLAB` 1 (8 bits, r) */
#define FERRITE_UART_DLL 0x10000000
/* interrupt enable register; with `LCR.DLAB` 0 (8 bits, rw) */
#define FERRITE_UART_IER 0x10000001
/* interrupts when bytes have been received */
#define FERRITE_UART_IER_ERBI_SHIFT 0
#define FERRITE_UART_IER_ERBI_MASK 0x1
/* interrupts when `LSR.THRE` rises */
#define FERRITE_UART_IER_ETBEI_SHIFT 1
#define FERRITE_UART_IER_ETBEI_MASK 0x2
/* interrupts on errors, `LSR.OE` to `LSR.BI` */
#define FERRITE_UART_IER_ELSI_SHIFT 2
#define FERRITE_UART_IER_ELSI_MASK 0x4
/* can be written, and does nothing: there are no modem pins */
#define FERRITE_UART_IER_EDSSI_SHIFT 3
#define FERRITE_UART_IER_EDSSI_MASK 0x8
/* divisor latch, high byte, see `DLL`; with `LCR.DLAB` 1 (8 bits, r) */
#define FERRITE_UART_DLM 0x10000001
/* interrupt identification register (8 bits, r) */
#define FERRITE_UART_IIR 0x10000002
/* the most urgent interrupt, in the order below */
#define FERRITE_UART_IIR_ID_SHIFT 0
#define FERRITE_UART_IIR_ID_MASK 0xf
/* 3 if the FIFOs are enabled, else 0 */
#define FERRITE_UART_IIR_FIFOS_SHIFT 6
#define FERRITE_UART_IIR_FIFOS_MASK 0xc0
/* no interrupt is pending */
#define FERRITE_UART_IIR_NONE 0x1
/* an error, until `LSR` is read */
#define FERRITE_UART_IIR_LINE 0x6
/* a byte, or as many as `FCR.TRIGGER` says, until fewer are left */
#define FERRITE_UART_IIR_RECEIVED 0x4
/* bytes that wait in the FIFO while for 40 bits nothing was received nor read, until `RBR` is read */
#define FERRITE_UART_IIR_TIMEOUT 0xc
/* `LSR.THRE` has risen, until this register is read with this value or `THR` is written */
#define FERRITE_UART_IIR_EMPTY 0x2
/* FIFO control register (8 bits, w) */
#define FERRITE_UART_FCR 0x10000002
/* uses the FIFOs; a change empties them, and without it the other bits do nothing */
#define FERRITE_UART_FCR_ENABLE_SHIFT 0
#define FERRITE_UART_FCR_ENABLE_MASK 0x1
/* empties the receiver's FIFO */
#define FERRITE_UART_FCR_CLEAR_RX_SHIFT 1
#define FERRITE_UART_FCR_CLEAR_RX_MASK 0x2
/* empties the transmitter's FIFO */
#define FERRITE_UART_FCR_CLEAR_TX_SHIFT 2
#define FERRITE_UART_FCR_CLEAR_TX_MASK 0x4
/* bytes in the receiver's FIFO that interrupt: 0 to 3 for 1, 4, 8, 14 */
#define FERRITE_UART_FCR_TRIGGER_SHIFT 6
#define FERRITE_UART_FCR_TRIGGER_MASK 0xc0
/* line control register (8 bits, rw) */
#define FERRITE_UART_LCR 0x10000003
/* always 3: 8 data bits, no parity, one stop bit; writes are ignored */
#define FERRITE_UART_LCR_FORMAT_SHIFT 0
#define FERRITE_UART_LCR_FORMAT_MASK 0x3f
/* holds `uart_tx` at 0 */
#define FERRITE_UART_LCR_BREAK_SHIFT 6
#define FERRITE_UART_LCR_BREAK_MASK 0x40
/* shows `DLL` and `DLM` in place of the registers there */
#define FERRITE_UART_LCR_DLAB_SHIFT 7
#define FERRITE_UART_LCR_DLAB_MASK 0x80
/* modem control register; its lines are no pins (8 bits, rw) */
#define FERRITE_UART_MCR 0x10000004
/* `MSR.DSR` with `LOOP` */
#define FERRITE_UART_MCR_DTR_SHIFT 0
#define FERRITE_UART_MCR_DTR_MASK 0x1
/* `MSR.CTS` with `LOOP` */
#define FERRITE_UART_MCR_RTS_SHIFT 1
#define FERRITE_UART_MCR_RTS_MASK 0x2
/* `MSR.RI` with `LOOP` */
#define FERRITE_UART_MCR_OUT1_SHIFT 2
#define FERRITE_UART_MCR_OUT1_MASK 0x4
/* `MSR.DCD` with `LOOP` */
#define FERRITE_UART_MCR_OUT2_SHIFT 3
#define FERRITE_UART_MCR_OUT2_MASK 0x8
/* the receiver hears the transmitter, and `uart_tx` is idle */
#define FERRITE_UART_MCR_LOOP_SHIFT 4
#define FERRITE_UART_MCR_LOOP_MASK 0x10
/* line status register (8 bits, r) */
#define FERRITE_UART_LSR 0x10000005
/* a byte can be read from `RBR` */
#define FERRITE_UART_LSR_DR_SHIFT 0
#define FERRITE_UART_LSR_DR_MASK 0x1
/* a byte was received and there was no room: with FIFOs it is lost, without it replaces the one before; until `LSR` is read */
#define FERRITE_UART_LSR_OE_SHIFT 1
#define FERRITE_UART_LSR_OE_MASK 0x2
/* the byte that `RBR` gives next had no stop bit; until `LSR` is read */
#define FERRITE_UART_LSR_FE_SHIFT 3
#define FERRITE_UART_LSR_FE_MASK 0x8
/* nor a bit that is 1: the line was held at 0; until `LSR` is read */
#define FERRITE_UART_LSR_BI_SHIFT 4
#define FERRITE_UART_LSR_BI_MASK 0x10
/* a byte can be written to `THR`, or with FIFOs, 16: theirs is empty */
#define FERRITE_UART_LSR_THRE_SHIFT 5
#define FERRITE_UART_LSR_THRE_MASK 0x20
/* nothing is being sent and nothing waits */
#define FERRITE_UART_LSR_TEMT_SHIFT 6
#define FERRITE_UART_LSR_TEMT_MASK 0x40
/* with FIFOs: there is an error in that of the receiver that `LSR` has not told */
#define FERRITE_UART_LSR_ERROR_SHIFT 7
#define FERRITE_UART_LSR_ERROR_MASK 0x80
/* modem status register; without `MCR.LOOP` as if a device were ready at the other end, 0xB0 (8 bits, r) */
#define FERRITE_UART_MSR 0x10000006
/* clear to send */
#define FERRITE_UART_MSR_CTS_SHIFT 4
#define FERRITE_UART_MSR_CTS_MASK 0x10
/* data set ready */
#define FERRITE_UART_MSR_DSR_SHIFT 5
#define FERRITE_UART_MSR_DSR_MASK 0x20
/* ring indicator */
#define FERRITE_UART_MSR_RI_SHIFT 6
#define FERRITE_UART_MSR_RI_MASK 0x40
/* data carrier detect */
#define FERRITE_UART_MSR_DCD_SHIFT 7
#define FERRITE_UART_MSR_DCD_MASK 0x80
/* scratch register: keeps what is written (8 bits, rw) */
#define FERRITE_UART_SCR 0x10000007

/* RAM: program and data */

/* first address */
#define FERRITE_RAM_BASE 0x80000000
/* size in bytes */
#define FERRITE_RAM_SIZE 0x80000

/* external memory, which the tensor unit works on */

/* first address */
#define FERRITE_EXTERNAL_BASE 0xc0000000
/* size in bytes */
#define FERRITE_EXTERNAL_SIZE 0x1000000

#endif
