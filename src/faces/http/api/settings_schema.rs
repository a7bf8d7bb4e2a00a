//! The schema of the settings of a source, made of their own defaults: a new setting is in it by itself.

use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema};

use crate::domain::{Address, SettingsPatch, SourceSettings};

/// Settings as POST and PATCH take them.
pub(super) struct SettingsSchema;

impl utoipa::PartialSchema for SettingsSchema {
    fn schema() -> RefOr<Schema> {
        let mut settings = ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
        for (name, value) in defaults() {
            settings = settings.property(name, schema_of(&value));
        }
        settings.into()
    }
}

impl utoipa::ToSchema for SettingsSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "Settings".into()
    }
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

/// Returns the schema of a setting by its default. Null gives every setting its default.
fn schema_of(default: &Value) -> Schema {
    let or_null = |of| SchemaType::from_iter([of, Type::Null]);
    let text = || ObjectBuilder::new().schema_type(Type::String);
    match default {
        Value::Bool(_) => ObjectBuilder::new()
            .schema_type(or_null(Type::Boolean))
            .into(),
        Value::Array(_) => ArrayBuilder::new()
            .schema_type(or_null(Type::Array))
            .items(text())
            .into(),
        Value::Object(_) => ObjectBuilder::new()
            .schema_type(or_null(Type::Object))
            .into(),
        example => text()
            .schema_type(or_null(Type::String))
            .examples([example.clone()])
            .into(),
    }
}
