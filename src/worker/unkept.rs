//! Contents that this machine could not keep, on a full disk say: no failures of their sources, and reported in one
//! line.
//!
//! Never records such an attempt: the source stays due, and its set waits for it.

/// The most sources that the line names.
const NAMED: usize = 3;

/// The sources whose content could not be kept.
#[derive(Default)]
pub(super) struct Unkept {
    /// The names of the first few.
    names: Vec<String>,
    count: usize,
    /// Why the content of the first could not be kept.
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

    /// Returns the line that names the sources and the reason; `None` without such a source.
    pub(super) fn line(&self) -> Option<String> {
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
    fn all_sources_share_one_line() {
        let mut unkept = Unkept::default();
        assert_eq!(unkept.line(), None);
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
            let line = unkept.line().expect("a line");
            assert!(
                line.contains(&format!("of the source: {words}; the next")),
                "{line}"
            );
        }
    }
}
