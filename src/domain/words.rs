//! Enumerations whose values each have one word, used in the store, in JSON and on the command line.

/// Declares such an enumeration, with `ALL` values in order of declaration, `as_str`, `Display` and `FromStr`. Errors
/// call a value by the noun, which includes its article.
macro_rules! words {
    ($noun:literal: $(#[$about:meta])* pub enum $name:ident {
        $($(#[$value_about:meta])* $value:ident = $word:literal,)+
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$value_about])* $value,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$value),+];

            /// Returns the value's word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$value),)+
                    _ => Err($crate::domain::words::no_such_word(text, $noun, &[$($word),+])),
                }
            }
        }
    };
}
pub(crate) use words;

pub(crate) fn no_such_word(text: &str, noun: &str, words: &[&str]) -> String {
    let (last, others) = words.split_last().expect("an enumeration has values");
    let others = others.join(", ");
    let text = text.escape_debug();
    format!("`{text}` is not {noun}: expected {others} or {last}")
}

#[cfg(test)]
mod tests {
    use crate::domain::{Action, AttemptOutcome, ChangeKind, FailureKind, PublishPolicy};

    #[test]
    fn words_read_back() {
        fn reads<T: Copy + ToString + std::str::FromStr<Err = String>>(all: &[T]) {
            for value in all {
                let word = value.to_string();
                assert_eq!(word.parse::<T>().map(|read| read.to_string()), Ok(word));
            }
        }
        reads(&Action::ALL);
        reads(&ChangeKind::ALL);
        reads(&FailureKind::ALL);
        reads(&PublishPolicy::ALL);
    }

    #[test]
    fn another_word_is_refused_with_those_that_there_are() {
        for (refusal, expected) in [
            (
                "Passed\n".parse::<PublishPolicy>().err(),
                "`Passed\\n` is not a publish policy: expected passed or newest",
            ),
            (
                "".parse::<AttemptOutcome>().err(),
                "`` is not an outcome: expected new, unchanged, failed or absent",
            ),
        ] {
            assert_eq!(refusal.as_deref(), Some(expected));
        }
    }
}
