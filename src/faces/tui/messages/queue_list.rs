//! The queues with a cursor. With several of them, the first row stands for all together.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::{QueueFacts, QueueLately, QueueStep, RATE_SECONDS};
use crate::domain::QueueName;
use crate::faces::queue_words::left;

/// Steps of [`RATE_SECONDS`] for which plots have values.
pub(crate) const STEPS: usize = 120;

/// The queues, by name.
#[derive(Debug, Default)]
pub(crate) struct QueueList {
    facts: Vec<QueueFacts>,
    /// None for all together.
    selected: Option<QueueName>,
    /// The first row on the screen.
    pub(crate) top: usize,
}

/// A row of the list.
#[derive(Clone, Debug)]
pub(crate) struct QueueRow<'a> {
    /// None for all together.
    pub(crate) name: Option<&'a QueueName>,
    pub(crate) waiting: u64,
    pub(crate) oldest_at: Option<DateTime<Utc>>,
    /// The most tries that one of them took in vain.
    pub(crate) tries: u32,
    pub(crate) dead: u64,
    pub(crate) lately: QueueLately,
    /// Whether nobody takes messages from one of them.
    pub(crate) is_left: bool,
}

impl QueueList {
    pub(crate) fn replace(&mut self, facts: Vec<QueueFacts>) {
        self.facts = facts;
        let is_there = |name: &QueueName| self.facts.iter().any(|queue| queue.name == *name);
        self.selected = self.selected.take().filter(is_there);
    }

    /// Returns the number of queues.
    pub(crate) fn count(&self) -> usize {
        self.facts.len()
    }

    /// Returns the number of rows.
    pub(crate) fn len(&self) -> usize {
        self.facts.len() + self.rows_for_all()
    }

    fn rows_for_all(&self) -> usize {
        usize::from(self.facts.len() > 1)
    }

    pub(crate) fn cursor(&self) -> usize {
        let selected = self.selected.as_ref();
        let found = selected.and_then(|name| self.facts.iter().position(|f| f.name == *name));
        found.map_or(0, |at| at + self.rows_for_all())
    }

    pub(crate) fn select(&mut self, at: usize) {
        let at = at.min(self.len().saturating_sub(1));
        let queue = at.checked_sub(self.rows_for_all());
        self.selected = queue.and_then(|at| Some(self.facts.get(at)?.name.clone()));
    }

    /// Selects the queue of this name, or all.
    pub(crate) fn show(&mut self, name: Option<&QueueName>) {
        self.selected = name.cloned();
    }

    /// Returns the queue of the selected row; none for all together.
    pub(crate) fn selected(&self) -> Option<&QueueName> {
        self.selected.as_ref()
    }

    fn total(&self, of: fn(&QueueFacts) -> u64) -> u64 {
        self.facts.iter().map(of).fold(0, u64::saturating_add)
    }

    /// Returns the messages on all queues.
    pub(crate) fn waiting(&self) -> u64 {
        self.total(|queue| queue.waiting)
    }

    /// Returns the dead messages of all queues.
    pub(crate) fn dead(&self) -> u64 {
        self.total(|queue| queue.dead)
    }

    /// Returns a row as it is at this time.
    pub(crate) fn row(&self, at: usize, now: DateTime<Utc>) -> Option<QueueRow<'_>> {
        let Some(at) = at.checked_sub(self.rows_for_all()) else {
            return Some(self.all(now));
        };
        let queue = self.facts.get(at)?;
        Some(QueueRow {
            name: Some(&queue.name),
            waiting: queue.waiting,
            oldest_at: queue.oldest_at,
            tries: queue.tries,
            dead: queue.dead,
            lately: queue.lately(now),
            is_left: queue.is_left(now),
        })
    }

    fn all(&self, now: DateTime<Utc>) -> QueueRow<'static> {
        let mut lately = QueueLately::default();
        for one in self.facts.iter().map(|queue| queue.lately(now)) {
            lately.in_per_second += one.in_per_second;
            lately.out_per_second += one.out_per_second;
            lately.lag_ms = lately.lag_ms.max(one.lag_ms);
        }
        QueueRow {
            name: None,
            waiting: self.waiting(),
            oldest_at: self.facts.iter().filter_map(|queue| queue.oldest_at).min(),
            tries: self
                .facts
                .iter()
                .map(|queue| queue.tries)
                .max()
                .unwrap_or(0),
            dead: self.dead(),
            lately,
            is_left: self.facts.iter().any(|queue| queue.is_left(now)),
        }
    }

    /// Says from which queues nobody takes messages.
    pub(crate) fn left(&self, now: DateTime<Utc>) -> Option<String> {
        left(&self.facts, now)
    }

    /// Returns what went through the selected queue, or through all, in steps of [`RATE_SECONDS`] up to this time, the
    /// latest first.
    pub(crate) fn steps(&self, now: DateTime<Utc>) -> Vec<QueueStep> {
        let step = TimeDelta::seconds(RATE_SECONDS);
        let is_shown =
            |queue: &&QueueFacts| self.selected.as_ref().is_none_or(|s| *s == queue.name);
        let mut sum = vec![QueueStep::default(); STEPS];
        for queue in self.facts.iter().filter(is_shown) {
            for (sum, one) in sum.iter_mut().zip(queue.steps(now, step, STEPS)) {
                sum.end = one.end;
                sum.queued += one.queued;
                sum.persisted += one.persisted;
                sum.waiting += one.waiting;
                sum.lag_ms = sum.lag_ms.max(one.lag_ms);
            }
        }
        sum.reverse();
        sum
    }

    /// Returns whether rates and plots change as time goes on.
    pub(crate) fn moves(&self, now: DateTime<Utc>) -> bool {
        let begin = now - TimeDelta::seconds(RATE_SECONDS) * i32::try_from(STEPS).unwrap_or(0);
        let last = |queue: &QueueFacts| queue.rates.last().map(|rate| rate.at);
        let is_plotted = |queue| last(queue) >= Some(begin);
        self.facts.iter().any(is_plotted)
    }
}
