//! Answers that this machine could not keep, for want of room say: no failures of their sources, which are told of once for all.
//!
//! Nothing is recorded of such an attempt: the source is due as it was, and a set that it is in waits for it.

use std::sync::PoisonError;

use super::pipeline::{Next, Pipeline};
use crate::app::{Result, SourceResult};
use crate::domain::{Claim, Slot};

/// So many sources are named.
const NAMED: usize = 3;

/// The sources whose answers could not be kept.
#[derive(Default)]
pub(super) struct Unkept {
    /// Of the first few.
    names: Vec<String>,
    count: usize,
    /// Why the first one could not.
    why: String,
}

impl Unkept {
    fn add(&mut self, name: &str, why: String) {
        if self.count == 0 {
            self.why = why;
        }
        if self.names.len() < NAMED {
            self.names.push(name.to_owned());
        }
        self.count += 1;
    }

    /// Says which they are, why, and what follows; nothing when there are none.
    pub(super) fn words(&self) -> Option<String> {
        if self.count == 0 {
            return None;
        }
        let named = self.names.join(", ");
        let which = match self.count - self.names.len() {
            0 => named,
            more => format!("{named} and {more} more"),
        };
        Some(format!(
            "not kept, by no fault of the source: {which}: {}; the next pass tries again",
            self.why
        ))
    }
}

impl Pipeline {
    /// Leaves a source to the next pass, since this machine cannot keep what it sent. Its claim stays until this pass ends, so that
    /// this one does not fetch it again.
    pub(super) async fn leave_unkept(&self, claim: &Claim, why: String) -> Result<Next> {
        let source = &claim.source;
        // Asked for before it was due, its set would go on without what it has by now.
        let slot = Slot::containing(self.app.now());
        let store = &self.app.store;
        store.keep_due(source.id, claim.fence, slot).await?;
        tracing::error!("{}: not kept: {why}", source.settings.name);
        self.note(SourceResult::dropped(
            source.id,
            &format!("not kept: {why}"),
        ));
        let mut unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
        unkept.add(&source.settings.name, why);
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.not_kept += 1;
        });
        Ok(Next::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_told_of_once() {
        let mut unkept = Unkept::default();
        assert_eq!(unkept.words(), None);
        for (name, words) in [
            ("a", "a: no room"),
            ("b", "a, b: no room"),
            ("c", "a, b, c: no room"),
            ("d", "a, b, c and 1 more: no room"),
        ] {
            unkept.add(
                name,
                if name == "a" { "no room" } else { "other" }.to_owned(),
            );
            let said = unkept.words().expect("words");
            assert!(
                said.contains(&format!("of the source: {words}; the next")),
                "{said}"
            );
        }
    }
}
