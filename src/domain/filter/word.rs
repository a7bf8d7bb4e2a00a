//! One word of a filter: its parser, and what it matches.
//!
//! Never looks at other words, and never shows a secret of an address in an error.

use std::cmp::Ordering;

use chrono::TimeDelta;
use globset::{Glob, GlobMatcher};
use regex::{Regex, RegexBuilder};

use super::facts::FilterFacts;
use crate::domain::moment::age;
use crate::domain::{Interval, Source, StateWord, masked, named_day, nearest_word, next_due};

/// The most bytes of a compiled regular expression: a person far away may have typed it.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// The characters that make a word a glob.
const GLOB_CHARS: [char; 3] = ['*', '?', '['];

/// Returns the keys of words, in the order in which they are described.
pub fn filter_keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(key, _)| *key)
}

/// The keys of words, each with what is expected behind it.
const KEYS: [(&str, &str); 10] = [
    ("tag", "a tag or a glob, such as tag:prices or tag:eu-*"),
    ("state", "states, such as state:down or state:fail,error"),
    (
        "host",
        "a host or a glob, such as host:example.org or host:*.org",
    ),
    (
        "verifier",
        "the name of a verifier or a glob, such as verifier:schema",
    ),
    ("set", "the name of a set or a glob, such as set:release"),
    (
        "of",
        "the name of a dated source or a glob, such as of:rates",
    ),
    (
        "interval",
        "hours or days, perhaps behind <, <=, > or >=, such as interval:1d or interval:<6h",
    ),
    (
        "changed",
        "an age in m, h, d or w, perhaps behind <, <=, > or >=, such as changed:2d or changed:>30d",
    ),
    (
        "due",
        "now, or a time ahead in m, h, d or w, such as due:now or due:2h",
    ),
    (
        "is",
        "failing, due, off, published or unjudged, such as is:failing",
    ),
];

/// The words behind `is:`.
const CONDITIONS: [&str; 5] = ["failing", "due", "off", "published", "unjudged"];

/// One word of a filter.
#[derive(Clone, Debug)]
pub(super) struct Word {
    is_negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Tag(Name),
    State(Vec<StateWord>),
    Host(Name),
    Verifier(Name),
    Set(Name),
    Of(Name),
    Interval(Comparison, Interval),
    Changed(Comparison, TimeDelta),
    Due(TimeDelta),
    Failing,
    Off,
    Published,
    Unjudged,
    /// A regular expression for name and address; also of a plain text.
    Regex(Regex),
    Glob(GlobMatcher),
}

/// A name, or a glob on names.
#[derive(Clone, Debug)]
enum Name {
    Exact(String),
    Glob(GlobMatcher),
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Below,
    AtMost,
    Equal,
    AtLeast,
    Above,
}

impl Word {
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        let (is_negated, rest) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let test = Test::parse(rest).map_err(|problem| format!("{}: {problem}", shown(word)))?;
        Ok(Self { is_negated, test })
    }

    pub(super) fn matches(&self, facts: &FilterFacts<'_>) -> bool {
        self.test.matches(facts) != self.is_negated
    }

    pub(super) fn asks_verifiers(&self) -> bool {
        matches!(self.test, Test::Verifier(_))
    }

    pub(super) fn asks_changes(&self) -> bool {
        matches!(self.test, Test::Changed(..))
    }

    pub(super) fn asks_failing(&self) -> bool {
        matches!(self.test, Test::Failing)
    }

    pub(super) fn asks_unjudged(&self) -> bool {
        matches!(self.test, Test::Unjudged)
    }

    pub(super) fn asks_days(&self) -> bool {
        matches!(self.test, Test::Of(_)) && !self.is_negated
    }

    pub(super) fn asks_removed(&self) -> bool {
        let is_among = |states: &[StateWord]| states.contains(&StateWord::Removed);
        matches!(&self.test, Test::State(states) if !self.is_negated && is_among(states))
    }
}

