//! The JSON of a published picture.

use serde::Serialize;
use utoipa::ToSchema;

use super::times::precise;
use crate::domain::{Picture, SourceId, VersionId};

/// A published file that passed an `image` verifier.
#[derive(Serialize, ToSchema)]
#[schema(as = Image)]
pub(crate) struct ImageJson<'a> {
    /// The name under which it is served: `/images/NAME`.
    name: &'a str,
    source_id: SourceId,
    source: &'a str,
    version_id: VersionId,
    digest: String,
    size_bytes: u64,
    media_type: &'static str,
    width: u32,
    height: u32,
    published_at: Option<String>,
}

impl<'a> ImageJson<'a> {
    pub(crate) fn new(picture: &'a Picture) -> Self {
        Self {
            name: &picture.name,
            source_id: picture.source_id,
            source: &picture.source,
            version_id: picture.version_id,
            digest: picture.digest.to_string(),
            size_bytes: picture.size_bytes,
            media_type: picture.facts.format.media_type(),
            width: picture.facts.width,
            height: picture.facts.height,
            published_at: picture.published_at.map(precise),
        }
    }
}
