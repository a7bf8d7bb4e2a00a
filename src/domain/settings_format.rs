//! The JSON and TOML form of settings whose types have none of their own: the texts that people write.

use serde::Deserialize;
use serde::de::Deserializer;

use super::text_form::{from_text, prints_text, reads_text};
use super::{Address, Interval, PublishPolicy};

prints_text!(Interval, PublishPolicy);
reads_text!(Interval, PublishPolicy);

impl<'de> Deserialize<'de> for Address {
    /// An address alone may be plain HTTP: only the complete settings tell whether it is allowed.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, |text| Self::parse(text, true))
    }
}

/// A value, or null for `None`.
pub(super) mod or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::option_option,
        clippy::ref_option,
        reason = "serde passes the field"
    )]
    pub(in crate::domain) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value
            .as_ref()
            .and_then(Option::as_ref)
            .serialize(serializer)
    }

    #[expect(clippy::option_option, reason = "null is another value than none")]
    pub(in crate::domain) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }
}

/// Sizes as texts such as `256MiB`; null for no limit of the source's own.
pub(super) mod max_size {
    use serde::de::{Deserializer, Error};
    use serde::{Deserialize, Serialize, Serializer};

    use crate::domain::{exact_size, parse_size};

    #[expect(
        clippy::option_option,
        clippy::ref_option,
        reason = "serde passes the field"
    )]
    pub(in crate::domain) fn serialize<S: Serializer>(
        size: &Option<Option<u64>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        size.flatten().map(exact_size).serialize(serializer)
    }

    #[expect(clippy::option_option, reason = "null is another value than none")]
    pub(in crate::domain) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<u64>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let size = text.map(|text| parse_size(&text)).transpose();
        size.map(Some).map_err(D::Error::custom)
    }
}

/// Headers as a map from a name to one value or a list of values.
pub(super) mod headers {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged, expecting = "expected a string or a list of strings")]
    enum Values {
        One(String),
        Many(Vec<String>),
    }

    #[expect(clippy::ref_option, reason = "serde passes the field")]
    pub(in crate::domain) fn serialize<S: Serializer>(
        headers: &Option<Vec<(String, String)>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, value) in headers.iter().flatten() {
            by_name.entry(name).or_default().push(value.clone());
        }
        let values = by_name
            .into_iter()
            .map(|(name, mut values)| match values.len() {
                1 => (name, Values::One(values.remove(0))),
                _ => (name, Values::Many(values)),
            });
        serializer.collect_map(values)
    }

    pub(in crate::domain) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<(String, String)>>, D::Error> {
        let by_name = BTreeMap::<String, Values>::deserialize(deserializer)?;
        let headers = by_name.into_iter().flat_map(|(name, values)| {
            let values = match values {
                Values::One(value) => vec![value],
                Values::Many(values) => values,
            };
            values.into_iter().map(move |value| (name.clone(), value))
        });
        Ok(Some(headers.collect()))
    }
}
