//! The schemas of the settings of a source, made of their own defaults: a new setting is in them by itself.
//!
//! Formats are names of the forms that the manual describes: `address`, `size`, `name`, `user`, `header-name`,
//! `header-value`, `tag`. Lengths count characters; the store counts bytes in some, so a longer text may be refused.

use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, OneOfBuilder, RefOr, Schema};

use crate::domain::{
    Address, MAX_DAYS, MAX_NAME_BYTES, Provider, PublishPolicy, SettingsPatch, SourceSettings,
};

/// Whole hours or days from one hour to ten years.
const INTERVAL: &str = "^0*(([1-9][0-9]{0,3}|[1-7][0-9]{4}|8[0-6][0-9]{3}|87[0-5][0-9]{2}|87600)h|([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|36[0-4][0-9]|3650)d)$";

/// Settings as PATCH takes them.
pub(super) struct SettingsSchema;

/// Settings as POST takes them.
pub(super) struct NewSourceSchema;

impl utoipa::PartialSchema for SettingsSchema {
    fn schema() -> RefOr<Schema> {
        settings(true).into()
    }
}

impl utoipa::ToSchema for SettingsSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "Settings".into()
    }
}

impl utoipa::PartialSchema for NewSourceSchema {
    fn schema() -> RefOr<Schema> {
        let address = text("address", 1, 8000).schema_type(Type::String);
        settings(false)
            .property("address", address)
            .required("address")
            .into()
    }
}

impl utoipa::ToSchema for NewSourceSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "NewSource".into()
    }
}

/// Returns the schema of an object of settings, none of which must be there. A patch takes single headers away by null.
fn settings(is_patch: bool) -> ObjectBuilder {
    let mut settings = ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    for (name, value) in defaults() {
        settings = settings.property(&name, schema_of(&name, &value, is_patch));
    }
    settings
}

/// Returns every setting with its default; a name and an address as examples.
fn defaults() -> serde_json::Map<String, Value> {
    let address = Address::parse("https://example.org/prices.csv", false);
    let defaults = address.map(|address| SourceSettings::new("prices.csv".to_owned(), address));
    let whole = defaults.map(|defaults| serde_json::to_value(SettingsPatch::whole(&defaults)));
    match whole {
        Ok(Ok(Value::Object(whole))) => whole,
        _ => serde_json::Map::new(),
    }
}

/// Returns the schema of a setting by its name and its default. Null gives every setting its default.
fn schema_of(name: &str, default: &Value, is_patch: bool) -> Schema {
    match (name, default) {
        ("tags", _) => ArrayBuilder::new()
            .schema_type(or_null(Type::Array))
            .items(text("tag", 1, 64).schema_type(Type::String))
            .max_items(Some(64))
            .into(),
        ("headers", _) => headers(is_patch),
        (_, Value::Bool(_)) => ObjectBuilder::new()
            .schema_type(or_null(Type::Boolean))
            .into(),
        ("name", example) => text("name", 1, MAX_NAME_BYTES)
            .examples([example.clone()])
            .into(),
        ("address", example) => text("address", 1, 8000).examples([example.clone()]).into(),
        ("interval", example) => ObjectBuilder::new()
            .schema_type(or_null(Type::String))
            .pattern(Some(INTERVAL))
            .examples([example.clone()])
            .into(),
        ("publish", _) => one_of(&PublishPolicy::ALL.map(PublishPolicy::as_str)),
        ("rates", _) => one_of(&Provider::ALL.map(Provider::as_str)),
        ("days", _) => days(1),
        ("final_after", _) => days(0),
        ("max_size", _) => text("size", 1, 32).into(),
        (_, example) => text(name, 1, 8192).examples([example.clone()]).into(),
    }
}

fn days(least: u32) -> Schema {
    ObjectBuilder::new()
        .schema_type(or_null(Type::Integer))
        .minimum(Some(least))
        .maximum(Some(MAX_DAYS))
        .into()
}

/// Returns the schema of one of these words, or null.
fn one_of(words: &[&str]) -> Schema {
    let words = words.iter().map(|word| Value::from(*word));
    ObjectBuilder::new()
        .schema_type(or_null(Type::String))
        .enum_values(Some(words.chain([Value::Null])))
        .into()
}

/// Returns the schema of request headers by name: a value, or several.
fn headers(is_patch: bool) -> Schema {
    let value = || text("header-value", 0, 8192).schema_type(Type::String);
    let one = if is_patch {
        text("header-value", 0, 8192)
    } else {
        value()
    };
    let values = OneOfBuilder::new()
        .item(one)
        .item(ArrayBuilder::new().items(value()).max_items(Some(64)));
    ObjectBuilder::new()
        .schema_type(or_null(Type::Object))
        .property_names(Some(text("header-name", 1, 256).schema_type(Type::String)))
        .additional_properties(Some(Schema::from(values)))
        .max_properties(Some(64))
        .into()
}

/// Returns a text or null, of a form and from so many to so many characters.
fn text(format: &str, least: usize, most: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(or_null(Type::String))
        .format(Some(SchemaFormat::Custom(format.to_owned())))
        .min_length(Some(least))
        .max_length(Some(most))
}

fn or_null(of: Type) -> SchemaType {
    SchemaType::from_iter([of, Type::Null])
}
