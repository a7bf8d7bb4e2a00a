//! Currency rates follow what is published: corrections, withdrawals, and what was known at any time.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gannet::domain::{
    Currency, DayRates, Publication, RateTable, SourceId, VerdictId, VerdictOutcome, VersionId,
    VersionState,
};
use gannet::store::{HeldRates, LastRates, RateDay, RatesOf};
use proptest::prelude::*;

use super::rig::Rig;
use crate::rig::rows::{hours, stamp, start, verdict};

/// The rates in force, by day.
type Known = BTreeMap<NaiveDate, DayRates>;

fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, number).expect("a day of January")
}

fn rates(number: u32, rate: &str) -> DayRates {
    DayRates {
        date: day(number),
        base: Currency::EUR,
        rates: RateTable::of([("USD".parse().expect("a code"), rate)]),
    }
}

/// The file of a number: some of four days, with one of two rates each.
fn file(number: u8) -> Vec<DayRates> {
    let days = (0..4_u32).filter(|day| number >> day & 1 == 1);
    let rate = |day: u32| {
        if (u32::from(number) / 4 + day).is_multiple_of(2) {
            "1.10"
        } else {
            "1.2"
        }
    };
    days.map(|day| rates(day + 1, rate(day))).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Fetch(u8, bool),
    Judge(u8, bool),
    Publish,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..16_u8, any::<bool>()).prop_map(|(file, passed)| Step::Fetch(file, passed)),
        2 => (0..4_u8, any::<bool>()).prop_map(|(back, passed)| Step::Judge(back, passed)),
        4 => Just(Step::Publish),
    ]
}

/// What should be known: for each day the versions that changed its rates, oldest first.
#[derive(Default)]
struct Model {
    days: BTreeMap<NaiveDate, Vec<(VersionId, DayRates)>>,
    published: Option<VersionId>,
    versions: Vec<(VersionId, u8, bool)>,
}

impl Model {
    fn of(&self, version: VersionId) -> (u8, bool) {
        let found = self.versions.iter().find(|(id, ..)| *id == version);
        found
            .map(|&(_, file, passed)| (file, passed))
            .expect("a version")
    }

    fn publish(&mut self, published: Option<VersionId>) {
        if let Some(before) = self.published.filter(|before| Some(*before) != published)
            && (published.is_none_or(|now| now < before) || !self.of(before).1)
        {
            for versions in self.days.values_mut() {
                versions.retain(|(version, _)| *version != before);
            }
        }
        for day in published
            .map(|version| file(self.of(version).0))
            .into_iter()
            .flatten()
        {
            let versions = self.days.entry(day.date).or_default();
            if versions.last().is_none_or(|(_, last)| *last != day) {
                versions.push((published.expect("a version"), day));
            }
        }
        self.published = published;
    }

    fn known(&self) -> Known {
        let last = |(day, versions): (&NaiveDate, &Vec<(_, DayRates)>)| {
            Some((*day, versions.last()?.1.clone()))
        };
        self.days.iter().filter_map(last).collect()
    }
}

async fn take(rig: &Rig, id: SourceId, at: i64, step: Step, model: &mut Model) {
    match step {
        Step::Fetch(number, passed) => {
            let state = if passed {
                VersionState::Passed
            } else {
                VersionState::Failed
            };
            let content = format!("{number} at {at}");
            let version = rig.version(id, hours(at), &content, state).await;
            model.versions.push((version, number, passed));
        }
        Step::Judge(back, passed) => {
            let Some((version, _, state)) = model.versions.iter_mut().rev().nth(usize::from(back))
            else {
                return;
            };
            let outcome = if passed {
                VerdictOutcome::Passed
            } else {
                VerdictOutcome::Failed
            };
            let verdicts = vec![verdict(outcome, hours(at))];
            let recorded =
                rig.store
                    .record_verdicts(*version, verdicts, VerdictId(0), stamp(hours(at)));
            recorded.await.expect("recorded");
            *state = passed;
        }
        Step::Publish => {
            let Some(task) = rig.store.publish_tasks(id).await.expect("tasks").pop() else {
                return;
            };
            let published = task.publication.version();
            let rates = published.map(|version| file(model.of(version).0));
            let (rates, stamp) = (rates.unwrap_or_default(), stamp(hours(at)));
            let recorded = rig
                .store
                .record_publication(id, task.publication, None, rates, stamp);
            recorded.await.expect("recorded");
            model.publish(published);
        }
    }
}

async fn range(rig: &Rig, source: SourceId, at: Option<i64>) -> Vec<RateDay> {
    let asked = RatesOf {
        source,
        from: day(1),
        to: day(31),
        as_of: at.map(hours),
    };
    rig.store.read(asked).await.expect("rates")
}

async fn assert_known(rig: &Rig, id: SourceId, at: Option<i64>, known: &Known) {
    let found = range(rig, id, at).await.into_iter().map(|day| day.rates);
    assert_eq!(
        found.collect::<Vec<_>>(),
        known.values().cloned().collect::<Vec<_>>(),
        "at {at:?}"
    );
    let as_of = at.map(hours);
    let held = rig.store.read(HeldRates(id, as_of)).await.expect("days");
    let first = known.keys().next().copied();
    assert_eq!(
        held,
        first.zip(known.keys().next_back().copied()),
        "at {at:?}"
    );
    for until in (1..6).map(day) {
        let last = rig
            .store
            .read(LastRates(id, Some(until), as_of))
            .await
            .expect("a day");
        let expected = known
            .range(..=until)
            .next_back()
            .map(|(_, day)| day.clone());
        assert_eq!(
            last.map(|last| last.rates),
            expected,
            "until {until} at {at:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_published_and_withdrawn_is_known_as_it_was(steps in proptest::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let rig = Rig::new();
            let id = rig.add("ecb").await;
            let mut model = Model::default();
            let mut history = Vec::new();
            for (at, step) in (0..).zip(steps) {
                take(&rig, id, at, step, &mut model).await;
                history.push((at, model.known()));
            }
            for (at, known) in &history {
                assert_known(&rig, id, Some(*at), known).await;
            }
            assert_known(&rig, id, Some(-1), &Known::new()).await;
            assert_known(&rig, id, None, &model.known()).await;
            rig.assert_sound();
        });
    }
}

#[tokio::test]
async fn a_correction_names_its_version_and_goes_with_a_purge() {
    let rig = Rig::new();
    let id = rig.add("ecb").await;
    let publish = async |at: i64, number: u8| {
        let version = rig
            .version(id, hours(at), &format!("at {at}"), VersionState::Unverified)
            .await;
        let publication = Publication::Publish(version);
        let recorded =
            rig.store
                .record_publication(id, publication, None, file(number), stamp(hours(at)));
        recorded.await.expect("recorded");
        version
    };
    let first = publish(0, 0b0011).await;
    let second = publish(1, 0b0111).await;
    let found = range(&rig, id, None).await.into_iter();
    let found: Vec<_> = found
        .map(|day| (day.version, day.retrieved_at, day.is_correction))
        .collect();
    assert_eq!(
        found,
        [
            (second, hours(1), true),
            (second, hours(1), true),
            (second, hours(1), false)
        ]
    );
    let known = range(&rig, id, Some(0)).await;
    assert_eq!(known[0].version, first);
    assert_eq!(known[0].known_at, start());
    rig.purge(id).await.expect("purged");
    assert_eq!(rig.count("rate_day"), 0);
    rig.assert_sound();
}
