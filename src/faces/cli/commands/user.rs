//! `user`: adds and changes people, and lists them.

use crate::app::App;
use crate::domain::Person;
use crate::faces::cli::args::{TableFormat, UserArgs, UserWhat};
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::look::Look;
use crate::faces::cli::password::ask_password;
use crate::faces::cli::table::{Table, flexible, left};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::csv;
use crate::faces::json::{self, PersonJson};

pub(super) async fn run(app: &App, args: &UserArgs, console: &mut Console<'_>) -> CommandResult {
    let line = match &args.what {
        UserWhat::List(format) => return list(app, format.format(), console).await,
        UserWhat::Add { name, role } => {
            app.check_new_person(name).await?;
            let password = ask_password(name, console)?;
            app.add_person(name, *role, password).await?;
            format!("added {name}: {role}")
        }
        UserWhat::Passwd { name } => {
            app.person(name).await?;
            let password = ask_password(name, console)?;
            app.set_password(name, password).await?;
            format!("{name}: the password was set, and all sessions ended")
        }
        UserWhat::Role { name, role } => {
            let before = app.person(name).await?.role;
            app.set_role(name, *role).await?;
            if before == *role {
                format!("unchanged {name}: {role} already")
            } else {
                format!("{name}: {role}, before {before}")
            }
        }
        UserWhat::Disable { name } => {
            let is_changed = !app.person(name).await?.disabled;
            app.disable_person(name).await?;
            line_of(name, "disabled", is_changed)
        }
        UserWhat::Enable { name } => {
            let is_changed = app.person(name).await?.disabled;
            app.enable_person(name).await?;
            line_of(name, "enabled", is_changed)
        }
    };
    console.print_line(&line)?;
    Ok(ExitStatus::Done)
}

fn line_of(name: &str, word: &str, is_changed: bool) -> String {
    if is_changed {
        format!("{word} {name}")
    } else {
        format!("unchanged {name}: {word} already")
    }
}

async fn list(app: &App, format: TableFormat, console: &mut Console<'_>) -> CommandResult {
    let people = app.people().await?;
    let objects = people.iter().map(PersonJson::new);
    match format {
        TableFormat::Json => json::write(&mut console.out, &objects.collect::<Vec<_>>())?,
        TableFormat::Csv => csv::write(&mut console.out, PersonJson::FIELDS, objects)?,
        TableFormat::People if people.is_empty() && app.damage().is_empty() => {
            console.warn_line("nobody yet: `gannet user add NAME --role admin` adds a person");
        }
        TableFormat::People => {
            let look = Look::of(app, console);
            table(&people, &look).write(&mut console.out, 0, &look)?;
        }
    }
    Ok(ExitStatus::Done)
}

fn table(people: &[Person], look: &Look) -> Table {
    let mut table = Table::new([
        flexible("PERSON"),
        left("ROLE"),
        left("MAY SIGN IN"),
        left(look.heading("ADDED")),
        left(look.heading("PASSWORD SET")),
    ]);
    for person in people {
        let may = if person.disabled { "no" } else { "yes" };
        table.row([
            person.name.clone(),
            person.role.to_string(),
            may.to_owned(),
            look.time(person.created_at),
            look.time(person.password_changed_at),
        ]);
    }
    table
}
