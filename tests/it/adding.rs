//! What `add`, `import` and `apply` say of what they take in and of what they refuse: each with its line and its address.

use serde_json::Value;

use crate::rig::{Gannet, Said};

fn refused(said: &Said, parts: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:#?}");
    for part in parts {
        assert!(said.err.contains(part), "{part}: {said:#?}");
    }
}

#[test]
fn every_address_that_is_refused_is_named_with_its_line() {
    let gannet = Gannet::new();
    let text = "# mine\nhttps://h.example/a\nhttps://h.example/b?token=hunter2\nHTTPS://H.EXAMPLE/a#x 2h\n\
                nonsense\nhttps://h.example/c 30m\nhttps://10.0.0.1/d\nhttps://u:hunter2@h.example/\n\
                \u{a0}https://h.example/e\nhttps://h.example/f 1h more\n";
    for has_catalogue in [false, true] {
        if has_catalogue {
            gannet.ok(&["add", "https://h.example/taken"]);
            gannet.ok(&["add", "https://h.example/gone"]);
            gannet.ok(&["remove", "gone"]);
        }
        let said = gannet.run_with(&["add", "-"], text);
        refused(
            &said,
            &[
                "nothing is added: 8 of 9 addresses cannot be added",
                "line 3 of stdin (https://h.example/b?token=…): the parameter `token`",
                "line 4 of stdin (HTTPS://H.EXAMPLE/a#x): the same address as line 2",
                "line 5 of stdin (nonsense): `nonsense` is not an absolute address",
                "line 6 of stdin (https://h.example/c): `30m` is not an interval",
                "line 7 of stdin (https://10.0.0.1/d): cannot fetch",
                "line 8 of stdin (https://…@h.example/): the address holds a user name",
                "line 9 of stdin",
                "(U+00A0) in front",
                "line 10 of stdin (https://h.example/f): more than an address",
            ],
        );
        assert!(!said.err.contains("hunter2"), "{said:#?}");
        assert_eq!(gannet.data().exists(), has_catalogue);
    }
    for (arguments, stdin, parts) in [
        (
            &["add", "https://h.example/x", "https://h.example/x"][..],
            "",
            &["1 of 2", "https://h.example/x: the same address twice"][..],
        ),
        (
            &["add", "-"],
            "https://h.example/x\nhttps://h.example/taken\nhttps://h.example/gone\n",
            &[
                "2 of 3 addresses",
                "line 2 of stdin (https://h.example/taken): its address is taken by source 1 (taken)",
                "line 3 of stdin (https://h.example/gone): this was source 2 (gone)",
                "gannet show 1",
                "gannet restore 2",
                "--new",
            ],
        ),
        (
            &["add", "https://h.example/taken"],
            "",
            &["gannet: https://h.example/taken: its address is taken by source 1 (taken)"],
        ),
        (
            &["add", "https://h.example/x", "--name", "taken"],
            "",
            &["its name is taken by source 1 (taken)", "gannet show 1"],
        ),
    ] {
        refused(&gannet.run_with(arguments, stdin), parts);
    }
    let many: String = (0..30).map(|_| "nonsense\n").collect();
    let said = gannet.run_with(&["add", "-"], &many);
    refused(&said, &["30 of 30", "and 10 more"]);
    let names = gannet.json(&["list", "--json"]);
    assert_eq!(names.as_array().map(Vec::len), Some(1));
}

#[test]
fn what_is_likely_meant_is_offered() {
    let gannet = Gannet::new();
    for (text, part) in [
        ("example.org/x", "did you mean https://example.org/x?"),
        (
            "example.org:8443/x",
            "did you mean https://example.org:8443/x?",
        ),
        ("//example.org", "did you mean https://example.org/?"),
        (
            "nonsense",
            "not an absolute address: expected https://host/path\n",
        ),
        ("./x", "expected https://host/path\n"),
    ] {
        refused(&gannet.run(&["add", text]), &[part]);
    }
    gannet.ok(&["add", "https://example.org/x", "--name", "v"]);
    assert_eq!(gannet.source("v")["id"], 1);
    let edited = gannet.run(&["edit", "v", "--address", "example.org/y"]);
    refused(&edited, &["did you mean https://example.org/y?"]);
    // A number would be taken for an id.
    gannet.ok(&["add", "https://example.org/1"]);
    assert_eq!(gannet.source("example.org-1")["id"], 2);
}

