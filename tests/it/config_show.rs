//! `config show`: every setting in force, with its value and where it comes from.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::rig::Gannet;

/// The keys of the commented file that are single values, with their table before a dot.
fn keys_of_the_template() -> Vec<String> {
    let mut table = String::new();
    let mut keys = Vec::new();
    for line in include_str!("../../assets/config.toml").lines() {
        let setting = line
            .strip_prefix("#     ")
            .or_else(|| line.strip_prefix('#'));
        let text = setting.unwrap_or(line);
        if let Some(name) = text.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut table);
        } else if let Some((key, _)) = text.split_once(" = ")
            && !key.contains(' ')
            && ["", "fetch", "log", "dashboard", "worker"].contains(&table.as_str())
        {
            let dot = if table.is_empty() { "" } else { "." };
            keys.push(format!("{table}{dot}{key}"));
        }
    }
    keys.dedup();
    keys
}

#[test]
fn every_setting_is_shown_with_its_value_and_where_it_comes_from() {
    let mut gannet = Gannet::new();
    let secrets = gannet.path("secrets");
    fs::write(&secrets, "PW=hunter2\n").expect("a file");
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).expect("a mode");
    for (toml, from_file) in [
        ("", vec![]),
        (
            "secrets_file = \"secrets\"\n[fetch]\nmax_tries = 5\nread_timeout = \"90s\"\nca_file = \"mine.pem\"\n\
             no_proxy = [\"localhost\"]\nproxy = \"http://joe:hunter2@proxy.example:3128\"\n[log]\nkeep_days = 30\n\
             [worker]\nheartbeat = \"https://h.example/x?token=hunter2\"\n[dashboard.keys]\nfetch = [\"f\"]\n",
            vec![
                ("secrets_file", "secrets\""),
                ("fetch.ca_file", "mine.pem\""),
                ("fetch.proxy", "@proxy.example:3128\""),
                ("fetch.no_proxy", "[\"localhost\"]"),
                ("fetch.read_timeout", "\"90s\""),
                ("fetch.max_tries", "5"),
                ("log.keep_days", "30"),
                ("dashboard.keys.fetch", "[\"f\"]"),
                ("worker.heartbeat", "\"https://h.example/x?token=…\""),
            ],
        ),
    ] {
        gannet.configure(toml);
        let page = gannet.ok(&["config", "show"]);
        let json = gannet.json(&["config", "show", "--json"]);
        assert!(
            !page.contains("hunter2") && !json.to_string().contains("hunter2"),
            "{page}"
        );
        let settings = json["settings"].as_array().expect("settings");
        let of = |key: &str| settings.iter().find(|one| one["key"] == key);
        for key in keys_of_the_template() {
            let one = of(&key).unwrap_or_else(|| panic!("{key}: {json:#}"));
            let is_said = page.lines().any(|line| {
                line.starts_with(&format!("{key} "))
                    && line.ends_with(&format!("# {}", one["origin"].as_str().unwrap_or_default()))
            });
            assert!(is_said, "{key}: {page}");
        }
        let said: Vec<_> = settings
            .iter()
            .filter(|one| one["origin"] == "file")
            .map(|one| one["key"].as_str().unwrap_or_default())
            .collect();
        let expected: Vec<_> = from_file.iter().map(|(key, _)| *key).collect();
        assert_eq!(said, expected, "{json:#}");
        for (key, value) in from_file {
            let line = page
                .lines()
                .find(|line| line.starts_with(&format!("{key} = ")));
            assert!(
                line.is_some_and(|line| line.contains(value)),
                "{key}: {page}"
            );
        }
        assert_eq!(
            of("data_dir").map(|one| &one["origin"]),
            Some(&"GANNET_DATA_DIR".into())
        );
    }
    gannet.configure("");
    let data = gannet.path("other").display().to_string();
    gannet.set("SSL_CERT_FILE", "/etc/ca.pem");
    let json = gannet.json(&["--data-dir", &data, "config", "show", "--json"]);
    let settings = json["settings"].as_array().expect("settings");
    for (key, value, origin) in [
        ("data_dir", data.as_str(), "--data-dir"),
        ("fetch.ca_file", "/etc/ca.pem", "SSL_CERT_FILE"),
        ("fetch.max_size", "256MiB", "default"),
        ("fetch.timeout", "1h", "default"),
    ] {
        let is_so = |one: &serde_json::Value| {
            one["key"] == key && one["value"] == value && one["origin"] == origin
        };
        assert!(settings.iter().any(is_so), "{key}: {json:#}");
    }
}
