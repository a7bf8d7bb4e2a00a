//! Refuses what an operation does not take: a query, or a body, of which its description says nothing.
//!
//! Never looks at the fields of a query or a body that is described: those are checked where they are read.

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};

use super::openapi::described;
use super::routes::routes;
use crate::faces::http::extract::{MAX_BODY_BYTES, object_of, params_of, whole};
use crate::faces::http::problem::Problem;
use crate::faces::http::route::Route;

/// A query, or the object of a body, without any field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

/// Returns the routes of the API. Each refuses what its description does not say that it takes.
pub(in crate::faces::http) fn strict_routes() -> Vec<Route> {
    let description = described();
    let routes = routes().into_iter();
    routes.map(|route| strict(route, &description)).collect()
}

/// Returns a route that refuses what its description does not say that it takes; one that is not described as it is.
fn strict(route: Route, description: &OpenApi) -> Route {
    let Some(operation) = operation(&route, description) else {
        return route;
    };
    let has_query = operation.parameters.iter().flatten().any(|one| match one {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Query,
        RefOr::Ref(_) => false,
    });
    // The body of a GET has no meaning (RFC 9110 §9.3.1).
    let has_body = operation.request_body.is_some() || route.method == Method::GET;
    if has_query && has_body {
        return route;
    }
    let check = move |request: Request, next: Next| async move {
        match checked(request, has_query, has_body).await {
            Ok(request) => next.run(request).await,
            Err(problem) => problem.into_response(),
        }
    };
    Route {
        handler: route.handler.layer(from_fn(check)),
        ..route
    }
}

fn operation<'a>(route: &Route, description: &'a OpenApi) -> Option<&'a Operation> {
    let path = description.paths.paths.get(route.path)?;
    let operation = match route.method {
        Method::GET => &path.get,
        Method::POST => &path.post,
        Method::PATCH => &path.patch,
        Method::DELETE => &path.delete,
        _ => &None,
    };
    operation.as_ref()
}

/// Returns a request whose query, and whose body, are empty unless the operation has them.
async fn checked(request: Request, has_query: bool, has_body: bool) -> Result<Request, Problem> {
    if !has_query {
        params_of::<NoFields>(request.uri())?;
    }
    if has_body || request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let body = whole(body, MAX_BODY_BYTES).await?;
    if !body.is_empty() {
        let hint = "the request takes no body";
        object_of::<NoFields>(&body).map_err(|problem| problem.hint(hint))?;
    }
    Ok(Request::from_parts(parts, Body::empty()))
}
