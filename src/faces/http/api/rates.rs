//! `/rates/{date}/` and `/api/v1/rates`: currency rates of a day and over a range, as JSON or CSV, with the digits that they came
//! with.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::parameters::parsed;
use crate::app::{App, RatesAnswer, RatesAt, RatesError, RatesOver, RatesWanted};
use crate::domain::{Currency, Day, Digest, Moment, format_size};
use crate::faces::csv;
use crate::faces::http::accept::prefers;
use crate::faces::http::conditions::{Conditions, Outcome};
use crate::faces::http::extract::{Params, Part};
use crate::faces::http::large_answer::MAX_ANSWER_BYTES;
use crate::faces::http::problem::{Problem, ProblemJson};
use crate::faces::http::shared::Shared;
use crate::faces::json::{RateJson, RatesJson};

/// The most days of a range.
const MAX_DAYS: i64 = 3_660;
/// The most currencies that a request names.
const MAX_SYMBOLS: usize = 200;
const CSV: &str = "text/csv";
const JSON: &str = "application/json";

/// A format of rates.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Csv,
}

/// Another day than the one that was asked for.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Nearest {
    /// The nearest earlier day with rates.
    Previous,
}

/// The day of a path.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes the path")]
pub(super) struct DayPart {
    /// A day such as `2026-11-27`, or `latest`.
    #[param(max_length = 10, pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2}|latest)$")]
    date: String,
}

/// Which rates of a day.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct DayParams {
    /// The currency whose unit is valued; by default the recorded one. Rates are converted to another one in decimal
    /// arithmetic, to 12 significant digits, half to even.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    base: Option<String>,
    /// Only these currencies, separated by commas.
    #[param(max_length = 800, pattern = "^[A-Z]{3}(,[A-Z]{3})*$")]
    symbols: Option<String>,
    /// As the rates were known at this time; by default as they are known now.
    #[param(max_length = 40)]
    as_of: Option<String>,
    /// The source, by id or name; by default the first one with rates that was added.
    #[param(max_length = 8000)]
    source: Option<String>,
    /// Which day may stand in for one without rates; by default none.
    #[param(inline)]
    nearest: Option<Nearest>,
    /// By default what `Accept` prefers.
    #[param(inline)]
    format: Option<Format>,
}

/// Which rates of a range of days.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct RangeParams {
    /// The first day; by default 30 days before the last one.
    #[param(max_length = 10, format = Date)]
    from: Option<String>,
    /// The last day; by default today. A range has 3,660 days at most.
    #[param(max_length = 10, format = Date)]
    to: Option<String>,
    /// The currency whose unit is valued; by default the recorded one.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    base: Option<String>,
    /// Only these currencies, separated by commas.
    #[param(max_length = 800, pattern = "^[A-Z]{3}(,[A-Z]{3})*$")]
    symbols: Option<String>,
    /// As the rates were known at this time; by default as they are known now.
    #[param(max_length = 40)]
    as_of: Option<String>,
    /// The source, by id or name; by default the first one with rates that was added.
    #[param(max_length = 8000)]
    source: Option<String>,
    /// By default what `Accept` prefers.
    #[param(inline)]
    format: Option<Format>,
}

/// Rates of a range of days.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RatesRangeJson<'a> {
    /// The name of the source.
    source: &'a str,
    /// The days that have rates, oldest first.
    days: Vec<RatesJson<'a>>,
}

/// Returns the rates of a day, and of no other, unless `nearest=previous` allows an earlier one.
#[utoipa::path(
    get,
    path = "/rates/{date}/",
    operation_id = "showRates",
    params(DayPart, DayParams),
    responses((status = 200, content((RatesJson = "application/json"), (String = "text/csv"))), (status = 304), (status = 404, description = "The day has no rates: the problem names the days held, and the nearest earlier one", body = ProblemJson, content_type = "application/problem+json"), (status = 412, body = ProblemJson, content_type = "application/problem+json")),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Part(date): Part<String>,
    Params(params): Params<DayParams>,
    headers: HeaderMap,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let app = shared.app();
    let at = RatesAt {
        day: date.parse().map_err(Problem::invalid)?,
        nearest_previous: params.nearest.is_some(),
        wanted: RatesWanted {
            source: params.source,
            base: parsed("base", params.base.as_deref())?,
            symbols: params.symbols.as_deref().map(symbols).transpose()?,
            as_of: as_of(app, params.as_of.as_deref())?,
        },
    };
    let answer = app.rates_on(&at).await.map_err(refused)?;
    let bytes = if wants_csv(params.format, &headers) {
        (CSV, rows([&answer])?)
    } else {
        (JSON, object(&RatesJson::new(&answer))?)
    };
    Ok(conditional(bytes, &conditions))
}