impl Test {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("expected something to search for".to_owned());
        }
        if text.starts_with('!') {
            return Err("expected one ! at most; `~^!` finds the sign".to_owned());
        }
        if let Some(pattern) = text.strip_prefix('~') {
            return regex(pattern).map(Self::Regex);
        }
        if let Some((key, value)) = keyed(text) {
            return Self::keyed(key, value);
        }
        if text.contains(GLOB_CHARS) {
            return glob(text).map(Self::Glob);
        }
        let mut plain = RegexBuilder::new(&regex::escape(text));
        let plain = plain.case_insensitive(true).size_limit(MAX_REGEX_BYTES);
        let plain = plain.build().map_err(|_| "the text is too long")?;
        Ok(Self::Regex(plain))
    }

    fn keyed(key: &str, value: &str) -> Result<Self, String> {
        let Some((_, wanted)) = KEYS.iter().find(|(known, _)| *known == key) else {
            return Err(unknown_key(key));
        };
        let expected = || format!("expected {wanted}");
        if value.is_empty() {
            return Err(expected());
        }
        match key {
            "tag" => Name::parse(value).map(Self::Tag),
            "state" => states(value).map(Self::State),
            "host" => Name::parse(&value.to_lowercase()).map(Self::Host),
            "verifier" => Name::parse(value).map(Self::Verifier),
            "set" => Name::parse(value).map(Self::Set),
            "of" => Name::parse(value).map(Self::Of),
            "interval" => {
                let (how, length) = comparison(value);
                let length = length.parse().map_err(|_| expected())?;
                Ok(Self::Interval(how.unwrap_or(Comparison::Equal), length))
            }
            "changed" => {
                let (how, length) = comparison(value);
                let length = age(length).ok_or_else(expected)?;
                Ok(Self::Changed(how.unwrap_or(Comparison::AtMost), length))
            }
            "due" if value == "now" => Ok(Self::Due(TimeDelta::zero())),
            "due" => age(value).map(Self::Due).ok_or_else(expected),
            _ => match value {
                "failing" => Ok(Self::Failing),
                "due" => Ok(Self::Due(TimeDelta::zero())),
                "off" => Ok(Self::Off),
                "published" => Ok(Self::Published),
                "unjudged" => Ok(Self::Unjudged),
                _ => Err(expected() + &meant(nearest_word(value, &CONDITIONS))),
            },
        }
    }

    fn matches(&self, facts: &FilterFacts<'_>) -> bool {
        let Source {
            settings, state, ..
        } = facts.source;
        let either = |is_match: &dyn Fn(&str) -> bool| {
            is_match(&settings.name) || is_match(settings.address.as_str())
        };
        match self {
            Self::Tag(name) => settings.tags.iter().any(|tag| name.is_match(tag)),
            Self::State(states) => states.contains(&facts.state),
            Self::Host(name) => {
                let host = settings.address.host();
                let without_port = host.rsplit_once(':').map(|(name, _)| name);
                name.is_match(&host) || without_port.is_some_and(|host| name.is_match(host))
            }
            Self::Verifier(name) => facts.verifiers.iter().any(|one| name.is_match(one)),
            Self::Set(name) => state.sets().any(|set| name.is_match(set)),
            Self::Of(name) => {
                let series = facts.source.day.and(named_day(&settings.name));
                series.is_some_and(|(series, _)| name.is_match(series))
            }
            Self::Interval(how, length) => how.holds(settings.interval.cmp(length)),
            Self::Changed(how, length) => facts
                .changed_at
                .is_some_and(|at| how.holds((facts.now - at).cmp(length))),
            Self::Due(ahead) => {
                let until = facts.now.checked_add_signed(*ahead);
                next_due(facts.source).is_some_and(|at| until.is_none_or(|until| at <= until))
            }
            Self::Failing => facts.is_failing,
            Self::Off => facts.state == StateWord::Off,
            Self::Published => state.served().is_some(),
            Self::Unjudged => facts.is_unjudged,
            Self::Regex(regex) => either(&|text| regex.is_match(text)),
            Self::Glob(glob) => either(&|text| glob.is_match(text)),
        }
    }
}

