//! The log pane: a ring of the newest events, narrowed by a filter. It follows new events until someone scrolls up.

use std::collections::VecDeque;

use crate::app::BEFORE_STAYS;
use crate::domain::{Action, Event, EventId, SourceId};
use crate::faces::text::clean;

/// Most events in the ring.
pub(crate) const RING: usize = 10_000;

/// The severity of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    #[default]
    Info,
    Warning,
    Error,
}

impl Level {
    pub(crate) fn of(action: Action) -> Self {
        match action {
            Action::VerdictFailed
            | Action::VersionFailed
            | Action::Damaged
            | Action::MessageDead => Self::Error,
            Action::FetchFailed
            | Action::SourceFailing
            | Action::VerdictError
            | Action::Withdrawn
            | Action::NoticeFailed => Self::Warning,
            _ => Self::Info,
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Info => Self::Warning,
            Self::Warning => Self::Error,
            Self::Error => Self::Info,
        }
    }
}

/// One event as a line of the pane.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    pub(crate) id: EventId,
    pub(crate) event: Event,
    pub(crate) level: Level,
    /// Action, source, version and detail, cleaned.
    pub(crate) text: Box<str>,
}

impl LogLine {
    pub(crate) fn new(event: Event) -> Self {
        let mut text = event.event.action.as_str().to_owned();
        if let Some(name) = &event.source_name {
            text = format!("{text:<17} {name}");
        }
        if let Some(version) = event.event.version_id {
            text = format!("{text} v{version}");
        }
        if let Some(detail) = event.event.detail_line() {
            text = format!("{text} {detail}");
        }
        Self {
            id: event.id,
            level: Level::of(event.event.action),
            text: clean(&text).into(),
            event,
        }
    }
}

/// The pane.
#[derive(Debug, Default)]
pub(crate) struct LogPane {
    ring: VecDeque<LogLine>,
    /// The events that the filter lets through, as places counted from the first event ever received.
    shown: VecDeque<u64>,
    /// The number of events that have left the ring, which is the place of its first event.
    dropped: u64,
    level: Level,
    only: Option<SourceId>,
    filter: String,
    /// The filter as it was typed.
    typed_filter: String,
    /// The event at the bottom of the pane; none while the pane follows.
    held: Option<EventId>,
    /// Events that came since the pane stopped following.
    missed: usize,
    /// Whether the newest event on the configuration is a rejected change, which leaves the earlier one in force.
    keeps_earlier_config: bool,
}

/// Returns whether the event of a rejected configuration says that the earlier one stays in force.
fn keeps_earlier(rejected: &Event) -> bool {
    let detail = rejected.event.detail.as_deref();
    detail.is_some_and(|detail| detail.ends_with(BEFORE_STAYS))
}

impl LogPane {
    /// Returns whether, by the newest events, an earlier configuration than the file's is in force.
    pub(crate) fn keeps_earlier_config(&self) -> bool {
        self.keeps_earlier_config
    }

    /// Appends events, given oldest first, without those that are in the ring already.
    pub(crate) fn extend(&mut self, lines: Vec<LogLine>) {
        let newest = self.newest();
        for line in lines.into_iter().filter(|line| Some(line.id) > newest) {
            match line.event.event.action {
                Action::ConfigRejected => self.keeps_earlier_config = keeps_earlier(&line.event),
                Action::ConfigReloaded | Action::PolicyAdopted => self.keeps_earlier_config = false,
                _ => {}
            }
            if self.ring.len() == RING {
                self.ring.pop_front();
                self.dropped += 1;
                if self.shown.front().is_some_and(|at| *at < self.dropped) {
                    self.shown.pop_front();
                }
            }
            if self.lets_through(&line) {
                self.shown.push_back(self.dropped + self.ring.len() as u64);
                self.missed += usize::from(self.held.is_some());
            }
            self.ring.push_back(line);
        }
    }

    /// Empties the ring, before the newest events are read again; filter and scroll position stay.
    pub(crate) fn clear(&mut self) {
        self.dropped += self.ring.len() as u64;
        self.ring.clear();
        self.shown.clear();
    }

    /// Returns the id of the newest event.
    pub(crate) fn newest(&self) -> Option<EventId> {
        self.ring.back().map(|line| line.id)
    }

    fn lets_through(&self, line: &LogLine) -> bool {
        line.level >= self.level
            && self
                .only
                .is_none_or(|id| line.event.event.source_id == Some(id))
            && (self.filter.is_empty() || line.text.to_lowercase().contains(&self.filter))
    }

    fn refilter(&mut self) {
        let ring = self.ring.iter().zip(self.dropped..);
        self.shown = ring
            .filter(|(line, _)| self.lets_through(line))
            .map(|(_, at)| at)
            .collect();
        self.follow();
    }

    pub(crate) fn next_level(&mut self) {
        self.level = self.level.next();
        self.refilter();
    }

    /// Shows the events of one source only, or of all sources again.
    pub(crate) fn only(&mut self, source: Option<SourceId>) {
        self.only = source;
        self.refilter();
    }

    pub(crate) fn filter(&mut self, text: &str) {
        self.filter = text.to_lowercase();
        text.clone_into(&mut self.typed_filter);
        self.refilter();
    }

    pub(crate) fn filter_text(&self) -> &str {
        &self.typed_filter
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    pub(crate) fn only_source(&self) -> Option<SourceId> {
        self.only
    }

    /// Returns the number of events shown.
    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    pub(crate) fn is_following(&self) -> bool {
        self.held.is_none()
    }

    /// Returns the number of events that came since the pane stopped following.
    pub(crate) fn missed(&self) -> usize {
        self.missed
    }

    pub(crate) fn follow(&mut self) {
        self.held = None;
        self.missed = 0;
    }

    /// Returns a line by its place among the shown ones.
    pub(crate) fn line(&self, at: usize) -> Option<&LogLine> {
        let place = self.shown.get(at)? - self.dropped;
        self.ring.get(usize::try_from(place).ok()?)
    }

    /// Returns the place of the line at the bottom of the pane.
    pub(crate) fn bottom(&self) -> usize {
        let last = self.len().saturating_sub(1);
        let Some(held) = self.held else { return last };
        // Found by order, since ids grow and the held event may have left the ring.
        let at = self.shown.partition_point(|place| {
            let place = usize::try_from(place - self.dropped).unwrap_or(usize::MAX);
            self.ring.get(place).is_some_and(|line| line.id <= held)
        });
        at.saturating_sub(1).min(last)
    }

    /// Scrolls by a number of lines, up if negative, in a pane of this height; at the end the pane follows again.
    pub(crate) fn scroll(&mut self, by: isize, height: usize) {
        let last = self.len().saturating_sub(1);
        let full_page = height.saturating_sub(1).min(last);
        let bottom = self
            .bottom()
            .saturating_add_signed(by)
            .clamp(full_page, last);
        if bottom == last {
            self.follow();
        } else {
            self.held = self.line(bottom).map(|line| line.id);
        }
    }

    /// Returns the places of the lines that a pane of this height shows.
    pub(crate) fn window(&self, height: usize) -> std::ops::Range<usize> {
        let end = (self.bottom() + 1).min(self.len());
        let start = end.saturating_sub(height);
        // The first page stays full while the held line is near the start.
        start..(start + height).min(self.len())
    }
}
