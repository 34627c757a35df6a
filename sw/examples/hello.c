/* Prints a greeting. Runs on the chip and on QEMU's `virt` machine alike. */

#include <stdio.h>

int main(void) {
  printf("Hello from Ferrite!\n");
  return 0;
}
