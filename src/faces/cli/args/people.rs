//! `user` and `token`: who may use the service.

use clap::{Args, Subcommand};

use super::TableFormat;
use crate::domain::{Interval, Role, TokenRole};

/// `user`.
#[derive(Debug, Args)]
#[command(
    after_help = "Roles:\n  viewer    reads\n  operator  also adds, changes and fetches sources, and gives verdicts\n  admin     also looks into the tables of the catalogue\n\nThe password is asked for on a terminal, else one line of stdin.\n\nExamples:\n  gannet user add anna --role operator\n  gannet user passwd anna < password.txt\n  gannet user disable anna"
)]
pub struct UserArgs {
    /// What to do
    #[command(subcommand)]
    pub what: UserWhat,
}

/// What to do with people.
#[derive(Debug, Subcommand)]
pub enum UserWhat {
    /// Add a person who may sign in
    Add {
        /// 1 to 64 of a-z 0-9 . _ -, the first a letter or digit
        #[arg(value_name = "NAME")]
        name: String,
        /// What the person may do
        #[arg(long, value_name = "viewer|operator|admin")]
        role: Role,
    },
    /// Set another password, and end the person's sessions
    Passwd {
        /// The person
        #[arg(value_name = "PERSON")]
        name: String,
    },
    /// Give a person another role
    Role {
        /// The person
        #[arg(value_name = "PERSON")]
        name: String,
        /// What the person may do
        #[arg(value_name = "viewer|operator|admin")]
        role: Role,
    },
    /// Keep a person from signing in, and end their sessions
    Disable {
        /// The person
        #[arg(value_name = "PERSON")]
        name: String,
    },
    /// Let a disabled person sign in again
    Enable {
        /// The person
        #[arg(value_name = "PERSON")]
        name: String,
    },
    /// List the people
    List(FormatArgs),
}

/// `token`.
#[derive(Debug, Args)]
#[command(
    after_help = "Roles:\n  viewer    reads\n  operator  also adds, changes and fetches sources, and gives verdicts\n  verifier  reads, and gives verdicts in the name of one verifier\n  ingest    pushes messages, and nothing else\n\nExamples:\n  gannet token create ci --role ingest --expires 90d > token.txt\n  gannet token create legal --role verifier --verifier legal\n  gannet token revoke ci"
)]
pub struct TokenArgs {
    /// What to do
    #[command(subcommand)]
    pub what: TokenWhat,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenWhat {
    /// Create a token for a program, and print it once
    Create {
        /// 1 to 64 of a-z 0-9 . _ -, the first a letter or digit
        #[arg(value_name = "NAME")]
        name: String,
        /// What the program may do
        #[arg(long, value_name = "viewer|operator|verifier|ingest")]
        role: TokenRole,
        /// With the role verifier: in whose name the program gives verdicts
        #[arg(long)]
        verifier: Option<String>,
        /// The token ends after this time, such as 12h or 90d [default: never]
        #[arg(long, value_name = "INTERVAL")]
        expires: Option<Interval>,
    },
    /// List the tokens, which cannot be shown themselves
    List(FormatArgs),
    /// Refuse a token from now on; its name is free
    Revoke {
        /// The token's name
        #[arg(value_name = "TOKEN")]
        name: String,
    },
}

/// The format of a list.
#[derive(Clone, Copy, Debug, Args)]
pub struct FormatArgs {
    /// Print an array of objects
    #[arg(long)]
    json: bool,
    /// Print CSV with the fields of --json
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl FormatArgs {
    /// Returns the output format.
    pub fn format(self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}
