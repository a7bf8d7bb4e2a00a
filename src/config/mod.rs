//! The configuration in force, typed and validated: flag before environment before file before default.
//!
//! The only reader of the environment and of the configuration file. Never touches the store or the network.

mod account;
mod builtin;
mod document;
mod duration;
mod environment;
mod error;
mod http;
mod identity;
mod in_force;
mod interpreter;
mod load;
mod no_proxy;
mod notify;
mod origins;
mod paths;
mod program_search;
mod programs;
mod proxy_address;
mod queues;
mod rates;
mod resource_limits;
mod secrets;
mod storage;
mod types;
mod values;
mod verifiers;
mod zone;
mod zone_rule;

pub use builtin::*;
pub(crate) use document::{explained, unknown_key};
pub(crate) use duration::parse_duration;
pub use environment::{Environment, Folders};
pub use error::{ConfigError, Problem};
pub use http::{HttpConfig, ReadAccess};
pub use identity::Identity;
pub use in_force::SettingInForce;
pub use interpreter::PROGRAM_PATH;
pub use load::Flags;
pub use no_proxy::NoProxy;
pub use origins::{SettingOrigin, SettingOrigins};
pub use programs::program_problem;
pub use proxy_address::ProxyAddress;
pub use queues::redis_address;
pub use rates::{ProviderConfig, RatesConfig};
pub use resource_limits::ResourceLimits;
pub use secrets::{LEAST_SECRET_BYTES, Secrets};
pub use storage::{CataloguePlace, ObjectsPlace, StorageConfig};
pub use types::{
    Config, DashboardConfig, FetchConfig, KeySetting, LogConfig, NoticeFormat, NotifierConfig,
    NotifierKind, QueueConfig, QueuesConfig, ThemeChoice, VerifierConfig, VerifierInput,
    VerifierKind, WorkerConfig,
};
pub use values::parse_listen_address;
pub use zone::Zone;
