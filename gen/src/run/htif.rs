//! The host-target interface (HTIF), by which the test programs of RISC-V International and programs written for Spike end and print: the
//! program leaves a request in the variable `tohost`, and the host answers in `fromhost`.
//!
//! A request is 64 bits: a device, a command, and a payload of 48 bits. It is exit code and a one for `exit`; the address of eight words of
//! 64 bits, number and arguments, for a system call; a character for the console.

use std::collections::BTreeMap;

/// Bytes that a program may print at once.
const MOST_BYTES: u64 = 1 << 16;

const CONSOLE: u64 = 1;
const PUT_CHARACTER: u64 = 1;

const SYSTEM_CALL_WRITE: u64 = 64;
const SYSTEM_CALL_EXIT: u64 = 93;

/// Words of 64 bits of a system call.
const CALL_WORDS: u32 = 8;

/// Where a program's variables for its host are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Requests; 0 is none.
    pub tohost: u32,
    /// Answers, if the program takes any.
    pub fromhost: Option<u32>,
}

/// What a program asks of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// It has ended.
    Exit(u32),
    /// The console shall show bytes.
    Print(Vec<u8>),
    /// The console shall show bytes of the memory; the call that asked for it is where the result goes.
    Write { call: u32, from: u32, bytes: u32 },
}

impl Host {
    /// The variables of a program, by its symbols; `None` if it has none.
    pub fn of(symbols: &BTreeMap<String, u32>) -> Option<Host> {
        let tohost = *symbols.get("tohost")?;
        Some(Host { tohost, fromhost: symbols.get("fromhost").copied() })
    }
}

/// What a value of `tohost` asks; `read` gives 64 bits of memory. `None` if that is nothing that a host can do.
pub(super) fn request(value: u64, read: impl Fn(u32) -> Option<u64>) -> Option<Request> {
    let (device, command, payload) = (value >> 56, value >> 48 & 0xff, value & ((1 << 48) - 1));
    match (device, command) {
        (0, 0) if payload & 1 == 1 => Some(Request::Exit((payload >> 1) as u32)),
        (0, 0) => {
            let call = u32::try_from(payload).ok()?;
            let word = |k: u32| read(call.checked_add(8 * k)?);
            (1..CALL_WORDS).try_for_each(|k| word(k).map(|_| ()))?;
            match word(0)? {
                SYSTEM_CALL_WRITE => {
                    let (from, bytes) = (u32::try_from(word(2)?).ok()?, word(3)?);
                    let bytes = u32::try_from(bytes).ok().filter(|_| bytes <= MOST_BYTES)?;
                    Some(Request::Write { call, from, bytes })
                }
                SYSTEM_CALL_EXIT => Some(Request::Exit(word(1)? as u32)),
                _ => None,
            }
        }
        (CONSOLE, PUT_CHARACTER) => Some(Request::Print(vec![payload as u8])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: u64) -> Option<Request> {
        request(value, |_| None)
    }

    #[test]
    fn an_odd_request_ends_the_program_with_the_code_above_its_lowest_bit() {
        assert_eq!(asked(1), Some(Request::Exit(0)));
        assert_eq!(asked(2 * 7 + 1), Some(Request::Exit(7)));
    }

    #[test]
    fn a_character_for_the_console_is_printed() {
        assert_eq!(asked(0x0101_0000_0000_0041), Some(Request::Print(b"A".to_vec())));
    }

    #[test]
    fn a_system_call_is_read_from_the_memory() {
        let memory = |call: [u64; 8]| {
            move |address: u32| call.get((address.checked_sub(0x100)? / 8) as usize).copied()
        };
        let write = memory([SYSTEM_CALL_WRITE, 1, 0x8000_1000, 5, 0, 0, 0, 0]);
        let asked = request(0x100, write);
        assert_eq!(asked, Some(Request::Write { call: 0x100, from: 0x8000_1000, bytes: 5 }));
        assert_eq!(request(0x100, memory([93, 3, 0, 0, 0, 0, 0, 0])), Some(Request::Exit(3)));
    }

    #[test]
    fn what_no_host_can_do_is_refused() {
        let huge = |_| Some(SYSTEM_CALL_WRITE | 1 << 20);
        assert_eq!(asked(0x0200_0000_0000_0000), None, "no such device");
        assert_eq!(asked(0x100), None, "a call outside of the memory");
        assert_eq!(request(0x100, huge), None, "no such call");
        let call = |address| Some(if address == 0x100 { SYSTEM_CALL_WRITE } else { MOST_BYTES + 1 });
        assert_eq!(request(0x100, call), None, "too much to print");
    }
}
