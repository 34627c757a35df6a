//! Statements as Verilog text.

use std::collections::HashSet;
use std::fmt::Write;

use crate::ir::{Loc, MemoryId, Module, SignalId, Stmt};
use crate::verilog::EmitOptions;
use crate::verilog::expr::Expressions;
use crate::verilog::place::place;

/// What of a module's body goes into one `always` block.
pub(super) struct Part<'a> {
    pub module: &'a Module,
    pub names: &'a [String],
    pub options: &'a EmitOptions,
    /// Signals that the block sets.
    pub targets: HashSet<SignalId>,
    /// Write and read ports of memories that it serves.
    pub writes: HashSet<(MemoryId, usize)>,
    pub reads: HashSet<(MemoryId, usize)>,
    /// `=` or `<=`.
    pub assign: &'static str,
}

impl Part<'_> {
    fn concerns(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Set { target, .. } => self.targets.contains(target),
            Stmt::MemoryWrite { memory, port, .. } => self.writes.contains(&(*memory, *port)),
            Stmt::MemoryRead { memory, port, .. } => self.reads.contains(&(*memory, *port)),
            Stmt::Check(_) => false,
            Stmt::If { branches, otherwise, .. } => {
                branches.iter().any(|b| self.any(&b.1)) || otherwise.iter().any(|b| self.any(b))
            }
            Stmt::Switch { cases, default, .. } => {
                cases.iter().any(|c| self.any(&c.1)) || default.iter().any(|b| self.any(b))
            }
        }
    }

    /// Whether the block has something to do with one of the statements.
    pub fn any(&self, stmts: &[Stmt]) -> bool {
        stmts.iter().any(|s| self.concerns(s))
    }

    fn place(&self, loc: Loc) -> String {
        if self.options.source_lines { format!("  // {}", place(loc)) } else { String::new() }
    }

    /// Writes the statements that concern the block.
    pub fn write(&self, stmts: &[Stmt], indent: usize, e: &mut Expressions<'_>, out: &mut String) {
        let pad = "    ".repeat(indent);
        for stmt in stmts.iter().filter(|s| self.concerns(s)) {
            match stmt {
                Stmt::Set { target, low, value, loc } => {
                    let name = &self.names[target.index()];
                    e.target.clone_from(name);
                    let left = part(self.module, self.names, *target, *low, self.module.node(*value).width);
                    let text = e.value(*value);
                    let _ = writeln!(out, "{pad}{left} {} {text};{}", self.assign, self.place(loc));
                }
                Stmt::If { branches, otherwise, loc, .. } => {
                    let last = branches.iter().rposition(|b| self.any(&b.1)).map_or(0, |k| k + 1);
                    let shown = if otherwise.iter().any(|b| self.any(b)) { branches.len() } else { last };
                    for (k, (condition, body)) in branches[..shown].iter().enumerate() {
                        self.name_after(body, e);
                        let condition = e.condition(*condition);
                        let word = if k == 0 { format!("{pad}if") } else { " else if".to_string() };
                        let _ = writeln!(
                            out,
                            "{word} ({condition}) begin{}",
                            if k == 0 { self.place(loc) } else { String::new() }
                        );
                        self.write(body, indent + 1, e, out);
                        let _ = write!(out, "{pad}end");
                    }
                    if let Some(body) = otherwise.as_ref().filter(|b| self.any(b)) {
                        out.push_str(" else begin\n");
                        self.write(body, indent + 1, e, out);
                        let _ = write!(out, "{pad}end");
                    }
                    out.push('\n');
                }
                Stmt::Switch { subject, cases, default, loc, .. } => {
                    let subject_width = self.module.node(*subject).width;
                    let codes: usize = cases.iter().map(|c| c.0.len()).sum();
                    let all = subject_width < 32 && codes as u64 == 1 << subject_width;
                    let _ = writeln!(out, "{pad}case ({}){}", e.condition(*subject), self.place(loc));
                    for (values, body) in cases.iter().filter(|c| !c.0.is_empty()) {
                        let values: Vec<String> = values.iter().map(|v| e.condition(*v)).collect();
                        self.arm(&values.join(", "), body, indent + 1, e, out);
                    }
                    match default.as_ref().filter(|_| !all) {
                        Some(body) => self.arm("default", body, indent + 1, e, out),
                        None if all => {}
                        None => {
                            let _ = writeln!(out, "{pad}    default: ;");
                        }
                    }
                    let _ = writeln!(out, "{pad}endcase");
                }
                Stmt::MemoryWrite { memory, addr, data, mask, loc, .. } => {
                    let memory = &self.module.memories[memory.index()];
                    e.target.clone_from(&memory.name);
                    let addr = e.index(*addr);
                    match mask {
                        None => {
                            let data = e.value(*data);
                            let _ =
                                writeln!(out, "{pad}{}[{addr}] <= {data};{}", memory.name, self.place(loc));
                        }
                        Some(mask) => {
                            let lanes = self.module.node(*mask).width;
                            let lane = memory.width / lanes;
                            let (mask_name, data) = (e.name(*mask), e.name(*data));
                            for k in 0..lanes {
                                let enable =
                                    if lanes == 1 { mask_name.clone() } else { format!("{mask_name}[{k}]") };
                                let range = match lane {
                                    l if l == memory.width => String::new(),
                                    1 => format!("[{k}]"),
                                    l => format!("[{}:{}]", (k + 1) * l - 1, k * l),
                                };
                                let _ = writeln!(
                                    out,
                                    "{pad}if ({enable}) {}[{addr}]{range} <= {data}{range};{}",
                                    memory.name,
                                    self.place(loc)
                                );
                            }
                        }
                    }
                }
                Stmt::MemoryRead { memory, port, addr, loc } => {
                    let memory = &self.module.memories[memory.index()];
                    let data = &self.names[memory.reads[*port].data.index()];
                    e.target.clone_from(data);
                    let addr = e.index(*addr);
                    let _ = writeln!(out, "{pad}{data} <= {}[{addr}];{}", memory.name, self.place(loc));
                }
                Stmt::Check(_) => {}
            }
        }
    }

    /// Wires made for a condition are named after the first thing that it decides.
    fn name_after(&self, stmts: &[Stmt], e: &mut Expressions<'_>) {
        for stmt in stmts.iter().filter(|s| self.concerns(s)) {
            match stmt {
                Stmt::Set { target, .. } => {
                    return e.target.clone_from(&self.names[target.index()]);
                }
                Stmt::MemoryWrite { memory, .. } | Stmt::MemoryRead { memory, .. } => {
                    return e.target.clone_from(&self.module.memories[memory.index()].name);
                }
                _ => {}
            }
        }
    }

    fn arm(&self, label: &str, body: &[Stmt], indent: usize, e: &mut Expressions<'_>, out: &mut String) {
        let pad = "    ".repeat(indent);
        let mut text = String::new();
        self.write(body, indent + 1, e, &mut text);
        let lines = text.lines().count();
        let _ = match lines {
            0 => writeln!(out, "{pad}{label}: ;"),
            1 => writeln!(out, "{pad}{label}: {}", text.trim()),
            _ => write!(out, "{pad}{label}: begin\n{text}{pad}end\n"),
        };
    }
}

/// A signal or some of its bits, as the left side of an assignment.
pub(super) fn part(module: &Module, names: &[String], target: SignalId, low: u32, width: u32) -> String {
    let (name, whole) = (&names[target.index()], module.signal(target).shape.width);
    match width {
        w if w == whole => name.clone(),
        1 => format!("{name}[{low}]"),
        w => format!("{name}[{}:{low}]", low + w - 1),
    }
}
