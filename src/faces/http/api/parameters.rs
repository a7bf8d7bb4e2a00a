//! What the parameters of requests take, for the description and for the handlers that refuse all else.

use std::str::FromStr;

use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::Schema;

use crate::app::App;
use crate::domain::{Action, Source, Version};
use crate::faces::http::problem::Problem;
use crate::faces::http::schema::words_schema;

/// The most characters of a text that names a source, a version or a set. A longer address is named by the source's id.
pub(super) const MAX_NAME_CHARS: usize = 512;

/// The part of a path that names a source.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes what handlers take as a text")]
pub(super) struct SourcePart {
    /// A source: its id, name or address.
    #[param(min_length = 1, max_length = 512, format = "source", example = "1")]
    source: String,
}

/// The part of a path that names a version.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes what handlers take as a text")]
pub(super) struct VersionPart {
    /// A version as on the command line: `217`, `v217`, `prices`, `prices~1`, `prices:published`.
    #[param(min_length = 1, max_length = 512, format = "version", example = "1")]
    version: String,
}

/// The part of a path that names the newer one of two versions.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes what handlers take as a text")]
pub(super) struct OtherPart {
    /// The version with which the first one is compared: the difference leads from the first one to this one.
    #[param(min_length = 1, max_length = 512, format = "version", example = "2")]
    other: String,
}

/// The part of a path that names a set.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes what handlers take as a text")]
pub(super) struct SetPart {
    /// The name of the set.
    #[param(min_length = 1, max_length = 512, format = "set")]
    name: String,
}

/// The header of a POST that is done once.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what the idempotency layer reads")]
pub(super) struct OnceHeader {
    /// A key under which the request, sent again, gets the first answer and is done once, also when its client left before
    /// the answer; while the first is under way the answer is 409. A key is of one person or token, one operation, and one
    /// body (another is 422). Keys are kept in the memory of the service for 24 hours, 1,000 of them, and not beyond its end: a
    /// request sent again after a restart is done again. Failures (5xx) and refusals (401, 403) are not kept.
    #[param(
        rename = "Idempotency-Key",
        value_type = String,
        required = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    key: Option<String>,
}

/// The query of a history: the items before the last one of the page before.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// The `next` of the page before.
    #[param(minimum = 0, value_type = Option<i64>)]
    pub(super) after: Option<Place>,
    /// At most so many; by default 100.
    #[param(minimum = 1, maximum = 500, default = 100)]
    pub(super) limit: Option<usize>,
    /// Whether the history of a removed source is listed; else the answer is 404.
    pub(super) removed: bool,
}

/// The id behind which a page begins: a number from 0.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Place(pub(super) i64);

impl TryFrom<i64> for Place {
    type Error = String;

    fn try_from(id: i64) -> Result<Self, String> {
        let is_place = id >= 0;
        is_place
            .then_some(Self(id))
            .ok_or_else(|| format!("`after` is {id}: expected a number from 0"))
    }
}

/// Returns the schema of the actions of events.
pub(super) fn action_schema() -> Schema {
    let about = "Only events of this action";
    words_schema(
        about,
        Action::ALL.into_iter().map(|action| action.to_string()),
    )
}

/// Reads a parameter that is a word or has a language of its own.
pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(
    name: &str,
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|error| Problem::invalid(format!("`{name}`: {error}")))
}

/// Returns the one source that a text names.
pub(super) async fn source_named(app: &App, text: &str) -> Result<Source, Problem> {
    check_length(text)?;
    app.source(text).await.map_err(Problem::of_name)
}

/// Refuses a source that was removed, unless the request asks for such.
pub(super) fn check_present(source: &Source, with_removed: bool) -> Result<(), Problem> {
    if source.removed_at.is_none() || with_removed {
        return Ok(());
    }
    let detail = format!("the source {} was removed", source.settings.name);
    let hint = format!(
        "?removed=true shows it; POST /api/v1/sources/{}/restore brings it back",
        source.id
    );
    Err(Problem::new(StatusCode::NOT_FOUND, detail).hint(hint))
}

/// Returns the version that a text names, and its source.
pub(super) async fn version_named(app: &App, text: &str) -> Result<(Source, Version), Problem> {
    check_length(text)?;
    app.version(text).await.map_err(Problem::of_name)
}

/// Refuses a text that is too long to name something.
pub(super) fn check_length(text: &str) -> Result<(), Problem> {
    if text.chars().nth(MAX_NAME_CHARS).is_none() {
        return Ok(());
    }
    let detail =
        format!("a source, a version or a set is named by at most {MAX_NAME_CHARS} characters");
    Err(Problem::invalid(detail).hint("name it by its id"))
}
