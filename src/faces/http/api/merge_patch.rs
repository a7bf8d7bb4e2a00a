//! JSON merge patches (RFC 7396) of the settings of a source.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::domain::{SettingsPatch, SourceSettings};
use crate::faces::http::problem::Problem;

/// Returns the settings that a merge patch makes of the present ones; null gives a setting its default.
pub(super) fn patched(
    present: &SourceSettings,
    mut patch: Map<String, Value>,
) -> Result<SourceSettings, Problem> {
    check_names(&patch)?;
    name_headers_as(present, &mut patch);
    let whole = serde_json::to_value(SettingsPatch::whole(present));
    let mut settings = whole.map_err(|error| Problem::invalid(error.to_string()))?;
    merge(&mut settings, Value::Object(patch));
    let Value::Object(settings) = settings else {
        return Err(Problem::invalid("the body is to be an object"));
    };
    let wanted = settings_of(settings)?;
    let defaults = SourceSettings::new(present.name.clone(), present.address.clone());
    Ok(wanted.apply_unchecked(defaults))
}

/// Refuses a name that no setting has, also where its value is null.
pub(super) fn check_names(settings: &Map<String, Value>) -> Result<(), Problem> {
    let mut names = settings.keys();
    let is_known = |name: &str| SettingsPatch::LABELS.contains(&name);
    names.find(|name| !is_known(name)).map_or(Ok(()), |name| {
        let expected = SettingsPatch::LABELS.join(", ");
        let name = name.escape_debug();
        Err(Problem::invalid(format!(
            "the body: unknown field `{name}`, expected one of {expected}"
        )))
    })?;
    check_headers(settings)
}

/// Refuses two names of a header that differ by case: they are one (RFC 9110 §5.1).
fn check_headers(settings: &Map<String, Value>) -> Result<(), Problem> {
    let headers = settings.get("headers").and_then(Value::as_object);
    let mut names = HashSet::new();
    for name in headers.into_iter().flat_map(Map::keys) {
        if !names.insert(name.to_ascii_lowercase()) {
            let name = name.escape_debug();
            let detail = format!("the body: at /headers/{name}: the header is there twice");
            return Err(Problem::invalid(detail).hint("several values of a header are a list"));
        }
    }
    Ok(())
}

/// Gives the headers of a patch the names that they have already, however those are spelled.
fn name_headers_as(present: &SourceSettings, patch: &mut Map<String, Value>) {
    let Some(Value::Object(headers)) = patch.get_mut("headers") else {
        return;
    };
    let known = |name: &String| {
        let mut known = present.headers.iter().map(|(known, _)| known);
        known
            .find(|known| known.eq_ignore_ascii_case(name))
            .cloned()
    };
    let named = std::mem::take(headers).into_iter();
    *headers = named
        .map(|(name, value)| (known(&name).unwrap_or(name), value))
        .collect();
}

/// Returns the settings of a body, or the problem that names the field to correct.
pub(super) fn settings_of(fields: Map<String, Value>) -> Result<SettingsPatch, Problem> {
    let read = |fields| serde_json::from_value::<SettingsPatch>(Value::Object(fields));
    let error = match read(fields.clone()) {
        Ok(settings) => return Ok(settings),
        Err(error) => error,
    };
    let mut fields = fields.into_iter();
    let wrong = fields.find_map(|(name, value)| {
        let error = read(Map::from_iter([(name.clone(), value)])).err()?;
        Some((name, error))
    });
    let detail = match wrong {
        Some((name, error)) => {
            let (name, error) = (name.escape_debug().to_string(), error.to_string());
            // The error of an unknown field names it.
            if error.contains(&format!("`{name}`")) {
                format!("the body: {error}")
            } else {
                format!("the body: `{name}`: {error}")
            }
        }
        None => format!("the body: {error}"),
    };
    Err(Problem::invalid(detail))
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_cases_of_the_standard() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (
                json!([1, 2]),
                json!({"a": "b", "c": null}),
                json!({"a": "b"}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            let mut found = target.clone();
            merge(&mut found, patch.clone());
            assert_eq!(found, expected, "{target} with {patch}");
        }
    }

    #[test]
    fn null_gives_the_default() {
        let mut settings = SourceSettings::sample("prices");
        settings.tags = vec!["eu".to_owned()];
        settings.max_size_bytes = Some(7);
        settings.headers = vec![
            ("A".to_owned(), "1".to_owned()),
            ("B".to_owned(), "2".to_owned()),
        ];
        let patch =
            json!({"tags": null, "max_size": null, "interval": "6h", "headers": {"A": null}});
        let Value::Object(patch) = patch else {
            unreachable!()
        };
        let found = patched(&settings, patch).expect("settings");
        assert_eq!(
            (
                found.tags.len(),
                found.max_size_bytes,
                found.interval.hours()
            ),
            (0, None, 6)
        );
        assert_eq!((found.name.as_str(), found.headers.len()), ("prices", 1));
        for value in [json!("6h"), json!(null)] {
            let unknown = Map::from_iter([("intervall".to_owned(), value)]);
            assert!(patched(&settings, unknown).is_err());
        }
        for (name, value) in [
            ("headers", json!(["X: y"])),
            ("tags", json!(7)),
            ("interval", json!("1y")),
            ("nonsense", json!(1)),
        ] {
            let wrong = Map::from_iter([("name".to_owned(), json!("a")), (name.to_owned(), value)]);
            let detail = settings_of(wrong).expect_err(name).into_refused().detail;
            assert!(detail.contains(&format!("`{name}`")), "{detail}");
        }
    }

    #[test]
    fn a_header_has_one_name_however_it_is_spelled() {
        let mut settings = SourceSettings::sample("prices");
        settings.headers = vec![("Accept".to_owned(), "1".to_owned())];
        let with = |headers: Value| {
            let patch = Map::from_iter([("headers".to_owned(), headers)]);
            patched(&settings, patch).map(|found| found.headers)
        };
        let one = |value: &str| vec![("Accept".to_owned(), value.to_owned())];
        assert_eq!(with(json!({"ACCEPT": "2"})).expect("headers"), one("2"));
        assert_eq!(with(json!({"accept": null})).expect("headers"), []);
        assert!(with(json!({"A": "1", "a": "2"})).is_err());
    }
}
