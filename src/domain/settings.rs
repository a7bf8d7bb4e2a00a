//! The settings of a source, patches that change some of them, and edits, with their changes in words and reversal.
//!
//! A patch applies to the present settings, so it overwrites only its own fields. Never validates names, tags and
//! headers: the face that makes a patch of an operator's input does.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::settings_format;
use super::{
    Address, AddressError, DatedRules, Day, Interval, Provider, PublishPolicy, Slot, day_name,
    exact_size, next_slot,
};

/// Defines the settings, their patch, and everything that iterates over all settings, from one list. Each entry gives
/// a setting's type, default, label, and how an edit prints its value.
macro_rules! settings {
    (
        new($name:ident, $address:ident);
        $(
            $(#[doc = $doc:literal])+
            $(#[serde($($format:tt)+)])?
            $field:ident: $type:ty = $default:expr, $label:literal, $words:expr;
        )+
    ) => {
        /// The settings of a source, as an operator gave them.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct SourceSettings {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl SourceSettings {
            /// Returns settings with this name and address, and every other setting at its default.
            pub fn new($name: String, $address: Address) -> Self {
                Self { $($field: $default,)+ }
            }
        }

        /// Settings to change; `None` leaves a setting as it is. In JSON and TOML, its label names a setting.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct SettingsPatch {
            $(
                $(#[doc = $doc])+
                #[serde(rename = $label, skip_serializing_if = "Option::is_none")]
                $(#[serde($($format)+)])?
                pub $field: Option<$type>,
            )+
        }

        impl SettingsPatch {
            /// The labels of the settings.
            pub const LABELS: &[&str] = &[$($label),+];

            /// Returns a patch that sets what either patch sets; `later` wins where both set a field.
            #[must_use]
            pub fn and_then(self, later: Self) -> Self {
                Self { $($field: later.$field.or(self.$field),)+ }
            }

            /// Returns the patch without the fields that equal the `present` settings.
            #[must_use]
            pub fn omit_unchanged(self, present: &SourceSettings) -> Self {
                Self { $($field: self.$field.filter(|value| *value != present.$field),)+ }
            }

            /// Returns the patch that turns `old` into `new`.
            pub fn between(old: &SourceSettings, new: &SourceSettings) -> Self {
                Self { $($field: (old.$field != new.$field).then(|| new.$field.clone()),)+ }
            }

            /// Returns the patch that sets every setting to that of `settings`.
            pub fn whole(settings: &SourceSettings) -> Self {
                Self { $($field: Some(settings.$field.clone()),)+ }
            }

            /// Returns the patched settings without checking them.
            pub fn apply_unchecked(self, old: SourceSettings) -> SourceSettings {
                SourceSettings { $($field: self.$field.unwrap_or(old.$field),)+ }
            }
        }

        impl Edit {
            /// Returns the patch that reverses the edit, given the `present` settings, and the labels of the settings
            /// that it leaves alone because they changed again since.
            pub fn reversal(&self, present: &SourceSettings) -> (SettingsPatch, Vec<&'static str>) {
                let Self { before, after } = self;
                let mut patch = SettingsPatch::default();
                let mut left_alone = Vec::new();
                $(if before.$field != after.$field {
                    if present.$field == after.$field {
                        patch.$field = Some(before.$field.clone());
                    } else if present.$field != before.$field {
                        left_alone.push($label);
                    }
                })+
                (patch, left_alone)
            }

            /// Returns the changes of the edit, one line each, such as `interval 1d -> 1h`.
            pub fn differences(&self) -> Vec<String> {
                let Self { before, after } = self;
                let mut lines = Vec::new();
                $(if before.$field != after.$field {
                    let words: fn(&$type) -> String = $words;
                    lines.push(format!("{} {} -> {}", $label, words(&before.$field), words(&after.$field)));
                })+
                lines
            }
        }
    };
}

settings! {
    new(name, address);
    /// The source's name; unique among the sources that are not removed.
    name: String = name, "name", String::clone;
    /// The address to fetch; unique likewise.
    address: Address = address, "address", word;
    /// How often the source is fetched.
    interval: Interval = Interval::DEFAULT, "interval", word;
    /// Whether the worker fetches the source when due.
    enabled: bool = true, "enabled", word;
    /// Labels that select the source; sorted, each once.
    tags: Vec<String> = Vec::new(), "tags", |tags| list(tags);
    /// Whether the address may resolve to a private or loopback address.
    allow_private: bool = false, "allow_private", word;
    /// Whether the address may be plain HTTP.
    allow_http: bool = false, "allow_http", word;
    /// Whether an empty body may replace content.
    allow_empty: bool = false, "allow_empty", word;
    /// Which versions are published.
    publish: PublishPolicy = PublishPolicy::Passed, "publish", word;
    /// Whose currency rates the source's files hold, if anyone's: they are judged and read as this provider's.
    #[serde(with = "settings_format::or_null")]
    rates: Option<Provider> = None, "rates", |provider| provider.map_or("none", Provider::as_str).to_owned();
    /// The largest body, before and after decompression; the configuration's `fetch.max_size` when not set.
    #[serde(with = "settings_format::max_size")]
    max_size_bytes: Option<u64> = None, "max_size", |limit| size(*limit);
    /// How many days a dated source asks for, today included: the last ones. 10 when not set.
    #[serde(with = "settings_format::or_null")]
    days: Option<u32> = None, "days", |days| number(*days);
    /// How many days after its begin a day of a dated source is final: fetched then, it is not asked for again. 3 when
    /// not set.
    #[serde(with = "settings_format::or_null")]
    final_after: Option<u32> = None, "final_after", |days| number(*days);
    /// `NAME:PASSWORD` for HTTP basic authentication (RFC 7617), in place of a header `Authorization`; the password is
    /// `${NAME}`.
    #[serde(with = "settings_format::or_null")]
    user: Option<String> = None, "user", |user| user.as_deref().unwrap_or("none").to_owned();
    /// Request headers; values may hold `${NAME}`. The last setting, since TOML wants tables behind plain values.
    #[serde(with = "settings_format::headers")]
    headers: Vec<(String, String)> = Vec::new(), "headers", |headers| header_lines(headers);
}

#[cfg(test)]
impl SourceSettings {
    /// Settings of a source at `https://example.org/NAME`, with every default.
    pub(crate) fn sample(name: &str) -> Self {
        let address = format!("https://example.org/{name}");
        let address = Address::parse(&address, false).expect("an address");
        Self::new(name.to_owned(), address)
    }
}

impl SourceSettings {
    /// Returns the settings that differ from their defaults, without name and address. [`SourceSettings::new`] with
    /// this patch gives these settings again.
    pub fn beyond_defaults(&self) -> SettingsPatch {
        let defaults = Self::new(self.name.clone(), self.address.clone());
        SettingsPatch::between(&defaults, self)
    }

    /// Returns the rules of a dated source.
    pub fn dated_rules(&self) -> DatedRules {
        let defaults = DatedRules::DEFAULT;
        DatedRules {
            days: self.days.unwrap_or(defaults.days),
            final_after: self.final_after.unwrap_or(defaults.final_after),
        }
    }

    /// Returns the settings of a day of this dated source.
    #[must_use]
    pub fn on(&self, day: Day) -> Self {
        Self {
            name: day_name(&self.name, day),
            address: self.address.on(day),
            days: None,
            final_after: None,
            ..self.clone()
        }
    }

    fn logs_in_twice(&self) -> bool {
        let is_login = |(name, _): &(String, String)| name.eq_ignore_ascii_case("authorization");
        self.user.is_some() && self.headers.iter().any(is_login)
    }

    /// Returns the texts that hold secrets by name.
    pub fn secret_texts(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter().map(|(_, value)| value.as_str());
        let texts = headers.chain(self.user.as_deref());
        texts
            .chain([self.address.as_str()])
            .filter(|text| text.contains("${"))
    }
}

/// Why settings contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A plain HTTP address without `allow_http`.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A user and a header `Authorization`, which a request carries once (RFC 9110 §11.6.2).
    #[error(
        "the user and the header `Authorization` are two logins, and a request takes one: give one of them, and take the other away with --user none or --no-headers"
    )]
    TwoLogins,
    /// A setting of dated sources for another source.
    #[error("`{0}` is for a source whose address holds {{date}}, one file a day")]
    NotDated(&'static str),
    /// An edit that gives a source one file a day, or takes it away.
    #[error(
        "a source with {{date}} in its address has one file a day, another source has one file: neither becomes the other; add a source with the new address"
    )]
    OtherKind,
}

