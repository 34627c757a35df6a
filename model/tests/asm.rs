//! The assembler: labels, constants, data, mistakes.

use ferrite_model::isa::{Asm, AsmError, Program, decode, reg::*};
use ferrite_model::iss::{HartConfig, Iss, Machine, MachineConfig, memory_map::RAM_BASE};
use proptest::prelude::*;

fn text(program: &Program) -> Vec<String> {
    let address = |index: usize| program.base + 4 * index as u32;
    let words =
        program.bytes.chunks_exact(4).map(|bytes| u32::from_le_bytes(bytes.try_into().expect("4 bytes")));
    words
        .enumerate()
        .map(|(i, word)| decode(word).map_or("?".into(), |inst| inst.at(address(i)).to_string()))
        .collect()
}

fn run(program: &Program, instructions: u64) -> Iss<Machine> {
    let mut machine = Machine::new(MachineConfig::default());
    machine.write_memory(program.base, &program.bytes).expect("fits the RAM");
    let mut iss = Iss::new(machine, HartConfig { reset_pc: program.base, ..HartConfig::default() });
    iss.run(instructions);
    iss
}

#[test]
fn branches_reach_labels_before_and_after() {
    let mut asm = Asm::new(0x100);
    let end = asm.label("end");
    let start = asm.here("start");
    asm.beqz(A0, end);
    asm.bgt(A0, A1, start);
    asm.j(start);
    asm.bind(end);
    asm.jal(RA, end);
    let program = asm.finish().expect("a correct program");
    assert_eq!(
        text(&program),
        ["beq a0, zero, 0x10c", "blt a1, a0, 0x100", "jal zero, 0x100", "jal ra, 0x10c"]
    );
    assert_eq!(program.symbols, [("end".to_string(), 0x10C), ("start".to_string(), 0x100)].into());
}

#[test]
fn an_address_is_loaded_relative_to_the_pc() {
    let mut asm = Asm::new(RAM_BASE);
    let table = asm.label("table");
    asm.la(A0, table);
    asm.lw(A1, 0, A0);
    asm.space(0x1800);
    asm.bind(table);
    asm.word(0xCAFE_F00D);
    asm.word_of(table);
    let iss = run(&asm.finish().expect("a correct program"), 3);
    assert_eq!((iss.register(A0), iss.register(A1)), (RAM_BASE + 0x180C, 0xCAFE_F00D));
    let pointer = iss.bus.read_memory(RAM_BASE + 0x1810, 4).expect("in RAM");
    assert_eq!(pointer, (RAM_BASE + 0x180C).to_le_bytes());
}

#[test]
fn calls_reach_beyond_a_jump_and_return() {
    let mut asm = Asm::new(RAM_BASE);
    let far = asm.label("far");
    asm.call(far);
    asm.tail(far);
    asm.space(0x1F_0000);
    asm.bind(far);
    asm.ret();
    let program = asm.finish().expect("a correct program");
    let mut machine = Machine::new(MachineConfig { ram_bytes: 4 << 20, ..MachineConfig::default() });
    machine.write_memory(program.base, &program.bytes).expect("fits the RAM");
    let mut iss = Iss::new(machine, HartConfig { reset_pc: RAM_BASE, ..HartConfig::default() });
    let pcs: Vec<u32> = (0..5).map(|_| iss.step().next_pc).collect();
    let far = program.symbols["far"];
    assert_eq!(pcs, [RAM_BASE + 4, far, RAM_BASE + 8, RAM_BASE + 12, far]);
}

#[test]
fn data_is_little_endian_and_aligned_on_demand() {
    let mut asm = Asm::new(0x10);
    asm.byte(1);
    asm.half(0x0302);
    asm.align(8);
    asm.word(0x0706_0504);
    asm.data(b"ok");
    asm.align(1);
    let program = asm.finish().expect("a correct program");
    assert_eq!(program.bytes, [1, 2, 3, 0, 0, 0, 0, 0, 4, 5, 6, 7, b'o', b'k']);
}

fn mistake(write: impl FnOnce(&mut Asm)) -> AsmError {
    let mut asm = Asm::new(0x1000);
    write(&mut asm);
    asm.finish().expect_err("a mistake")
}

#[test]
fn mistakes_are_reported_with_their_address() {
    let message = mistake(|asm| {
        asm.nop();
        asm.addi(A0, A0, 5000);
    })
    .to_string();
    assert_eq!(
        message,
        "at 0x00001004: `addi`: immediate 5000 is out of range; it must be from -2048 to 2047, a multiple of 1"
    );
    let reach = mistake(|asm| {
        let far = asm.label("far");
        asm.beqz(A0, far);
        asm.space(4092);
        asm.bind(far);
    });
    assert!(
        matches!(reach, AsmError::OutOfReach { address: 0x1000, distance: 4096, max: 4094, .. }),
        "{reach}"
    );
    let unbound = mistake(|asm| {
        let nowhere = asm.label("nowhere");
        asm.j(nowhere);
    });
    assert_eq!(unbound, AsmError::Unbound { address: 0x1000, label: "nowhere".into() });
    let rebound = mistake(|asm| {
        let twice = asm.here("twice");
        asm.nop();
        asm.bind(twice);
    });
    assert_eq!(rebound, AsmError::Rebound { address: 0x1004, label: "twice".into(), first: 0x1000 });
    let duplicate = mistake(|asm| {
        asm.here("same");
        asm.here("same");
    });
    assert_eq!(duplicate, AsmError::DuplicateName { label: "same".into() });
    let misaligned = mistake(|asm| {
        asm.byte(0);
        asm.nop();
    });
    assert_eq!(misaligned, AsmError::MisalignedInstruction { address: 0x1001, alignment: 4 });
    assert_eq!(mistake(|asm| asm.align(3)), AsmError::Alignment { address: 0x1000, bytes: 3 });
    let odd = mistake(|asm| {
        let odd = asm.label("odd");
        asm.j(odd);
        asm.byte(0);
        asm.bind(odd);
    });
    assert!(matches!(odd, AsmError::OddTarget { .. }), "{odd}");
}

#[test]
fn a_program_beyond_the_address_space_is_a_mistake() {
    let mut asm = Asm::new(0xFFFF_FFF0);
    asm.space(17);
    assert_eq!(asm.finish(), Err(AsmError::TooLarge { base: 0xFFFF_FFF0, bytes: 17 }));
}

proptest! {
    #[test]
    fn li_loads_every_constant(value: i32) {
        let mut asm = Asm::new(RAM_BASE);
        asm.li(A0, value);
        let program = asm.finish().expect("a correct program");
        prop_assert_eq!(run(&program, program.bytes.len() as u64 / 4).register(A0), value as u32);
    }
}

#[test]
fn li_loads_the_constants_at_its_borders() {
    for value in [0, -1, 2047, 2048, -2048, -2049, 0x7FFF_F800, 0x7FFF_FFFF, i32::MIN, 0x1000, 0xFFF] {
        let mut asm = Asm::new(RAM_BASE);
        asm.li(A0, value);
        let program = asm.finish().expect("a correct program");
        assert_eq!(run(&program, program.bytes.len() as u64 / 4).register(A0), value as u32);
    }
}
