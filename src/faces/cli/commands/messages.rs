//! `messages`: lists, shows, sends and follows messages, and looks after those that could not be persisted.

mod judged;

use std::io::{self, Read as _, Write};

use chrono::Duration;

use crate::app::{App, Error, MessagesQuery, NewMessages, QueueFacts, Queueing, QueuesRead};
use crate::domain::{
    JsonLines, Message, MessageId, MessagePlace, QueueName, VersionState, format_size,
};
use crate::faces::cli::args::{MessageListArgs, MessagesArgs, MessagesWhat, SendArgs, TableFormat};
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Table, below, flexible, left, right};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::csv;
use crate::faces::indent::indented;
use crate::faces::json::{
    self, DeadMessageJson, JudgedMessageJson, MessageJson, QueueJson, SentJson,
};
use crate::faces::queue_words;
use crate::faces::text::{clean, fit};

/// The messages that are listed without `--limit`.
const DEFAULT_LIMIT: usize = 100;
/// The messages that are read at once.
const PAGE: usize = 500;
/// The bytes of bodies that are read at once.
const PAGE_BYTES: usize = 4 << 20;
/// The time between two looks of `tail`.
const LOOK_EVERY: Duration = Duration::milliseconds(100);
/// The most bytes that are read from stdin.
const MAX_INPUT: u64 = 64 << 20;
/// How far back the rates of queues are read.
const RATES_OF: std::time::Duration = std::time::Duration::from_mins(1);
/// The most dead messages that are listed.
const MAX_DEAD: usize = 10_000;
/// The bytes of their bodies behind which no further one is listed.
const MAX_DEAD_BYTES: usize = 64 << 20;

pub(super) async fn run(
    app: &App,
    args: &mut MessagesArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    match &mut args.what {
        MessagesWhat::List(args) => list(app, args, console).await,
        MessagesWhat::Show { id, json } => show(app, *id, *json, console).await,
        MessagesWhat::Verify { ids, json } => judged::verify(app, ids, *json, console).await,
        MessagesWhat::Send(args) => send(app, args, console).await,
        MessagesWhat::Tail { queue, json } => tail(app, queue.as_ref(), *json, console).await,
        MessagesWhat::Queues {
            format,
            forget_servers,
        } => {
            if *forget_servers {
                for address in app.forget_queue_servers().await? {
                    console.warn_line(&format!("forgotten: {address}"));
                }
            }
            queues(app, format.format(), console).await
        }
        MessagesWhat::Dead(format) => dead(app, format.format(), console).await,
        MessagesWhat::Retry { ids } => {
            for id in ids {
                app.retry_dead(*id).await?;
                console.print_line(&format!("put on its queue again: {id}"))?;
            }
            Ok(ExitStatus::Done)
        }
        MessagesWhat::Drop { ids } => {
            for id in ids {
                app.delete_dead(*id).await?;
                console.print_line(&format!("deleted {id}"))?;
            }
            Ok(ExitStatus::Done)
        }
    }
}

async fn list(app: &App, args: &MessageListArgs, console: &mut Console<'_>) -> CommandResult {
    let look = Look::of(app, console);
    if args.format() == TableFormat::Csv {
        csv::write_header(&mut console.out, MessageJson::FIELDS)?;
    }
    let mut left = match args.limit.unwrap_or(DEFAULT_LIMIT) {
        0 => usize::MAX,
        limit => limit,
    };
    let after = match args.after {
        Some(id) => Some(app.place_of(id).await?),
        None => None,
    };
    let mut query = page(args.queue.clone(), after, args.newest);
    query.state = args.state;
    let mut is_empty = true;
    loop {
        query.limit = left.min(PAGE);
        let read = app.messages(query.clone()).await?;
        is_empty &= read.messages.is_empty();
        left -= read.messages.len();
        for message in &read.messages {
            write(message, true, args.format(), &look, &mut console.out)?;
        }
        query.after = read.next();
        if query.after.is_none() {
            break;
        }
        if left == 0 {
            tell_of_more(args, console);
            break;
        }
    }
    if is_empty && args.format() == TableFormat::People {
        console.warn_line("no message matches, or none is persisted yet");
    }
    Ok(ExitStatus::Done)
}

/// Tells an operator who gave no limit that there are more messages.
fn tell_of_more(args: &MessageListArgs, console: &mut Console<'_>) {
    if args.limit.is_none() && args.format() == TableFormat::People {
        console.warn_line(&format!(
            "there are more than these {DEFAULT_LIMIT}: --limit 0 lists all, --newest begins with the newest"
        ));
    }
}

