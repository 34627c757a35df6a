//! Formal proofs about the parts of the tensor unit and of the library: queues, arbiters, the scratchpad's banks, the board, and the AXI4
//! ports of the DMA engines.
//!
//! Each part stands between inputs that the solver chooses and claims about what it does, in a module called `Proved`. [`subjects`] lists
//! them all; a new part is a file here and a line there.

mod arbiter;
mod banks;
mod board;
mod dma;
mod order;
mod queues;
mod share;

use ferrite_hdl::prelude::*;
use ferrite_hdl::{Design, Diagnostics};
use ferrite_hw::axi::{AxiShare, AxiWidths};
use ferrite_hw::command::Board;
use ferrite_hw::compute::{Banks, ComputeConfig};
use ferrite_hw::dma::DmaConfig;

use super::checks::{Check, Kind, fits};
use super::netlist::{Change, labels_around};
use queues::Between;

/// A part with its claims.
pub struct Subject {
    /// Its name, in reports and of folders.
    pub name: &'static str,
    /// Makes its design.
    design: Box<dyn Fn() -> Result<Design, Diagnostics> + Send + Sync>,
    /// What is proved of it.
    checks: Vec<SubjectCheck>,
}

/// Claims that are proved together.
#[derive(Clone, Copy)]
struct SubjectCheck {
    name: &'static str,
    /// Labels, or their beginnings before `*`, or their ends behind `*`.
    claims: &'static [&'static str],
    depth: u32,
    kind: Kind,
    /// Belongs to the short set of the ordinary tests.
    is_short: bool,
    /// Faults that it must notice.
    faults: &'static [Change],
}

impl Subject {
    /// Its design.
    ///
    /// # Errors
    /// It has mistakes.
    pub fn design(&self) -> Result<Design, Diagnostics> {
        (self.design)()
    }

    /// Labels of all claims and goals of its design.
    pub fn labels(&self, design: &Design) -> Vec<String> {
        let mut labels = labels_around(design, "dut");
        labels.sort();
        labels.dedup();
        labels
    }

    /// Its checks, with the claims of a design.
    pub fn checks(&self, design: &Design) -> Vec<Check> {
        let labels = self.labels(design);
        let of = |check: &SubjectCheck| {
            let claimed = |label: &&String| check.claims.iter().any(|pattern| fits(label, pattern));
            Check {
                name: check.name.to_string(),
                claims: labels.iter().filter(claimed).cloned().collect(),
                depth: check.depth,
                kind: check.kind,
            }
        };
        self.checks.iter().map(of).collect()
    }

    /// Whether a check belongs to the short set.
    pub fn is_short(&self, check: &Check) -> bool {
        self.checks.iter().any(|own| own.name == check.name && own.is_short)
    }

    /// Faults, each with the check that must notice it.
    pub fn faults(&self) -> impl Iterator<Item = (&'static str, &'static Change)> + '_ {
        self.checks.iter().flat_map(|check| check.faults.iter().map(|fault| (check.name, fault)))
    }
}

fn subject<M: Module + Send + Sync>(name: &'static str, proved: M, checks: Vec<SubjectCheck>) -> Subject {
    Subject { name, design: Box::new(move || ferrite_hdl::elaborate(&proved)), checks }
}

const fn check(
    name: &'static str,
    claims: &'static [&'static str],
    depth: u32,
    kind: Kind,
    faults: &'static [Change],
) -> SubjectCheck {
    SubjectCheck { name, claims, depth, kind, is_short: false, faults }
}

const fn short(check: SubjectCheck) -> SubjectCheck {
    SubjectCheck { is_short: true, ..check }
}

const fn fault(file: &'static str, from: &'static str, to: &'static str) -> Change {
    Change { file, from, to }
}

/// All of them.
pub fn subjects() -> Vec<Subject> {
    let mut all = queues();
    all.extend(arbiters());
    all.push(share());
    all.push(banks());
    all.push(board());
    all.extend(axi());
    all
}