impl SettingsPatch {
    /// Returns the patched settings.
    ///
    /// # Errors
    ///
    /// Settings that contradict each other, whichever of them the patch changes: a plain HTTP address without
    /// `allow_http`, or a user and a header `Authorization`. Other patches accept those two as they are.
    pub fn apply_to(&self, old: &SourceSettings) -> Result<SourceSettings, SettingsError> {
        let new = self.clone().apply_unchecked(old.clone());
        Address::parse(new.address.as_str(), new.allow_http)?;
        if new.address.is_dated() != old.address.is_dated() {
            return Err(SettingsError::OtherKind);
        }
        let dated = [("days", new.days), ("final_after", new.final_after)];
        if let Some((label, _)) = dated.iter().find(|(_, value)| value.is_some())
            && !new.address.is_dated()
        {
            return Err(SettingsError::NotDated(label));
        }
        if (self.user.is_some() || self.headers.is_some()) && new.logs_in_twice() {
            return Err(SettingsError::TwoLogins);
        }
        Ok(new)
    }
}

/// The settings of a source before and after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The settings before the edit.
    pub before: SourceSettings,
    /// The settings after the edit.
    pub after: SourceSettings,
}

impl Edit {
    /// Returns whether the edit changes the request, so that stored validators no longer belong to the response.
    pub fn changes_request(&self) -> bool {
        let asked = |settings: &SourceSettings| {
            let SourceSettings {
                address,
                headers,
                user,
                ..
            } = settings.clone();
            (address, headers, user)
        };
        asked(&self.before) != asked(&self.after)
    }

