//! Names in Verilog.

use std::collections::HashSet;

/// Keywords of Verilog-2005 (IEEE 1364-2005, annex B), and those of SystemVerilog that tools reserve even when told to read Verilog.
const RESERVED: &str = "always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign \
    default defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive \
    endspecify endtable endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir \
    include initial inout input instance integer join large liblist library localparam macromodule medium module nand \
    negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown \
    pullup pulsestyle_onevent pulsestyle_ondetect rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 \
    rtranif1 scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task time tran \
    tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor \
    xnor xor assert assume cover bit byte logic int longint shortint enum struct union typedef interface package class \
    do return break continue final unique priority property sequence string this new void static const ref var";

/// Whether a name is a keyword.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.split_whitespace().any(|word| word == name)
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
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// The names that a module uses.
#[derive(Default)]
pub(super) struct Taken(HashSet<String>);

impl Taken {
    /// Marks a name as used.
    pub fn take(&mut self, name: &str) {
        self.0.insert(name.to_string());
    }

    /// The name, or the name with the first number from 2 on that makes it new.
    pub fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_string();
        let mut k = 2;
        while is_reserved(&name) || !self.0.insert(name.clone()) {
            name = format!("{wanted}_{k}");
            k += 1;
        }
        name
    }
}
