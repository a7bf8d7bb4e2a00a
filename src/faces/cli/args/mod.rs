//! The command line as clap sees it: every command, argument and help text.
//!
//! Parses and checks single values; never looks anything up.

mod access;
mod import;
mod legacy;
mod messages;
mod people;
mod queries;
mod rates;
mod root;
mod sources;
#[cfg(test)]
mod tests;
mod values;
mod versions;

pub use access::Access;
pub use import::ImportArgs;
pub use legacy::{LegacyEnabledArgs, LegacyIntervalArgs};
pub use messages::{MessageListArgs, MessagesArgs, MessagesWhat, SendArgs};
pub use people::{FormatArgs, TokenArgs, TokenWhat, UserArgs, UserWhat};
pub use queries::{
    DumpArgs, GrepArgs, HistoryArgs, ListArgs, ListFilter, LogArgs, ReportArgs, ShowArgs, SqlArgs,
    TableFormat,
};
pub use rates::{
    RatesAddArgs, RatesArgs, RatesHistoryArgs, RatesIngestArgs, RatesShowArgs, RatesWantedArgs,
    RatesWhat,
};
pub use root::{
    AppCommand, Cli, Command, CompleteArgs, CompletionsArgs, ConfigArgs, ConfigShowArgs,
    ConfigWhat, DashboardArgs, DemoArgs, HelpArgs, ManArgs, NotifyArgs, NotifyWhat, ServeArgs,
};
pub use sources::{
    AddArgs, ApplyArgs, EditArgs, EditChanges, IntervalArgs, RemoveArgs, RestoreArgs, SelectArgs,
};
pub use versions::{
    CatArgs, DiffArgs, ExportArgs, FetchArgs, VerdictArgs, VerdictsArgs, VerifyArgs,
};