/// A queue reaches every state that it has within some twice as many cycles as it has words.
fn queues() -> Vec<Subject> {
    const QUEUE_2: &[Change] = &[fault("Queue_2x2.v", "tail <= tail + 2'd1", "tail <= tail + 2'd3")];
    const QUEUE_4: &[Change] = &[
        fault("Queue_4x2.v", "count != 3'd4", "count != 3'd5"),
        fault("Queue_4x2.v", "head <= head + 3'd1", "head <= head + 3'd2"),
    ];
    const QUEUE_8: &[Change] = &[fault("Queue_8x2.v", "words[tail[2:0]]", "words[head[2:0]]")];
    const BUNDLES: &[Change] = &[fault("Queue_4x2.v", "count != 3'd0", "count > 3'd1")];
    const SKID: &[Change] = &[
        fault("SkidBuffer_2.v", "kept <= enq_data", "kept <= kept"),
        fault("SkidBuffer_2.v", "full ? kept : enq_data", "enq_data"),
    ];
    let queue = |name, between, depth, faults| {
        let check = check("order", &["*"], depth, Kind::Safety, faults);
        subject(name, queues::Proved { between }, vec![short(check)])
    };
    vec![
        queue("queue_of_2", Between::Queue { depth: 2 }, 12, QUEUE_2),
        queue("queue_of_4", Between::Queue { depth: 4 }, 16, QUEUE_4),
        queue("queue_of_8", Between::Queue { depth: 8 }, 20, QUEUE_8),
        queue("queue_of_bundles", Between::RecordQueue { depth: 4 }, 16, BUNDLES),
        queue("skid_buffer", Between::Skid, 12, SKID),
    ]
}

/// Arbiters of single grants.
fn arbiters() -> Vec<Subject> {
    const OF_2: &[Change] = &[fault("RoundRobinArbiter_2.v", "request & first;", "request;")];
    const OF_3: &[Change] = &[
        fault("RoundRobinArbiter_3.v", "request & first;", "request;"),
        fault("RoundRobinArbiter_3.v", "grant[2] ? 3'd0", "grant[2] ? 3'd4"),
    ];
    const OF_8: &[Change] = &[fault("RoundRobinArbiter_8.v", "request & first;", "first;")];
    let arbiter = |name, requesters, depth, faults| {
        let grants = check("grants", &["*"], depth, Kind::Safety, faults);
        subject(name, arbiter::Proved { requesters }, vec![short(grants)])
    };
    vec![
        arbiter("arbiter_of_2", 2, 12, OF_2),
        arbiter("arbiter_of_3", 3, 12, OF_3),
        arbiter("arbiter_of_8", 8, 20, OF_8),
    ]
}

/// What shares an AXI4 port among several masters.
fn share() -> Subject {
    const FILE: &str = "AxiShare_r2w2_32.v";
    const READS: &[Change] = &[
        fault(
            FILE,
            "({8{read_arbiter_grant[1]}} & readers_1_arlen)",
            "({8{read_arbiter_grant[0]}} & readers_1_arlen)",
        ),
        fault(FILE, "readers_1_rvalid = axi_rvalid &", "readers_1_rvalid = axi_arready | axi_rvalid &"),
    ];
    const WRITES: &[Change] = &[
        fault(FILE, "(wvalid & axi_wready & wlast)", "(wvalid & axi_wready)"),
        fault(FILE, "writers_0_wready = turn[0] & axi_wready", "writers_0_wready = axi_wready"),
    ];
    const GOALS: &[Change] = &[fault(FILE, "axi_arvalid = read_addresses_deq_valid", "axi_arvalid = 1'b0")];
    let share = AxiShare { widths: AxiWidths { data_bits: 32, id_bits: 1 }, readers: 2, writers: 2 };
    let reads = &["reads_*", "words_*", "their_master_takes_words_*"];
    let writes = &["writes_*", "data_*", "answers_*", "their_master_takes_answers_*", "dut.*"];
    let checks = vec![
        short(check("reads", reads, 10, Kind::Safety, READS)),
        short(check("writes", writes, 10, Kind::Safety, WRITES)),
        check("goals", &["reached_*"], 10, Kind::Goals, GOALS),
    ];
    subject("axi_share", share::Proved { share }, checks)
}

