//! The HTTP service: the API, who may do what, the live feed, and its limits.

mod api;
mod data;
mod files;
mod limits;
mod live;
mod pages;
mod people;
mod rights;
