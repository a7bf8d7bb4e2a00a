//! What an edit says: which settings are otherwise now, from what to what, and of what was so already that it is unchanged. Through
//! the real program.

use crate::rig::Gannet;

/// A source `rates.json` with a tag, and another one, `a`.
fn home() -> Gannet {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "1d", "--name", "a"]);
    let url = "https://example.org/rates.json";
    gannet.ok(&["add", url, "1d", "--name", "rates.json", "--tag", "rates"]);
    gannet
}

#[test]
fn an_edit_says_what_it_changed_from_what_to_what() {
    for (command, line) in [
        (
            "--tag prices",
            "edited rates.json (2): tags rates -> prices",
        ),
        (
            "--tag rates --tag eu",
            "edited rates.json (2): tags rates -> eu,rates",
        ),
        ("--no-tags", "edited rates.json (2): tags rates -> none"),
        ("--name fx", "edited fx (2): name rates.json -> fx"),
        ("--interval 6h", "edited rates.json (2): interval 1d -> 6h"),
        (
            "--publish newest",
            "edited rates.json (2): publish passed -> newest",
        ),
        (
            "--max-size 1KiB",
            "edited rates.json (2): max_size default -> 1KiB",
        ),
        (
            "--allow-private",
            "edited rates.json (2): allow_private false -> true",
        ),
        (
            "--address https://example.org/fx.json",
            "edited rates.json (2): address https://example.org/rates.json -> https://example.org/fx.json",
        ),
        (
            "--interval 6h --tag rates --name fx",
            "edited fx (2): name rates.json -> fx; interval 1d -> 6h",
        ),
    ] {
        let gannet = home();
        let mut arguments = vec!["edit", "rates.json"];
        arguments.extend(command.split(' '));
        let said = gannet.ok(&arguments);
        assert_eq!(said.lines().next(), Some(line), "{command}: {said}");
        // The log says it in the same words.
        let (_, differences) = line.split_once("): ").expect("differences");
        let log = gannet.ok(&["log"]);
        assert!(log.contains(differences), "{command}: {log}");
    }
}

#[test]
fn what_was_so_already_is_unchanged() {
    for (command, lines) in [
        ("edit a --name a", "unchanged a (1)\n"),
        ("edit a --interval 24h", "unchanged a (1)\n"),
        ("edit a --no-tags --allow-http=false", "unchanged a (1)\n"),
        (
            "edit a --address https://example.org/a",
            "unchanged a (1)\n",
        ),
        (
            "edit a rates.json --tag rates",
            "edited a (1): tags none -> rates\nunchanged rates.json (2)\n",
        ),
        ("enable a", "unchanged a (1): enabled already\n"),
        ("disable a", "disabled a (1)\n"),
        ("interval a 1d", "a (1): every 1d, unchanged\n"),
        ("interval a 6h", "a (1): every 6h, before every 1d\n"),
    ] {
        let gannet = home();
        let before = gannet.ok(&["log"]).lines().count();
        let arguments: Vec<_> = command.split(' ').collect();
        assert_eq!(gannet.ok(&arguments), lines, "{command}");
        let events = gannet.ok(&["log"]).lines().count() - before;
        let changed = lines.lines().filter(|line| !line.contains("unchanged"));
        assert_eq!(events, changed.count(), "{command}");
        let again = gannet.ok(&arguments);
        assert!(
            again.lines().all(|line| line.contains("unchanged")),
            "{again}"
        );
    }
}

#[test]
fn an_edit_says_who_judges_since_then_and_who_no_longer_does() {
    let gannet = home();
    gannet.configure(
        "[[verifier]]\nname = \"legal\"\nsources = [\"tag:rates\"]\nexternal = true\n[[verifier]]\nname = \"whole\"\nscope = \"set\"\nsources = [\"tag:eu\"]\ncommand = [\"true\"]\n",
    );
    for (command, expected) in [
        (
            &["--tag", "eu"][..],
            &[
                "  rates.json is judged from now on by whole",
                "  rates.json is no longer judged by legal",
            ][..],
        ),
        (&["--interval", "6h"], &[]),
        (
            &["--no-tags"],
            &["  rates.json is no longer judged by whole"],
        ),
    ] {
        let said = gannet.ok(&[&["edit", "rates.json"], command].concat());
        let of_judges: Vec<_> = said
            .lines()
            .filter(|line| line.contains("judged"))
            .collect();
        assert_eq!(of_judges, expected, "{said}");
    }
}
