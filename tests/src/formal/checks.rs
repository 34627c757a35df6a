//! What is proved, in pieces that a solver manages, and how many cycles each is followed.

use super::instructions::RESULT;

/// What a check shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No run of so many cycles breaks a claim in its last cycle.
    Safety,
    /// The same, where the buses are patient, `wfi` does not come and predictors learn.
    Liveness,
    /// Every goal is reached within so many cycles.
    Goals,
    /// No run of any length breaks a claim, by induction over so many cycles.
    Always,
}

/// Claims that are proved together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, in reports and of files.
    pub name: String,
    /// The claims, by their labels.
    pub claims: Vec<String>,
    /// Cycles after the reset.
    pub depth: u32,
    /// What is to be shown of them.
    pub kind: Kind,
}

/// The checks but those of results: name, claims (a label, or its beginning before `*`, or its end behind `*`), depth.
const CHECKS: [(&str, &[&str], u32); 16] = [
    ("traps", &["trap_is_*", "trap_has_*"], 14),
    ("reported_registers", &["rs1_is_reported", "rs2_is_reported", "rd_is_reported", "x0_stays_0"], 14),
    ("successor", &["program_goes_*", "exception_goes_*"], 14),
    ("registers", &["rs1_is_what_*", "rs2_is_what_*", "rs1_of_*", "rs2_of_*"], 12),
    ("course", &["program_takes_*", "handler_is_marked"], 14),
    ("modes", &["mode_changes_*", "there_is_only_*", "interrupt_tells_*"], 14),
    ("order", &["instructions_are_*", "core_never_*"], 14),
    ("accesses", &["load_reads_its_*", "store_*", "access_*", "request_belongs_*", "requests_come_*"], 14),
    ("memory", &["load_reads_what_*"], 12),
    ("code", &["instruction_begins_*", "instruction_ends_*", "compressed_*"], 12),
    ("fetch_faults", &["missing_*", "code_that_*", "fetch_fault_*"], 12),
    ("buses", &["*_request_is_not_withdrawn", "*_request_does_not_change"], 16),
    ("commands", &["command_was_*", "command_result_*", "no_commands"], 14),
    ("csr_writes", &["*_after_an_instruction"], 12),
    ("csr_reads", &["*_is_read"], 12),
    (
        "interrupts",
        &[
            "interrupt_has_*",
            "interrupt_leaves_*",
            "interrupt_pushes_*",
            "interrupt_in_*",
            "interrupt_returns_*",
        ],
        14,
    ),
];

/// Results of instructions that take the solver long, each alone, and the others in groups of so many.
const RESULTS_AT_ONCE: usize = 8;
const RESULT_DEPTH: u32 = 14;
const HARD: [&str; 3] = ["cpop", "clz", "ctz"];

/// Cycles for the check that instructions retire at all.
const LIVELY_DEPTH: u32 = 40;

/// Whether a label is the one of a pattern: the whole, a beginning before `*`, or an end behind `*`.
pub fn fits(label: &str, pattern: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => label.ends_with(end),
        (_, Some(start)) => label.starts_with(start),
        _ => label == pattern,
    }
}

/// The checks of a core whose assertions and goals have these labels. A label of a module within the core begins with `core.`.
pub fn checks(labels: &[String]) -> Vec<Check> {
    let mut checks: Vec<Check> = CHECKS
        .iter()
        .map(|(name, patterns, depth)| {
            let fits = |label: &&String| patterns.iter().any(|pattern| fits(label, pattern));
            let claims = labels.iter().filter(fits).cloned().collect();
            Check { name: name.to_string(), claims, depth: *depth, kind: Kind::Safety }
        })
        .collect();
    let (hard, easy): (Vec<_>, Vec<_>) = labels
        .iter()
        .filter(|label| label.starts_with(RESULT))
        .partition(|label| HARD.iter().any(|hard| label[RESULT.len()..] == **hard));
    let groups = hard.chunks(1).chain(easy.chunks(RESULTS_AT_ONCE)).filter(|group| !group.is_empty());
    checks.extend(groups.map(|group| {
        let names: Vec<&str> = group.iter().map(|label| &label[RESULT.len()..]).collect();
        let claims = group.iter().map(|label| label.to_string()).collect();
        Check {
            name: format!("results_{}", names.join("_")),
            claims,
            depth: RESULT_DEPTH,
            kind: Kind::Safety,
        }
    }));
    let within = labels.iter().filter(|label| label.starts_with("core.")).cloned().collect();
    checks.push(Check {
        name: "assertions_of_the_core".to_string(),
        claims: within,
        depth: 14,
        kind: Kind::Safety,
    });
    let lively = vec!["some_instruction_retires".to_string()];
    checks.push(Check {
        name: "liveness".to_string(),
        claims: lively,
        depth: LIVELY_DEPTH,
        kind: Kind::Liveness,
    });
    let goals = labels.iter().filter(|label| label.starts_with("reached_")).cloned().collect();
    checks.push(Check { name: "goals".to_string(), claims: goals, depth: 12, kind: Kind::Goals });
    checks.retain(|check| !check.claims.is_empty());
    checks
}
