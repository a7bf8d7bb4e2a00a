//! The only HTTP client: one attempt at one source, from `${NAME}` in its address to digested content.
//!
//! An attempt ([`Fetcher::fetch`]) is a number of tries; a try is a chain of redirects that ends in an answer whose body
//! is received, decoded and digested. How it went is data ([`FetchReport`]): nothing here writes to the store, decides
//! when a source is due, or reads the environment.

mod answer;
mod body;
mod client;
mod error;
mod exchange;
mod failure;
mod fetcher;
mod file_name;
mod guard;
mod limits;
mod report;
mod retry;
mod secret;
mod sink;

pub use error::NetError;
pub use fetcher::Fetcher;
pub use limits::{Admission, Limiter};
pub use report::{FetchOutcome, FetchReport, FetchRequest};
