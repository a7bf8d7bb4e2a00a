//! The settings of a source, each named once, and changes of some of them: what an edit is about, what it changed in words, and
//! what takes it back.
//!
//! A patch is laid over the settings as they are when it is applied, so that it overwrites nothing that it is not about.
//! Never checks names, tags and headers: whoever makes a patch from what an operator says does.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::settings_format;
use super::{Address, AddressError, Interval, PublishPolicy, Slot, exact_size, next_slot};

/// Defines the settings and patches of them, and everything that goes through all settings one by one, from one list: what each is,
/// its default, what people call it, and how an edit says its value.
macro_rules! settings {
    (
        new($name:ident, $address:ident);
        $(
            $(#[doc = $doc:literal])+
            $(#[serde($($format:tt)+)])?
            $field:ident: $type:ty = $default:expr, $label:literal, $words:expr;
        )+
    ) => {
        /// What an operator says of a source.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct SourceSettings {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl SourceSettings {
            /// Returns settings with this name, this address, and the default of everything else.
            pub fn new($name: String, $address: Address) -> Self {
                Self { $($field: $default,)+ }
            }
        }

        /// Settings to change; `None` leaves one as it is. In JSON and TOML a setting is called by its label, and what is
        /// absent is left as it is.
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
            /// What the settings are called.
            pub const LABELS: &[&str] = &[$($label),+];

            /// Returns a patch that sets what either of the two sets, and what both do as `later` does.
            #[must_use]
            pub fn and_then(self, later: Self) -> Self {
                Self { $($field: later.$field.or(self.$field),)+ }
            }

            /// Returns the patch without what is so in `present` already.
            #[must_use]
            pub fn without(self, present: &SourceSettings) -> Self {
                Self { $($field: self.$field.filter(|value| *value != present.$field),)+ }
            }

            /// Returns the patch that makes `new` of `old`.
            pub fn between(old: &SourceSettings, new: &SourceSettings) -> Self {
                Self { $($field: (old.$field != new.$field).then(|| new.$field.clone()),)+ }
            }

            /// Returns the settings with the patch in them, whether the others of them allow its address or not.
            pub fn laid_over(self, old: SourceSettings) -> SourceSettings {
                SourceSettings { $($field: self.$field.unwrap_or(old.$field),)+ }
            }
        }

        impl Edit {
            /// Returns what takes the edit back where `present` are the settings, and the names of the settings that are
            /// left alone, since they are no longer as the edit made them.
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

            /// Returns what the edit changed, a line each, such as `interval 1d -> 1h`; nothing when it changed nothing.
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
    /// What people call it; unique among the sources that are not removed.
    name: String = name, "name", String::clone;
    /// What is fetched; unique likewise.
    address: Address = address, "address", word;
    /// How often.
    interval: Interval = Interval::DEFAULT, "interval", word;
    /// Whether the worker fetches it when due.
    enabled: bool = true, "enabled", word;
    /// Words to select it by, sorted, without repeats.
    tags: Vec<String> = Vec::new(), "tags", |tags| list(tags);
    /// Whether its host may be a private or loopback address.
    allow_private: bool = false, "allow_private", word;
    /// Whether plain HTTP is allowed.
    allow_http: bool = false, "allow_http", word;
    /// Whether an empty body may follow one with content.
    allow_empty: bool = false, "allow_empty", word;
    /// Which versions are published.
    publish: PublishPolicy = PublishPolicy::Passed, "publish", word;
    /// The largest body, before and after decompression; the configuration's `fetch.max_size` when not set.
    #[serde(with = "settings_format::max_size")]
    max_size_bytes: Option<u64> = None, "max_size", |limit| size(*limit);
    /// `NAME:PASSWORD` for HTTP basic authentication (RFC 7617), in place of a header `Authorization`; the password is `${NAME}`.
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
    /// Returns what differs from the defaults, without name and address: these settings are that, laid over
    /// [`SourceSettings::new`].
    pub fn beyond_defaults(&self) -> SettingsPatch {
        let defaults = Self::new(self.name.clone(), self.address.clone());
        SettingsPatch::between(&defaults, self)
    }

    fn logs_in_twice(&self) -> bool {
        let is_login = |(name, _): &(String, String)| name.eq_ignore_ascii_case("authorization");
        self.user.is_some() && self.headers.iter().any(is_login)
    }

    /// Returns the texts in which secrets may stand by name.
    pub fn secret_texts(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter().map(|(_, value)| value.as_str());
        let texts = headers.chain(self.user.as_deref());
        texts
            .chain([self.address.as_str()])
            .filter(|text| text.contains("${"))
    }
}

/// Why settings do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Plain HTTP without `allow_http`.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Two values for the one header `Authorization` of a request (RFC 9110 §11.6.2).
    #[error(
        "the user and the header `Authorization` are two logins, and a request takes one: give one of them, and take the other away with --user none or --no-headers"
    )]
    TwoLogins,
}

impl SettingsPatch {
    /// Returns the settings with the patch in them.
    ///
    /// # Errors
    ///
    /// Settings that do not go together, whichever of them the patch changes: an address of plain HTTP without `allow_http`, and
    /// a user beside a header `Authorization`. A patch that is about neither of the two logins leaves them as they are.
    pub fn apply_to(&self, old: &SourceSettings) -> Result<SourceSettings, SettingsError> {
        let new = self.clone().laid_over(old.clone());
        Address::parse(new.address.as_str(), new.allow_http)?;
        if (self.user.is_some() || self.headers.is_some()) && new.logs_in_twice() {
            return Err(SettingsError::TwoLogins);
        }
        Ok(new)
    }
}

/// The settings of a source before and after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// As they were.
    pub before: SourceSettings,
    /// As the edit left them.
    pub after: SourceSettings,
}

impl Edit {
    /// Tells whether something else is asked of the server since: a representation that was stored before says nothing of
    /// what it would answer now.
    pub fn asks_otherwise(&self) -> bool {
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

    /// Tells whether the result of a fetch that began before is not to be kept: something else was asked, or other answers
    /// were accepted.
    pub fn outdates_fetches(&self) -> bool {
        let permissions = |settings: &SourceSettings| {
            (
                settings.allow_private,
                settings.allow_http,
                settings.allow_empty,
                settings.max_size_bytes,
            )
        };
        self.asks_otherwise() || permissions(&self.before) != permissions(&self.after)
    }

    /// Returns when the source is due after the edit, which was made in slot `now`, given when it was due before: at once with
    /// another address; with another interval as if it had had that at its `last` attempt, which left so many failures in a row.
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

fn size(limit: Option<u64>) -> String {
    limit.map_or_else(|| "default".to_owned(), exact_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut SourceSettings);
    /// What others change meanwhile; whether interval, enabled and tags are taken back; what is left alone.
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
        let both = joe().laid_over(with_header.clone());
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
        // Nobody else changed anything; somebody set the interval once more; somebody took one of three back already.
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
            // After a failure, by the pauses that double.
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
            assert_eq!(edit.asks_otherwise(), asks, "{:?}", edit.differences());
            assert_eq!(
                edit.outdates_fetches(),
                outdates,
                "{:?}",
                edit.differences()
            );
        }
    }
}
