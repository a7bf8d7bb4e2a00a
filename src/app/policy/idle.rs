//! Verifiers and notifiers that select no source: most often because of a mistyped tag.

use crate::app::{App, Result};
use crate::domain::{Pattern, Source};

impl App {
    /// Returns a line for each configured verifier and notifier whose `sources` select no source; none in a catalogue
    /// without sources.
    pub async fn idle_selections(&self) -> Result<Vec<String>> {
        let sources = self.sources(&[]).await?;
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let config = self.config();
        let verifiers = config
            .verifiers
            .iter()
            .filter(|verifier| !verifier.scope.is_message())
            .filter(|verifier| selects_nothing(&verifier.sources, &sources))
            .map(|verifier| line("verifier", &verifier.name, &verifier.sources, "judges"));
        let notifiers = config
            .notifiers
            .iter()
            .filter(|notifier| selects_nothing(&notifier.sources, &sources))
            .map(|notifier| line("notifier", &notifier.name, &notifier.sources, "hears of"));
        Ok(verifiers.chain(notifiers).collect())
    }
}

fn selects_nothing(patterns: &[Pattern], sources: &[Source]) -> bool {
    let is_selected = |source: &Source| patterns.iter().any(|one| one.matches(&source.settings));
    !sources.iter().any(is_selected)
}

fn line(what: &str, name: &str, patterns: &[Pattern], does: &str) -> String {
    let patterns: Vec<_> = patterns.iter().map(ToString::to_string).collect();
    let patterns = patterns.join(", ");
    format!("{what} {name} {does} nothing: no source is selected by {patterns} now")
}
