//! `rates`: adds sources of currency rates, and shows what they say.

use std::io::{self, Write};

use chrono::Days;

use super::add;
use super::published::warn_of_unpublished;
use crate::app::{
    App, Error, Ingest, NewRates, RatesAnswer, RatesAt, RatesDay, RatesOver, RatesRange,
    RatesWanted,
};
use crate::domain::{Currency, Day, Moment, Rate, RatesWish};
use crate::faces::cli::args::{
    RatesAddArgs, RatesArgs, RatesHistoryArgs, RatesShowArgs, RatesWantedArgs, RatesWhat,
    TableFormat,
};
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Table, left, right};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::csv;
use crate::faces::json::{self, RateJson, RatesJson};
use crate::faces::text::clean;

pub(super) async fn run(app: &App, args: &RatesArgs, console: &mut Console<'_>) -> CommandResult {
    match &args.what {
        RatesWhat::Add(args) => add_source(app, args, console).await,
        RatesWhat::Show(args) => show(app, args, console).await,
        RatesWhat::History(args) => history(app, args, console).await,
        RatesWhat::Ingest(_) => Ok(ExitStatus::Done), // done by now, with a worker
    }
}

async fn add_source(app: &App, args: &RatesAddArgs, console: &mut Console<'_>) -> CommandResult {
    let added = app
        .add_rates(NewRates {
            provider: args.provider,
            wish: RatesWish {
                base: args.base,
                symbols: args.symbols.clone(),
                is_whole_history: args.full,
                key_in_header: args.key_in_header,
            },
            name: args.name.clone(),
            interval: args.every,
            days: args.days,
        })
        .await?;
    add::print(&added, console)?;
    for line in app.unusable_secrets_among(std::slice::from_ref(&added.source)) {
        console.warn(&line);
    }
    Ok(warn_of_unpublished(app, [added.source.id], console).await?)
}

/// Prints what was not asked for, and how to ask for it.
pub fn print_ingest(ingest: &Ingest, console: &mut Console<'_>) {
    if ingest.held > 0 {
        let days = counted(ingest.held, "day");
        console.note(&format!("{days} held already; --again asks for them, too"));
    }
    if ingest.left > 0 {
        let files = counted(ingest.left, "file");
        console.note(&format!("{files} left: the same command goes on with them"));
    }
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun} is"),
        count => format!("{count} {noun}s are"),
    }
}

async fn show(app: &App, args: &RatesShowArgs, console: &mut Console<'_>) -> CommandResult {
    let at = RatesAt {
        day: args.day,
        nearest_previous: args.nearest,
        wanted: RatesWanted {
            symbols: args.symbols.clone(),
            ..wanted(app, &args.wanted)?
        },
    };
    let answer = app.rates_on(&at).await.map_err(Error::from)?;
    match args.format() {
        TableFormat::Json => json::write(&mut console.out, &RatesJson::new(&answer))?,
        TableFormat::Csv => write_csv(&mut console.out, [&answer])?,
        TableFormat::People => {
            let before = before(app, &at, &answer).await;
            print(&answer, before.as_ref(), &Look::of(app, console), console)?;
        }
    }
    Ok(ExitStatus::Done)
}

async fn history(app: &App, args: &RatesHistoryArgs, console: &mut Console<'_>) -> CommandResult {
    let wanted = RatesWanted {
        symbols: Some(vec![args.currency]),
        ..wanted(app, &args.wanted)?
    };
    let to = if let Some(day) = args.to {
        day.date()
    } else {
        let latest = RatesAt {
            wanted: RatesWanted {
                base: None,
                symbols: None,
                ..wanted.clone()
            },
            ..RatesAt::default()
        };
        app.rates_on(&latest).await.map_err(Error::from)?.rates.date
    };
    let so_many = Days::new(u64::from(args.days) - 1);
    let from = args.from.map(Day::date);
    let from = from.or_else(|| to.checked_sub_days(so_many));
    let over = RatesOver {
        from: from.unwrap_or(to),
        to,
        wanted,
    };
    let range = app.rates_range(&over).await.map_err(Error::from)?;
    match args.format.format() {
        TableFormat::Json => {
            let rates: Vec<_> = range.days.iter().flat_map(RateJson::of).collect();
            json::write(&mut console.out, &rates)?;
        }
        TableFormat::Csv => write_csv(&mut console.out, &range.days)?,
        TableFormat::People => {
            print_history(&range, args.currency, &Look::of(app, console), console)?;
        }
    }
    Ok(ExitStatus::Done)
}