/// Returns the query for a page of messages.
fn page(
    queue: Option<QueueName>,
    after: Option<MessagePlace>,
    newest_first: bool,
) -> MessagesQuery {
    MessagesQuery {
        queue,
        state: None,
        after,
        newest_first,
        limit: PAGE,
        enough_bytes: PAGE_BYTES,
    }
}

fn write(
    message: &Message,
    with_state: bool,
    format: TableFormat,
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        TableFormat::Json => json::write_line(out, &MessageJson::new(message)),
        TableFormat::Csv => csv::write_row(out, MessageJson::FIELDS, MessageJson::row(message)),
        TableFormat::People => {
            let is_judged = |state: &VersionState| with_state && *state != VersionState::Unverified;
            let state = message.state.filter(is_judged);
            let state = state.map(|state| format!("  {state}"));
            let line = format!(
                "{}  {}{}  {}  {}",
                look.second(message.received_at),
                message.id,
                state.unwrap_or_default(),
                message.queue,
                clean(&message.body)
            );
            match look.width {
                Some(width) => writeln!(out, "{}", fit(&line, width)),
                None => writeln!(out, "{line}"),
            }
        }
    }
}

async fn show(app: &App, id: MessageId, json: bool, console: &mut Console<'_>) -> CommandResult {
    let message = app.message_with(id).await?;
    let verdicts = app.message_verdicts(id).await?;
    if json {
        json::write(
            &mut console.out,
            &JudgedMessageJson::new(&message, &verdicts),
        )?;
        return Ok(ExitStatus::Done);
    }
    let look = Look::of(app, console);
    let persisted = match message.persisted_at {
        Some(at) => format!("persisted {}", look.second(at)),
        None => "on its queue".to_owned(),
    };
    writeln!(
        console.out,
        "message   {id}\nqueue     {}\nreceived  {} from {}, {persisted}",
        message.queue,
        look.second(message.received_at),
        clean(&message.sender),
    )?;
    judged::write_verdicts(&message, &verdicts, &look, &mut console.out)?;
    writeln!(console.out)?;
    let (text, _) = indented(&message.body, usize::MAX);
    for line in text.lines() {
        writeln!(console.out, "{}", clean(line))?;
    }
    Ok(ExitStatus::Done)
}

/// Checks what would be sent, before a catalogue is begun for it.
pub(super) fn check(args: &mut MessagesArgs) -> Result<(), Failure> {
    match &mut args.what {
        MessagesWhat::Send(args) => bodies(args).map(drop),
        _ => Ok(()),
    }
}

/// Returns what is to be sent. Reads stdin once.
fn bodies(args: &mut SendArgs) -> Result<JsonLines, Failure> {
    let text = match args.body.take().filter(|body| body != "-") {
        Some(body) => body,
        None => input()?,
    };
    args.body = Some(text.clone());
    let bodies = if args.lines {
        JsonLines::many(text)
    } else {
        JsonLines::one(&text)
    };
    Ok(bodies.map_err(|reason| Error::invalid(format!("the message: {reason}")))?)
}

async fn send(app: &App, args: &mut SendArgs, console: &mut Console<'_>) -> CommandResult {
    let bodies = bodies(args)?;
    let new = NewMessages {
        queue: args.queue.clone(),
        bodies,
        key: args.key.clone(),
    };
    let queued = match app.queue_messages(new).await? {
        Queueing::Queued(queued) => queued,
        Queueing::Refused(why) => {
            let message = format!("the schema of {} refuses this: {why}", args.queue);
            return Err(Error::invalid(message).into());
        }
        Queueing::KeyTaken => {
            return Err(Error::invalid("other messages were sent with this key").into());
        }
    };
    if args.json {
        json::write_line(&mut console.out, &SentJson::new(&queued, &args.queue))?;
    } else {
        for place in 0..queued.count {
            writeln!(console.out, "{}", queued.first.after(place))?;
        }
    }
    if queued.repeated {
        console.note("they were sent before, with this key: nothing was put on the queue");
    }
    Ok(ExitStatus::Done)
}

