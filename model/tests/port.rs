//! The instructions that control the tensor unit, against their document.

use ferrite_model::isa::{Asm, reg::*};
use ferrite_model::iss::memory_map::{EXTERNAL_BASE, RAM_BASE};
use ferrite_model::iss::{Coprocessor, HartConfig, Iss, Machine, MachineConfig, Reading, Reply};
use ferrite_model::unit::{External, Port, PortError, Record, Sizes, counter, instruction::*};
use proptest::prelude::*;

const SIZES: Sizes = Sizes { rows: 4, cols: 4, scratchpad_bytes: 4096, accumulator_rows: 16 };

/// A unit and its memory, which begins at address 0.
struct Bench {
    port: Port,
    memory: Vec<u8>,
}

impl Bench {
    fn new() -> Bench {
        Bench { port: Port::new(SIZES, 1 << 16).unwrap(), memory: vec![0; 4096] }
    }

    fn reply(&mut self, funct7: u32, rs1: u32, rs2: u32) -> Reply {
        let memory: &mut dyn External = &mut Memory(&mut self.memory);
        self.port.command(funct7, rs1, rs2, memory)
    }

    fn give(&mut self, funct7: u32, rs1: u32, rs2: u32) {
        assert_eq!(self.reply(funct7, rs1, rs2), Reply::Nothing);
    }

    fn ask(&mut self, funct7: u32, rs1: u32) -> Reading {
        match self.reply(funct7, rs1, 0) {
            Reply::Value(reading) => reading,
            Reply::Nothing => panic!("an instruction that returns a value returned none"),
        }
    }

    fn fence(&mut self) -> u32 {
        let Reading::Exact(status) = self.ask(FENCE, 0) else { panic!("a fence knows the status") };
        assert_eq!(self.ask(STATUS, 0), Reading::Exact(status), "behind a fence");
        status
    }

    fn push(&mut self, record: &Record) {
        for pair in record.chunks_exact(2) {
            self.give(PUSH, pair[0], pair[1]);
        }
    }

    /// Puts a list into the memory.
    fn list(&mut self, address: u32, records: &[Record]) {
        let bytes = records.as_flattened().iter().flat_map(|word| word.to_le_bytes());
        for (place, byte) in self.memory[address as usize..].iter_mut().zip(bytes) {
            *place = byte;
        }
    }

    /// Number of the command at fault, or of those accepted.
    fn number(&mut self) -> Reading {
        self.ask(INFO, 0)
    }
}

struct Memory<'a>(&'a mut [u8]);

impl External for Memory<'_> {
    fn read(&mut self, address: u32) -> Option<u8> {
        self.0.read(address)
    }
    fn write(&mut self, address: u32, byte: u8) -> Option<()> {
        self.0.write(address, byte)
    }
}

