//! Adds the sources of providers' rates.

use crate::app::{Added, App, Error, NewSource, Result};
use crate::domain::{Interval, Provider, RatesAddress, RatesWish, SettingsPatch};

/// A source of a provider's rates that is to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRates {
    /// The provider.
    pub provider: Provider,
    /// What the source is to ask for.
    pub wish: RatesWish,
    /// Its name; that of the provider by default.
    pub name: Option<String>,
    /// How often it is fetched; once a day by default.
    pub interval: Option<Interval>,
    /// How many days a source with one file a day keeps asking for.
    pub days: Option<u32>,
}

impl App {
    /// Adds a source of a provider's rates, at the address that the configuration gives the provider, or the provider's
    /// own.
    ///
    /// # Errors
    ///
    /// What the provider does not give, and everything for which [`App::add`] refuses a source.
    pub async fn add_rates(&self, new: NewRates) -> Result<Added> {
        let mut added = self.add(vec![self.source_of_new_rates(new)?]).await?;
        added
            .pop()
            .ok_or_else(|| Error::not_found("nothing was added"))
    }

    fn source_of_new_rates(&self, new: NewRates) -> Result<NewSource> {
        let NewRates { provider, wish, .. } = new;
        let config = self.config();
        let place = config.rates.of(provider);
        let RatesAddress { address, headers } = provider
            .address(&wish, place.address.as_deref())
            .map_err(Error::invalid)?;
        let is_http = address.starts_with("http://");
        Ok(NewSource {
            settings: SettingsPatch {
                name: Some(new.name.unwrap_or_else(|| provider.to_string())),
                interval: new.interval,
                days: new.days.map(Some),
                rates: Some(Some(provider)),
                // The operator has put this address into the configuration.
                allow_http: is_http.then_some(true),
                allow_private: place.allow_private.then_some(true),
                headers: (!headers.is_empty()).then_some(headers),
                ..SettingsPatch::default()
            },
            ..NewSource::at(address)
        })
    }
}
