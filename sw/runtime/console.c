/* The C library's standard streams on the UART. */

#include <stdio.h>

#include "ferrite.h"

static int uart_put(char byte, FILE *stream) {
  (void)stream;
  while (!(FERRITE_REG8(FERRITE_UART_LSR) & FERRITE_UART_LSR_THRE_MASK)) {
  }
  FERRITE_REG8(FERRITE_UART_THR) = (uint8_t)byte;
  return (unsigned char)byte;
}

/* Reading finds the end of the file: a program that wants input reads the UART's registers. */
static int uart_get(FILE *stream) {
  (void)stream;
  return _FDEV_EOF;
}

static FILE uart = FDEV_SETUP_STREAM(uart_put, uart_get, NULL, _FDEV_SETUP_RW);

FILE *const stdin = &uart;
FILE *const stdout = &uart;
FILE *const stderr = &uart;
