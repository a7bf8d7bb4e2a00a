//! The only HTTP client: one attempt at one source, from `${NAME}` in its address to digested content; and webhooks.
//!
//! An attempt ([`Fetcher::fetch`]) is a number of tries; a try is a chain of redirects that ends in an answer whose body
//! is received, decoded and digested. How it went is data ([`FetchReport`]): nothing here writes to the store, decides
//! when a source is due, or reads the environment.
//!
//! A webhook ([`Webhooks`]) is one signed request to an address of the configuration. Its answer is data whatever the
//! status; no answer is an error ([`WebhookError`]), and trying again is up to the caller.

mod answer;
mod body;
mod cause;
mod client;
mod conditions;
mod connector;
mod error;
mod exchange;
mod failure;
mod fetcher;
mod file_name;
mod guard;
mod head;
mod http2_words;
mod http_client;
mod incoming;
mod limits;
mod login;
mod proxy;
mod proxy_refusal;
mod redact;
mod redirect;
mod report;
mod retry;
mod route;
mod secret;
mod signature;
mod sink;
mod socks;
mod spelling;
mod tls;
mod tls_words;
mod trail;
mod upload;
mod webhook;

pub use error::{NetError, WebhookError};
pub use fetcher::Fetcher;
pub use guard::unreachable_host;
pub use limits::{Admission, Limiter};
pub use redact::Redactor;
pub use report::{FetchOutcome, FetchReport, FetchRequest};
pub use route::check_proxy;
pub use tls::check_certificates;
pub use webhook::{WebhookAnswer, WebhookRequest, Webhooks};
