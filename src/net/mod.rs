//! The only HTTP client: one attempt at one source, from `${NAME}` in its address to digested content; and webhooks.
//!
//! An attempt ([`Fetcher::fetch`]) is a number of tries; a try is a chain of redirects that ends in a response, whose
//! body is received, decoded and digested. The outcome is data ([`FetchReport`]): this layer never writes to the store,
//! decides when a source is due, or reads the environment.
//!
//! A webhook ([`Webhooks`]) is one signed request to a configured address. Its response is data, whatever the status; a
//! missing response is an error ([`WebhookError`]), and the caller retries.

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
mod http2_errors;
mod http_client;
mod incoming;
mod login;
mod proxy;
mod proxy_refusal;
mod rate_limiter;
mod raw_head;
mod redact;
mod redirect;
mod report;
mod response_head;
mod retry;
mod route;
mod secret;
mod signature;
mod sink;
mod socks;
mod spelling;
mod tls;
mod tls_errors;
mod trail;
mod upload;
mod webhook;

pub use error::{NetError, WebhookError};
pub use fetcher::Fetcher;
pub use guard::unreachable_host;
pub use rate_limiter::{Admission, Limiter};
pub use redact::Redactor;
pub use report::{Download, FetchOutcome, FetchReport, FetchRequest};
pub use route::check_proxy;
pub use tls::check_certificates;
pub use webhook::{WebhookRequest, WebhookResponse, Webhooks};
