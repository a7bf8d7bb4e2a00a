//! The description of the API (OpenAPI 3.1), and the page that shows it.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, SecurityRequirement};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::Config;

use super::answer::json;
use super::{change, events, fetch, history, sets, source, sources, summary, version};
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// The page shows itself and the description, and nothing from elsewhere. Its scripts set styles.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "gannet",
        description = "Fetches the files that you depend on, keeps every version, and publishes only what your verifiers passed. A refusal is a problem (RFC 9457). Lists come by page: `next`, and `Link: rel=\"next\"`. `/live` is a WebSocket that sends every event."
    ),
    paths(
        sources::list, change::add, source::show, change::edit, change::remove, change::restore, fetch::fetch,
        history::attempts, history::versions, version::show, version::content, version::diff, version::verdicts,
        version::give_verdict, version::verify, sets::list, sets::show, events::list, summary::show
    ),
    modifiers(&Tokens)
)]
struct Description;

/// Says that programs come with bearer tokens; reading may need none.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.take().unwrap_or_default();
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = ComponentsBuilder::from(components).security_scheme("token", bearer);
        description.components = Some(components.build());
        let none = SecurityRequirement::default();
        let token = SecurityRequirement::new("token", Vec::<String>::new());
        description.security = Some(vec![token, none]);
    }
}

/// Returns the description.
pub(super) async fn description() -> Result<Response, Problem> {
    json(&Description::openapi())
}

/// Leads to the page that shows the description.
pub(super) async fn to_page() -> Response {
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, "/api/docs/index.html")],
    )
        .into_response()
}

/// Sends a file of the page.
pub(super) async fn page(Part(path): Part<String>) -> Result<Response, Problem> {
    let config = Arc::new(Config::new(["/api/openapi.json"]).use_base_layout());
    let file = utoipa_swagger_ui::serve(&path, config);
    let Ok(Some(file)) = file else {
        let detail = format!("there is nothing at /api/docs/{}", path.escape_debug());
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let mut response = file.bytes.into_owned().into_response();
    let fields = response.headers_mut();
    if let Ok(media_type) = HeaderValue::try_from(file.content_type) {
        fields.insert(header::CONTENT_TYPE, media_type);
    }
    if file.gzpipped {
        fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    fields.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(PAGE_POLICY),
    );
    fields.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("max-age=3600"),
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::http::api::routes::routes;

    #[test]
    fn every_route_of_the_api_is_described() {
        let description = serde_json::to_value(Description::openapi()).expect("JSON");
        assert_eq!(description["openapi"], "3.1.0");
        for route in routes()
            .iter()
            .filter(|route| route.path.starts_with("/api/v1/"))
        {
            let method = route.method.as_str().to_lowercase();
            let found = &description["paths"][route.path][&method];
            assert!(found.is_object(), "{method} {} is missing", route.path);
        }
        let settings = &description["components"]["schemas"]["Settings"]["properties"];
        for label in crate::domain::SettingsPatch::LABELS {
            assert!(settings[label].is_object(), "{label}: {settings}");
        }
    }
}
