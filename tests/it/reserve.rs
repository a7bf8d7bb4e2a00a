//! The reserve of a data folder on a full disk: kept from the beginning on, given up by a purge that goes ahead and by nothing else, and
//! kept again afterwards.

use crate::rig::{Home, Reply, Start, in_mount_namespace, namespaces};

/// A data folder of 96 MiB in a namespace of its own, with three sources of several versions and the reserve.
const BEGIN: &str = r#"mkdir -p "$data"; mount -t tmpfs -o size=96m none "$data"
"$gannet" apply "$HOME/sources.toml" >/dev/null; "$gannet" --worker-only
for n in 1 2 3 4 5; do "$gannet" fetch '*' >/dev/null; done
reserve() { if [ -f "$data/reserve" ]; then echo kept; else echo gone; fi; }
fill() { cat /dev/zero >"$data/fill" 2>/dev/null || true; truncate -s "-$1" "$data/fill"; }
try() { code=0; "$gannet" "$@" 2>&1 || code=$?; echo "$code $(reserve)"; }
"#;

/// A home whose sources `a.txt`, `b.txt` and `c.txt` have twenty versions of about 90 kB each to come.
fn home() -> Home {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let mut sources = String::new();
    for name in ["a.txt", "b.txt", "c.txt"] {
        let replies = (0..20).map(|n| Reply::file(format!("{name} {n}\n").repeat(9_000)));
        origin.on(&format!("/{name}"), replies);
        let url = origin.url(&format!("/{name}"));
        sources.extend([
            "[[source]]\naddress = \"",
            &url,
            "\"\nallow_private = true\n",
        ]);
    }
    std::fs::write(gannet.path("sources.toml"), sources).expect("a file");
    gannet
}

#[test]
fn a_purge_works_on_a_full_disk_and_the_reserve_comes_back() {
    let gannet = home();
    let origin = &gannet.origin;
    // With a verifier that was added since, which the first command to change something adopts.
    let edit = "printf '[[verifier]]\\nname = \"utf8\"\\nsources = [\"*\"]\\nbuiltin = \"utf8\"\\n' >>\"$GANNET_CONFIG\"";
    for (left, edit) in [
        ("0", ""),
        ("40K", ""),
        ("100K", ""),
        ("0", edit),
        ("40K", edit),
        ("64K", edit),
        ("1M", ""),
    ] {
        let script = format!(
            "{BEGIN} reserve; fill {left}; {edit}
            try remove a.txt --purge --yes
            try remove b.txt --purge --yes
            \"$gannet\" list --json | grep -c '\"name\"'
            rm \"$data/fill\"; \"$gannet\" --worker-only; reserve"
        );
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        // Where the files were published, and what an adoption says, is not what this is about.
        let lines: Vec<_> = said
            .out
            .lines()
            .filter(|line| !line.starts_with("policy ") && !line.starts_with("  "))
            .map(|line| line.split(';').next().unwrap_or_default())
            .collect();
        let expected = [
            "kept",
            "purged a.txt (1)",
            "0 gone",
            "purged b.txt (2)",
            "0 gone",
            "1",
            "kept",
        ];
        assert_eq!(lines, expected, "{left} {edit}: {said:#?}");
        gannet.configure(&format!(
            "[fetch]\nca_file = {:?}\n",
            origin.ca_file().display().to_string()
        ));
    }
}

#[test]
fn a_purge_that_does_not_happen_gives_nothing_up() {
    let gannet = home();
    for left in ["0", "256K"] {
        let script = format!(
            "{BEGIN} fill {left}
            try remove a.txt --purge
            try remove a.tx --purge --yes
            try remove a.txt a.tx --purge --yes
            try remove 'x*' --purge --yes
            try remove tag:none --purge --yes
            try remove 77 --purge --yes
            \"$gannet\" list --json | grep -c '\"name\"'"
        );
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        let codes: Vec<_> = said
            .out
            .lines()
            .filter(|line| line.ends_with("kept"))
            .collect();
        assert_eq!(codes, ["2 kept"; 6], "{left}: {said:#?}");
        assert!(said.out.ends_with("\n3\n"), "{left}: {said:#?}");
        for part in [
            "this would purge a.txt (1) with 6 versions",
            "no source matches `a.tx`",
            "no source matches `77`",
        ] {
            assert!(said.out.contains(part), "{left} {part}: {said:#?}");
        }
    }
}

#[test]
fn a_purge_that_is_not_agreed_to_on_the_terminal_gives_nothing_up() {
    let gannet = home();
    for left in ["0", "256K"] {
        let script = format!(
            "{BEGIN} fill {left}; trap : INT
            for turn in 1 2 3; do
                code=0; \"$gannet\" remove a.txt --purge || code=$?; echo \"turn $turn: $code $(reserve)\"
            done"
        );
        let Some(command) = namespaces(&gannet, &["--mount"], &script) else {
            return;
        };
        let mut terminal = Start::of(&gannet, &command).run();
        for (turn, answer, end) in [
            (1, "n\r", "turn 1: 2 kept"),
            (2, "\u{3}", "turn 2: 130 kept"),
            (3, "y\r", "turn 3: 0 gone"),
        ] {
            let asked = |screen: &vt100::Screen| {
                screen
                    .contents()
                    .matches("Purge a.txt (1) with 6 versions? [y/N]")
                    .count()
                    == turn
            };
            terminal.wait("the question", asked);
            terminal.press(answer);
            terminal.wait_for(end);
        }
        terminal.ended();
    }
}

#[test]
fn whatever_begins_a_data_folder_keeps_the_reserve() {
    let gannet = home();
    let origin = &gannet.origin;
    let url = origin.url("/a.txt");
    let list = gannet.path("list.txt");
    std::fs::write(&list, format!("{url}\n")).expect("a file");
    for begins in [
        format!("add {url} 1h --allow-private"),
        "apply \"$HOME/sources.toml\"".to_owned(),
        format!("import --allow-private {}", list.display()),
    ] {
        for (size, expected) in [("96m", "kept"), ("40m", "gone")] {
            let script = format!(
                "mkdir -p \"$data\"; mount -t tmpfs -o size={size} none \"$data\"
                code=0; \"$gannet\" {begins} >/dev/null || code=$?; echo $code
                if [ -f \"$data/reserve\" ]; then echo kept; else echo gone; fi"
            );
            let Some(said) = in_mount_namespace(&gannet, &script) else {
                return;
            };
            let expected = format!("0\n{expected}\n");
            assert_eq!(said.out, expected, "{begins} {size}: {said:#?}");
        }
    }
}

#[test]
fn a_purge_without_room_or_reserve_says_what_to_do() {
    let gannet = home();
    for left in ["0", "40K"] {
        let script = format!(
            "{BEGIN} rm -f \"$data/reserve\"; fill {left}
            try remove a.txt --purge --yes
            rm \"$data/fill\"; try remove a.txt --purge --yes"
        )
        .replace("size=96m", "size=40m");
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        for part in [
            "no room left on the disk\n  hint: a purge has to write before it can delete",
            "\n3 gone\npurged a.txt (1)",
        ] {
            assert!(said.out.contains(part), "{left} {part}: {said:#?}");
        }
    }
}
