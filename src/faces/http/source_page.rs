//! A page of the sources in an order, after a place in it: what the API and the pages list.

use serde::Deserialize;

use super::cursor::Cursor;
use super::problem::Problem;
use super::schema::words_schema;
use crate::app::{self, App, Newest};
use crate::domain::{Filter, Source, SourceId};
use crate::faces::filtering::filtered;
use crate::faces::state_word::{StateWord, next_due};

/// The most sources of a page.
pub(super) const MAX_ITEMS: usize = 500;
/// The sources of a page whose number was not given.
const DEFAULT_ITEMS: usize = 100;

/// Which sources, in which order, and after which place.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct SourceListing {
    /// Which sources, in the language of `list --filter`.
    #[param(max_length = 4096, format = "source-filter")]
    pub(super) filter: Option<String>,
    /// The order, with `-` before it from the other end; by default `name`. With a key that moves (`state`, `last`, `next`)
    /// a source whose key changes between two pages can be passed over or come twice; with `name` and `id` none is.
    #[param(schema_with = sort_schema)]
    pub(super) sort: Option<String>,
    /// At most so many; by default 100.
    #[param(minimum = 1, maximum = 500, default = 100)]
    pub(super) limit: Option<usize>,
    /// The `next` of the page before.
    #[param(max_length = 2048, pattern = "^[0-9]{1,18}-([0-9a-f]{2})*$")]
    pub(super) after: Option<String>,
}

/// An order of sources. Of equals, the first by name comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceSort {
    /// By name.
    Name,
    /// By id: the order in which they were added.
    Id,
    /// By state, the gravest first.
    State,
    /// By the start of the last attempt.
    Last,
    /// By the time at which they are due.
    Next,
}

