//! Arguments of `import`.

use clap::Args;

use crate::domain::Interval;
use crate::faces::cli::import::ImportFormat;

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Refused entries are listed with the reason; the exit code is then 1.

Examples:
  gannet import urls.yaml --dry-run
  gannet import url-watches.json --interval 6h --tag imported")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of one command"
)]
pub struct ImportArgs {
    /// The file to read; - is stdin
    pub file: String,
    /// The format of the file [default: guessed from its content]
    #[arg(long, value_enum)]
    pub format: Option<ImportFormat>,
    /// The interval of entries without one: whole hours or days [default: 1d]
    #[arg(long)]
    pub interval: Option<Interval>,
    /// Tag every source; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Allow private and loopback addresses
    #[arg(long)]
    pub allow_private: bool,
    /// Allow plain http addresses
    #[arg(long)]
    pub allow_http: bool,
    /// Allow what only looks like a secret in an address, such as ?token=abc: it is stored and shown
    #[arg(long)]
    pub literal: bool,
    /// Only print what would be added
    #[arg(long)]
    pub dry_run: bool,
    /// Print an array with an object for each entry of the file
    #[arg(long)]
    pub json: bool,
    /// The text of the file, if it was read already.
    #[arg(skip)]
    pub text: Option<String>,
}
