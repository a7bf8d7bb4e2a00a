//! What is wrong with the service itself, at the top of every page for as long as it is so.
//!
//! Never shows a path or a setting to somebody who may only read.

use maud::{Markup, html};

use super::elements::text;
use super::visit::Visit;
use crate::app::BEFORE_STAYS;
use crate::faces::http::caller::Right;

impl Visit {
    /// Shows what is wrong with the service; nothing to those who may not read.
    pub(super) fn notices(&self) -> Markup {
        let trouble = self
            .app()
            .config_trouble()
            .filter(|_| self.may(Right::Read));
        let whole = trouble.as_deref();
        let without_end = whole.and_then(|why| why.strip_suffix(BEFORE_STAYS));
        let stays = without_end.is_some();
        let why = without_end.or(whole).filter(|_| self.may(Right::Operate));
        let now = self.app().now();
        let tls = self.shared.tls().filter(|_| self.may(Right::Administer));
        let expiry = tls.and_then(|tls| tls.expiry_words(now));
        html! {
            div #notices {
                @if trouble.is_some() {
                    div.alert.bad role="status" {
                        p {
                            "The configuration is not used as it is" @if stays { ": the one before stays in force" }
                            @if why.is_some() { "." } @else { "; an operator sees why." }
                        }
                        @if let Some(why) = why { ul { @for line in why.lines() { li { (text(line)) } } } }
                    }
                }
                @if let Some(line) = &expiry {
                    p.alert.bad role="status" { (text(line)) "." }
                }
            }
        }
    }
}

/// Says why the server on which messages wait cannot be used, if it cannot. No event tells of its return.
pub(super) fn trouble_notice(trouble: Option<&str>) -> Markup {
    html! {
        @if let Some(trouble) = trouble {
            p.alert.bad role="status" data-busy="" {
                (capitalised(trouble)) ". What waits there is not counted, and no message is taken: senders are to send again later."
            }
        }
    }
}

fn capitalised(line: &str) -> String {
    let mut letters = text(line).chars().collect::<Vec<_>>();
    if let Some(first) = letters.first_mut() {
        first.make_ascii_uppercase();
    }
    letters.into_iter().collect()
}