impl SourceSort {
    /// Every order with its word.
    pub(super) const ALL: [(Self, &'static str); 5] = [
        (Self::Name, "name"),
        (Self::Id, "id"),
        (Self::State, "state"),
        (Self::Last, "last"),
        (Self::Next, "next"),
    ];
}

/// Returns the schema of the words of orders.
fn sort_schema() -> utoipa::openapi::Schema {
    let words = SourceSort::ALL.into_iter();
    let about = "The order, with - before it from the other end; by default name";
    words_schema(
        about,
        words.flat_map(|(_, word)| [word.to_owned(), format!("-{word}")]),
    )
}

/// A page of sources.
pub(super) struct SourcePage {
    /// Each with facts of its newest version and last attempt.
    pub(super) sources: Vec<(Source, Newest)>,
    /// The place after which the next page begins; `None` on the last page.
    pub(super) next: Option<Cursor>,
    /// How many sources match, and how many of them come before the page, where both are known without a further query.
    pub(super) counts: Option<(u64, u64)>,
}

/// Returns the page that a listing asks for.
pub(super) async fn source_page(app: &App, listing: &SourceListing) -> Result<SourcePage, Problem> {
    let (sort, is_reversed) = sort_of(listing)?;
    let size = page_size(listing.limit)?;
    let after = listing.after.as_deref().map(Cursor::read).transpose()?;
    let filter = filter_of(listing)?;
    if sort == SourceSort::Name && !is_reversed && filter.is_empty() {
        return Ok(page_by_name(app, after, size).await?);
    }
    let mut sources = matching(app, &filter).await?;
    sources.sort_by_cached_key(|source| place(sort, source));
    if is_reversed {
        sources.reverse();
    }
    let total = sources.len();
    if let Some(after) = &after {
        sources.retain(|source| {
            let place = place(sort, source);
            if is_reversed {
                place < *after
            } else {
                place > *after
            }
        });
    }
    let counts = Some((total as u64, (total - sources.len()) as u64));
    let is_last = sources.len() <= size;
    sources.truncate(size);
    let next = sources
        .last()
        .filter(|_| !is_last)
        .map(|last| place(sort, last));
    Ok(SourcePage {
        sources: with_newest(app, sources).await?,
        next,
        counts,
    })
}

/// Returns sources with the facts of a page.
async fn with_newest(app: &App, sources: Vec<Source>) -> app::Result<Vec<(Source, Newest)>> {
    let mut newest = app.newest(&sources).await?;
    let with_its = |source: Source| {
        let newest = newest.remove(&source.id);
        (source, newest.unwrap_or_default())
    };
    Ok(sources.into_iter().map(with_its).collect())
}

/// Returns a page of all sources by name, without reading the others.
async fn page_by_name(app: &App, after: Option<Cursor>, size: usize) -> app::Result<SourcePage> {
    // One more than the page holds shows whether there is another page.
    let after = after.map(|after| (after.key, SourceId(after.id)));
    let mut sources = app.sources_to_list(after, size + 1).await?;
    let is_last = sources.len() <= size;
    sources.truncate(size);
    let next = sources.last().filter(|_| !is_last);
    let next = next.map(|(last, _)| place(SourceSort::Name, last));
    Ok(SourcePage {
        sources,
        next,
        counts: None,
    })
}

/// Returns how many sources match a listing, and how many of them come before its page.
pub(super) async fn counts(
    app: &App,
    listing: &SourceListing,
    page: &SourcePage,
) -> Result<(u64, u64), Problem> {
    if let Some(counts) = page.counts {
        return Ok(counts);
    }
    let after = listing.after.as_deref().map(Cursor::read).transpose()?;
    let after = after.map(|after| (after.key, SourceId(after.id)));
    Ok(app.place_among_sources(after).await?)
}

/// Returns all sources that a filter lets through.
pub(super) async fn all_of(app: &App, filter: &str) -> Result<Vec<Source>, Problem> {
    let listing = SourceListing {
        filter: Some(filter.to_owned()),
        ..SourceListing::default()
    };
    Ok(matching(app, &filter_of(&listing)?).await?)
}

/// Returns the sources that a filter lets through; removed ones only where it asks for them.
async fn matching(app: &App, filter: &Filter) -> app::Result<Vec<Source>> {
    let all = if filter.asks_removed() {
        app.removed_sources(&[]).await?
    } else if filter.asks_days() {
        app.sources_and_days().await?
    } else {
        app.sources(&[]).await?
    };
    filtered(app, all, filter).await
}

fn filter_of(listing: &SourceListing) -> Result<Filter, Problem> {
    let filter = listing.filter.as_deref().unwrap_or_default().parse();
    filter.map_err(|error| Problem::invalid(format!("`filter`: {error}")))
}

fn sort_of(listing: &SourceListing) -> Result<(SourceSort, bool), Problem> {
    let text = listing.sort.as_deref().unwrap_or("name");
    let (word, is_reversed) = match text.strip_prefix('-') {
        Some(word) => (word, true),
        None => (text, false),
    };
    let mut all = SourceSort::ALL.into_iter();
    if let Some((sort, _)) = all.find(|(_, known)| *known == word) {
        return Ok((sort, is_reversed));
    }
    let word = word.escape_debug();
    let expected = SourceSort::ALL.map(|(_, word)| word).join(", ");
    Err(Problem::invalid(format!(
        "`sort` is `{word}`: expected {expected}, with - before it for the other end first"
    )))
}

/// Returns the last item of a full page, behind which the next one begins; a page that is not full is the last one for now.
pub(super) fn last_of_full<T>(items: &[T], size: usize) -> Option<&T> {
    items.last().filter(|_| items.len() >= size)
}

/// Returns the number of items of a page; an error beyond [`MAX_ITEMS`].
pub(super) fn page_size(limit: Option<usize>) -> Result<usize, Problem> {
    match limit {
        None => Ok(DEFAULT_ITEMS),
        Some(limit @ 1..=MAX_ITEMS) => Ok(limit),
        Some(limit) => {
            let detail = format!("`limit` is {limit}: expected 1 to {MAX_ITEMS}");
            Err(Problem::invalid(detail))
        }
    }
}

/// Returns the place of a source in an order.
fn place(sort: SourceSort, source: &Source) -> Cursor {
    let name = &source.settings.name;
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| {
        format!(
            "{:020} {name}",
            time.map_or(0, |time| time.timestamp_millis().max(0))
        )
    };
    let key = match sort {
        SourceSort::Name => name.clone(),
        SourceSort::Id => format!("{:020}", source.id.0),
        SourceSort::State => format!("{:02} {name}", gravity(StateWord::of(source))),
        SourceSort::Last => time(source.state.last_attempt_at),
        SourceSort::Next => time(next_due(source)),
    };
    Cursor {
        key,
        id: source.id.0,
    }
}

/// Returns the rank of a state, the gravest first.
pub(super) fn gravity(state: StateWord) -> u8 {
    match state {
        StateWord::Damaged => 0,
        StateWord::Unpublished => 1,
        StateWord::Fail => 2,
        StateWord::SetFail => 3,
        StateWord::Down => 4,
        StateWord::Error => 5,
        StateWord::Pending => 6,
        StateWord::Never => 7,
        StateWord::New => 8,
        StateWord::Ok => 9,
        StateWord::Absent => 10,
        StateWord::Off => 11,
        StateWord::Removed => 12,
    }
}
