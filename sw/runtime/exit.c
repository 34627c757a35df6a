/* How a program ends. */

#include <unistd.h>

#include "ferrite.h"

/* Ends the run through the exit device, after the last character has left the UART. */
void _exit(int code) {
  while (!(FERRITE_REG8(FERRITE_UART_LSR) & FERRITE_UART_LSR_TEMT_MASK)) {
  }
  uint32_t low = (uint32_t)code & 0xff;
  FERRITE_REG32(FERRITE_EXIT_FINISH) =
      low == 0 ? FERRITE_EXIT_FINISH_PASS : low << FERRITE_EXIT_FINISH_CODE_SHIFT | FERRITE_EXIT_FINISH_FAIL;
  for (;;) {
  }
}
