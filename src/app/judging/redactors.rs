//! The redactors of a configuration: each removes secrets from texts, and is made once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Secrets;
use crate::net::Redactor;

/// How many redactors are cached: most sources share their secrets.
const MAX_KEPT: usize = 64;

/// The redactors of one configuration, by the texts that name their secrets. The one without secrets exists from the
/// start.
#[derive(Default)]
pub(in crate::app) struct Redactors {
    none: Arc<Redactor>,
    made: Mutex<HashMap<Vec<String>, Arc<Redactor>>>,
}

impl Redactors {
    /// Returns the redactor for the secrets named in `texts`, and for these signing secrets.
    pub(in crate::app) fn get(
        &self,
        texts: Vec<&str>,
        signing: Option<&str>,
        secrets: &Secrets,
    ) -> Arc<Redactor> {
        if texts.is_empty() && signing.is_none() {
            return Arc::clone(&self.none);
        }
        let key = texts.iter().copied().chain(["\n"]).chain(signing);
        let key: Vec<String> = key.map(str::to_owned).collect();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MAX_KEPT && !made.contains_key(&key) {
            made.clear();
        }
        let new = || Arc::new(Redactor::new(texts, signing, secrets));
        Arc::clone(made.entry(key).or_insert_with(new))
    }
}
