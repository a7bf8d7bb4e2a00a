//! Arguments of `import`.

use clap::Args;

use crate::domain::Interval;
use crate::faces::cli::import::ImportFormat;

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
What cannot be taken is listed with the reason, and the exit code is 1 then.

Examples:
  gannet import urls.yaml --dry-run
  gannet import url-watches.json --interval 6h --tag imported")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of one command"
)]
pub struct ImportArgs {
    /// The file; - is stdin
    pub file: String,
    /// What the file is, when its looks do not say
    #[arg(long, value_enum)]
    pub format: Option<ImportFormat>,
    /// How often, where the file does not say: whole hours or days [default: 1d]
    #[arg(long)]
    pub interval: Option<Interval>,
    /// Tag every source; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Let hosts be private or loopback addresses
    #[arg(long)]
    pub allow_private: bool,
    /// Let addresses be plain http
    #[arg(long)]
    pub allow_http: bool,
    /// Let the address hold what looks like a secret as it is, such as ?token=abc: it is stored and shown
    #[arg(long)]
    pub literal: bool,
    /// Only say what would be added
    #[arg(long)]
    pub dry_run: bool,
    /// An array with an object for each entry of the file
    #[arg(long)]
    pub json: bool,
    /// What the file holds, when it was read already.
    #[arg(skip)]
    pub text: Option<String>,
}
