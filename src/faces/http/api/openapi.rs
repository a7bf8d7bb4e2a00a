//! The description of the API (OpenAPI 3.1).

use axum::response::Response;
use utoipa::OpenApi;

use super::answer::json;
use super::groups::Groups;
use super::refusals::{Refusals, Tokens};
use super::{
    change, events, fetch, history, images, messages, queues, rates, sets, source, sources,
    summary, version,
};
use crate::faces::http::problem::{Problem, ProblemJson};

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
        version::give_verdict, version::verify, sets::list, sets::show, sets::verdicts,
        sets::give_verdict, sets::verify, images::list, messages::list, messages::push,
        messages::show, queues::list, queues::dead, queues::retry, queues::delete, rates::show, rates::list, events::list, summary::show
    ),
    components(schemas(ProblemJson)),
    modifiers(&Tokens, &Refusals, &Groups)
)]
struct Description;

/// Returns the description.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Sends the description.
pub(super) async fn description() -> Result<Response, Problem> {
    json(&described())
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

    #[test]
    fn every_parameter_states_what_it_takes() {
        let description = serde_json::to_value(Description::openapi()).expect("JSON");
        let paths = description["paths"].as_object().expect("paths");
        let operations = paths
            .values()
            .flat_map(|path| path.as_object().expect("a path"));
        let mut ids = Vec::new();
        let groups = description["tags"].as_array().expect("groups").iter();
        let groups: Vec<_> = groups.map(|group| group["name"].clone()).collect();
        for (method, operation) in operations {
            let id = operation["operationId"].as_str().expect("an id");
            ids.push(id);
            let of = &operation["tags"];
            let is_grouped =
                of.as_array().is_some_and(|of| of.len() == 1) && groups.contains(&of[0]);
            assert!(is_grouped, "{id}: {of} is none of {groups:?}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let schema = &parameter["schema"];
                let is_bound = match schema["type"].as_str() {
                    Some("boolean") => true,
                    Some("integer") => {
                        let most = &schema["maximum"];
                        schema["minimum"].is_number()
                            && (most.is_number() || schema["format"] == "int64")
                    }
                    // The head of a request has a limit of its own.
                    Some("string") if parameter["in"] == "header" => true,
                    Some("string") => schema["maxLength"].is_number() || schema["enum"].is_array(),
                    _ => false,
                };
                assert!(is_bound, "{id}: {parameter}");
                let mut places = [parameter, schema].into_iter();
                let is_described = places.any(|place| place["description"].is_string());
                assert!(is_described, "{id}: {parameter}");
            }
            let responses = operation["responses"].as_object().expect("responses");
            for (status, response) in responses
                .iter()
                .filter(|(status, _)| status.as_str() >= "400")
            {
                let is_problem = response["content"]["application/problem+json"].is_object();
                assert!(
                    is_problem || ["414", "431"].contains(&status.as_str()),
                    "{id}: {status}"
                );
            }
            let without_token = operation["security"]
                .as_array()
                .is_some_and(|all| all.contains(&serde_json::json!({})));
            assert_eq!(without_token, method == "get", "{id}");
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "an id is there twice: {ids:?}");
    }
}