fn banks() -> Subject {
    const GRANTS: &[Change] = &[
        fault("Banks_128x8_r4w2.v", "!(write_0_valid & (write_bank_0 == write_bank_1))", "1'b1"),
        fault(
            "Banks_128x8_r4w2.v",
            "from_0_0 <= read_0_valid & 1'b1 & (read_bank_0",
            "from_0_0 <= (read_bank_0",
        ),
    ];
    const MEMORY: &[Change] = &[
        fault("Banks_128x8_r4w2.v", "({64{from_0_0}} & word_0)", "({64{from_0_0}} & word_1)"),
        fault("Banks_128x8_r4w2.v", "!(read_0_valid & (read_bank_0 == read_bank_1))", "1'b1"),
    ];
    let config = ComputeConfig { rows: 4, cols: 4, scratchpad_bytes: 128, accumulator_rows: 16 };
    let banks = Banks { config, readers: 4, writers: 2 };
    let grants = &[
        "*_waits_for_an_earlier_one_only",
        "*_is_answered_in_time",
        "*_is_alone_at_its_word",
        "*_is_0_without_a_word",
    ];
    let checks = vec![
        short(check("grants", grants, 3, Kind::Always, GRANTS)),
        // A write, a read, and the word.
        check("memory", &["*_reads_what_was_written"], 5, Kind::Safety, MEMORY),
    ];
    subject("banks", banks::Proved { banks }, checks)
}

fn board() -> Subject {
    const FILE: &str = "Board_4x4_4096_16.v";
    const CONFLICTS: &[Change] = &[
        fault(FILE, "waits_1[next_1] & lanes_1_allowed_shifted[0]", "waits_1[next_1]"),
        fault(FILE, "{here_3, here_2, here_1, here_0}", "{here_3, here_2, here_1, 4'd0}"),
    ];
    const LANES: &[Change] = &[
        fault(FILE, "busy = |all_here |", "busy ="),
        fault(FILE, "compared & orders_good & !taken", "compared & !taken"),
    ];
    const ROOM: &[Change] = &[fault(FILE, "compared & orders_good & !taken", "compared & orders_good")];
    const PROGRESS: &[Change] =
        &[fault(FILE, "(blockers | found) & ~all_done", "(blockers & ~all_done) | found")];
    const GOALS: &[Change] = &[fault(FILE, "compared & orders_good & !taken", "1'b0")];
    let config = ComputeConfig { rows: 4, cols: 4, scratchpad_bytes: 4096, accumulator_rows: 16 };
    let lanes = &["an_order_enters_*", "what_enters_*", "what_begins_*", "busy_*", "dut.*"];
    let checks = vec![
        check("conflicts", &["no_order_begins_*"], 20, Kind::Safety, CONFLICTS),
        short(check("lanes", lanes, 10, Kind::Safety, LANES)),
        check("room", &["lane_is_*"], 24, Kind::Safety, ROOM),
        check("progress", &["who_*"], 24, Kind::Safety, PROGRESS),
        short(check("goals", &["reached_*"], 14, Kind::Goals, GOALS)),
    ];
    subject("board", board::Proved { board: Board { config } }, checks)
}

