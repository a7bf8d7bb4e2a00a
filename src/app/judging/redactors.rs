//! The redactors of a configuration: what strikes secrets out of texts, each made once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Secrets;
use crate::net::Redactor;

/// The most redactors that are kept: sources mostly share their secrets.
const MAX_KEPT: usize = 64;

/// The redactors of one configuration by the texts that name their secrets. Each is made once; the one for no secrets is
/// there from the start.
#[derive(Default)]
pub(in crate::app) struct Redactors {
    none: Arc<Redactor>,
    made: Mutex<HashMap<Vec<String>, Arc<Redactor>>>,
}

impl Redactors {
    /// Returns the one for the secrets that `texts` name, and for these signing secrets.
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
