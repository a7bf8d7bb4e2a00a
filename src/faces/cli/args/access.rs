//! The access of each command to the store: create, change or read.

use super::{AppCommand, MessagesWhat, TokenWhat, UserWhat};

/// How a command accesses the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Creates the store if there is none.
    Create,
    /// Changes a store that exists.
    Change,
    /// Reads an existing store and leaves no trace: no lock, no log, no file.
    Read,
}

impl AppCommand {
    /// Returns the command's access. Only commands that add something to it may create a store, so that a mistyped
    /// folder never becomes a new, empty, healthy store.
    pub fn access(&self) -> Access {
        match self {
            _ if self.only_reads_by_arguments() => Access::Read,
            _ if self.adds_by_arguments() => Access::Create,
            Self::Add(_)
            | Self::Rates(_)
            | Self::Apply(_)
            | Self::Import(_)
            | Self::LegacyBuild
            | Self::LegacyAdd(_) => Access::Create,
            Self::List(_)
            | Self::Show(_)
            | Self::History(_)
            | Self::Log(_)
            | Self::Cat(_)
            | Self::Diff(_)
            | Self::Export(_)
            | Self::Grep(_)
            | Self::Sql(_)
            | Self::Report(_)
            | Self::Verdicts(_)
            | Self::Dump(_) => Access::Read,
            Self::Interval(_)
            | Self::Enable(_)
            | Self::Disable(_)
            | Self::Edit(_)
            | Self::Remove(_)
            | Self::Restore(_)
            | Self::Verify(_)
            | Self::Verdict(_)
            | Self::Notify(_)
            | Self::Messages(_)
            | Self::User(_)
            | Self::Token(_)
            | Self::LegacyIngest(_)
            | Self::LegacyInterval(_)
            | Self::LegacyEnabled(_) => Access::Change,
        }
    }

    /// Reports whether this command changes what is in the store, but for these arguments, by which it adds something.
    fn adds_by_arguments(&self) -> bool {
        match self {
            Self::Token(args) => matches!(args.what, TokenWhat::Create { .. }),
            Self::Messages(args) => matches!(args.what, MessagesWhat::Send(_)),
            _ => false,
        }
    }

    /// Reports whether this command may change the store, and its arguments ask only for what is in it.
    fn only_reads_by_arguments(&self) -> bool {
        match self {
            Self::User(args) => matches!(args.what, UserWhat::List(_)),
            Self::Token(args) => matches!(args.what, TokenWhat::List(_)),
            Self::Messages(args) => args.what.only_reads(),
            Self::Rates(args) => args.what.only_reads(),
            Self::Apply(args) => args.dry_run,
            Self::Import(args) => args.dry_run,
            _ => false,
        }
    }
}
