//! `token`: creates and revokes tokens, and lists them. A token is printed once, when it is created.

use chrono::TimeDelta;

use crate::app::{App, TokenSecret, check_name};
use crate::domain::{Token, TokenState};
use crate::faces::cli::args::{TableFormat, TokenArgs, TokenWhat};
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Table, flexible, left};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::csv;
use crate::faces::json::{self, TokenJson};

/// Checks the name of a new token, before a catalogue is begun for it.
pub(super) fn check(args: &TokenArgs) -> Result<(), Failure> {
    match &args.what {
        TokenWhat::Create { name, .. } => Ok(check_name(name, "a token")?),
        _ => Ok(()),
    }
}

pub(super) async fn run(app: &App, args: &TokenArgs, console: &mut Console<'_>) -> CommandResult {
    match &args.what {
        TokenWhat::List(format) => list(app, format.format(), console).await,
        TokenWhat::Create {
            name,
            role,
            verifier,
            expires,
        } => {
            let ends = expires.map(|length| app.now() + TimeDelta::hours(length.hours().into()));
            let secret = app
                .create_token(name, *role, verifier.as_deref(), ends)
                .await?;
            if let Err(failure) = print(&secret, console) {
                // Nobody has seen it, and nobody can.
                app.revoke_token(name).await?;
                return Err(failure);
            }
            console.note(&format!(
                "the token is shown this once: keep it where its program reads it; `gannet token revoke {name}` ends it"
            ));
            Ok(ExitStatus::Done)
        }
        TokenWhat::Revoke { name } => {
            app.revoke_token(name).await?;
            console.print_line(&format!("revoked {name}"))?;
            Ok(ExitStatus::Done)
        }
    }
}

fn print(secret: &TokenSecret, console: &mut Console<'_>) -> Result<(), Failure> {
    writeln!(console.out, "{}", secret.expose())?;
    Ok(console.out.flush()?)
}

async fn list(app: &App, format: TableFormat, console: &mut Console<'_>) -> CommandResult {
    let tokens = app.tokens().await?;
    let objects = tokens.iter().map(|token| TokenJson::new(token, app.now()));
    match format {
        TableFormat::Json => json::write(&mut console.out, &objects.collect::<Vec<_>>())?,
        TableFormat::Csv => csv::write(&mut console.out, TokenJson::FIELDS, objects)?,
        TableFormat::People if tokens.is_empty() && app.damage().is_empty() => {
            console.warn_line("no tokens: `gannet token create NAME --role viewer` makes one");
        }
        TableFormat::People => {
            let look = Look::of(app, console);
            table(&tokens, &look).write(&mut console.out, 0, &look)?;
        }
    }
    Ok(ExitStatus::Done)
}

fn table(tokens: &[Token], look: &Look) -> Table {
    let mut table = Table::new([
        flexible("TOKEN"),
        left("ROLE"),
        left("STATE"),
        left(look.heading("ENDS")),
        left(look.heading("USED")),
        left(look.heading("CREATED")),
        flexible("BY"),
    ]);
    for token in tokens {
        let state = token.state(look.now);
        let ends = match state {
            TokenState::Revoked => token.revoked_at,
            TokenState::Live | TokenState::Expired => token.expires_at,
        };
        let of = token.verifier.as_ref().map(|name| format!(" of {name}"));
        table.row([
            token.name.clone(),
            format!("{}{}", token.role, of.unwrap_or_default()),
            state.to_string(),
            look.time_or_dash(ends),
            look.time_or_dash(token.last_used_at),
            look.time(token.created_at),
            token.created_by.clone(),
        ]);
    }
    table
}
