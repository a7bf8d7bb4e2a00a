//! Completions: what the shells offer, with their own scripts in the real shells.

use std::process::Command;

use crate::rig::{Gannet, Start};

fn rig() -> Gannet {
    let gannet = Gannet::new();
    gannet.configure(
        "[[verifier]]\nname = \"legal\"\nsources = [\"*\"]\nexternal = true\n\
         [[verifier]]\nname = \"minisign\"\nsources = [\"tag:release\"]\nscope = \"set\"\nexternal = true\n\
         [[notify]]\nname = \"mail\"\ncommand = [\"true\"]\n",
    );
    for (name, tag) in [
        ("prices.csv", "eu"),
        ("price list", "eu"),
        ("app.tar", "release"),
        ("it's $5", "other"),
        ("gone", "eu"),
    ] {
        let address = format!(
            "https://example.org/{}",
            name.replace([' ', '\'', '$'], "_")
        );
        gannet.ok(&["add", &address, "--name", name, "--tag", tag]);
    }
    gannet.ok(&["remove", "gone"]);
    gannet
}

#[test]
fn names_are_those_of_the_catalogue_and_the_configuration() {
    let gannet = rig();
    for (words, expected) in [
        (&["show", "p"][..], &["price list", "prices.csv"][..]),
        (&["show", "tag:"], &["tag:eu", "tag:other", "tag:release"]),
        (&["fetch", "app.tar", "pri"], &["price list", "prices.csv"]),
        (&["restore", ""], &["gone"]),
        (&["verdict", "set:"], &["set:release"]),
        (&["verdict", "prices.csv", ""], &["legal", "minisign"]),
        (&["notify", "test", ""], &["mail"]),
        (&["add", "x", "--tag", "e"], &["eu"]),
        (&["verdicts", "--verifier=le"], &["--verifier=legal"]),
    ] {
        let out = gannet.ok(&[&["__complete", "--"], words].concat());
        assert_eq!(out.lines().collect::<Vec<_>>(), expected, "{words:?}");
    }
    // A catalogue that is not there is not made, and a configuration that is wrong keeps no name from being found.
    let nowhere = gannet.path("nowhere").display().to_string();
    assert_eq!(
        gannet.ok(&["__complete", "--", "--data-dir", &nowhere, "show", ""]),
        ""
    );
    assert!(!gannet.path("nowhere").exists());
    gannet.configure("nonsense");
    assert_eq!(
        gannet.ok(&["__complete", "--", "show", "p"]),
        "price list\nprices.csv\n"
    );
}

/// Runs a script in a shell in which `gannet` is the real program; nothing when the shell is not here.
fn in_shell(gannet: &Gannet, shell: &str, arguments: &[&str], script: &str) -> Option<String> {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_gannet")).parent()?;
    let mut command = Command::new(shell);
    command.env_clear().args(arguments).arg(script);
    let template = gannet.command(&[]);
    command.envs(
        template
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command.env(
        "PATH",
        format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display()),
    );
    match command.output() {
        Ok(output) => {
            let said = crate::rig::said(&output);
            assert!(said.code == Some(0), "{shell}: {said:?}");
            Some(said.out)
        }
        Err(error) => {
            println!("{shell} is not here, its completion is not tried: {error}");
            None
        }
    }
}

fn script_of(gannet: &Gannet, shell: &str) -> String {
    let path = gannet.path(&format!("gannet.{shell}"));
    std::fs::write(&path, gannet.ok(&["completions", shell])).expect("a script");
    path.display().to_string()
}

