//! The frame of every page: title, navigation, who is signed in, and on which store.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::assets::{ICON_PLACE, SCRIPT_PLACE, STYLE_PLACE};
use super::elements::text;
use super::visit::Visit;
use crate::config::{Builtin, VerifierConfig, VerifierKind};
use crate::faces::http::caller::{CallerRole, Right};
use crate::faces::json::precise;

/// What a page may load and send: everything from this service alone, and nothing inline.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The parts of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Sources,
    Sets,
    /// Where a verifier of images is configured.
    Images,
    Messages,
    Log,
    /// For admins alone.
    Data,
    /// A page that no part leads to.
    None,
}

const SECTIONS: [(Section, &str, &str); 7] = [
    (Section::Overview, "/", "Overview"),
    (Section::Sources, "/sources", "Sources"),
    (Section::Sets, "/sets", "Sets"),
    (Section::Images, "/images/", "Images"),
    (Section::Messages, "/messages", "Messages"),
    (Section::Log, "/log", "Log"),
    (Section::Data, "/data", "Data"),
];

impl Visit {
    /// Returns a page as the answer.
    pub(super) fn page(&self, section: Section, title: &str, content: &Markup) -> Response {
        self.page_with(StatusCode::OK, section, title, content)
    }

    /// Returns a page as the answer, with another status.
    pub(super) fn page_with(
        &self,
        status: StatusCode,
        section: Section,
        title: &str,
        content: &Markup,
    ) -> Response {
        let body = self.framed(section, title, content).into_string();
        let fields = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            // A form of a page without a referrer would be sent with `Origin: null`.
            (header::REFERRER_POLICY, "same-origin"),
        ];
        let fields = fields.map(|(name, value)| (name, HeaderValue::from_static(value)));
        (status, fields, body).into_response()
    }

    fn framed(&self, section: Section, title: &str, content: &Markup) -> Markup {
        let store = self.app().config().catalogue_place().to_string();
        html! {
            (DOCTYPE)
            html lang="en" {
                (self.head(section, title))
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header.top {
                        a.brand href="/" { "gannet" }
                        nav aria-label="Main" {
                            @for (own, place, name) in SECTIONS {
                                @if self.has(own) {
                                    a href=(place) aria-current=[(own == section).then_some("page")] { (name) }
                                }
                            }
                        }
                        div.who {
                            span.store title="The store" { (text(&store)) }
                            (self.who())
                        }
                    }
                    main #main tabindex="-1" { (self.notices()) (content) }
                    footer.bottom {
                        p { "Times are in " (self.app().config().zone.name()) ". " a href="/published/" { "Published files" } " · " a href="/api" { "API" } }
                        p #live-state role="status" {}
                    }
                }
            }
        }
    }

    /// Returns whether the navigation leads to a part.
    fn has(&self, section: Section) -> bool {
        match section {
            Section::Data => self.may(Right::Administer),
            Section::Images => {
                let is_image = |one: &VerifierConfig| {
                    matches!(one.kind, VerifierKind::Builtin(Builtin::Image(_)))
                };
                self.app().config().verifiers.iter().any(is_image)
            }
            _ => true,
        }
    }

    fn head(&self, section: Section, title: &str) -> Markup {
        let now = precise(self.app().now());
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Times that get older, and the event after which the page follows.
                @if section != Section::None {
                    meta name="now" content=(now);
                    meta name="event" content=(self.event);
                }
                title { (text(title)) " · gannet" }
                link rel="stylesheet" href=(*STYLE_PLACE);
                link rel="icon" href=(*ICON_PLACE);
                script src=(*SCRIPT_PLACE) defer {}
            }
        }
    }

    fn who(&self) -> Markup {
        let role = if self.caller.role == CallerRole::Admin {
            "admin"
        } else if self.may(Right::Operate) {
            "operator"
        } else if self.may(Right::Read) {
            "reading only"
        } else {
            "no access"
        };
        match &self.caller.name {
            Some(name) => html! {
                span.name { (text(name)) " (" (role) ")" }
                @if self.caller.by_cookie {
                    form method="post" action="/sign-out" { button.plain type="submit" { "Sign out" } }
                }
            },
            None if self.may(Right::Read) => html! {
                span.name { "not signed in: reading only" }
                a href=(self.sign_in_place()) { "Sign in" }
            },
            None => html! {
                span.name { "not signed in" }
                a href=(self.sign_in_place()) { "Sign in" }
            },
        }
    }
}
