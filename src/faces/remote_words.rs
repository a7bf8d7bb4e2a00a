//! Translates messages for somebody at the other end of a connection: commands of gannet become requests of the API, or the
//! pages where the same is done. Commands without one are for the machine itself, and stay.

use super::options::{as_api_fields, as_page_fields};

/// A command as messages name it, with `*` for its argument, and its words in the API and on the pages.
struct Command {
    words: &'static [&'static str],
    api: &'static str,
    page: &'static str,
}

const COMMANDS: [Command; 13] = [
    Command {
        words: &["list"],
        api: "GET /api/v1/sources",
        page: "the page Sources",
    },
    Command {
        words: &["list", "--json"],
        api: "GET /api/v1/sources",
        page: "the page Sources",
    },
    Command {
        words: &["list", "--removed"],
        api: "GET /api/v1/sources?filter=state:removed",
        page: "`Removed` on the page Sources",
    },
    Command {
        words: &["restore", "*"],
        api: "POST /api/v1/sources/*/restore",
        page: "`Bring back` on the page of source *",
    },
    Command {
        words: &["show", "*"],
        api: "GET /api/v1/sources/*",
        page: "the page of source *",
    },
    Command {
        words: &["history", "*"],
        api: "GET /api/v1/sources/*/versions",
        page: "the page of source *",
    },
    Command {
        words: &["fetch", "*"],
        api: "POST /api/v1/sources/*/fetch",
        page: "`Fetch now` on the page of source *",
    },
    Command {
        words: &["remove", "*"],
        api: "DELETE /api/v1/sources/*",
        page: "`Remove` on the page of source *",
    },
    Command {
        words: &["edit", "*", "--name", "OTHER"],
        api: "PATCH /api/v1/sources/* with another `name`",
        page: "`Name` on the page of source *",
    },
    Command {
        words: &["verify", "*"],
        api: "POST /api/v1/versions/*/verify",
        page: "`Verify again` on the page of *",
    },
    Command {
        words: &["show", "set:*"],
        api: "GET /api/v1/sets/*",
        page: "the page of the set *",
    },
    Command {
        words: &["verify", "set:*"],
        api: "POST /api/v1/sets/*/verify",
        page: "`Verify again` on the page of the set *",
    },
    Command {
        words: &["verdict", "set:*"],
        api: "POST /api/v1/sets/*/verdicts",
        page: "`Give a verdict` on the page of the set *",
    },
];

/// Stands before the name of a set on the command line.
const SET: &str = "set:";

/// Returns a message with commands and options in the words of the API.
pub(super) fn as_api(message: &str) -> String {
    commands(&as_api_fields(message), |command| command.api)
}

/// Returns a message with commands and options in the words of the pages.
pub(super) fn as_page(message: &str) -> String {
    commands(&as_page_fields(message), |command| command.page)
}

/// Replaces each command between backticks that has other words.
fn commands(message: &str, words: fn(&Command) -> &'static str) -> String {
    const BEGIN: &str = "`gannet ";
    let (mut all, mut rest) = (String::new(), message);
    while let Some((before, behind)) = rest.split_once(BEGIN) {
        let Some((command, after)) = behind.split_once('`') else {
            break;
        };
        all.push_str(before);
        match replaced(command, words) {
            Some(other) => all.push_str(&other),
            None => all.extend([BEGIN, command, "`"]),
        }
        rest = after;
    }
    all + rest
}

fn replaced(command: &str, words: fn(&Command) -> &'static str) -> Option<String> {
    let given: Vec<_> = command.split(' ').collect();
    let is_like = |known: &&Command| {
        let pairs = known.words.iter().zip(&given);
        let is_same = |(word, given): (&&str, &&str)| match *word {
            "*" => !given.starts_with('-') && !given.contains(':'),
            "set:*" => given.starts_with(SET),
            word => word == *given,
        };
        known.words.len() == given.len() && pairs.into_iter().all(is_same)
    };
    let known = COMMANDS.iter().find(is_like)?;
    let argument = given.get(1).copied().unwrap_or_default();
    let argument = argument.strip_prefix(SET).unwrap_or(argument);
    Some(words(known).replace('*', argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_requests_and_pages() {
        for (message, api, page) in [
            (
                "`gannet list` shows them",
                "GET /api/v1/sources shows them",
                "the page Sources shows them",
            ),
            (
                "see `gannet list --removed`; `gannet restore 7` brings it back",
                "see GET /api/v1/sources?filter=state:removed; POST /api/v1/sources/7/restore brings it back",
                "see `Removed` on the page Sources; `Bring back` on the page of source 7 brings it back",
            ),
            (
                "`gannet verify v7`",
                "POST /api/v1/versions/v7/verify",
                "`Verify again` on the page of v7",
            ),
            (
                "the name `a`: `gannet user list`, or `gannet remove 7 --purge`",
                "the name `a`: `gannet user list`, or `gannet remove 7 --purge`",
                "the name `a`: `gannet user list`, or `gannet remove 7 --purge`",
            ),
            (
                "`gannet verify set:x`, `gannet list",
                "POST /api/v1/sets/x/verify, `gannet list",
                "`Verify again` on the page of the set x, `gannet list",
            ),
            (
                "give it for the set: `gannet verdict set:eu`",
                "give it for the set: POST /api/v1/sets/eu/verdicts",
                "give it for the set: `Give a verdict` on the page of the set eu",
            ),
            ("no backticks", "no backticks", "no backticks"),
        ] {
            assert_eq!(
                (as_api(message).as_str(), as_page(message).as_str()),
                (api, page)
            );
        }
        assert_eq!(as_api("with --allow-http"), "with \"allow_http\": true");
    }
}