#[test]
fn bash_offers_names_and_options() {
    let gannet = rig();
    let script = script_of(&gannet, "bash");
    for (line, expected) in [
        ("gannet sho", "show"),
        ("gannet show pri", "price\\ list|prices.csv"),
        ("gannet show tag:e", "eu"),
        ("gannet add --publish=n", "newest"),
        ("gannet list --fa", "--failing"),
        ("gannet add_", ""),
        ("gannet list --state down,un", "down,unpub"),
        // Begun with an escape or in quotes, as the shell reads them.
        (r"gannet show price\ ", r"price\ list"),
        (r"gannet show price\ l", r"price\ list"),
        (r#"gannet show "price "#, "price list"),
        (r#"gannet show "price l"#, "price list"),
        ("gannet show 'price ", "price list"),
        ("gannet fetch 'price list' pri", r"price\ list|prices.csv"),
        (r"gannet fetch price\ list app", "app.tar"),
        (r#"gannet show tag:"e"#, "eu"),
        (r#"gannet show "tag:e"#, "tag:eu"),
        ("gannet show it", r"it\'s\ \$5"),
        (r"gannet show it\'s\ \$", r"it\'s\ \$5"),
        ("gannet show 'it", r"it'\''s $5"),
        (r#"gannet show "it's \$"#, r"it's \$5"),
    ] {
        let quoted = line.replace('\'', r"'\''");
        let words = format!(
            "source '{script}'; COMP_LINE='{quoted}'; COMP_POINT={}; _gannet; IFS='|'; printf %s \"${{COMPREPLY[*]}}\"",
            line.len()
        );
        if let Some(out) = in_shell(&gannet, "bash", &["--norc", "-c"], &words) {
            assert_eq!(out, expected, "{line}");
        }
    }
}

#[test]
fn zsh_offers_names_and_options() {
    let gannet = rig();
    let script = script_of(&gannet, "zsh");
    if in_shell(&gannet, "zsh", &["-f", "-n"], &script).is_none() {
        return;
    }
    for (words, expected) in [
        ("gannet sho", "show"),
        ("gannet show pri", "price list|prices.csv"),
        ("gannet show tag:e", "tag:eu"),
        ("gannet add --head", "--header"),
        ("gannet edit x --head", "--header"),
        ("gannet verdicts --outcome pa", "passed"),
    ] {
        let count = words.split(' ').count();
        let line = format!(
            "compadd() {{ print -rn -- ${{(j:|:)values}} }}; source '{script}'; words=({words}); CURRENT={count}; PREFIX=$words[-1]; _gannet"
        );
        let out = in_shell(&gannet, "zsh", &["-f", "-c"], &line).expect("zsh is here");
        assert_eq!(out, expected, "{words}");
    }
    // In the completion system of zsh itself.
    let line = format!(
        "autoload -Uz compinit && compinit -D -u && source '{script}' && print -r -- ${{_comps[gannet]}}"
    );
    let out = in_shell(&gannet, "zsh", &["-f", "-c"], &line).expect("zsh is here");
    assert_eq!(out.trim(), "_gannet");
}

#[test]
fn fish_offers_names_and_options() {
    let gannet = rig();
    let script = script_of(&gannet, "fish");
    for (line, expected) in [
        (
            "gannet sho",
            "show\tShow one source: settings, schedule, versions with their verdicts, attempts",
        ),
        ("gannet show pri", "price list\nprices.csv"),
        (r"gannet show price\ ", "price list"),
        (r#"gannet show "price l"#, "price list"),
        ("gannet show 'price ", "price list"),
        (r"gannet fetch price\ list app", "app.tar"),
        (r"gannet show it\'s\ \$", "it's $5"),
        ("gannet restore ", "gone"),
        ("gannet notify test ", "mail"),
    ] {
        let quoted = line.replace('\\', r"\\").replace('\'', r"\'");
        let words = format!("source '{script}'; complete -C '{quoted}'");
        if let Some(out) = in_shell(&gannet, "fish", &["--no-config", "-c"], &words) {
            assert_eq!(out.trim_end(), expected, "{line}");
        }
    }
}

#[test]
fn a_word_that_was_begun_in_quotes_is_completed_on_a_terminal() {
    let gannet = rig();
    for (shell, arguments, setup) in [
        ("bash", &["--norc", "--noprofile"][..], "PS1='ask'\\>"),
        (
            "zsh",
            &["-f"],
            "autoload -Uz compinit; compinit -D -u; PS1='ask'\\>",
        ),
        (
            "fish",
            &["--no-config"],
            "function fish_prompt; echo 'ask'\\>; end",
        ),
    ] {
        if Command::new(shell).arg("--version").output().is_err() {
            println!("{shell} is not here, its completion is not tried");
            continue;
        }
        let script = script_of(&gannet, shell);
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_gannet")).parent();
        let path = format!("{}:/usr/bin:/bin", folder.expect("a folder").display());
        let mut start = Start::program(&gannet, shell).env("PATH", &path);
        start.command.args(arguments);
        let mut terminal = start.run();
        terminal.press(&format!("{setup}; source '{script}'\r"));
        for (typed, completed) in [
            (r"price\ ", r"ask>gannet show price\ list"),
            ("'price ", "ask>gannet show 'price list"),
            ("\"price l", "ask>gannet show \"price list"),
            (r"it\'s\ ", r"ask>gannet show it\'s\ \$5"),
            ("\"it", r#"ask>gannet show "it's \$5"#),
        ] {
            // Keys that come before the prompt are not the shell's to complete.
            terminal.wait("a prompt", |screen| {
                let text = screen.contents();
                text.trim_end().ends_with("ask>")
            });
            terminal.press(&format!("gannet show {typed}\t"));
            terminal.wait_for(completed);
            terminal.press("\u{15}");
        }
        terminal.press("exit\r");
        terminal.ended();
    }
}