/// Returns the rates of a range of days, oldest first. Days without rates are left out.
#[utoipa::path(
    get,
    path = "/api/v1/rates",
    operation_id = "listRates",
    params(RangeParams),
    responses((status = 200, content((RatesRangeJson = "application/json"), (String = "text/csv"))), (status = 304), (status = 404, description = "No source has rates", body = ProblemJson, content_type = "application/problem+json"), (status = 412, body = ProblemJson, content_type = "application/problem+json")),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Params(params): Params<RangeParams>,
    headers: HeaderMap,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let app = shared.app();
    let (from, to) = range(app, params.from.as_deref(), params.to.as_deref())?;
    let over = RatesOver {
        from,
        to,
        wanted: RatesWanted {
            source: params.source,
            base: parsed("base", params.base.as_deref())?,
            symbols: params.symbols.as_deref().map(symbols).transpose()?,
            as_of: as_of(app, params.as_of.as_deref())?,
        },
    };
    let found = app.rates_range(&over).await.map_err(refused)?;
    let bytes = if wants_csv(params.format, &headers) {
        (CSV, rows(&found.days)?)
    } else {
        let days = found.days.iter().map(RatesJson::new).collect();
        let source = &found.source.name;
        (JSON, object(&RatesRangeJson { source, days })?)
    };
    if bytes.1.len() > MAX_ANSWER_BYTES {
        let most = format_size(MAX_ANSWER_BYTES as u64);
        let detail =
            format!("the answer has more than {most}: ask for fewer days, or name `symbols`");
        return Err(Problem::invalid(detail));
    }
    let answer = conditional(bytes, &conditions);
    shared.answer_room().hold(answer).await
}

/// Returns the days of a range.
fn range(
    app: &App,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(NaiveDate, NaiveDate), Problem> {
    let last = parsed::<Day>("to", to)?.unwrap_or(Day::containing(app.now()));
    let first = parsed::<Day>("from", from)?.unwrap_or(last.before(30));
    let (from, to) = (first.date(), last.date());
    if (to - from).num_days() >= MAX_DAYS {
        let detail = format!("the range from {from} to {to} is too long: {MAX_DAYS} days at most");
        return Err(Problem::invalid(detail));
    }
    Ok((from, to))
}

fn symbols(text: &str) -> Result<Vec<Currency>, Problem> {
    let read = |one: &str| Currency::from_str(one).map_err(|error| wrong("symbols", &error));
    let symbols: Vec<_> = text
        .split(',')
        .take(MAX_SYMBOLS + 1)
        .map(read)
        .collect::<Result<_, _>>()?;
    if symbols.len() > MAX_SYMBOLS {
        let detail = format!("`symbols`: at most {MAX_SYMBOLS} currencies");
        return Err(Problem::invalid(detail));
    }
    Ok(symbols)
}

fn wrong(name: &str, why: &dyn Display) -> Problem {
    Problem::invalid(format!("`{name}`: {why}"))
}

fn as_of(app: &App, text: Option<&str>) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(moment) = parsed::<Moment>("as_of", text)? else {
        return Ok(None);
    };
    if app.is_future(moment) {
        return Err(Problem::invalid("`as_of`: that time lies in the future"));
    }
    Ok(Some(app.config().zone.end(moment, app.now())))
}

fn refused(error: RatesError) -> Problem {
    Problem::from(crate::app::Error::from(error))
}

fn wants_csv(format: Option<Format>, headers: &HeaderMap) -> bool {
    match format {
        Some(format) => format == Format::Csv,
        None => prefers(headers, &[CSV], JSON),
    }
}

fn object(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let mut bytes = serde_json::to_vec(value).map_err(|error| unwritable(&error))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Returns rates as CSV (RFC 4180), a row for each day and currency.
fn rows<'a>(answers: impl IntoIterator<Item = &'a RatesAnswer>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let written = csv::write_header(&mut bytes, RateJson::FIELDS).and_then(|()| {
        answers
            .into_iter()
            .flat_map(RateJson::of)
            .try_for_each(|one| {
                let texts = one.texts().map(serde_json::Value::String);
                csv::write_values(&mut bytes, texts.into_iter())
            })
    });
    written.map_err(|error| unwritable(&error))?;
    Ok(bytes)
}

fn unwritable(error: &dyn Display) -> Problem {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Problem::new(status, format!("cannot write the answer: {error}"))
}

/// Returns bytes as an answer with their entity tag, or 304 when the client has them already.
fn conditional((media_type, bytes): (&'static str, Vec<u8>), conditions: &Conditions) -> Response {
    let tag = format!("\"{}\"", &Digest::of(&bytes).to_hex()[..32]);
    let mut response = match conditions.outcome(&tag, None) {
        Outcome::Met => {
            let media_type = HeaderValue::from_static(media_type);
            ([(header::CONTENT_TYPE, media_type)], bytes).into_response()
        }
        Outcome::Unchanged => StatusCode::NOT_MODIFIED.into_response(),
        Outcome::Failed => {
            let detail = "these rates are not those of If-Match";
            return Problem::new(StatusCode::PRECONDITION_FAILED, detail).into_response();
        }
    };
    let fields = response.headers_mut();
    if let Ok(tag) = HeaderValue::try_from(tag) {
        fields.insert(header::ETAG, tag);
    }
    let always = HeaderValue::from_static("private, no-cache");
    fields.insert(header::CACHE_CONTROL, always);
    fields.insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}
