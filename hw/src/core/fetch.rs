//! Instruction fetch: asks for words ahead of decode and keeps up to two of them.

use ferrite_hdl::prelude::*;

use super::bus::Bus;

/// Where to go on fetching.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Redirect<T> {
    /// The words fetched so far are not wanted.
    pub valid: T,
    /// Address of the next instruction.
    pub target: T,
}

/// A fetched word.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Fetched<T> {
    /// Its address.
    pub pc: T,
    /// The word.
    pub insn: T,
    /// Nothing could be fetched there.
    pub error: T,
}

impl Fetched<Shape> {
    fn shape() -> Fetched<Shape> {
        Fetched { pc: bits(32), insn: bits(32), error: bit() }
    }
}

/// Inputs of the fetch unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct FetchIn<T> {
    /// The instruction bus.
    #[flip]
    pub bus: Bus<T>,
    /// A jump or trap.
    pub redirect: Redirect<T>,
    /// Decode takes the word on offer.
    pub ready: T,
}

/// Outputs of the fetch unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct FetchOut<T> {
    /// A word is on offer.
    pub valid: T,
    /// The word.
    pub word: Fetched<T>,
}

/// Fetches ahead, straight on until it is redirected. A word is on offer in the cycle of its response; decode may leave it, so
/// two places catch what it leaves, which is as much as can still arrive.
#[module]
pub struct Fetch {
    /// Address of the first instruction.
    pub reset_pc: u32,
}

impl Module for Fetch {
    type In = FetchIn<UInt>;
    type Out = FetchOut<UInt>;

    fn inputs(&self) -> FetchIn<Shape> {
        FetchIn { bus: Bus::shape(), redirect: Redirect { valid: bit(), target: bits(32) }, ready: bit() }
    }
    fn outputs(&self) -> FetchOut<Shape> {
        FetchOut { valid: bit(), word: Fetched::shape() }
    }
    fn build(&self, m: &Builder, i: FetchIn<UInt>) -> FetchOut<UInt> {
        let FetchIn { bus, redirect, ready } = i;
        let pc = m.reg("pc", 32).reset_to(self.reset_pc);
        let outstanding = m.reg("outstanding", 1).reset_to(0);
        let outstanding_pc = m.reg("outstanding_pc", 32);
        let discard = m.reg("discard", 1).reset_to(0);
        let retarget = m.reg("retarget", 1).reset_to(0);
        let retarget_pc = m.reg("retarget_pc", 32);
        let front_valid = m.reg("front_valid", 1).reset_to(0);
        let front = m.regs("front", Fetched::shape());
        let back_valid = m.reg("back_valid", 1).reset_to(0);
        let back = m.regs("back", Fetched::shape());

        // Room is judged as if decode left the word of this cycle, which keeps `ready` off the path to the bus.
        wire!(m, room = !back_valid & !(front_valid & outstanding));
        wire!(m, asks = room & (!outstanding | bus.response.valid));
        wire!(m, accepted = asks & bus.ready);
        bus.request.valid.set(asks);
        bus.request.addr.set(pc);
        bus.request.write.set(0);
        bus.request.wdata.set(0);
        bus.request.mask.set(0b1111);

        m.when(accepted, || {
            pc.set(redirect.valid.mux(redirect.target, retarget.mux(retarget_pc, pc.wrapping_add(4))));
            retarget.set(0);
            outstanding.set(1);
            outstanding_pc.set(pc);
            discard.set(redirect.valid | retarget);
        })
        .otherwise(|| {
            m.when(bus.response.valid, || {
                outstanding.set(0);
                discard.set(0);
            })
            .otherwise_when(redirect.valid, || discard.set(outstanding));
            m.when(redirect.valid, || {
                // A request that waits for `ready` must not change; its response will be discarded.
                m.when(asks, || {
                    retarget.set(1);
                    retarget_pc.set(redirect.target);
                })
                .otherwise(|| pc.set(redirect.target));
            });
        });

        wire!(m, arrives = outstanding & bus.response.valid & !discard);
        let arriving = Fetched { pc: outstanding_pc, insn: bus.response.data, error: bus.response.error };
        wire!(m, offers = front_valid | arrives);
        wire!(m, taken = offers & ready);
        m.when(redirect.valid, || {
            front_valid.set(0);
            back_valid.set(0);
        })
        .otherwise(|| {
            front_valid.set((offers & !taken) | (front_valid & arrives) | back_valid);
            back_valid.set((back_valid | (front_valid & arrives)) & !taken);
        });
        m.when(!front_valid | (taken & !back_valid), || m.connect(front, arriving))
            .otherwise_when(taken, || m.connect(front, back));
        m.when(!back_valid, || m.connect(back, arriving));

        FetchOut {
            valid: offers,
            word: Fetched {
                pc: front_valid.mux(front.pc, outstanding_pc),
                insn: front_valid.mux(front.insn, bus.response.data),
                error: front_valid.mux(front.error, bus.response.error),
            },
        }
    }
}
