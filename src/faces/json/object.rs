//! JSON objects whose field names are known without a value: CSV needs a header even without rows.

/// Defines a JSON object. The fields in the first braces are single values, or lists of them, and are the columns of
/// CSV; the JSON has the fields in the second braces too.
macro_rules! json_object {
    (
        $(#[$of_object:meta])*
        $visibility:vis struct $name:ident<$life:lifetime> {
            $($(#[$of_field:meta])* $of:vis $field:ident: $type:ty,)+
        }
        $(and { $($(#[$of_other:meta])* $other:ident: $other_type:ty,)+ })?
    ) => {
        #[derive(serde::Serialize, utoipa::ToSchema)]
        $(#[$of_object])*
        $visibility struct $name<$life> {
            $($(#[$of_field])* $of $field: $type,)+
            $($($(#[$of_other])* $other: $other_type,)+)?
        }

        impl $name<'_> {
            /// The names of the CSV's columns, in order.
            pub(crate) const FIELDS: &'static [&'static str] = &[$(stringify!($field)),+];
        }
    };
}

pub(super) use json_object;
