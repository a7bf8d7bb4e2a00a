//! One route: a method on a path, the right that it needs, and its handler.

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::routing::{MethodFilter, MethodRouter, on};

use super::caller::Right;
use super::guard::require;
use super::shared::Shared;

/// One route: a method on a path, the right that it needs, and its handler.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) right: Right,
    pub(super) handler: MethodRouter<Shared>,
}

/// Returns a route.
pub(super) fn route<H, T>(method: Method, path: &'static str, right: Right, handler: H) -> Route
where
    H: Handler<T, Shared>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).expect("a method of HTTP");
    let check = move |request: Request, next: Next| require(right, request, next);
    Route {
        method,
        path,
        right,
        handler: on(filter, handler).layer(from_fn(check)),
    }
}
