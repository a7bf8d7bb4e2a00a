//! The routes of the API.

use axum::http::Method;

use super::{
    change, docs_page, events, fetch, health, history, images, messages, openapi, queues, rates,
    sets, source, sources, summary, version,
};
use crate::faces::http::caller::Right::{Anybody, Judge, Operate, Push, Read};
use crate::faces::http::route::{Route, route};

const SOURCE: &str = "/api/v1/sources/{source}";
const VERSION: &str = "/api/v1/versions/{version}";
const VERDICTS: &str = "/api/v1/versions/{version}/verdicts";
const SET_VERDICTS: &str = "/api/v1/sets/{name}/verdicts";
const MESSAGES: &str = "/api/v1/messages";
/// The short address of the messages, for senders, who may leave the slash out.
const ENDPOINT: &str = "/endpoint/";
const BARE_ENDPOINT: &str = "/endpoint";

/// Returns the routes of the API.
pub(super) fn routes() -> Vec<Route> {
    let get = || Method::GET;
    let post = || Method::POST;
    vec![
        route(get(), "/healthz", Anybody, health::alive),
        route(get(), "/readyz", Anybody, health::ready),
        route(get(), "/metrics", Read, health::numbers),
        route(get(), "/api", Anybody, docs_page::to_page),
        route(get(), "/api/openapi.json", Anybody, openapi::description),
        route(get(), "/api/docs/{*path}", Anybody, docs_page::page),
        route(get(), "/api/v1/sources", Read, sources::list),
        route(post(), "/api/v1/sources", Operate, change::add),
        route(get(), SOURCE, Read, source::show),
        route(Method::PATCH, SOURCE, Operate, change::edit),
        route(Method::DELETE, SOURCE, Operate, change::remove),
        route(
            post(),
            "/api/v1/sources/{source}/restore",
            Operate,
            change::restore,
        ),
        route(
            post(),
            "/api/v1/sources/{source}/fetch",
            Operate,
            fetch::fetch,
        ),
        route(
            get(),
            "/api/v1/sources/{source}/attempts",
            Read,
            history::attempts,
        ),
        route(
            get(),
            "/api/v1/sources/{source}/versions",
            Read,
            history::versions,
        ),
        route(get(), VERSION, Read, version::show),
        route(
            get(),
            "/api/v1/versions/{version}/content",
            Read,
            version::content,
        ),
        route(
            get(),
            "/api/v1/versions/{version}/diff/{other}",
            Read,
            version::diff,
        ),
        route(get(), VERDICTS, Read, version::verdicts),
        route(post(), VERDICTS, Judge, version::give_verdict),
        route(
            post(),
            "/api/v1/versions/{version}/verify",
            Operate,
            version::verify,
        ),
        route(get(), "/api/v1/sets", Read, sets::list),
        route(get(), "/api/v1/sets/{name}", Read, sets::show),
        route(get(), SET_VERDICTS, Read, sets::verdicts),
        route(post(), SET_VERDICTS, Judge, sets::give_verdict),
        route(post(), "/api/v1/sets/{name}/verify", Operate, sets::verify),
        route(get(), "/api/v1/images", Read, images::list),
        route(get(), "/rates/{date}", Read, rates::show),
        route(get(), "/rates/{date}/", Read, rates::show),
        route(get(), "/api/v1/rates", Read, rates::list),
        route(get(), MESSAGES, Read, messages::list),
        route(post(), MESSAGES, Push, messages::push),
        route(get(), ENDPOINT, Read, messages::list),
        route(post(), ENDPOINT, Push, messages::push),
        route(get(), BARE_ENDPOINT, Read, messages::list),
        route(post(), BARE_ENDPOINT, Push, messages::push),
        route(get(), "/api/v1/messages/{id}", Read, messages::show),
        route(get(), "/api/v1/queues", Read, queues::list),
        route(get(), "/api/v1/dead-messages", Read, queues::dead),
        route(
            post(),
            "/api/v1/dead-messages/{id}/retry",
            Operate,
            queues::retry,
        ),
        route(
            Method::DELETE,
            "/api/v1/dead-messages/{id}",
            Operate,
            queues::delete,
        ),
        route(get(), "/api/v1/events", Read, events::list),
        route(get(), "/api/v1/summary", Read, summary::show),
    ]
}
