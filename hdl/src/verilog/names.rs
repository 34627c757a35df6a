//! Names in Verilog.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Keywords of Verilog-2005 (IEEE 1364-2005, annex B).
const VERILOG: &str = "\
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign \
    default defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule \
    endprimitive endspecify endtable endtask event for force forever fork function generate genvar \
    highz0 highz1 if ifnone incdir include initial inout input instance integer join large liblist \
    library localparam macromodule medium module nand negedge nmos nor noshowcancelled not notif0 notif1 \
    or output parameter pmos posedge primitive pull0 pull1 pulldown pullup pulsestyle_ondetect \
    pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1 \
    scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task \
    time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand \
    weak0 weak1 while wire wor xnor xor";

/// Those that SystemVerilog adds (IEEE 1800-2017, annex B), which some tools reserve even when told to read Verilog.
const SYSTEM_VERILOG: &str = "\
    accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit break \
    byte chandle checker class clocking const constraint context continue cover covergroup coverpoint \
    cross dist do endchecker endclass endclocking endgroup endinterface endpackage endprogram \
    endproperty endsequence enum eventually expect export extends extern final first_match foreach \
    forkjoin global iff ignore_bins illegal_bins implements implies import inside int interconnect \
    interface intersect join_any join_none let local logic longint matches modport nettype new nexttime \
    null package packed priority program property protected pure rand randc randcase randsequence ref \
    reject_on restrict return s_always s_eventually s_nexttime s_until s_until_with sequence shortint \
    shortreal soft solve static string strong struct super sync_accept_on sync_reject_on tagged this \
    throughout timeprecision timeunit type typedef union unique unique0 until until_with untyped var \
    virtual void wait_order weak wildcard with within";

/// Names that Icarus Verilog 11 (the first) and Verilator 5 (the others) take for types.
const TYPES: &str = "bool mailbox process semaphore";

/// Whether a name is a keyword.
pub fn is_reserved(name: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        [VERILOG, SYSTEM_VERILOG, TYPES].iter().flat_map(|words| words.split_whitespace()).collect()
    });
    WORDS.contains(name)
}

/// `Idle` or `waitForData` as `IDLE`, `WAIT_FOR_DATA`.
pub(super) fn upper_snake(name: &str) -> String {
    let mut out = String::new();
    let mut before_is_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && before_is_lower {
            out.push('_');
        }
        before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        // Rust has letters that Verilog has not.
        out.push(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    }
    out
}

/// The names that a module uses.
#[derive(Default)]
pub(super) struct Taken {
    names: HashSet<String>,
    /// For names that were wanted again, the number to try next.
    next: HashMap<String, u32>,
}

impl Taken {
    /// Marks a name as used.
    pub fn take(&mut self, name: &str) {
        self.names.insert(name.to_string());
    }

    /// The name, or the name with the first number from 2 on that makes it new.
    pub fn fresh(&mut self, wanted: &str) -> String {
        if !is_reserved(wanted) && self.names.insert(wanted.to_string()) {
            return wanted.to_string();
        }
        let next = self.next.entry(wanted.to_string()).or_insert(2);
        loop {
            let name = format!("{wanted}_{next}");
            *next += 1;
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// The names of the files of a design. Case does not tell them apart: some file systems ignore it.
#[derive(Default)]
pub(super) struct FileNames(HashSet<String>);

impl FileNames {
    /// A name with this stem and extension, with a number from 2 on behind the stem if it is taken.
    pub fn fresh(&mut self, stem: &str, extension: &str) -> String {
        let mut name = format!("{stem}.{extension}");
        let mut k = 2;
        while !self.0.insert(name.to_ascii_lowercase()) {
            name = format!("{stem}_{k}.{extension}");
            k += 1;
        }
        name
    }
}