fn input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin()
        .lock()
        .take(MAX_INPUT + 1)
        .read_to_end(&mut bytes);
    read.map_err(|error| Error::invalid(format!("cannot read stdin: {error}")))?;
    if bytes.len() as u64 > MAX_INPUT {
        let most = format_size(MAX_INPUT);
        return Err(Error::invalid(format!("stdin has more than {most}")).into());
    }
    let text = String::from_utf8(bytes);
    Ok(text.map_err(|_| Error::invalid("stdin is not UTF-8"))?)
}

async fn tail(
    app: &App,
    queue: Option<&QueueName>,
    json: bool,
    console: &mut Console<'_>,
) -> CommandResult {
    let format = if json {
        TableFormat::Json
    } else {
        TableFormat::People
    };
    let after = app.newest_persisted().await?;
    let mut query = page(queue.cloned(), Some(after), false);
    let mut seen = None;
    loop {
        let changes = app.changes().await?;
        if seen.replace(changes) != Some(changes) {
            let look = Look::of(app, console);
            loop {
                let read = app.messages(query.clone()).await?;
                query.after = read.end.or(query.after);
                for message in &read.messages {
                    // Nobody has judged it yet.
                    write(message, false, format, &look, &mut console.out)?;
                }
                if !read.has_more {
                    break;
                }
            }
            console.out.flush()?;
        }
        app.sleep_until(app.now() + LOOK_EVERY).await;
    }
}

async fn queues(app: &App, format: TableFormat, console: &mut Console<'_>) -> CommandResult {
    let QueuesRead { queues, trouble } = app.queues(RATES_OF).await?;
    if let Some(trouble) = trouble {
        console.warn_line(&format!(
            "warning: {trouble}: what waits there is not counted"
        ));
    }
    for line in app.former_queue_servers().await? {
        console.warn_line(&format!("warning: {line}"));
    }
    let now = app.now();
    if let Some(left) = queue_words::left(&queues, now) {
        console.warn_line(&format!(
            "warning: {left}: `gannet consume` persists what waits"
        ));
    }
    let objects = queues.iter().map(|queue| QueueJson::new(queue, now));
    match format {
        TableFormat::Json => json::write(&mut console.out, &objects.collect::<Vec<_>>())?,
        TableFormat::Csv => csv::write(&mut console.out, QueueJson::FIELDS, objects)?,
        TableFormat::People if queues.is_empty() => {
            console.warn_line("no queues: `gannet messages send` puts a message on one");
        }
        TableFormat::People => queue_table(app, &queues, console)?,
    }
    Ok(ExitStatus::Done)
}

fn queue_table(app: &App, queues: &[QueueFacts], console: &mut Console<'_>) -> io::Result<()> {
    let look = Look::of(app, console);
    let mut table = Table::new([
        flexible("QUEUE"),
        right("DEPTH"),
        right("OLDEST"),
        right("IN"),
        right("OUT"),
        right("LAG"),
        right("DEAD"),
    ]);
    for queue in queues {
        let lately = queue.lately(app.now());
        table.row([
            queue.name.to_string(),
            queue.waiting.to_string(),
            queue_words::age(queue.oldest_at, look.now),
            queue_words::rate(lately.in_per_second),
            queue_words::rate(lately.out_per_second),
            queue_words::lag(lately.lag_ms),
            queue.dead.to_string(),
        ]);
    }
    table.write(&mut console.out, 0, &look)
}

async fn dead(app: &App, format: TableFormat, console: &mut Console<'_>) -> CommandResult {
    let dead = app.dead_messages(MAX_DEAD, MAX_DEAD_BYTES).await?;
    match format {
        TableFormat::Json => {
            let objects: Vec<_> = dead.iter().map(DeadMessageJson::new).collect();
            json::write(&mut console.out, &objects)?;
        }
        TableFormat::Csv => {
            let rows = dead.iter().map(DeadMessageJson::row);
            csv::write(&mut console.out, DeadMessageJson::FIELDS, rows)?;
        }
        TableFormat::People if dead.is_empty() => {
            console.warn_line("no messages: all could be persisted");
        }
        TableFormat::People => {
            let look = Look::of(app, console);
            let mut table = Table::new([
                left("MESSAGE"),
                flexible("QUEUE"),
                left(look.heading("DIED")),
                right("TRIES"),
                below("WHY"),
            ]);
            for one in &dead {
                table.row([
                    one.message.id.to_string(),
                    one.message.queue.to_string(),
                    look.time(one.died_at),
                    one.tries.to_string(),
                    one.reason.clone(),
                ]);
            }
            table.write(&mut console.out, 0, &look)?;
        }
    }
    Ok(ExitStatus::Done)
}
