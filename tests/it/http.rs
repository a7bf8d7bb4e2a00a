//! The HTTP service: the API, who may do what, the live feed, its limits, TLS, and sockets of a service manager.

mod activation;
mod api;
mod conditional;
mod data;
mod files;
mod images;
mod judged_messages;
mod keys;
mod limits;
mod links;
mod live;
mod live_messages;
mod message_pages;
mod messages;
mod notices;
mod page_fetches;
mod page_lists;
mod pages;
mod people;
mod redis_damage;
mod redis_faults;
mod rights;
mod set_verdicts;
mod strict;
mod tls;
mod visitor;
