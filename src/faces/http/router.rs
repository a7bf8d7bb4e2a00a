//! The routes, each with the right that it needs.

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;

use super::api;
use super::caller::Right;
use super::files;
use super::guard::{guard, require};
use super::idempotency::once;
use super::images;
use super::links;
use super::live;
use super::pages;
use super::problem::Problem;
use super::route::{Route, route};
use super::shared::Shared;
use super::signing;

/// Returns all routes.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = api::strict_routes();
    routes.push(route(Method::GET, "/live", Right::Read, live::follow));
    routes.extend(files::routes());
    routes.extend(images::routes());
    routes.extend(pages::routes());
    routes.extend(links::routes());
    routes.extend(signing::routes());
    routes
}

/// Returns the method, the path and the word of the right of every route.
pub fn route_table() -> Vec<(String, &'static str, &'static str)> {
    let row = |route: Route| (route.method.to_string(), route.path, route.right.as_str());
    routes().into_iter().map(row).collect()
}

/// Returns the service of all routes, behind the guard.
pub(super) fn router(shared: Shared) -> Router {
    let router = routes().into_iter().fold(Router::new(), |router, route| {
        router.route(route.path, checked(route, &shared))
    });
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

/// Returns the handler of a route behind the check of its right, and then, for a POST of the API, the memory of keys.
fn checked(route: Route, shared: &Shared) -> MethodRouter<Shared> {
    let right = route.right;
    let check = move |request: Request, next: Next| require(right, request, next);
    let mut handler = route.handler;
    // The keys of messages are kept with them.
    if route.method == Method::POST && route.path.starts_with("/api/") && right != Right::Push {
        handler = handler.layer(from_fn_with_state(shared.clone(), once));
    }
    handler.layer(from_fn(check))
}

async fn unknown(request: Request) -> Problem {
    let detail = format!("there is nothing at {}", request.uri().path());
    Problem::new(StatusCode::NOT_FOUND, detail)
}

async fn wrong_method(request: Request) -> Response {
    if let Some(above) = pages::above(&request) {
        return above;
    }
    let detail = format!("{} is not for {}", request.method(), request.uri().path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}
