//! What a command may do to the store: whether it begins one, changes one, or only reads it.

use super::AppCommand;

/// How a command needs the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Begins a store where there is none.
    Create,
    /// Changes a store that exists.
    Change,
    /// Reads a store that exists, without any trace: no lock, no log, no file.
    Read,
}

impl AppCommand {
    /// Returns how this command needs the store. Only what brings sources in begins one, so that a mistyped folder is
    /// never a new, empty, healthy store.
    pub fn access(&self) -> Access {
        match self {
            Self::Apply(args) if args.dry_run => Access::Read,
            Self::Import(args) if args.dry_run => Access::Read,
            Self::Add(_)
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
            | Self::LegacyInterval(_)
            | Self::LegacyEnabled(_) => Access::Change,
        }
    }
}
