//! `[rates.fixer]`, `[rates.ecb]`: where the providers of currency rates are reached.

use std::collections::HashMap;

use serde::{Deserialize, Serialize, Serializer};

use super::values::web_address;
use crate::domain::Provider;

/// The places of providers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct RatesConfig(HashMap<Provider, ProviderConfig>);

/// The place of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderConfig {
    /// The address below which its files are; by default its own.
    #[serde(with = "web_address")]
    pub address: Option<String>,
    /// Whether that address may be private.
    pub allow_private: bool,
}

impl RatesConfig {
    /// Returns the place of a provider.
    pub fn of(&self, provider: Provider) -> ProviderConfig {
        self.0.get(&provider).cloned().unwrap_or_default()
    }
}

impl Serialize for RatesConfig {
    /// Serializes the places of all providers in their order.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Provider::ALL.map(|provider| (provider, self.of(provider))))
    }
}
