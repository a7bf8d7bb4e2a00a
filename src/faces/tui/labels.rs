//! Enumerations whose values have a name and a few words of explanation.

/// Declares such an enumeration, with `ALL` values in order of declaration, and functions that return a value's name
/// and its explanation.
macro_rules! labels {
    ($(#[$about:meta])* enum $type:ident { $name:ident, $explain:ident }
     $($value:ident = $word:literal, $words:literal;)+) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum $type { $($value),+ }

        impl $type {
            /// Every value, in order of declaration.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$value),+];

            /// Returns the name.
            pub(crate) const fn $name(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }

            /// Returns the explanation.
            pub(crate) const fn $explain(self) -> &'static str {
                match self { $(Self::$value => $words),+ }
            }
        }
    };
}

pub(super) use labels;
