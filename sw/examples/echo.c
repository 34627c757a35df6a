/* Sends a text to itself through the UART's loop, by interrupts: the receiver interrupts through the interrupt controller. */

#include <stdio.h>

#include "ferrite.h"
#include "ferrite_runtime.h"

static const char text[] = "Received by interrupts.\n";
static volatile unsigned received;
static char buffer[sizeof text];

void ferrite_external_interrupt(void) {
  uint32_t source = FERRITE_REG32(FERRITE_PLIC_CLAIM);
  if (source == FERRITE_UART_INTERRUPT) {
    while (FERRITE_REG8(FERRITE_UART_LSR) & FERRITE_UART_LSR_DR_MASK && received < sizeof buffer) {
      buffer[received++] = (char)FERRITE_REG8(FERRITE_UART_RBR);
    }
  }
  FERRITE_REG32(FERRITE_PLIC_CLAIM) = source;
}

int main(void) {
  FERRITE_REG8(FERRITE_UART_FCR) = FERRITE_UART_FCR_ENABLE_MASK | 2 << FERRITE_UART_FCR_TRIGGER_SHIFT;
  FERRITE_REG8(FERRITE_UART_IER) = FERRITE_UART_IER_ERBI_MASK;
  FERRITE_REG32(FERRITE_PLIC_PRIORITY + 4 * FERRITE_UART_INTERRUPT) = 1;
  FERRITE_REG32(FERRITE_PLIC_ENABLE) = 1 << FERRITE_UART_INTERRUPT;
  FERRITE_REG32(FERRITE_PLIC_THRESHOLD) = 0;
  ferrite_enable_external_interrupt(1);
  ferrite_interrupts_on();

  FERRITE_REG8(FERRITE_UART_MCR) = FERRITE_UART_MCR_LOOP_MASK;
  for (unsigned sent = 0; sent < sizeof text - 1; sent++) {
    while (!(FERRITE_REG8(FERRITE_UART_LSR) & FERRITE_UART_LSR_THRE_MASK)) {
    }
    FERRITE_REG8(FERRITE_UART_THR) = (uint8_t)text[sent];
  }
  /* The last bytes are fewer than the trigger level: the time-out tells of them. */
  while (received < sizeof text - 1) {
  }
  ferrite_interrupts_off();
  FERRITE_REG8(FERRITE_UART_MCR) = 0;
  printf("%s", buffer);
  return 0;
}
