//! The pages by which people sign in: by name and password, or by the link that the service prints on its terminal.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::elements::text;
use super::layout::Section;
use super::visit::Visit;
use crate::faces::http::content::segment;

/// Returns the page with the form, with a name that was typed, why it was refused, and the page behind it.
pub(in crate::faces::http) fn sign_in_page(
    visit: &Visit,
    status: StatusCode,
    (name, refusal): (&str, &str),
    to: Option<&str>,
) -> Response {
    let invalid = (!refusal.is_empty()).then_some("true");
    let content = html! {
        h1 { "Sign in" }
        @if !refusal.is_empty() { div.alert.bad role="alert" { p { (refusal) } } }
        form.narrow method="post" action="/sign-in" {
            @if let Some(to) = to { input type="hidden" name="to" value=(to); }
            p {
                label for="sign-name" { "Name" }
                input #sign-name type="text" name="name" value=(text(name)) autocomplete="username" required autofocus aria-invalid=[invalid];
            }
            p {
                label for="sign-password" { "Password" }
                input #sign-password type="password" name="password" autocomplete="current-password" required aria-invalid=[invalid];
            }
            p { button.main type="submit" { "Sign in" } }
        }
        p.dim { "Names and passwords are given on the machine itself: " code { "gannet user add NAME --role operator" } ". On a terminal " code { "gannet serve" } " prints a link that signs its reader in once." }
    };
    visit.page_with(status, Section::None, "Sign in", &content)
}

/// Returns the page behind the link of the service's terminal.
pub(in crate::faces::http) fn link_page(visit: &Visit, link: &str) -> Response {
    let content = html! {
        h1 { "Sign in as operator" }
        p { "This link works once, and within 10 minutes of the start of the service." }
        form method="post" action={ "/sign-in/" (segment(link)) } { button.main type="submit" { "Sign in" } }
    };
    visit.page(Section::None, "Sign in", &content)
}
