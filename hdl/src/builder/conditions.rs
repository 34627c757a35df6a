//! `when` and `switch`.

use std::cell::RefCell;
use std::collections::HashSet;
use std::panic::Location;

use super::Builder;
use crate::bits::Bits;
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{report, with_building};
use crate::ir::{Loc, NodeId, Op, Stmt};
use crate::signal::{Operand, UInt, same_enum};

/// A `when` that `otherwise` can follow.
#[derive(Debug)]
pub struct When {
    id: u32,
}

/// The cases of a `switch`.
#[derive(Debug)]
pub struct Switch {
    subject: UInt,
    id: u32,
    /// The values of the cases so far.
    seen: RefCell<HashSet<Bits>>,
}

impl Builder {
    fn scope(&self, body: impl FnOnce()) -> Vec<Stmt> {
        with_building(|b, _| b.scopes.push(Vec::new()));
        body();
        with_building(|b, _| if b.scopes.len() > 1 { b.scopes.pop() } else { None })
            .flatten()
            .unwrap_or_default()
    }

    /// Statements that hold where a single bit is 1.
    #[track_caller]
    pub fn when(&self, condition: UInt, body: impl FnOnce()) -> When {
        let loc = Location::caller();
        let condition = condition.condition("`when`", loc);
        let body = self.scope(body);
        let id = with_building(|b, _| {
            let id = b.fresh_id();
            b.push_stmt(Stmt::If { id, branches: vec![(condition.node, body)], otherwise: None, loc });
            id
        });
        When { id: id.unwrap_or(0) }
    }

    /// Statements chosen by the value of a signal: `m.switch(state, |s| { s.case(State::Idle, || ...); })`.
    #[track_caller]
    pub fn switch(&self, subject: UInt, cases: impl FnOnce(&Switch)) {
        let loc = Location::caller();
        let subject = subject.checked(loc);
        let Some(id) = with_building(|b, _| {
            let id = b.fresh_id();
            b.push_stmt(Stmt::Switch { id, subject: subject.node, cases: Vec::new(), default: None, loc });
            id
        }) else {
            return;
        };
        cases(&Switch { subject, id, seen: RefCell::default() });
    }
}

impl When {
    fn attach(&self, loc: Loc, f: impl FnOnce(&mut Vec<(NodeId, Vec<Stmt>)>, &mut Option<Vec<Stmt>>)) {
        with_building(|b, diagnostics| {
            let last = b.last_stmt();
            match last {
                Some(Stmt::If { id, branches, otherwise, .. }) if *id == self.id && otherwise.is_none() => {
                    f(branches, otherwise)
                }
                _ => diagnostics.push(
                    Diagnostic::new(
                        Kind::DanglingOtherwise,
                        loc,
                        "this `otherwise` does not follow its `when`",
                    )
                    .help("chain it: `m.when(a, || ...).otherwise_when(b, || ...).otherwise(|| ...)`"),
                ),
            }
        });
    }

    /// Statements that hold where no condition before does and this one does.
    #[track_caller]
    pub fn otherwise_when(self, condition: UInt, body: impl FnOnce()) -> When {
        let loc = Location::caller();
        let condition = condition.condition("`otherwise_when`", loc);
        let body = Builder::new().scope(body);
        self.attach(loc, |branches, _| branches.push((condition.node, body)));
        self
    }

    /// Statements that hold where no condition before does.
    #[track_caller]
    pub fn otherwise(self, body: impl FnOnce()) {
        let loc = Location::caller();
        let body = Builder::new().scope(body);
        self.attach(loc, |_, otherwise| *otherwise = Some(body));
    }
}

impl Switch {
    /// Statements that hold where the subject has this value.
    #[track_caller]
    pub fn case(&self, value: impl Into<Operand>, body: impl FnOnce()) {
        self.add(vec![value.into()], body, Location::caller());
    }

    /// Statements that hold where the subject has one of these values.
    #[track_caller]
    pub fn cases<T: Into<Operand>>(&self, values: impl IntoIterator<Item = T>, body: impl FnOnce()) {
        self.add(values.into_iter().map(Into::into).collect(), body, Location::caller());
    }

    fn add(&self, values: Vec<Operand>, body: impl FnOnce(), loc: Loc) {
        let mut nodes = Vec::new();
        for value in values {
            let value = value.resolve(self.subject.width(), loc);
            let is_constant =
                with_building(|b, _| matches!(b.ir.node(value.node).op, Op::Const(..))).unwrap_or(true);
            if value.width() != self.subject.width() || !is_constant {
                let message = format!(
                    "a case must be a constant of {} bits, as wide as the subject",
                    self.subject.width()
                );
                report(
                    Diagnostic::new(Kind::BadCase, loc, message).help("use numbers or variants of one enum"),
                );
            } else {
                same_enum("a case", self.subject, value, loc);
                nodes.push(value.node);
            }
        }
        let body = Builder::new().scope(body);
        with_building(|b, diagnostics| {
            for node in &nodes {
                let Op::Const(value, _) = &b.ir.node(*node).op else { continue };
                if !self.seen.borrow_mut().insert(value.clone()) {
                    let message = format!("the value {value} stands in two cases");
                    diagnostics.push(Diagnostic::new(Kind::BadCase, loc, message).help("remove one of them"));
                }
            }
            if let Some(Stmt::Switch { id, cases, .. }) = b.last_stmt()
                && *id == self.id
            {
                cases.push((nodes, body));
            } else {
                outside_of_switch("case", loc, diagnostics);
            }
        });
    }

    /// Statements that hold where no case does.
    #[track_caller]
    pub fn default(&self, body: impl FnOnce()) {
        let loc = Location::caller();
        let body = Builder::new().scope(body);
        with_building(|b, diagnostics| {
            if let Some(Stmt::Switch { id, default, .. }) = b.last_stmt()
                && *id == self.id
            {
                if default.is_some() {
                    diagnostics.push(
                        Diagnostic::new(Kind::BadCase, loc, "this switch already has a default")
                            .help("remove one of them"),
                    );
                }
                *default = Some(body);
            } else {
                outside_of_switch("default", loc, diagnostics);
            }
        });
    }
}

fn outside_of_switch(what: &str, loc: Loc, diagnostics: &mut Vec<Diagnostic>) {
    let message = format!("this {what} does not stand directly in its switch");
    let help = "call it in the closure of `m.switch`, with no other statement between the cases";
    diagnostics.push(Diagnostic::new(Kind::BadCase, loc, message).help(help));
}
