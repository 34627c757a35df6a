/* Cyclic redundancy checks: CRC-32 of IEEE 802.3 with a table and bit by bit, CRC-16 of X.25 bit by bit. */

#include "kernel.h"

#define LENGTH 256

static uint8_t message[LENGTH];
static uint32_t table[256];

static uint32_t crc32_step(uint32_t crc) { return (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0); }

void prepare(void) {
  uint32_t state = 4;
  for (int i = 0; i < LENGTH; i++) message[i] = (uint8_t)next_random(&state);
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = crc32_step(crc);
    table[byte] = crc;
  }
}

static uint32_t crc32_by_table(void) {
  uint32_t crc = ~0u;
  for (int i = 0; i < LENGTH; i++) crc = (crc >> 8) ^ table[(crc ^ message[i]) & 255];
  return ~crc;
}

static uint32_t crc32_by_bits(int length) {
  uint32_t crc = ~0u;
  for (int i = 0; i < length; i++) {
    crc ^= message[i];
    for (int bit = 0; bit < 8; bit++) crc = crc32_step(crc);
  }
  return ~crc;
}

static uint32_t crc16_by_bits(int length) {
  uint16_t crc = 0xFFFF;
  for (int i = 0; i < length; i++) {
    uint8_t byte = message[i];
    for (int bit = 0; bit < 8; bit++, byte >>= 1) {
      if ((crc ^ byte) & 1) {
        crc = (uint16_t)((crc >> 1) ^ 0x8408);
      } else {
        crc >>= 1;
      }
    }
  }
  return (uint16_t)~crc;
}

uint32_t kernel(void) {
  uint32_t sum = crc32_by_table();
  sum = mix(sum, crc32_by_bits(LENGTH / 4));
  return mix(sum, crc16_by_bits(LENGTH / 4));
}
