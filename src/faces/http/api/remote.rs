//! What somebody at the other end of a connection must not set: private addresses, and secrets that were not allowed.

use axum::http::StatusCode;

use crate::config::HttpConfig;
use crate::domain::{SourceSettings, Template};
use crate::faces::http::problem::Problem;

/// Checks the settings of a source that is added.
pub(in crate::faces::http) fn check_new(
    settings: &SourceSettings,
    config: &HttpConfig,
) -> Result<(), Problem> {
    if settings.allow_private {
        return Err(
            forbidden("private addresses cannot be allowed through the service")
                .hint("on the machine itself: `gannet add URL --allow-private`"),
        );
    }
    check_secrets(settings, config)
}

/// Checks the settings of a source that is edited. Secrets and permissions that were set on the machine itself stay bound
/// to the address for which they were set.
pub(in crate::faces::http) fn check_edited(
    before: &SourceSettings,
    after: &SourceSettings,
    config: &HttpConfig,
) -> Result<(), Problem> {
    if after.allow_private && !before.allow_private {
        return Err(
            forbidden("private addresses cannot be allowed through the service")
                .hint("on the machine itself: `gannet edit SOURCE --allow-private`"),
        );
    }
    if before.address == after.address
        && before.headers == after.headers
        && before.user == after.user
    {
        return Ok(());
    }
    if after.allow_private && before.address != after.address {
        return Err(forbidden(
            "the address of a source that may be private cannot be changed through the service",
        )
        .hint("on the machine itself: `gannet edit SOURCE --address URL`"));
    }
    check_secrets(after, config)
}

fn check_secrets(settings: &SourceSettings, config: &HttpConfig) -> Result<(), Problem> {
    let mut names = settings
        .secret_texts()
        .flat_map(|text| Template(text).names());
    match names.find(|name| !config.allowed_secrets.iter().any(|allowed| allowed == name)) {
        None => Ok(()),
        Some(name) => {
            let detail = format!(
                "the secret `{}` cannot be named through the service",
                name.escape_debug()
            );
            Err(forbidden(&detail)
                .hint("[http] allowed_secrets in the configuration lists those that can"))
        }
    }
}

fn forbidden(detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Address;

    #[test]
    fn secrets_and_private_addresses_stay_where_they_were_set() {
        let config = HttpConfig {
            allowed_secrets: vec!["OPEN".to_owned()],
            ..HttpConfig::default()
        };
        let plain = SourceSettings::sample("a");
        let with = |name: &str| SourceSettings {
            headers: vec![("Authorization".to_owned(), format!("Bearer ${{{name}}}"))],
            ..plain.clone()
        };
        let elsewhere = |settings: &SourceSettings| SourceSettings {
            address: Address::parse("https://evil.example/a", false).expect("an address"),
            ..settings.clone()
        };
        let private = SourceSettings {
            allow_private: true,
            ..plain.clone()
        };
        for (settings, is_allowed) in [
            (&plain, true),
            (&with("OPEN"), true),
            (&with("SHUT"), false),
            (&private, false),
        ] {
            assert_eq!(
                check_new(settings, &config).is_ok(),
                is_allowed,
                "{settings:?}"
            );
        }
        let tagged = SourceSettings {
            tags: vec!["x".to_owned()],
            ..with("SHUT")
        };
        for (before, after, is_allowed) in [
            (&plain, elsewhere(&plain), true),
            (&plain, private.clone(), false),
            (&private, plain.clone(), true),
            (&private, elsewhere(&private), false),
            (&private, elsewhere(&plain), true),
            (&plain, with("SHUT"), false),
            (&with("SHUT"), tagged, true),
            (&with("SHUT"), elsewhere(&with("SHUT")), false),
            (&with("OPEN"), elsewhere(&with("OPEN")), true),
            (&with("SHUT"), plain.clone(), true),
        ] {
            assert_eq!(
                check_edited(before, &after, &config).is_ok(),
                is_allowed,
                "{before:?} {after:?}"
            );
        }
    }
}
