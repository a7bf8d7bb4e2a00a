//! The routes of the pages.

use axum::http::Method;

use super::{
    assets, compare, content_page, data, dead_messages, diff, fetching, images, log, message,
    messages, overview, picture, published, queues, removal, selection, sets, source, source_forms,
    sources, thumbnail, verdict_forms, version,
};
use crate::faces::http::caller::Right::{Administer, Anybody, Judge, Operate, Push, Read};
use crate::faces::http::route::{Route, route};

/// Returns the routes of the pages.
pub(in crate::faces::http) fn routes() -> Vec<Route> {
    let get = || Method::GET;
    let post = || Method::POST;
    vec![
        route(get(), "/assets/{name}", Anybody, assets::asset),
        route(get(), "/", Read, overview::show),
        route(get(), "/data", Administer, data::show),
        route(get(), "/sources", Read, sources::show),
        route(post(), "/sources", Operate, sources::add),
        // No name of a source begins with a dash.
        route(post(), "/sources/-", Operate, selection::change),
        route(get(), "/sources/{source}", Read, source::show),
        route(
            post(),
            "/sources/{source}/edit",
            Operate,
            source_forms::edit,
        ),
        route(post(), "/sources/{source}/fetch", Operate, fetching::fetch),
        route(
            post(),
            "/sources/{source}/enabled",
            Operate,
            source_forms::enable,
        ),
        route(
            post(),
            "/sources/{source}/restore",
            Operate,
            source_forms::restore,
        ),
        route(get(), "/sources/{source}/remove", Operate, removal::ask),
        route(post(), "/sources/{source}/remove", Operate, removal::remove),
        route(get(), "/versions/{version}", Read, version::show),
        route(
            get(),
            "/versions/{version}/content",
            Read,
            content_page::show,
        ),
        route(get(), "/versions/{version}/picture", Read, picture::show),
        route(
            get(),
            "/versions/{version}/thumbnail",
            Read,
            thumbnail::show,
        ),
        route(
            post(),
            "/versions/{version}/verdicts",
            Judge,
            verdict_forms::give,
        ),
        route(
            post(),
            "/versions/{version}/verify",
            Operate,
            verdict_forms::verify,
        ),
        route(get(), "/versions/{version}/diff/{other}", Read, diff::show),
        route(get(), "/published/", Read, published::all),
        route(get(), "/published/{*path}", Read, published::folder),
        route(get(), "/compare", Read, compare::show),
        route(get(), "/sets", Read, sets::list),
        route(get(), "/sets/{name}", Read, sets::show),
        // No name of a source, and so no file of a set, begins with a dash.
        route(
            post(),
            "/sets/{name}/-verdicts",
            Judge,
            verdict_forms::give_on_set,
        ),
        route(
            post(),
            "/sets/{name}/-verify",
            Operate,
            verdict_forms::verify_set,
        ),
        route(get(), "/images/", Read, images::show),
        route(get(), "/messages", Read, messages::list),
        route(post(), "/messages", Push, messages::send),
        route(get(), "/messages/{id}", Read, message::show),
        route(get(), "/queues", Read, queues::show),
        route(
            post(),
            "/queues/dead/{id}/retry",
            Operate,
            dead_messages::retry,
        ),
        route(get(), "/queues/dead/{id}/drop", Operate, dead_messages::ask),
        route(
            post(),
            "/queues/dead/{id}/drop",
            Operate,
            dead_messages::delete,
        ),
        route(get(), "/log", Read, log::show),
    ]
}
