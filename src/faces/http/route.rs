//! One route: a method on a path, the right that it needs, and its handler.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::caller::Right;
use super::shared::Shared;

/// One route: a method on a path, the right that it needs, and its handler, which checks no right by itself.
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
    Route {
        method,
        path,
        right,
        handler: on(filter, handler),
    }
}
