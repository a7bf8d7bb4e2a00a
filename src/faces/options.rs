//! Translates options of `gannet add` in messages where a source is not given on the command line: to keys of a file
//! of sources, fields of a form, of a page or of the API, or the advice of `gannet import`.

/// An option as messages name it; its key in a file; its field in the dashboard's form; the advice for an entry of
/// another program's file; its field on a page of the service; its field of the API.
struct Words {
    option: &'static str,
    key: &'static str,
    field: &'static str,
    import: &'static str,
    page: &'static str,
    api: &'static str,
}

const OPTIONS: [Words; 7] = [
    Words {
        option: "--user 'NAME:${PASSWORD}'",
        key: "user = \"NAME:${PASSWORD}\"",
        field: "NAME:${PASSWORD} in `user` below",
        import: "`gannet add URL --user 'NAME:${PASSWORD}'`",
        page: "NAME:${PASSWORD} in `User` on the page of the source",
        api: "\"user\": \"NAME:${PASSWORD}\"",
    },
    Words {
        option: "and take the other away with --user none or --no-headers",
        key: "`user` or the header",
        field: "in `user` or in `headers` below",
        import: "`user` or the header",
        page: "and empty the other, `User` or the header",
        api: "and set the other, `user` or the header, to null",
    },
    Words {
        option: "--header 'Authorization: Bearer ${TOKEN}'",
        key: "headers = { Authorization = \"Bearer ${TOKEN}\" }",
        field: "Authorization: Bearer ${TOKEN} in `headers` below",
        import: "`gannet add URL --header 'Authorization: Bearer ${TOKEN}'`",
        page: "Authorization: Bearer ${TOKEN} in `Headers` on the page of the source",
        api: "\"headers\": {\"Authorization\": \"Bearer ${TOKEN}\"}",
    },
    Words {
        option: "--allow-http",
        key: "allow_http = true",
        field: "`allow http` below",
        import: "--allow-http",
        page: "`allow http` below",
        api: "\"allow_http\": true",
    },
    Words {
        option: "--allow-private",
        key: "allow_private = true",
        field: "`allow private` below",
        import: "--allow-private",
        page: "`gannet add URL` or `gannet edit SOURCE` with `--allow-private`, on the machine itself",
        api: "`gannet add URL` or `gannet edit SOURCE` with `--allow-private`, on the machine itself",
    },
    Words {
        option: "--max-size",
        key: "max_size",
        field: "`max size` below",
        import: "`gannet edit --max-size`",
        page: "`Max size` on the page of the source",
        api: "`max_size`",
    },
    Words {
        option: "say --literal",
        key: "say literal = true",
        field: "add it with `gannet add --literal`",
        import: "say --literal",
        page: "add it with `gannet add --literal`, on the machine itself",
        api: "add it with `gannet add --literal`, on the machine itself",
    },
];

/// Returns a message with options named as keys of a file of sources.
pub(super) fn as_keys(message: &str) -> String {
    replaced(message, |words| words.key)
}

/// Returns a message with options named as fields of the dashboard's form, which lie below the message.
pub(super) fn as_fields(message: &str) -> String {
    replaced(message, |words| words.field)
}

/// Returns a message with the advice of `import`, which lacks some options of `add`.
pub(super) fn as_import(message: &str) -> String {
    replaced(message, |words| words.import)
}

/// Returns a message with options named as the fields of a page of the service.
pub(super) fn as_page_fields(message: &str) -> String {
    replaced(message, |words| words.page)
}

/// Returns a message with options named as the fields of the API.
pub(super) fn as_api_fields(message: &str) -> String {
    replaced(message, |words| words.api)
}

/// Replaces the options outside of commands, which are for a shell.
fn replaced(message: &str, word: fn(&Words) -> &'static str) -> String {
    // A command stands between backticks: every other part does.
    let parts = message.split('`').enumerate().map(|(number, part)| {
        if number % 2 == 1 && part.starts_with("gannet ") {
            return part.to_owned();
        }
        let all = OPTIONS.iter();
        all.fold(part.to_owned(), |part, words| {
            part.replace(words.option, word(words))
        })
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::NewSource;

    #[test]
    fn a_command_keeps_its_options() {
        let message = "use --allow-private: `gannet edit SOURCE --allow-private`";
        assert_eq!(
            as_fields(message),
            "use `allow private` below: `gannet edit SOURCE --allow-private`"
        );
        assert!(as_api_fields(message).ends_with("`gannet edit SOURCE --allow-private`"));
    }

    #[test]
    fn no_option_is_named_where_there_is_none() {
        for (address, key, field) in [
            ("http://example.org/a", "allow_http = true", "`allow http`"),
            ("ftp://example.org/a", "allow_http = true", "`allow http`"),
            (
                "https://10.0.0.1/a",
                "allow_private = true",
                "`allow private`",
            ),
            (
                "https://localhost/a",
                "allow_private = true",
                "`allow private`",
            ),
            ("https://u:p@example.org/a", "headers = {", "`headers`"),
            (
                "https://example.org/a?token=hunter2hunter2",
                "literal = true",
                "`gannet add --literal`",
            ),
        ] {
            let error = NewSource::at(address).check().expect_err(address);
            let message = format!("{}; {}", error.message, error.hint.unwrap_or_default());
            assert!(message.contains("--"), "{message}");
            let keys = as_keys(&message);
            assert!(keys.contains(key) && !keys.contains("--"), "{keys}");
            let fields = as_fields(&message);
            assert!(fields.contains(field), "{fields}");
            let others = fields.replace("`gannet add --literal`", "");
            assert!(!others.contains("--"), "{fields}");
            for remote in [as_page_fields(&message), as_api_fields(&message)] {
                let on_machine = ["`gannet add --literal`", "with `--allow-private`"];
                let others = on_machine
                    .iter()
                    .fold(remote.clone(), |all, one| all.replace(one, ""));
                assert!(!others.contains("--"), "{remote}");
            }
            let import = as_import(&message);
            assert!(!import.contains("as --header"), "{import}");
        }
    }
}
