//! Writes `ferrite.ld`: the linker script for programs that run from a chip's RAM.

use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{MemoryMap, Region};

/// The linker script for a valid chip.
///
/// The program stands in the RAM, where the loader puts it, so that `.data` needs no copy at start-up; what the tensor unit works on, `.external`, in external memory, where the loader
/// puts it too. In the RAM, from the bottom: code and constants, initialised data, thread-local data, zeroed data, heap, stack.
pub fn linker_script(chip: &ChipConfig) -> String {
    let map = MemoryMap::of(chip);
    let ram = map.ram();
    let [external, external_header, external_section] = external(&map);
    format!(
        "/* Linker script of the chip `{name}`: programs that run from its RAM.\n\
         \x20* Written by `ferrite gen` from the chip's description: change that, not this file. */\n\n\
         OUTPUT_ARCH(riscv)\n\
         ENTRY(_start)\n\n\
         MEMORY {{\n  ram (rwx) : ORIGIN = {base:#010x}, LENGTH = {size:#x}\n{flash}{external}}}\n\n\
         PROVIDE(__stack_size = 0x2000);\n\n\
         PHDRS {{\n{PROGRAM_HEADERS}{external_header}}}\n\n\
         SECTIONS {{\n{SECTIONS}{external_section}{DISCARDED}}}\n\n\
         {SYMBOLS}\
         ASSERT(__heap_start <= __heap_end,\n  \
           \"the program and its stack do not fit into the RAM ({size} bytes); set soc.ram_bytes higher\")\n",
        name = chip.name,
        base = ram.base,
        size = ram.size,
        flash = flash(&map),
    )
}

/// The external memory, if there is any: its line among the memories, its program header and its section, for what the tensor unit works on.
fn external(map: &MemoryMap) -> [String; 3] {
    let Some(Region { base, size, .. }) = map.named("external") else { return Default::default() };
    [
        format!("  external (rw) : ORIGIN = {base:#010x}, LENGTH = {size:#x}\n"),
        "  external PT_LOAD FLAGS(6);\n".to_string(),
        "  .external : ALIGN(64) {\n    *(.external .external.*)\n  } >external :external\n\n".to_string(),
    ]
}

/// The flash memory, if there is one: for sections that a program's own script puts there.
fn flash(map: &MemoryMap) -> String {
    map.named("flash").map_or(String::new(), |Region { base, size, .. }| {
        format!("  flash (rx) : ORIGIN = {base:#010x}, LENGTH = {size:#x}\n")
    })
}

/// The sections in the RAM, which do not depend on the chip. `--defsym=__stack_size=BYTES` changes the room kept for the stack.
const SECTIONS: &str = "  .text : {
    KEEP(*(.text.start))
    *(.text .text.*)
  } >ram :text

  .rodata : ALIGN(8) {
    *(.rodata .rodata.* .srodata .srodata.*)
    . = ALIGN(8);
    __preinit_array_start = .;
    KEEP(*(.preinit_array))
    __preinit_array_end = .;
    __init_array_start = .;
    KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*)))
    KEEP(*(.init_array))
    __init_array_end = .;
    __fini_array_start = .;
    KEEP(*(SORT_BY_INIT_PRIORITY(.fini_array.*)))
    KEEP(*(.fini_array))
    __fini_array_end = .;
  } >ram :text

  .data : ALIGN(16) {
    *(.data .data.*)
    . = ALIGN(8);
    __global_pointer$ = . + 0x800;
    *(.sdata .sdata.*)
    . = ALIGN(8);
  } >ram :data

  .tdata : ALIGN(8) {
    __tls_base = .;
    *(.tdata .tdata.*)
    . = ALIGN(8);
  } >ram :data :tls

  .tbss (NOLOAD) : ALIGN(8) {
    *(.tbss .tbss.*)
    . = ALIGN(8);
  } >ram :data :tls

  /* The linker gives .tbss no room in memory of its own; the program has one thread, whose room is here. */
  .tbss_room (NOLOAD) : {
    . = . + SIZEOF(.tbss);
  } >ram :data

  .bss (NOLOAD) : ALIGN(8) {
    *(.sbss .sbss.*)
    *(.bss .bss.*)
    *(COMMON)
    . = ALIGN(16);
    __bss_end = .;
  } >ram :data
  __bss_start = ADDR(.tbss);

";

const PROGRAM_HEADERS: &str = "  text PT_LOAD FLAGS(5);
  data PT_LOAD FLAGS(6);
  tls PT_TLS;
";

const DISCARDED: &str = "  /DISCARD/ : { *(.eh_frame .eh_frame.* .note .note.*) }
";

/// After the sections.
const SYMBOLS: &str = "\
__heap_start = __bss_end;
__stack = ORIGIN(ram) + LENGTH(ram);
__heap_end = __stack - __stack_size;
";
