//! The error of `add` for refused addresses, each with its line. If one is refused, none is added.

use std::collections::HashSet;

use super::input::Given;
use crate::app::{Error, ErrorKind, Refusal};
use crate::faces::text::clean;

/// Further addresses are only counted.
const MAX_SHOWN: usize = 20;

/// Why an address is refused, and how to proceed.
struct Reason {
    kind: ErrorKind,
    why: String,
    hint: Option<String>,
}

/// Fails if an address is refused.
pub(super) fn refuse(given: &[Given], refusals: Vec<Option<Refusal>>) -> Result<(), Error> {
    let mut removed = Vec::new();
    let mut reasons = Vec::new();
    for (one, refusal) in given.iter().zip(refusals) {
        if let Some(Refusal::Former { id, .. }) = &refusal {
            removed.push(id.to_string());
        }
        if let Some(reason) = reason(one, refusal, given) {
            reasons.push((one.place(), reason));
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let hints = reasons.iter().filter_map(|(_, one)| one.hint.clone());
    let mut hints: Vec<_> = hints.collect();
    if !removed.is_empty() {
        hints.push(format!(
            "`gannet restore {}` brings it back with its history; --new begins another",
            removed.join(" ")
        ));
    }
    let mut seen = HashSet::new();
    hints.retain(|hint| seen.insert(hint.clone()));
    let kind = reasons[0].1.kind;
    let message = match (given, reasons.as_slice()) {
        // A single argument needs no place.
        ([Given { line: None, .. }], [(place, reason)]) => match kind {
            ErrorKind::Invalid => reason.why.clone(),
            _ => format!("{place}: {}", reason.why),
        },
        _ => list(given.len(), &reasons),
    };
    let hint = (!hints.is_empty()).then(|| hints.join("; "));
    Err(Error {
        hint,
        ..Error::new(kind, message)
    })
}

fn list(count: usize, reasons: &[(String, Reason)]) -> String {
    let mut lines = vec![format!(
        "nothing is added: {} of {count} addresses cannot be added",
        reasons.len()
    )];
    let shown = reasons.iter().take(MAX_SHOWN);
    lines.extend(shown.map(|(place, reason)| format!("{place}: {}", reason.why)));
    if let Some(more) = reasons.len().checked_sub(MAX_SHOWN + 1) {
        lines.push(format!("and {} more", more + 1));
    }
    lines.join("\n")
}

fn reason(one: &Given, refusal: Option<Refusal>, given: &[Given]) -> Option<Reason> {
    if let Some(problem) = one.problem() {
        return Some(Reason {
            kind: ErrorKind::Invalid,
            why: problem.to_owned(),
            hint: None,
        });
    }
    let conflict = |why: String, hint: Option<String>| Reason {
        kind: ErrorKind::Conflict,
        why,
        hint,
    };
    Some(match refusal? {
        Refusal::Invalid(error) => Reason {
            kind: error.kind,
            why: error.message,
            hint: error.hint,
        },
        Refusal::Repeated { what, first } => match given[first].line {
            Some(line) => conflict(format!("the same {what} as line {line}"), None),
            None => conflict(format!("the same {what} twice"), None),
        },
        Refusal::Taken { what, id, name } => conflict(
            format!("its {what} is taken by source {id} ({})", clean(&name)),
            Some(format!("see it with `gannet show {id}`")),
        ),
        Refusal::Former { id, name } => conflict(
            format!("this was source {id} ({}), which was removed", clean(&name)),
            None,
        ),
    })
}