#[test]
fn quiet_prints_nothing_that_was_not_asked_for() {
    let gannet = Gannet::new();
    let write = |name: &str, text: &str| {
        std::fs::write(gannet.path(name), text).expect("a file");
        gannet.path(name).display().to_string()
    };
    let empty = write("empty.toml", "");
    let sources = write(
        "s.toml",
        "[[source]]\naddress = \"https://example.org/a\"\n",
    );
    let list = write("list.txt", "https://example.org/b\n");
    let nothing = write("nothing.txt", "# nothing\n");
    for arguments in [
        &["-q", "apply", &empty][..],
        &["-q", "import", &nothing],
        &["-q", "apply", &sources],
        &["-q", "apply", &sources],
        &["-q", "apply", &empty],
        &["-q", "import", &list],
        &["-q", "import", &nothing],
        &["-q", "add", "-"],
    ] {
        let said = gannet.run(arguments);
        let expected = (Some(0), "", "");
        assert_eq!(
            (said.code, said.out.as_str(), said.err.as_str()),
            expected,
            "{arguments:?}"
        );
    }
    for (arguments, part) in [
        (&["-q", "apply", &sources, "--dry-run"][..], "nothing to do"),
        (
            &["-q", "apply", &empty, "--prune", "--dry-run"],
            "- remove a",
        ),
        (
            &["-q", "import", &nothing, "--dry-run"],
            "would add 0 sources",
        ),
    ] {
        assert!(gannet.ok(arguments).contains(part), "{arguments:?}");
    }
    // What is refused is said all the same.
    let again = gannet.run(&["-q", "import", &list]);
    assert_eq!((again.code, again.out.as_str()), (Some(1), ""), "{again:?}");
    assert!(again.err.contains("that of source 2"), "{again:?}");
}

#[test]
fn many_entries_are_looked_up_at_once() {
    let gannet = Gannet::new();
    let line = |number| format!("https://example.org/{number:03}.csv\n");
    let lines = (0..500).map(line).collect::<Vec<_>>().concat();
    let list = gannet.path("list.txt");
    std::fs::write(&list, &lines).expect("a file");
    let list = list.display().to_string();
    assert!(gannet.ok(&["import", &list]).contains("added 500 sources"));
    gannet.ok(&["remove", "0*", "--yes"]);
    let again = gannet.run(&["import", &list, "--json"]);
    let told: Value = serde_json::from_str(&again.out).expect("JSON");
    let refused = |part: &str| {
        let all = told.as_array().expect("entries").iter();
        all.filter(|one| {
            one["refused"]
                .as_str()
                .is_some_and(|why| why.contains(part))
        })
        .count()
    };
    assert_eq!(refused("gannet restore"), 100);
    assert_eq!(refused("its address is that of source"), 400);
}

#[test]
fn names_that_were_made_are_taken_back_from_a_dump() {
    let gannet = Gannet::new();
    let long_host = format!("{}example", format!("{}.", "h".repeat(60)).repeat(3));
    let long_name = format!("{}.csv", "x".repeat(196));
    for (host, file) in [
        ("[2606:4700::1]", "a.csv"),
        ("[2606:4700::1]:8443", "a.csv"),
        ("[2606:4700::1]", ""),
        ("example.org", &long_name),
        (&long_host, &long_name),
        (&long_host, ""),
        (&long_host, "17"),
    ] {
        for number in 0..3 {
            gannet.ok(&["add", &format!("https://{host}/{number}/{file}")]);
        }
    }
    let dumped = gannet.path("dumped.toml");
    std::fs::write(&dumped, gannet.ok(&["dump", "--toml"])).expect("a file");
    let again = gannet.ok(&["apply", &dumped.display().to_string()]);
    assert_eq!(again, "nothing to do\n");
}