/// Returns what the options that both commands have ask for.
fn wanted(app: &App, args: &RatesWantedArgs) -> Result<RatesWanted, Error> {
    if args.as_of.is_some_and(|moment| app.is_future(moment)) {
        return Err(Error::invalid("--as-of: that time lies in the future"));
    }
    let as_of = |moment: Moment| app.config().zone.end(moment, app.now());
    Ok(RatesWanted {
        source: args.source.clone(),
        base: args.base,
        symbols: None,
        as_of: args.as_of.map(as_of),
    })
}

/// Returns the rates of the day with rates before this one.
async fn before(app: &App, at: &RatesAt, answer: &RatesAnswer) -> Option<RatesAnswer> {
    let before = RatesAt {
        day: RatesDay::On(answer.rates.date.pred_opt()?),
        nearest_previous: true,
        wanted: RatesWanted {
            symbols: None,
            ..at.wanted.clone()
        },
    };
    app.rates_on(&before).await.ok()
}

fn print(
    answer: &RatesAnswer,
    before: Option<&RatesAnswer>,
    look: &Look,
    console: &mut Console<'_>,
) -> io::Result<()> {
    let rates = &answer.rates;
    writeln!(
        console.out,
        "{}, 1 {}, by {} (v{}), fetched {}{}\n",
        rates.date,
        rates.base,
        answer.provider,
        answer.version,
        look.second(answer.retrieved_at),
        if answer.is_correction {
            ", corrected"
        } else {
            ""
        },
    )?;
    let since = before.map_or_else(String::new, |before| format!("SINCE {}", before.rates.date));
    let mut table = Table::new([left("CURRENCY"), right("RATE"), right(since)]);
    for (currency, rate) in rates.rates.iter() {
        let before = before.and_then(|before| before.rates.rates.get(currency));
        let change = change(Some(rate), before);
        table.row([currency.to_string(), rate.to_owned(), change]);
    }
    table.write(&mut console.out, 0, look)
}

fn print_history(
    range: &RatesRange,
    currency: Currency,
    look: &Look,
    console: &mut Console<'_>,
) -> io::Result<()> {
    let name = clean(&range.source.name);
    let Some(first) = range.days.first() else {
        writeln!(console.out, "{name} has no rates in these days")?;
        return Ok(());
    };
    let base = first.rates.base;
    writeln!(console.out, "{currency} for 1 {base}, by {name}\n")?;
    let mut table = Table::new([
        left("DAY"),
        right("RATE"),
        right("CHANGE"),
        left("VERSION"),
        left(""),
    ]);
    let mut before = None;
    for day in &range.days {
        let rate = day.rates.rate_of(currency);
        let corrected = if day.is_correction { "corrected" } else { "" };
        table.row([
            day.rates.date.to_string(),
            rate.unwrap_or("-").to_owned(),
            change(rate, before),
            format!("v{}", day.version),
            corrected.to_owned(),
        ]);
        before = rate.or(before);
    }
    table.write(&mut console.out, 0, look)
}

/// Prints the difference of a rate from the one before it in per cent.
fn change(now: Option<&str>, before: Option<&str>) -> String {
    let rate = |text: Option<&str>| Rate::parse(text?).ok();
    match (rate(now), rate(before)) {
        (Some(now), Some(before)) => format!("{:+.2} %", now.percent_since(before)),
        _ => String::new(),
    }
}

fn write_csv<'a>(
    out: &mut dyn Write,
    answers: impl IntoIterator<Item = &'a RatesAnswer>,
) -> io::Result<()> {
    csv::write_header(out, RateJson::FIELDS)?;
    for answer in answers {
        for rate in RateJson::of(answer) {
            csv::write_values(out, rate.texts().into_iter().map(Into::into))?;
        }
    }
    Ok(())
}
