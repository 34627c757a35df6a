//! The machine code of a design, and the memory that it works on.

use cranelift_codegen::Context;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AbiParam, FuncRef, InstBuilder, UserFuncName, Value};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};
use ferrite_hdl::flat::Flat;

use super::body::Body;
use super::driver;
use super::error::NativeError;
use super::plan::{Block, Plan};
use super::scalar::Scalar;
use super::wide::Helpers;

/// A function on the buffer.
type OnBuffer = unsafe extern "C" fn(*mut u64);
/// A function on the buffer and a set of clocks.
type OnBufferAndClocks = unsafe extern "C" fn(*mut u64, u64);

/// What [`Code::chunk`] gives.
pub(super) type Chunk = [u64; 4];

/// Bytes of a chunk.
pub(super) const CHUNK_BYTES: u64 = 32;

/// What an edge of one clock does.
struct Edge {
    write_memories: OnBuffer,
    change_registers: OnBuffer,
}

/// Compiled code with its buffer.
pub(super) struct Code {
    /// Owns the memory of the functions; freed when this is dropped.
    module: Option<JITModule>,
    evaluate: OnBuffer,
    edges: Vec<Edge>,
    write_shared_memories: Option<OnBufferAndClocks>,
    buffer: Vec<u64>,
}

// SAFETY: the functions are plain code that touches nothing but the buffer, which is owned, and their own stack; the module is only
// kept to be freed. Nothing of it belongs to a thread.
unsafe impl Send for Code {}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: pointers to the functions are private to this value, which is on its way out; none is running.
            unsafe { module.free_memory() };
        }
    }
}

impl Code {
    /// Compiles a plan. The buffer is all 0.
    pub fn new(flat: &Flat, plan: &Plan) -> Result<Code, NativeError> {
        let mut compiler = Compiler::new()?;
        let name = |block: &Block| NativeError::place(flat, block);
        let mut blocks = Vec::new();
        for (k, block) in plan.blocks.iter().enumerate() {
            let function = compiler.function(&name(block), 1, |body, helpers, _, _| {
                let mut scalar = Scalar::new(plan, body, helpers, k as u32);
                match block {
                    Block::Cluster(cluster) => scalar.cluster(cluster),
                    Block::Lanes(lanes) => scalar.lanes(lanes),
                }
                scalar.body
            })?;
            blocks.push(function);
        }
        let evaluate = compiler.function("evaluation", 1, |mut body, _, module, _| {
            let functions = import(module, &mut body, &blocks);
            driver::evaluate(&mut body, plan, &functions);
            body
        })?;
        let mut edges = Vec::new();
        for (memories, registers) in &plan.layout.clock_words {
            let mut parts = Vec::new();
            for word in registers.clone() {
                parts.push(compiler.function("registers", 1, |mut body, _, _, _| {
                    driver::change_registers(&mut body, plan, word);
                    body
                })?);
            }
            let change = compiler.function("registers of a clock", 1, |mut body, _, module, _| {
                let functions = import(module, &mut body, &parts);
                driver::call_all(&mut body, &functions);
                body
            })?;
            let write = compiler.function("memories of a clock", 1, |mut body, _, _, _| {
                memories.clone().for_each(|word| driver::write_memories(&mut body, plan, word));
                body
            })?;
            edges.push((write, change));
        }
        let shared = plan.layout.memories.iter().any(|m| m.clock.is_none() && !m.ports.is_empty());
        let shared = match shared {
            false => None,
            true => Some(compiler.function("memories of several clocks", 2, |mut body, _, _, clocks| {
                if let Some(clocks) = clocks {
                    driver::write_shared_memories(&mut body, plan, clocks);
                }
                body
            })?),
        };
        let mut module = compiler.module;
        module.finalize_definitions().map_err(|error| NativeError::host(&error))?;
        let address = |function: FuncId| module.get_finalized_function(function);
        // SAFETY: these functions were declared with one parameter, the pointer, no result and the platform's C convention.
        let on_buffer = |function| unsafe { std::mem::transmute::<*const u8, OnBuffer>(address(function)) };
        let edge = |(write, change): &(FuncId, FuncId)| Edge {
            write_memories: on_buffer(*write),
            change_registers: on_buffer(*change),
        };
        let edges = edges.iter().map(edge).collect();
        // SAFETY: as above; this one was declared with a second parameter of 64 bits.
        let on_both =
            |function| unsafe { std::mem::transmute::<*const u8, OnBufferAndClocks>(address(function)) };
        let (evaluate, write_shared_memories) = (on_buffer(evaluate), shared.map(on_both));
        let buffer = vec![0; plan.layout.bytes.next_multiple_of(CHUNK_BYTES).div_ceil(8) as usize];
        Ok(Code { module: Some(module), evaluate, edges, write_shared_memories, buffer })
    }

