//! `/sign-in` and `/sign-out`: what their forms do.

use std::time::Instant;

use axum::Extension;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use secrecy::SecretString;
use serde::Deserialize;

use super::caller::Right::Anybody;
use super::client::Client;
use super::extract::Part;
use super::pages::{Visit, link_page, local_path, see_other, sign_in_page};
use super::problem::Problem;
use super::route::{Route, route};
use super::shared::Shared;
use super::sign_in::{cookie, sessions_of};

/// Returns the routes by which people sign in and out.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/sign-in", Anybody, form),
        route(Method::POST, "/sign-in", Anybody, sign_in),
        route(Method::GET, "/sign-in/{link}", Anybody, link_form),
        route(Method::POST, "/sign-in/{link}", Anybody, sign_in_by_link),
        route(Method::POST, "/sign-out", Anybody, sign_out),
    ]
}

/// The most characters of a wrong name that the form shows again.
const MAX_NAME: usize = 64;

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Given {
    name: String,
    password: String,
    /// The page from which the way to the form led.
    #[serde(default)]
    to: String,
}

async fn form(visit: Visit) -> Response {
    let to = visit.param("to").unwrap_or_default();
    sign_in_page(&visit, StatusCode::OK, ("", ""), local_path(&to))
}

/// Signs a person in: one answer for a wrong name and a wrong password, the later the more often it was wrong.
async fn sign_in(
    State(shared): State<Shared>,
    Extension(client): Extension<Client>,
    visit: Visit,
    headers: HeaderMap,
    given: Result<Form<Given>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(given) =
        given.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    let app = shared.app();
    let attempt = shared
        .sign_ins()
        .begin(&given.name, client.address, Instant::now())?;
    tokio::time::sleep(attempt.wait).await;
    let password = SecretString::from(given.password);
    let Some(person) = app.person_by_password(&given.name, password).await? else {
        tracing::warn!(client = %client.address, "somebody could not sign in: wrong name or password");
        let refusal = "The name or the password is wrong.";
        let status = StatusCode::UNAUTHORIZED;
        let name: String = given.name.chars().take(MAX_NAME).collect();
        let to = local_path(&given.to);
        return Ok(sign_in_page(&visit, status, (&name, refusal), to));
    };
    attempt.succeeded();
    // Of whoever used this browser before.
    end_sessions(&shared, client, &headers).await?;
    let session = app.begin_session(&person).await?;
    let to = local_path(&given.to).unwrap_or("/");
    Ok(to_page(to, cookie(session.expose(), client.is_tls)))
}

async fn link_form(
    State(shared): State<Shared>,
    visit: Visit,
    Part(link): Part<String>,
) -> Result<Response, Problem> {
    if shared.sign_ins().is_link(&link, Instant::now()) {
        return Ok(link_page(&visit, &link));
    }
    Err(link_is_over())
}

fn link_is_over() -> Problem {
    let detail = "this link was used, or its 10 minutes are over";
    let hint = "`gannet serve` prints another one when it starts on a terminal";
    Problem::new(StatusCode::FORBIDDEN, detail).hint(hint)
}

/// Signs in whoever has the link of the service's terminal.
async fn sign_in_by_link(
    State(shared): State<Shared>,
    Extension(client): Extension<Client>,
    Part(link): Part<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(session) = shared.sign_ins().use_link(&link, Instant::now())? else {
        return Err(link_is_over());
    };
    end_sessions(&shared, client, &headers).await?;
    Ok(to_page("/", cookie(session.expose(), client.is_tls)))
}

/// Ends the session of the browser.
async fn sign_out(
    State(shared): State<Shared>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    end_sessions(&shared, client, &headers).await?;
    Ok(to_page("/", cookie("", client.is_tls)))
}

/// Ends the sessions of the browser, and the live feeds that it opened in them.
async fn end_sessions(shared: &Shared, client: Client, headers: &HeaderMap) -> Result<(), Problem> {
    for secret in sessions_of(headers, client.is_tls) {
        shared.sign_ins().end(secret);
        shared.app().end_session(secret).await?;
    }
    shared.sign_ins().ended();
    Ok(())
}

/// Returns the way to a page of the service, with a cookie.
fn to_page(place: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = see_other(place);
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
