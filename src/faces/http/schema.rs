//! Schemas of values, for the description of the API.

use utoipa::openapi::Schema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

/// Returns the schema of a text that is one of these words, with what they mean.
pub(super) fn words_schema(about: &str, words: impl IntoIterator<Item = String>) -> Schema {
    let words = words.into_iter().collect::<Vec<_>>();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .enum_values(Some(words))
        .into()
}
