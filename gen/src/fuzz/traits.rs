//! What the core under test has.

use ferrite_hw::core::{CoreConfig, Misaligned};
use ferrite_model::isa::{COMPRESSED_TABLE, CSpec, Extension, Op, Spec, TABLE};
use ferrite_model::iss::{Bus, BusFault, HartConfig, Iss, Reading, Width};

use super::place::START;
use crate::run::hart;

/// The core under test, its model, and what follows from them.
#[derive(Clone, Debug)]
pub struct Traits {
    /// The core.
    pub core: CoreConfig,
    /// Whether it has a coprocessor.
    pub has_coprocessor: bool,
    /// The model's hart.
    pub hart: HartConfig,
    /// Its instructions.
    pub instructions: Vec<&'static Spec>,
    /// Its 16-bit instructions.
    pub compressed: &'static [CSpec],
    /// The CSRs that do not trap in machine mode.
    pub csrs: Vec<u16>,
}

/// Nothing at all.
struct Nowhere;

impl Bus for Nowhere {
    fn fetch(&mut self, _: u32) -> Result<u32, BusFault> {
        Err(BusFault)
    }
    fn load(&mut self, _: u32, _: Width) -> Result<Reading, BusFault> {
        Err(BusFault)
    }
    fn store(&mut self, _: u32, _: Width, _: u32) -> Result<(), BusFault> {
        Err(BusFault)
    }
}

impl Traits {
    /// Of a core, which starts where random programs do.
    pub fn new(core: CoreConfig, has_coprocessor: bool) -> Traits {
        let core = CoreConfig { reset_vector: START, ..core };
        let hart = hart(&core);
        let exists = |spec: &&Spec| match spec.extension {
            Extension::Tensor => has_coprocessor,
            extension => hart.implements(extension),
        };
        let iss = Iss::new(Nowhere, hart);
        Traits {
            core,
            has_coprocessor,
            hart,
            instructions: TABLE.iter().filter(exists).collect(),
            compressed: if core.extensions.c { COMPRESSED_TABLE } else { &[] },
            csrs: (0..0x1000).filter(|number| iss.csr(*number).is_some()).collect(),
        }
    }

    /// Whether instructions may stand at any multiple of 2.
    pub fn has_halves(&self) -> bool {
        self.core.extensions.c
    }

    /// Whether loads and stores may be at any address.
    pub fn handles_misaligned(&self) -> bool {
        self.core.misaligned == Misaligned::Handle
    }

    /// Whether the core has an instruction.
    pub fn has(&self, op: Op) -> bool {
        self.instructions.iter().any(|spec| spec.op == op)
    }
}