    /// Returns whether results of fetches that began before the edit are invalid: the request or its permissions
    /// changed.
    pub fn outdates_fetches(&self) -> bool {
        let permissions = |settings: &SourceSettings| {
            (
                settings.allow_private,
                settings.allow_http,
                settings.allow_empty,
                settings.max_size_bytes,
            )
        };
        self.changes_request() || permissions(&self.before) != permissions(&self.after)
    }

    /// Returns the slot in which the source is due after an edit made in slot `now`, given the slot `due` before it. A
    /// new address is due at once. A new interval counts from the `last` attempt, which left `failures` failures in a
    /// row.
    pub fn slot_after(&self, due: Slot, last: Option<Slot>, failures: u32, now: Slot) -> Slot {
        if self.before.address != self.after.address {
            return now;
        }
        if self.before.interval == self.after.interval {
            return due;
        }
        last.map_or(now, |last| next_slot(last, self.after.interval, failures))
    }
}

fn word(value: &impl fmt::Display) -> String {
    value.to_string()
}

fn list(items: &[String]) -> String {
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(",")
    }
}

fn header_lines(headers: &[(String, String)]) -> String {
    let lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    list(&lines)
}

fn number(days: Option<u32>) -> String {
    days.map_or_else(|| "default".to_owned(), |days| days.to_string())
}

