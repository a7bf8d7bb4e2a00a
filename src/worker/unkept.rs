//! Answers that this machine could not keep, for want of room say: no failures of their sources, which are told of once for all.
//!
//! Nothing is recorded of such an attempt: the source is due as it was, and a set that it is in waits for it.

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
    pub(super) fn add(&mut self, name: &str, why: String) {
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
