//! The refusals that each operation of the description shares with others of its kind, and how programs sign in.

use axum::http::StatusCode;
use utoipa::Modify;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, OpenApi, Ref, RefOr, ResponseBuilder, SecurityRequirement,
};

/// The scheme by which programs sign in.
const TOKEN: &str = "token";

/// The statuses by which any operation may be refused.
const OF_ALL: [StatusCode; 8] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::URI_TOO_LONG,
    StatusCode::MISDIRECTED_REQUEST,
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// Says that programs come with bearer tokens.
pub(super) struct Tokens;

impl Modify for Tokens {
    fn modify(&self, description: &mut OpenApi) {
        let components = description.components.take().unwrap_or_default();
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = ComponentsBuilder::from(components).security_scheme(TOKEN, bearer);
        description.components = Some(components.build());
        let token = || SecurityRequirement::new(TOKEN, Vec::<String>::new());
        for (method, operation) in operations(description) {
            // Reading may need no token.
            let none = (method == "get").then(SecurityRequirement::default);
            operation.security = Some([token()].into_iter().chain(none).collect());
        }
    }
}

/// Says by which statuses an operation is refused.
pub(super) struct Refusals;

impl Modify for Refusals {
    fn modify(&self, description: &mut OpenApi) {
        for (method, operation) in operations(description) {
            for status in refusals(method, operation) {
                let response = response(status);
                let responses = &mut operation.responses.responses;
                responses
                    .entry(status.as_str().to_owned())
                    .or_insert(response);
            }
        }
    }
}

/// Returns every operation with its method.
fn operations(description: &mut OpenApi) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    description.paths.paths.values_mut().flat_map(|path| {
        let PathItem {
            get,
            post,
            patch,
            delete,
            ..
        } = path;
        let all = [
            ("get", get),
            ("post", post),
            ("patch", patch),
            ("delete", delete),
        ];
        all.into_iter()
            .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
    })
}

/// Returns the statuses of refusals that an operation gives by its method, its parameters and its body.
fn refusals(method: &str, operation: &Operation) -> Vec<StatusCode> {
    let mut statuses = OF_ALL.to_vec();
    let mut parameters = operation.parameters.iter().flatten();
    let names_something = parameters.any(|parameter| match parameter {
        RefOr::T(parameter) => {
            parameter.parameter_in == ParameterIn::Path || parameter.name == "source"
        }
        RefOr::Ref(_) => false,
    });
    if names_something {
        statuses.push(StatusCode::NOT_FOUND);
    }
    if operation.request_body.is_some() {
        statuses.push(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    match method {
        // A body of any POST is read for its key, and is to be the same under the same key.
        "post" => statuses.extend([
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::CONFLICT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ]),
        "patch" | "delete" => statuses.extend([
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::CONFLICT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::PRECONDITION_FAILED,
        ]),
        _ => {}
    }
    statuses
}

/// Returns the refusal by a status: a problem, but for those of heads that are not read to their end.
fn response(status: StatusCode) -> RefOr<utoipa::openapi::Response> {
    let words = status.canonical_reason().unwrap_or("Refused");
    let mut response = ResponseBuilder::new().description(words);
    let is_of_head = [
        StatusCode::URI_TOO_LONG,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    ];
    if !is_of_head.contains(&status) {
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        response = response.content("application/problem+json", problem);
    }
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderBuilder::new()
            .description(Some("The scheme: Bearer"))
            .build();
        response = response.header("WWW-Authenticate", scheme);
    }
    response.build().into()
}