/// Lists end their lines as whoever wrote them is used to.
#[test]
fn lines_of_a_list_end_in_any_way() {
    for end in ["\n", "\r\n", "\r"] {
        let list = [
            "# a list",
            "https://example.org/a",
            "https://example.org/b 2h",
            "",
        ]
        .join(end);
        let names = |gannet: &Gannet| {
            let list = gannet.json(&["list", "--json"]);
            let named = list.as_array().expect("a list").iter().map(|one| {
                let name = one["name"].as_str().unwrap_or_default();
                format!("{name} {}", one["interval"].as_str().unwrap_or_default())
            });
            named.collect::<Vec<_>>()
        };
        let added = Gannet::new();
        let said = added.run_with(&["add", "-"], &list);
        assert_eq!(said.code, Some(0), "{end:?}: {said:?}");
        let imported = Gannet::new();
        let said = imported.run_with(&["import", "-"], &list);
        assert_eq!(said.code, Some(0), "{end:?}: {said:?}");
        let applied = Gannet::new();
        let tables = [
            "# a list",
            "[[source]]",
            "address = \"https://example.org/a\"",
            "[[source]]",
            "address = \"https://example.org/b\"",
            "interval = \"2h\"",
            "",
        ];
        let said = applied.run_with(&["apply", "-"], &tables.join(end));
        assert_eq!(said.code, Some(0), "{end:?}: {said:?}");
        for gannet in [added, imported, applied] {
            assert_eq!(names(&gannet), ["a 1d", "b 2h"], "{end:?}");
        }
        // What is wrong is named by the line that an editor shows.
        let wrong = ["https://example.org/a", "", "nonsense 2h", ""].join(end);
        let said = Gannet::new().run_with(&["add", "-"], &wrong);
        assert!(said.err.contains("line 3 of stdin"), "{end:?}: {said:?}");
        let wrong = tables.join(end).replace("2h", "90m");
        let said = Gannet::new().run_with(&["apply", "-"], &wrong);
        assert!(said.err.contains("stdin:6: "), "{end:?}: {said:?}");
    }
}

#[test]
fn a_source_logs_in_once() {
    let gannet = Gannet::new();
    let (user, header) = ("joe:${FEED_PW}", "authorization: Bearer ${FEED_PW}");
    let add = |name: &str, more: &[&str]| {
        let address = format!("https://h.example/{name}");
        gannet.run(&[&["add", &address], more].concat())
    };
    assert_eq!(add("user", &["--user", user]).code, Some(0));
    assert_eq!(add("header", &["--header", header]).code, Some(0));
    let file = "[[source]]\naddress = \"https://h.example/user\"\nuser = \"joe:${FEED_PW}\"\n\
                headers = { Authorization = \"Bearer ${FEED_PW}\" }\n";
    let words = "are two logins, and a request takes one";
    for (said, way) in [
        (
            add("both", &["--user", user, "--header", header]),
            "--user none or --no-headers",
        ),
        (
            gannet.run(&["edit", "user", "--header", header]),
            "--user none or --no-headers",
        ),
        (
            gannet.run(&["edit", "header", "--user", user]),
            "--user none or --no-headers",
        ),
        (
            gannet.run(&["edit", "*", "--user", user]),
            "--user none or --no-headers",
        ),
        (
            gannet.run_with(&["apply", "-"], file),
            "stdin:2: https://h.example/user: the user and the header",
        ),
    ] {
        refused(&said, &[words, way]);
    }
    let swapped = ["edit", "header", "--user", user, "--no-headers"];
    assert!(gannet.ok(&swapped).contains("user none -> joe:${FEED_PW}"));
    gannet.ok(&["edit", "user", "--user", "none", "--header", header]);
    // The password in an address has its own option.
    let said = gannet.run(&["add", "https://joe:hunter2@h.example/x"]);
    refused(
        &said,
        &["--user 'NAME:${PASSWORD}'", "--header 'Authorization"],
    );
    assert!(!said.err.contains("hunter2"), "{said:#?}");
}
