//! What is wrong with the service itself, at the top of every page for as long as it is so.
//!
//! Never shows a path or a setting to somebody who may only read.

use maud::{Markup, html};

use super::elements::text;
use super::visit::Visit;
use crate::faces::http::caller::Right;

impl Visit {
    /// Shows what is wrong with the service; nothing to those who may not read.
    pub(super) fn notices(&self) -> Markup {
        let trouble = self
            .app()
            .config_trouble()
            .filter(|_| self.may(Right::Read));
        let why = trouble.as_deref().filter(|_| self.may(Right::Operate));
        let now = self.app().now();
        let tls = self.shared.tls().filter(|_| self.may(Right::Administer));
        let expiry = tls.and_then(|tls| tls.expiry_words(now));
        html! {
            div #notices {
                @if trouble.is_some() {
                    div.alert.bad role="status" {
                        p { "The configuration is not used as it is" @if why.is_some() { ":" } @else { "; an operator sees why." } }
                        @for line in why.into_iter().flat_map(str::lines) { p { (text(line)) } }
                    }
                }
                @if let Some(line) = &expiry {
                    p.alert.bad role="status" { (text(line)) "." }
                }
            }
        }
    }
}