/// Everything with an AXI4 port. A bridge from the core has its place here.
fn axi() -> Vec<Subject> {
    const READ: &str = "DmaRead_32i1_8a3_2x2.v";
    const WRITE: &str = "DmaWrite_32i1_8a3_2x2.v";
    const OFFERS: &[&str] = &[
        "*_valid_stays",
        "*_is_stable",
        "*_in_a_page",
        "bursts_*",
        "asks_for_nothing_*",
        "takes_no_descriptors_*",
        "writes_nothing_*",
        "*the_end_is_known",
    ];
    const BURSTS: &[&str] = &["*_outstanding", "nothing_is_open_*", "w_follows_aw", "w_last_*"];
    const COURSE: &[&str] =
        &["is_done_*", "an_error_*", "words_are_not_withdrawn", "*never_overfull", "*room_for_words"];
    const END: &[&str] = &["becomes_idle_*", "halts_*", "takes_every_*"];
    // Small, so that a proof comes to its end, and as in the chip.
    let config = |data_bits, word_bytes, address_bits| {
        DmaConfig::new(AxiWidths { data_bits, id_bits: 1 }, word_bytes, address_bits)
    };
    let small = DmaConfig { outstanding: 2, burst_beats: 2, ..config(32, 8, 3) };
    let chip = config(128, 16, 13);
    let offers = |faults| short(check("offers", OFFERS, 2, Kind::Always, faults));
    let checks = |[o, bursts, course, end, goals]: [&'static [Change]; 5]| {
        vec![
            offers(o),
            check("bursts", BURSTS, 14, Kind::Safety, bursts),
            check("course", COURSE, 14, Kind::Safety, course),
            check("end", END, 26, Kind::Liveness, end),
            check("goals", &["reached_*"], 18, Kind::Goals, goals),
        ]
    };
    let of_reads = checks([
        const {
            &[
                fault(READ, "ar_free = !ar_valid | axi_arready", "ar_free = 1'b1"),
                fault("DmaSplit_32x2.v", "!(|last_place[14:10]) & (left < 15'd2)", "left < 15'd2"),
                fault(
                    "DmaSplit_32x2.v",
                    "ends_page ? {5'd0, ~beat[9:0]} : 15'd1",
                    "ends_page ? 15'd1 : 15'd1",
                ),
                fault(READ, "ar_may = ar_free & !halted", "ar_may = ar_free"),
            ]
        },
        const { &[fault(READ, "split_bursts_valid & ar_may & open_ready;", "split_bursts_valid & ar_may;")] },
        const { &[fault(READ, "if (clear & idle)", "if (clear)")] },
        const {
            &[
                fault(READ, "takes_beat = halted | fails", "takes_beat = fails"),
                fault(READ, "if (fails & !halted)", "if (fails & halted)"),
            ]
        },
        const { &[fault(READ, "split_bursts_valid & ar_may & open_ready;", "1'b0;")] },
    ]);
    let of_writes = checks([
        const {
            &[
                fault(WRITE, "w_free = !w_valid | axi_wready", "w_free = 1'b1"),
                fault(WRITE, "halted ? 4'd0 : beats_deq_data[35:32]", "beats_deq_data[35:32]"),
            ]
        },
        const {
            &[
                fault(WRITE, "w_sent == length", "w_sent == 8'd0"),
                fault(WRITE, "idle = !open_valid", "idle = 1'b1"),
            ]
        },
        const { &[fault(WRITE, "axi_bvalid & !fails & open_deq_data[32]", "axi_bvalid & !fails")] },
        const { &[fault(WRITE, "w_may & (shift_beat_valid | halted)", "w_may & shift_beat_valid")] },
        const { &[fault(WRITE, "w_may & (shift_beat_valid | halted)", "1'b0")] },
    ]);
    const READ_OF_CHIP: &[Change] =
        &[fault("DmaRead_128i1_16a13_8x16.v", "ar_free = !ar_valid | axi_arready", "ar_free = 1'b1")];
    const WRITE_OF_CHIP: &[Change] =
        &[fault("DmaWrite_128i1_16a13_8x16.v", "aw_free = !aw_valid | axi_awready", "aw_free = 1'b1")];
    let read = |config| dma::ProvedRead { config, drained_within: DRAINED_WITHIN };
    let write = |config| dma::ProvedWrite { config, drained_within: DRAINED_WITHIN };
    vec![
        subject("dma_read", read(small), of_reads),
        subject("dma_write", write(small), of_writes),
        subject("dma_read_of_the_chip", read(chip), vec![offers(READ_OF_CHIP)]),
        subject("dma_write_of_the_chip", write(chip), vec![offers(WRITE_OF_CHIP)]),
    ]
}

/// Cycles after which a small engine is idle once it has halted, if its memory and its scratchpad let it wait for one cycle at most each time:
/// two bursts of two beats, each of which waits, and what is around them.
const DRAINED_WITHIN: u32 = 18;

/// Assumes that unknowns keep the values that they have in the first cycle.
fn chosen_once(m: &Builder, name: &str, value: UInt) {
    let started = m.reg(&format!("{name}_started"), 1).reset_to(0);
    started.set(1);
    let before = m.delay(&format!("{name}_chosen"), value);
    m.assume(&format!("{name}_is_chosen_once"), !started | value.eq(before));
}

/// Assumes that the inputs of these names are low, in whatever part of the bundle they are, if there are any.
fn low_if_there<B: Bundle<Leaf = UInt> + Clone>(m: &Builder, bundle: &B, names: &[&str]) {
    for leaf in bundle.clone().leaves().into_iter().filter(|leaf| !leaf.flipped) {
        if names.iter().any(|name| leaf.name == *name || leaf.name.ends_with(&format!("_{name}"))) {
            m.assume(&format!("{}_is_low", leaf.name), !leaf.value);
        }
    }
}
