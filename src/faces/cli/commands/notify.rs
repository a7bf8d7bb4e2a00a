//! `notify`: tests a notifier.

use crate::app::App;
use crate::faces::cli::args::{NotifyArgs, NotifyWhat};
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::clean;

pub(super) async fn run(app: &App, args: &NotifyArgs, console: &mut Console<'_>) -> CommandResult {
    let NotifyWhat::Test { name } = &args.what;
    let delivery = app.test_notifier(name).await?;
    let (word, said, status) = match &delivery {
        Ok(said) => ("delivered", said, ExitStatus::Done),
        Err(why) => ("not delivered", why, ExitStatus::Problems),
    };
    writeln!(console.out, "{}: {word}: {}", clean(name), clean(said))?;
    Ok(status)
}