fn size(limit: Option<u64>) -> String {
    limit.map_or_else(|| "default".to_owned(), exact_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut SourceSettings);
    /// The change that others make meanwhile; whether interval, enabled and tags are reversed; the labels left alone.
    type Reversal = (Change, [bool; 3], &'static [&'static str]);

    fn settings() -> SourceSettings {
        SourceSettings::sample("a")
    }

    fn with(change: Change) -> SourceSettings {
        let mut settings = settings();
        change(&mut settings);
        settings
    }

    fn hours(hours: u32) -> Interval {
        Interval::from_hours(hours).expect("an interval")
    }

    #[test]
    fn a_patch_changes_what_it_is_about_and_nothing_else() {
        let patch = SettingsPatch::between(&settings(), &with(|s| s.interval = hours(1)));
        assert_eq!(
            patch,
            SettingsPatch {
                interval: Some(hours(1)),
                ..SettingsPatch::default()
            }
        );
        let other = with(|s| s.tags = vec!["urgent".to_owned()]);
        let both = patch.apply_to(&other).expect("settings");
        assert_eq!(both.tags, ["urgent"]);
        assert_eq!(both.interval, hours(1));
    }

    #[test]
    fn plain_http_is_refused_whichever_field_would_bring_it() {
        let http = Address::parse("http://example.org/a", true).expect("an address");
        let readdress = SettingsPatch {
            address: Some(http.clone()),
            ..SettingsPatch::default()
        };
        readdress.apply_to(&settings()).expect_err("plain http");
        let mut allowed = settings();
        allowed.allow_http = true;
        allowed = readdress.apply_to(&allowed).expect("allowed");
        let forbid = SettingsPatch {
            allow_http: Some(false),
            ..SettingsPatch::default()
        };
        forbid.apply_to(&allowed).expect_err("plain http");
    }

    #[test]
    fn a_source_logs_in_once_whichever_of_the_two_comes_later() {
        let user = |user: Option<&str>| SettingsPatch {
            user: Some(user.map(str::to_owned)),
            ..SettingsPatch::default()
        };
        let header = |name: &str| SettingsPatch {
            headers: Some(vec![(name.to_owned(), "Bearer ${A}".to_owned())]),
            ..SettingsPatch::default()
        };
        let joe = || user(Some("joe:${A}"));
        let tagged = SettingsPatch {
            tags: Some(vec!["x".to_owned()]),
            ..SettingsPatch::default()
        };
        let with_user = joe().apply_to(&settings()).expect("a user");
        let with_header = header("Authorization").apply_to(&settings());
        let with_header = with_header.expect("a header");
        let both = joe().apply_unchecked(with_header.clone());
        for (patch, old, is_refused) in [
            (joe(), &with_header, true),
            (header("authorization"), &with_user, true),
            (joe().and_then(header("AUTHORIZATION")), &settings(), true),
            (joe().and_then(header("X-Auth")), &with_header, false),
            (
                user(None).and_then(header("Authorization")),
                &with_user,
                false,
            ),
            (header("Proxy-Authorization"), &with_user, false),
            (tagged, &both, false),
            (user(None), &both, false),
        ] {
            let refused = patch.apply_to(old) == Err(SettingsError::TwoLogins);
            assert_eq!(refused, is_refused, "{patch:?}");
        }
    }

    #[test]
    fn a_reversal_leaves_alone_what_is_no_longer_as_it_was_set() {
        let edit = Edit {
            before: settings(),
            after: with(|s| {
                s.interval = hours(2);
                s.enabled = false;
                s.tags = vec!["x".to_owned()];
            }),
        };
        // Nobody changed anything else; somebody set the interval again; somebody reversed one of the three already.
        let cases: [Reversal; 3] = [
            (|_| (), [true, true, true], &[]),
            (
                |s| s.interval = hours(3),
                [false, true, true],
                &["interval"],
            ),
            (|s| s.enabled = true, [true, false, true], &[]),
        ];
        for (meanwhile, [interval, enabled, tags], alone) in cases {
            let mut present = edit.after.clone();
            present.publish = PublishPolicy::Newest;
            meanwhile(&mut present);
            let (patch, left_alone) = edit.reversal(&present);
            assert_eq!(left_alone, alone);
            assert_eq!(patch.interval.is_some(), interval);
            assert_eq!(patch.enabled.is_some(), enabled);
            assert_eq!(patch.tags.is_some(), tags);
            assert_eq!(patch.publish, None);
        }
    }

    #[test]
    fn an_edit_moves_the_next_slot_by_address_and_interval_only() {
        let (due, now) = (Slot(50), Slot(20));
        let cases: [(Change, Option<Slot>, u32, Slot); 6] = [
            (|s| s.enabled = false, Some(Slot(10)), 0, due),
            (|s| s.interval = hours(2), None, 0, now),
            (|s| s.interval = hours(2), Some(Slot(10)), 0, Slot(12)),
            // After a failure, the growing pauses apply.
            (|s| s.interval = hours(8), Some(Slot(10)), 1, Slot(11)),
            (|s| s.interval = hours(8), Some(Slot(10)), 9, Slot(18)),
            (
                |s| s.address = Address::parse("https://example.org/z", false).expect("one"),
                Some(Slot(10)),
                0,
                now,
            ),
        ];
        for (change, last, failures, expected) in cases {
            let edit = Edit {
                before: settings(),
                after: with(change),
            };
            let slot = edit.slot_after(due, last, failures, now);
            assert_eq!(slot, expected, "{:?}", edit.differences());
        }
    }

    #[test]
    fn fetches_are_outdated_by_what_they_ask_and_may_bring() {
        let cases: [(Change, bool, bool); 8] = [
            (|s| s.interval = hours(1), false, false),
            (|s| s.enabled = false, false, false),
            (|s| s.tags = vec!["x".to_owned()], false, false),
            (|s| s.allow_private = true, false, true),
            (|s| s.allow_empty = true, false, true),
            (|s| s.max_size_bytes = Some(1), false, true),
            (|s| s.user = Some("joe:${A}".to_owned()), true, true),
            (
                |s| s.headers = vec![("Accept".to_owned(), "text/csv".to_owned())],
                true,
                true,
            ),
        ];
        for (change, asks, outdates) in cases {
            let edit = Edit {
                before: settings(),
                after: with(change),
            };
            assert_eq!(edit.changes_request(), asks, "{:?}", edit.differences());
            assert_eq!(
                edit.outdates_fetches(),
                outdates,
                "{:?}",
                edit.differences()
            );
        }
    }
}
