/* A state machine that reads numbers in a text, a character at a time, and counts what it has seen. */

#include "kernel.h"

enum state { START, SIGN, ZERO, INTEGER, HEX, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

static const char text[] =
    "5012,1234,-874,+122,0x1f,0xcafe,-0x7,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,-87e+832,"
    "+0.6e-12,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^,0,007,-,+.,1e,2e+,99.,0xz,12 3,65535,3.14159,2.71828e0";

void prepare(void) {}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static int is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

static enum state next(enum state state, char c) {
  switch (state) {
  case START:
  case SIGN:
    if (c == '0') return ZERO;
    if (is_digit(c)) return INTEGER;
    if (c == '.') return POINT;
    return state == START && (c == '+' || c == '-') ? SIGN : INVALID;
  case ZERO:
    if (c == 'x') return HEX;
    /* fall through */
  case INTEGER:
    if (is_digit(c)) return INTEGER;
    if (c == '.') return FRACTION;
    return c == 'e' ? EXPONENT : INVALID;
  case HEX: return is_hex_digit(c) ? HEX : INVALID;
  case POINT: return is_digit(c) ? FRACTION : INVALID;
  case FRACTION:
    if (is_digit(c)) return FRACTION;
    return c == 'e' ? EXPONENT : INVALID;
  case EXPONENT:
    if (c == '+' || c == '-') return EXPONENT_SIGN;
    return is_digit(c) ? SCIENTIFIC : INVALID;
  case EXPONENT_SIGN:
  case SCIENTIFIC: return is_digit(c) ? SCIENTIFIC : INVALID;
  default: return INVALID;
  }
}

uint32_t kernel(void) {
  uint32_t ended[STATES] = {0};
  uint32_t entered[STATES] = {0};
  enum state state = START;
  for (const char *c = text;; c++) {
    if (*c == ',' || *c == 0) {
      ended[state]++;
      if (*c == 0) break;
      state = START;
    } else {
      state = next(state, *c);
      entered[state]++;
    }
  }
  uint32_t sum = 0;
  for (int i = 0; i < STATES; i++) sum = mix(mix(sum, ended[i]), entered[i]);
  return sum;
}
