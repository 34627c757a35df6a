//! What the unit tells of its commands: how many were accepted, and which one stopped it and why.

use ferrite_hdl::prelude::*;

use crate::command::Cause;

/// Bits of an order's number that are kept with it: commands under way are fewer than half of what they can tell apart.
pub const ORDER_BITS: u32 = 6;

/// A transfer that external memory answered with an error.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Fault<T> {
    /// Its engine has come to rest, and all transfers of its kind before it are done.
    pub valid: T,
    /// Its number, modulo 2 to the [`ORDER_BITS`].
    pub order: T,
    /// Where external memory gave the error.
    pub address: T,
    /// It is known: what the verdict tells has it in it.
    #[flip]
    pub known: T,
}

impl Fault<Shape> {
    fn shape() -> Fault<Shape> {
        Fault { valid: bit(), order: bits(ORDER_BITS), address: bits(32), known: bit() }
    }
}

/// Ports of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct VerdictIn<T> {
    /// A command is accepted.
    pub accepts: T,
    /// The next one is refused for this [`Cause`], if it is one.
    pub refuses: T,
    /// An error of the instructions or of the fetch of a list behind the commands that have come: a [`Cause`] or none.
    pub refuse: T,
    /// All commands that have come were judged.
    pub all_judged: T,
    /// Of a load.
    pub load: Fault<T>,
    /// Of a store.
    pub store: Fault<T>,
    /// As after reset.
    pub clear: T,
}

/// Outputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct VerdictOut<T> {
    /// An error stands.
    pub error: T,
    /// Why.
    pub cause: T,
    /// Accepted commands, or the number of the one at fault.
    pub number: T,
    /// Where external memory gave the error.
    pub address: T,
    /// A `refuse` waits for the commands before it.
    pub waits: T,
}

/// Keeps the error of the earliest command. Commands are refused behind all that were accepted, and so a transfer that fails later is an earlier command.
#[module]
pub struct Verdict {}

impl Module for Verdict {
    type In = VerdictIn<UInt>;
    type Out = VerdictOut<UInt>;

    fn inputs(&self) -> VerdictIn<Shape> {
        VerdictIn {
            accepts: bit(),
            refuses: Cause::shape(),
            refuse: Cause::shape(),
            all_judged: bit(),
            load: Fault::shape(),
            store: Fault::shape(),
            clear: bit(),
        }
    }
    fn outputs(&self) -> VerdictOut<Shape> {
        VerdictOut { error: bit(), cause: Cause::shape(), number: bits(32), address: bits(32), waits: bit() }
    }
    fn build(&self, m: &Builder, i: VerdictIn<UInt>) -> VerdictOut<UInt> {
        let error = m.reg("error", 1).reset_to(0);
        let cause = m.reg("cause", Cause::shape()).reset_to(Cause::None);
        let number = m.reg("number", 32).reset_to(0);
        let address = m.reg("address", 32).reset_to(0);
        let waiting = m.reg("waiting", Cause::shape()).reset_to(Cause::None);

        // Judged commands.
        m.when(i.accepts, || number.set(number.wrapping_add(1)));
        m.when(i.refuses.any(), || {
            error.set(1);
            cause.set(i.refuses);
        });

        // What comes behind them.
        wire!(m, waits = waiting.any());
        m.when(i.refuse.any() & !error & !waits, || waiting.set(i.refuse));
        m.when(waits & i.all_judged, || {
            waiting.set(Cause::None);
            m.when(!error, || {
                error.set(1);
                cause.set(waiting);
            });
        });

        // Transfers, one in a cycle: it is kept, and in the next cycle compared with what stands.
        let known = |name: &str| m.reg(name, 1).reset_to(0);
        let (load_known, store_known) = (known("knows_load"), known("knows_store"));
        let (load_fails, store_fails) = (known("load_fails"), known("store_fails"));
        wire!(m, takes_load = i.load.valid & !load_known & !load_fails);
        wire!(m, takes_store = i.store.valid & !store_known & !store_fails & !takes_load);
        load_fails.set(takes_load);
        store_fails.set(takes_store);
        let order = m.delay("order", takes_load.mux(i.load.order, i.store.order));
        let at = m.delay("at", takes_load.mux(i.load.address, i.store.address));
        m.when(load_fails, || load_known.set(1));
        m.when(store_fails, || store_known.set(1));
        i.load.known.set(load_known);
        i.store.known.set(store_known);
        wire!(m, back = number.truncate(ORDER_BITS).wrapping_sub(order));
        wire!(m, earlier = back.any() & !back.msb());
        m.when((load_fails | store_fails) & earlier, || {
            error.set(1);
            m.when(load_fails, || cause.set(Cause::Load)).otherwise(|| cause.set(Cause::Store));
            number.set(number.wrapping_sub(back.extend(32)));
            address.set(at);
        });

        m.when(i.clear, || {
            error.set(0);
            cause.set(Cause::None);
            number.set(0);
            address.set(0);
            waiting.set(Cause::None);
            for flag in [load_known, store_known, load_fails, store_fails] {
                flag.set(0);
            }
        });
        VerdictOut { error, cause, number, address, waits }
    }
}
