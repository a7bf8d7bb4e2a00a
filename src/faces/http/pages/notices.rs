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
        let trouble = self.app().config_trouble();
        let notices: Vec<_> = trouble.into_iter().map(|why| self.told(&why)).collect();
        html! {
            div #notices {
                @if self.may(Right::Read) {
                    @for notice in &notices {
                        p.alert.bad role="status" { (text(notice)) }
                    }
                }
            }
        }
    }

    /// Returns the reason for people who may do something about it, and that there is one for the others.
    fn told(&self, why: &str) -> String {
        if self.may(Right::Operate) {
            format!("The configuration is not used as it is: {why}")
        } else {
            "The configuration is not used as it is: an operator sees why.".to_owned()
        }
    }
}