/// A load (1) or store (2) of one run.
fn transfer(code: u32, external: u32, local: u32, bytes: u32) -> Record {
    [code, external, local, bytes, 0x1_0001, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// A product of one activation row with one tile of weights.
fn product() -> Record {
    [3, 0, 64, 0, 0x1_0001, 0x1_0001, 0x101, 0x1_0001, 0, 0x0101_0101, 0, 0, 0, 0, 0, 0]
}

#[test]
fn a_command_begins_with_its_eighth_pair_of_words() {
    let mut bench = Bench::new();
    bench.memory[100..108].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let load = transfer(1, 100, 8, 8);
    for pair in load.chunks_exact(2).take(7) {
        bench.give(PUSH, pair[0], pair[1]);
    }
    assert_eq!((bench.fence(), bench.number()), (0, Reading::Exact(0)));
    assert_eq!(bench.port.unit().scratchpad[8..16], [0; 8]);
    bench.give(PUSH, 0, 0);
    assert_eq!((bench.fence(), bench.number()), (0, Reading::Exact(1)));
    assert_eq!(bench.port.unit().scratchpad[8..16], [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn a_list_is_carried_out_in_order() {
    let mut bench = Bench::new();
    bench.memory[4000..4008].copy_from_slice(b"abcdefgh");
    bench.list(64, &[transfer(1, 4000, 16, 8), transfer(2, 3000, 16, 5), transfer(1, 2999, 0, 8), product()]);
    bench.give(RUN, 64, 4);
    assert_eq!((bench.fence(), bench.number()), (0, Reading::Exact(4)));
    assert_eq!(bench.memory[2999..3006], *b"\0abcde\0");
    assert_eq!(bench.port.unit().scratchpad[..8], *b"\0abcde\0\0");
    let values = [counter::BYTES_LOADED, counter::BYTES_STORED, counter::MACS, counter::MACS_HIGH]
        .map(|index| bench.ask(COUNTER, index).value());
    assert_eq!(values, [16, 5, 16, 0]);
    // A list of nothing does nothing, wherever it stands.
    bench.give(RUN, 3, 0);
    assert_eq!((bench.fence(), bench.number()), (0, Reading::Exact(4)));
}

#[test]
fn timing_decides_the_counters_and_what_is_asked_before_a_fence() {
    let mut bench = Bench::new();
    assert_eq!((bench.ask(STATUS, 0), bench.number()), (Reading::Exact(0), Reading::Exact(0)));
    bench.push(&transfer(1, 0, 0, 1));
    assert_eq!(bench.ask(STATUS, 0), Reading::Timing { value: 0, uncertain: 1 });
    assert_eq!(bench.number(), Reading::timing(1));
    bench.push(&transfer(99, 0, 0, 1));
    assert_eq!(bench.ask(STATUS, 0), Reading::Timing { value: 0x102, uncertain: 0xFF03 });
    assert_eq!(bench.fence(), 0x102);
    for index in 0..13 {
        let reading = bench.ask(COUNTER, index);
        assert!(matches!(reading, Reading::Timing { uncertain: u32::MAX, .. }), "counter {index}");
    }
    assert_eq!([13, u32::MAX].map(|index| bench.ask(COUNTER, index)), [Reading::Exact(0); 2]);
    assert_eq!([1, 2, 1 << 31].map(|index| bench.ask(INFO, index)), [Reading::Exact(0); 3]);
}

#[test]
fn every_broken_rule_of_an_instruction_has_its_cause() {
    let cases: [(u32, u32, u32, u32); 12] = [
        (RUN, 64, 1, 1), // Of the record, which is 0.
        (RUN, 96, 1, 3),
        (RUN, 1, u32::MAX, 3),
        (RUN, 64, u32::MAX, 4),
        (RUN, u32::MAX - 63, 2, 4),
        (RUN, u32::MAX - 63, 1, 7),
        (RUN, 4096, 1, 7),
        (INTERRUPT, 4, 0, 2),
        (INTERRUPT, 3, u32::MAX, 0),
        (8, 0, 0, 1),
        (0x0A, 0, 0, 1),
        (0x7F, 0, 0, 1),
    ];
    for (funct7, rs1, rs2, cause) in cases {
        let mut bench = Bench::new();
        bench.push(&transfer(1, 0, 0, 1));
        bench.give(funct7, rs1, rs2);
        assert_eq!(
            bench.fence(),
            if cause == 0 { 0 } else { cause << 8 | 2 },
            "{funct7:#x} {rs1:#x} {rs2:#x}"
        );
        assert_eq!(bench.number().value(), 1);
    }
    let mut bench = Bench::new();
    bench.give(PUSH, 1, 0);
    bench.give(RUN, 64, 0);
    assert_eq!(bench.fence(), 0);
    bench.give(RUN, 64, 1);
    assert_eq!(bench.fence(), 0x202, "a list between the words of a command");
}

#[test]
fn memory_that_is_not_there_is_told_with_its_address() {
    let load = transfer(1, 4090, 0, 8);
    let store = transfer(2, 8000, 0, 8);
    for (record, cause, address) in [(load, 5, 4096), (store, 6, 8000)] {
        let mut bench = Bench::new();
        bench.list(0, &[product(), product(), record, product()]);
        bench.give(RUN, 0, 4);
        assert_eq!(bench.fence(), cause << 8 | 2);
        assert_eq!((bench.number(), bench.ask(INFO, 1)), (Reading::timing(2), Reading::timing(address)));
        assert_eq!(bench.port.error(), Some(PortError { cause: cause as u8, address }));
    }
    let mut bench = Bench::new();
    bench.list(4032, &[product()]);
    bench.give(RUN, 4032, 3);
    assert_eq!((bench.fence(), bench.number().value()), (0x702, 1));
    assert_eq!(bench.ask(INFO, 1).value(), 4096);
}

#[test]
fn after_an_error_all_is_dropped_until_it_is_cleared() {
    let mut bench = Bench::new();
    bench.memory[0] = 77;
    let refused = transfer(1, 0, 1, 1);
    bench.list(1024, &[transfer(1, 0, 8, 1), refused, transfer(1, 0, 16, 1)]);
    bench.give(RUN, 1024, 3);
    bench.push(&transfer(1, 0, 24, 1));
    bench.give(RUN, 1, 1);
    bench.give(0x55, 0, 0);
    bench.give(PUSH, 1, 0);
    assert_eq!((bench.fence(), bench.number()), (0x302, Reading::Exact(1)), "the first error is kept");
    assert_eq!([8, 16, 24].map(|place| bench.port.unit().scratchpad[place]), [77, 0, 0]);
    bench.give(CLEAR, 0, 0);
    assert_eq!((bench.fence(), bench.number()), (0, Reading::Exact(0)));
    assert_eq!(bench.ask(COUNTER, counter::BYTES_LOADED).value(), 0);
    assert_eq!(bench.port.unit().scratchpad[8], 77, "the scratchpad stays");
    bench.push(&transfer(1, 0, 24, 1));
    assert_eq!(bench.fence(), 0, "no word of an earlier command is left");
    assert_eq!(bench.port.unit().scratchpad[24], 77);
}

#[test]
fn the_interrupt_is_a_level_of_the_state() {
    let mut bench = Bench::new();
    for (enables, healthy, failed) in [(0, false, false), (1, true, true), (2, false, true), (3, true, true)]
    {
        bench.give(CLEAR, 0, 0);
        assert!(!bench.port.interrupt(), "cleared");
        bench.give(INTERRUPT, enables, 0);
        assert_eq!(bench.port.interrupt(), healthy, "{enables}");
        bench.give(0x7F, 0, 0);
        assert_eq!(bench.port.interrupt(), failed, "{enables} after an error");
        bench.give(INTERRUPT, 8, 0);
        assert_eq!((bench.port.interrupt(), bench.fence()), (failed, 0x102), "reserved bits change nothing");
        bench.give(INTERRUPT, 0, 0);
        assert!(!bench.port.interrupt(), "it can be switched off while an error stands");
    }
}

#[test]
fn a_list_of_too_much_work_is_told_and_makes_all_answers_uncertain() {
    let mut bench = Bench::new();
    // Each is allowed, but not all of them together.
    let mut load = transfer(1, 0, 0, 2048);
    load[4] = 0x1_0010;
    bench.list(2048, &[load, load, load]);
    bench.give(RUN, 2048, 3);
    assert!(bench.port.too_much().is_some());
    assert!(
        [FENCE, STATUS]
            .map(|ask| bench.ask(ask, 0))
            .iter()
            .all(|reading| matches!(reading, Reading::Timing { uncertain: u32::MAX, .. }))
    );
    bench.give(CLEAR, 0, 0);
    assert_eq!((bench.fence(), bench.port.too_much()), (0, None));
}

#[test]
fn a_program_and_the_unit_share_external_memory() {
    let mut asm = Asm::new(RAM_BASE);
    asm.li(S0, EXTERNAL_BASE as i32);
    for (index, word) in transfer(1, EXTERNAL_BASE + 0x100, 0, 4).into_iter().enumerate().take(5) {
        asm.li(T0, word as i32);
        asm.sw(T0, 4 * index as i32, S0);
    }
    for (index, word) in transfer(2, EXTERNAL_BASE + 0x201, 0, 4).into_iter().enumerate().take(5) {
        asm.li(T0, word as i32);
        asm.sw(T0, 64 + 4 * index as i32, S0);
    }
    asm.li(T0, 0x0403_0201);
    asm.sw(T0, 0x100, S0);
    asm.li(T1, 2);
    asm.t_run(S0, T1);
    asm.t_fence(A0);
    asm.lw(A1, 0x200, S0);
    asm.t_info(A2, ZERO);
    asm.li(T0, 3);
    asm.t_interrupt(T0);
    asm.t_push(ZERO, ZERO);
    asm.t_other(0x55, A4, ZERO, ZERO);
    asm.t_status(A3);
    asm.jr(S0);
    let program = asm.finish().expect("a correct program");
    let config = MachineConfig { external_bytes: 1024, ..MachineConfig::default() };
    let mut machine = Machine::with_tensor(config, Port::new(SIZES, 100).unwrap());
    machine.write_memory(program.base, &program.bytes).expect("fits the RAM");
    let mut iss = Iss::new(machine, HartConfig { reset_pc: RAM_BASE, ..HartConfig::default() });
    iss.set_register(A4, 77);
    for _ in 0..program.bytes.len() / 4 {
        iss.step();
    }
    assert_eq!((iss.register(A0), iss.register(A1), iss.register(A2)), (0, 0x0302_0100, 2));
    assert_eq!(iss.register(A4), 77, "an instruction that returns nothing leaves rd alone");
    assert_eq!(iss.register(A3), 0x102);
    // It cannot be fetched from.
    assert_eq!(iss.step().trap.map(|trap| (trap.cause, trap.tval)), Some((1, EXTERNAL_BASE)));
    assert_eq!(iss.bus.read_memory(EXTERNAL_BASE + 0x201, 4).unwrap(), [1, 2, 3, 4]);
    assert!(iss.bus.read_memory(EXTERNAL_BASE + 1021, 4).is_err());
}

proptest! {
    #[test]
    fn no_sequence_of_instructions_makes_the_unit_panic(
        instructions in prop::collection::vec((0u32..0x0A, any::<u32>(), 0u32..9, any::<bool>()), 0..80),
        bytes in prop::collection::vec(any::<u8>(), 256),
    ) {
        let mut bench = Bench::new();
        bench.memory[..256].copy_from_slice(&bytes);
        for (funct7, rs1, rs2, small) in instructions {
            bench.reply(funct7, if small { rs1 & 0x3C3 } else { rs1 }, rs2);
            let is_error = bench.port.error().is_some();
            prop_assert_eq!(bench.ask(STATUS, 0).value() >> 1 & 1 == 1, is_error);
        }
        bench.give(CLEAR, 0, 0);
        prop_assert_eq!(bench.fence(), 0);
    }
}