    /// Evaluates what is active.
    pub fn evaluate(&mut self) {
        // SAFETY: the code is alive, since `self.module` is, and was made for a buffer of just this layout and size: all its loads and
        // stores are at offsets of places in the layout, or at words of memories, whose addresses have no more bits than the depth (a
        // power of two) allows. `&mut self` says that nobody else looks at the buffer.
        unsafe { (self.evaluate)(self.buffer.as_mut_ptr()) }
    }

    /// Takes an edge of some clocks at once.
    pub fn edge(&mut self, clocks: &[usize]) {
        let buffer = self.buffer.as_mut_ptr();
        // Memories first: what they write was computed from the registers as they are.
        if let Some(write) = self.write_shared_memories {
            let set = clocks.iter().fold(0, |set, clock| set | 1u64 << clock);
            // SAFETY: as in `evaluate`.
            unsafe { write(buffer, set) }
        }
        for clock in clocks {
            // SAFETY: as in `evaluate`.
            unsafe { (self.edges[*clock].write_memories)(buffer) }
        }
        for clock in clocks {
            // SAFETY: as in `evaluate`.
            unsafe { (self.edges[*clock].change_registers)(buffer) }
        }
    }

    /// 32 bytes of the buffer, at an offset that is a multiple of 32.
    pub fn chunk(&self, offset: u64) -> Chunk {
        let first = (offset / 8) as usize;
        std::array::from_fn(|k| self.buffer[first..first + 4][k])
    }

    /// A word of the buffer, at an offset that is a multiple of 8.
    pub fn word(&self, offset: u64) -> u64 {
        self.buffer[(offset / 8) as usize]
    }

    /// The same, to be changed.
    pub fn word_mut(&mut self, offset: u64) -> &mut u64 {
        &mut self.buffer[(offset / 8) as usize]
    }
}

fn import(module: &mut JITModule, body: &mut Body, functions: &[FuncId]) -> Vec<FuncRef> {
    functions.iter().map(|function| module.declare_func_in_func(*function, body.b.func)).collect()
}

struct Compiler {
    module: JITModule,
    context: Context,
    builder: FunctionBuilderContext,
    helpers: Helpers,
    functions: u32,
}

impl Compiler {
    fn new() -> Result<Compiler, NativeError> {
        if cfg!(target_endian = "big") {
            return Err(NativeError::host(&"bytes of a word are in an order that it does not know"));
        }
        let mut flags = settings::builder();
        for (name, value) in [
            ("use_colocated_libcalls", "false"),
            ("is_pic", "false"),
            // Its optimiser would move what compares new values with old ones to the end of a function, where it needs all of them.
            ("opt_level", "none"),
            ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
        ] {
            flags.set(name, value).map_err(|error| NativeError::host(&error))?;
        }
        let isa = cranelift_native::builder().map_err(|error| NativeError::host(&error))?;
        let isa = isa.finish(settings::Flags::new(flags)).map_err(|error| NativeError::host(&error))?;
        let module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
        let context = module.make_context();
        let helpers = Helpers { convention: module.target_config().default_call_conv };
        Ok(Compiler { module, context, builder: FunctionBuilderContext::new(), helpers, functions: 0 })
    }

    /// Compiles one function with so many parameters of 64 bits, the first of them the buffer.
    fn function(
        &mut self,
        place: &str,
        parameters: usize,
        write: impl for<'f> FnOnce(Body<'f>, Helpers, &mut JITModule, Option<Value>) -> Body<'f>,
    ) -> Result<FuncId, NativeError> {
        let failed = |error: &dyn std::fmt::Display| NativeError::Compile {
            place: place.to_string(),
            reason: error.to_string(),
        };
        let mut signature = self.module.make_signature();
        signature.params = vec![AbiParam::new(I64); parameters];
        // Profilers show it.
        let name = format!("{} {place}", self.functions);
        self.functions += 1;
        let id = self.module.declare_function(&name, Linkage::Local, &signature);
        let id = id.map_err(|error| failed(&error))?;
        self.context.func.signature = signature;
        self.context.func.name = UserFuncName::user(0, id.as_u32());
        let body = Body::new(FunctionBuilder::new(&mut self.context.func, &mut self.builder));
        let second =
            body.b.block_params(body.b.current_block().expect("made by `Body::new`")).get(1).copied();
        let mut body = write(body, self.helpers, &mut self.module, second);
        body.b.ins().return_(&[]);
        body.b.seal_all_blocks();
        body.b.finalize(self.module.target_config());
        self.module.define_function(id, &mut self.context).map_err(|error| failed(&error))?;
        self.module.clear_context(&mut self.context);
        Ok(id)
    }
}