impl Name {
    fn parse(text: &str) -> Result<Self, String> {
        if text.contains(GLOB_CHARS) {
            glob(text).map(Self::Glob)
        } else {
            Ok(Self::Exact(text.to_owned()))
        }
    }

    fn is_match(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => text == name,
            Self::Glob(glob) => glob.is_match(name),
        }
    }
}

impl Comparison {
    /// Returns whether a value that compares so with the limit is asked for.
    fn holds(self, value_to_limit: Ordering) -> bool {
        match self {
            Self::Below => value_to_limit.is_lt(),
            Self::AtMost => value_to_limit.is_le(),
            Self::Equal => value_to_limit.is_eq(),
            Self::AtLeast => value_to_limit.is_ge(),
            Self::Above => value_to_limit.is_gt(),
        }
    }
}

/// Returns a word as errors show it, without secrets.
pub(super) fn shown(word: &str) -> String {
    // An address may stand behind a key.
    let masked = match keyed(word.trim_start_matches('!')) {
        Some((_, value)) => word[..word.len() - value.len()].to_owned() + &masked(value),
        None => masked(word),
    };
    format!("`{}`", masked.escape_debug())
}

/// Splits `key:value`; `None` for other words, such as `https://h/` and `localhost:8443`.
fn keyed(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|c| c.is_ascii_alphabetic());
    let is_known = KEYS.iter().any(|(known, _)| *known == key);
    let port = value.split('/').next().unwrap_or_default();
    let is_port = !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit());
    (is_known || is_key && !is_port && !value.starts_with("//")).then_some((key, value))
}

fn unknown_key(key: &str) -> String {
    let keys = KEYS.map(|(known, _)| known);
    let near = nearest_word(&key.to_ascii_lowercase(), &keys);
    let keys = keys.map(|known| format!("{known}:")).join(" ");
    let meant = meant(near);
    format!("expected one of {keys}{meant}; `~{key}:` finds the text")
}

fn meant(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"))
}

fn states(value: &str) -> Result<Vec<StateWord>, String> {
    let one = |word: &str| {
        word.parse().map_err(|_| {
            let known = StateWord::ALL.map(|(_, word, _)| word);
            let near = nearest_word(&word.to_lowercase(), &known);
            let known = known.join(", ");
            format!("expected states, of {known}{}", meant(near))
        })
    };
    value.split(',').map(one).collect()
}

/// Splits the signs of a comparison from the value behind them.
fn comparison(value: &str) -> (Option<Comparison>, &str) {
    // The longer signs come first.
    let signs = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("<", Comparison::Below),
        (">", Comparison::Above),
    ];
    let found = |(sign, how)| Some((Some(how), value.strip_prefix(sign)?));
    signs.into_iter().find_map(found).unwrap_or((None, value))
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    match Glob::new(text) {
        Ok(glob) => Ok(glob.compile_matcher()),
        Err(cause) => Err(format!("expected a glob: {}", cause.kind())),
    }
}

fn regex(pattern: &str) -> Result<Regex, String> {
    if pattern.is_empty() {
        return Err("expected a regular expression, such as ~^prices-[0-9]+".to_owned());
    }
    let mut builder = RegexBuilder::new(pattern);
    let builder = builder.size_limit(MAX_REGEX_BYTES).nest_limit(50);
    builder.build().map_err(|cause| match cause {
        regex::Error::CompiledTooBig(_) => {
            "expected a smaller regular expression: this one takes too much memory".to_owned()
        }
        cause => {
            // The message shows the pattern, which the word already is, before its last line.
            let cause = cause.to_string();
            let reason = cause.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            format!("expected a regular expression: {reason}")
        }
    })
}
