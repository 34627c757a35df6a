//! A map in which scopes can be opened: what is put in within one is gone behind it.

use std::collections::HashMap;

use super::graph::Id;

pub(super) struct Scoped<V> {
    values: HashMap<Id, V>,
    /// What was there before, since the first open scope began.
    before: Vec<(Id, Option<V>)>,
    /// For every open scope, the length of `before` at its beginning.
    scopes: Vec<usize>,
}

impl<V> Default for Scoped<V> {
    fn default() -> Scoped<V> {
        Scoped { values: HashMap::new(), before: Vec::new(), scopes: Vec::new() }
    }
}

impl<V> Scoped<V> {
    pub fn get(&self, id: &Id) -> Option<&V> {
        self.values.get(id)
    }

    pub fn contains_key(&self, id: &Id) -> bool {
        self.values.contains_key(id)
    }

    pub fn insert(&mut self, id: Id, value: V) {
        let before = self.values.insert(id, value);
        if !self.scopes.is_empty() {
            self.before.push((id, before));
        }
    }

    /// Opens a scope.
    pub fn enter(&mut self) {
        self.scopes.push(self.before.len());
    }

    /// Closes the scope that was opened last.
    pub fn leave(&mut self) {
        let first = self.scopes.pop().unwrap_or(0);
        while self.before.len() > first {
            match self.before.pop() {
                Some((id, Some(value))) => {
                    self.values.insert(id, value);
                }
                Some((id, None)) => {
                    self.values.remove(&id);
                }
                None => {}
            }
        }
    }
}
