//! The configuration, read from real files with an environment that each test states.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet::config::{
    Builtin, Config, ConfigError, Environment, Flags, Folders, NoticeFormat, NotifierKind,
    ResourceLimits, SizeRule, VerifierKind,
};
use gannet::domain::{ChangeKind, NoticeRules};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

/// A temporary home with the platform's folders in it.
pub(crate) struct Home {
    root: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let root = TempDir::new().expect("a temporary folder");
        fs::create_dir(root.path().join("config")).expect("a folder");
        Self { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        path
    }

    fn environment(&self, values: &[(&str, &str)]) -> Environment {
        let folders = Folders {
            config: self.path("config"),
            data: self.path("data"),
            state: Some(self.path("state")),
        };
        Environment::new(values.iter().copied(), Some(folders))
    }

    fn load(&self, values: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(&Flags::default(), &self.environment(values))
    }

    /// Loads a configuration with this text in the default place.
    pub(crate) fn load_text(&self, text: &str) -> Result<Config, ConfigError> {
        self.write("config/config.toml", text, 0o644);
        self.load(&[("PATH", "/usr/bin:/bin")])
    }

    pub(crate) fn problems(&self, text: &str) -> Vec<(usize, String)> {
        match self.load_text(text) {
            Err(ConfigError::Invalid { problems, .. }) => problems
                .into_iter()
                .map(|problem| (problem.line, problem.message))
                .collect(),
            Err(other) => panic!("another error: {other}\n{text}"),
            Ok(_) => panic!("accepted:\n{text}"),
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn without_a_file_the_defaults_are_in_force() {
    let home = Home::new();
    let config = home.load(&[]).expect("a configuration");
    assert_eq!(config.data_dir, home.path("data"));
    assert_eq!(config.log_dir, home.path("state"));
    assert_eq!(config.config_file, None);
    assert_eq!(config.fetch.max_size_bytes, 256 << 20);
    assert!(config.verifiers.is_empty() && config.fetch.ca_files.is_empty());
}

#[test]
fn flag_comes_before_environment_before_file() {
    let home = Home::new();
    home.write(
        "config/config.toml",
        "data_dir = \"filed\"\nlog_dir = \"/filed-log\"\n",
        0o644,
    );
    let file = home.load(&[]).expect("a configuration");
    assert_eq!(file.data_dir, home.path("config/filed"));
    assert_eq!(file.log_dir, Path::new("/filed-log"));
    assert_eq!(file.config_file, Some(home.path("config/config.toml")));

    let values = [("GANNET_DATA_DIR", "/env"), ("GANNET_LOG_DIR", "/env-log")];
    let environment = home.load(&values).expect("a configuration");
    assert_eq!(environment.data_dir, Path::new("/env"));
    assert_eq!(environment.log_dir, Path::new("/env-log"));

    let flags = Flags {
        config: None,
        data_dir: Some("/flag".into()),
        utc: false,
    };
    let flag = Config::load(&flags, &home.environment(&values)).expect("a configuration");
    assert_eq!(flag.data_dir, Path::new("/flag"));
}

#[test]
fn a_throw_away_data_folder_holds_the_logs_too() {
    let home = Home::new();
    home.write("config/config.toml", "log_dir = \"/filed-log\"\n", 0o644);
    let flags = Flags {
        config: None,
        data_dir: Some("/throw-away".into()),
        utc: false,
    };
    let config = Config::load(&flags, &home.environment(&[])).expect("a configuration");
    assert_eq!(config.log_dir, Path::new("/throw-away/log"));
    let config = home
        .load(&[("GANNET_DATA_DIR", "/other")])
        .expect("a configuration");
    assert_eq!(config.log_dir, Path::new("/other/log"));
    home.write("config/config.toml", "data_dir = \"/third\"\n", 0o644);
    assert_eq!(
        home.load(&[]).expect("a configuration").log_dir,
        Path::new("/third/log")
    );
}

#[test]
fn a_file_that_is_named_must_exist() {
    let home = Home::new();
    let missing = home.path("nowhere.toml");
    let flags = Flags {
        config: Some(missing.clone()),
        data_dir: None,
        utc: false,
    };
    let error = Config::load(&flags, &home.environment(&[]))
        .err()
        .expect("an error");
    assert!(
        matches!(&error, ConfigError::Missing { path } if *path == missing),
        "{error}"
    );
    let error = home
        .load(&[("GANNET_CONFIG", text(&missing))])
        .err()
        .expect("an error");
    assert!(matches!(error, ConfigError::Missing { .. }), "{error}");
    let error = home
        .load(&[("GANNET_CONFIG", text(&home.path("config")))])
        .err()
        .expect("an error");
    assert!(matches!(error, ConfigError::Unreadable { .. }), "{error}");
    let homeless = Config::load(&Flags::default(), &Environment::default())
        .err()
        .expect("an error");
    assert!(homeless.to_string().contains("--data-dir"), "{homeless}");
}

#[test]
fn every_setting_is_read() {
    let home = Home::new();
    let config = home
        .load_text(
            r#"
[fetch]
ca_file = "ca.pem"
proxy = "socks5h://127.0.0.1:1080"
no_proxy = ["localhost", "10.0.0.0/8", "files.example:8443"]
user_agent = "x/1"
connect_timeout = "500ms"
read_timeout = "5s"
timeout = "2m"
min_rate = "1KiB"
max_tries = 10
per_host = 64
total = 256
max_size = "1GiB"

[log]
keep_days = 3650
"#,
        )
        .expect("a configuration");
    let fetch = config.fetch;
    assert_eq!(fetch.ca_files, [home.path("config/ca.pem")]);
    assert_eq!(
        fetch.proxy.expect("a proxy").as_str(),
        "socks5h://127.0.0.1:1080"
    );
    let rules: Vec<String> = fetch.no_proxy.iter().map(ToString::to_string).collect();
    assert_eq!(rules, ["localhost", "10.0.0.0/8", "files.example:8443"]);
    assert_eq!(fetch.user_agent, "x/1");
    assert_eq!(fetch.connect_timeout, Duration::from_millis(500));
    assert_eq!(fetch.read_timeout, Duration::from_secs(5));
    assert_eq!(fetch.total_timeout, Duration::from_mins(2));
    assert_eq!(
        (fetch.min_rate_bytes, fetch.max_size_bytes),
        (1024, 1 << 30)
    );
    assert_eq!(
        (fetch.max_tries, fetch.per_host, fetch.total),
        (10, 64, 256)
    );
    assert_eq!(config.log.keep_days, 3650);
    let with_environment = home
        .load(&[("SSL_CERT_FILE", "/env.pem")])
        .expect("a configuration");
    assert_eq!(
        with_environment.fetch.ca_files,
        [home.path("config/ca.pem"), "/env.pem".into()]
    );
}

#[test]
fn verifiers_are_read() {
    let home = Home::new();
    let script = home.write("config/check", "#!/bin/sh\n", 0o755);
    let config = home
        .load_text(
            r#"
[[verifier]]
name = "a"
sources = ["tag:prices", "https://*.json"]
command = ["sh", "-c", "true", "{path}"]
stdin = true
failed = [2, 1, 2]
timeout = "5m"

[[verifier]]
name = "b"
sources = ["*"]
command = ["./check"]

[[verifier]]
name = "c"
sources = ["*"]
builtin = "size"
max = "1MiB"
"#,
        )
        .expect("a configuration");
    let [a, b, c] = &config.verifiers[..] else {
        panic!("three verifiers")
    };
    assert_eq!(
        a.sources
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["tag:prices", "https://*.json"]
    );
    assert_eq!(a.timeout, Duration::from_mins(5));
    let VerifierKind::Command {
        argv,
        stdin,
        failed,
        ..
    } = &a.kind
    else {
        panic!("a command")
    };
    assert!(
        Path::new(&argv[0]).is_absolute() && argv[0].ends_with("/sh"),
        "{argv:?}"
    );
    assert_eq!(
        (&argv[1..], *stdin, &failed[..]),
        (
            &["-c", "true", "{path}"].map(str::to_owned)[..],
            true,
            &[1, 2][..]
        )
    );
    let VerifierKind::Command {
        argv,
        stdin,
        failed,
        ..
    } = &b.kind
    else {
        panic!("a command")
    };
    assert_eq!(
        fs::canonicalize(&argv[0]).ok(),
        fs::canonicalize(&script).ok()
    );
    assert_eq!(
        (*stdin, &failed[..], b.timeout),
        (false, &[1][..], Duration::from_secs(30))
    );
    let VerifierKind::Builtin(rule) = &c.kind else {
        panic!("a rule")
    };
    assert_eq!(
        *rule,
        Builtin::Size(SizeRule {
            max: Some(1 << 20),
            ..SizeRule::default()
        })
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn problems_name_file_line_key_and_what_is_accepted() {
    let home = Home::new();
    let set = |tag: &str, more: &str| {
        format!("[[verifier]]\nname = \"v\"\nsources = [\"tag:{tag}\"]\nscope = \"set\"\n{more}")
    };
    let verifier =
        |lines: &str| format!("[[verifier]]\nname = \"v\"\nsources = [\"*\"]\n{lines}\n");
    let message =
        |lines: &str| format!("[[verifier]]\nname = \"v\"\nscope = \"message\"\n{lines}\n");
    for (text, line, expected) in [
        (
            "data_dri = \"x\"\n".to_owned(),
            1,
            "unknown key `data_dri`, did you mean `data_dir`?",
        ),
        (
            "\n\n[fetch]\nmax_trise = 3\n".to_owned(),
            4,
            "`fetch.max_trise`, did you mean `max_tries`?",
        ),
        (
            "[fetch]\nzzz = 3\n".to_owned(),
            2,
            "accepted here: ca_file, proxy",
        ),
        (
            "[storage]\ncatalogue = \"elsewhere\"\n".to_owned(),
            2,
            "unknown key `storage.catalogue` (no key is accepted here)",
        ),
        (
            "zzz = 1\n".to_owned(),
            1,
            "unknown key `zzz` (accepted here: data_dir, log_dir, secrets_file, fetch, log, dashboard, worker, queues, http, verifier, notify, queue)",
        ),
        (
            "max_size = \"1MiB\"\n".to_owned(),
            1,
            "unknown key `max_size`, did you mean `fetch.max_size`, in the section [fetch]? (accepted",
        ),
        (
            "keep_days = 3\n".to_owned(),
            1,
            "did you mean `log.keep_days`, in the section [log]?",
        ),
        (
            "theme = \"mono\"\n".to_owned(),
            1,
            "did you mean `dashboard.theme`, in the section [dashboard]?",
        ),
        (
            "heartbeat = \"https://h/\"\n".to_owned(),
            1,
            "did you mean `worker.heartbeat`, in the section [worker]?",
        ),
        (
            "deadline = \"1h\"\n".to_owned(),
            1,
            "did you mean `verifier.deadline`, in the section [[verifier]]?",
        ),
        (
            "[worker]\nkeep_days = 3\n".to_owned(),
            2,
            "`worker.keep_days`, did you mean `log.keep_days`, in the section [log]?",
        ),
        (
            "[worker]\ndata_dir = \"x\"\n".to_owned(),
            2,
            "`worker.data_dir`, did you mean `data_dir`, above the first section?",
        ),
        ("[fetch]\nmax_tries = 0\n".to_owned(), 2, "from 1 to 10"),
        ("[fetch]\nper_host = 65\n".to_owned(), 2, "from 1 to 64"),
        ("[fetch]\ntotal = -1\n".to_owned(), 2, "from 1 to 256"),
        (
            "[fetch]\ntotal = \"2\"\n".to_owned(),
            2,
            "expected a whole number, found string",
        ),
        (
            "[fetch]\ntimeout = \"1 hour\"\n".to_owned(),
            2,
            "such as 500ms, 30s, 5m or 1h",
        ),
        (
            "[fetch]\nmin_rate = \"fast\"\n".to_owned(),
            2,
            "is not a size",
        ),
        (
            "[fetch]\nproxy = \"ftp://x\"\n".to_owned(),
            2,
            "socks5h proxy",
        ),
        (
            "[fetch]\nno_proxy = [\"localhost\", \"10.0.0.0/33\"]\n".to_owned(),
            2,
            "`10.0.0.0/33` is no host",
        ),
        (
            "[fetch]\nno_proxy = \"localhost\"\n".to_owned(),
            2,
            "a list of texts",
        ),
        (
            "[fetch]\nuser_agent = \"a\\nb\"\n".to_owned(),
            2,
            "visible ASCII",
        ),
        ("fetch = 3\n".to_owned(), 1, "a section [fetch]"),
        (
            "[verifier]\nname = \"x\"\n".to_owned(),
            1,
            "sections [[verifier]]",
        ),
        ("[log]\nkeep_days = 3651\n".to_owned(), 2, "from 1 to 3650"),
        (
            "data_dir = 3\n".to_owned(),
            1,
            "a text in quotes, found integer",
        ),
        ("a = = 3\n".to_owned(), 1, ""),
        ("x = 1\nx = 2\n".to_owned(), 2, "duplicate key"),
        (
            "[[verifier]]\nsources = [\"*\"]\nbuiltin = \"json\"\n".to_owned(),
            1,
            "needs a name",
        ),
        (
            "[[verifier]]\nname = \"v\"\nbuiltin = \"json\"\n".to_owned(),
            1,
            "`verifier.sources`: missing",
        ),
        (
            "[[verifier]]\nname = \"a b\"\nsources = [\"*\"]\nbuiltin = \"json\"\n".to_owned(),
            2,
            "is not a name",
        ),
        (
            "[[verifier]]\nname = \"v\"\nsources = [\"a\",\n \"a[\"]\nbuiltin = \"json\"\n"
                .to_owned(),
            4,
            "`a[` is not a glob",
        ),
        (
            "[[verifier]]\nname = \"v\"\nsources = [\"tag:\"]\nbuiltin = \"json\"\n".to_owned(),
            3,
            "needs a tag",
        ),
        (
            "[[verifier]]\nname = \"v\"\nsources = []\nbuiltin = \"json\"\n".to_owned(),
            3,
            "selects nothing",
        ),
        (
            verifier("builtin = \"json\"\n") + &verifier("builtin = \"json\""),
            7,
            "`v` is the name of the verifier on line 2",
        ),
        (verifier(""), 1, "none is given"),
        (
            verifier("builtin = \"json\"\ncommand = [\"sh\"]"),
            1,
            "command and builtin are given",
        ),
        (
            verifier("builtin = \"json\"\nstdin = true"),
            5,
            "`verifier.stdin` means nothing",
        ),
        (
            verifier("command = [\"sh\"]\ndigest = \"x\""),
            5,
            "`verifier.digest` means nothing with `command`",
        ),
        (
            verifier("http = \"verifier.internal\""),
            4,
            "begins with http:// or https://",
        ),
        (
            verifier("http = \"https://h/\"\nfailed = [2]"),
            5,
            "`verifier.failed` means nothing with `http`",
        ),
        (
            verifier("external = true\nsecret = \"whsec_eA==\""),
            5,
            "`verifier.secret` means nothing with `external`",
        ),
        (
            verifier("external = true\ndeadline = \"2w\""),
            5,
            "such as 30m, 6h or 3d",
        ),
        (verifier("external = false"), 1, "none is given"),
        (
            verifier("builtin = \"json\"\nadvisory = \"yes\""),
            5,
            "true or false",
        ),
        (
            verifier("builtin = \"json\"\nscope = \"all\""),
            5,
            "expected source, set or message",
        ),
        (
            verifier("command = [\"sh\"]\nscope = \"message\""),
            3,
            "`verifier.sources` means nothing with scope = \"message\": `queues` selects",
        ),
        (
            verifier("command = [\"sh\"]\nqueues = [\"orders\"]"),
            5,
            "`verifier.queues` needs scope = \"message\"",
        ),
        (
            message("command = [\"sh\"]\nqueues = []"),
            5,
            "leave it out for all queues",
        ),
        (
            message("command = [\"sh\"]\nqueues = [\"a/b\"]"),
            5,
            "not the name of a queue",
        ),
        (
            message("external = true"),
            3,
            "nobody outside can be asked for a verdict on each",
        ),
        (
            message("http = \"https://h/\""),
            3,
            "nobody outside can be asked for a verdict on each",
        ),
        (
            message("builtin = \"csv\""),
            3,
            "a message is JSON: of the built-in rules, `json` and `size` judge it",
        ),
        (
            message("builtin = \"sha256\"\ncompanion = \"sums\""),
            3,
            "a message is JSON: of the built-in rules, `json` and `size` judge it",
        ),
        (
            message("builtin = \"size\"\nmin_of_last = \"50%\""),
            3,
            "give `min` and `max` in bytes",
        ),
        (
            verifier("command = [\"sh\"]\nscope = \"set\""),
            5,
            "a set is all sources of one tag",
        ),
        (
            set("release", "builtin = \"json\""),
            4,
            "a set is judged by `command`, `external = true`, or",
        ),
        (
            set("release", "http = \"https://h/\""),
            4,
            "a set is judged by `command`, `external = true`, or",
        ),
        (
            set("release", "command = [\"sh\"]\nstdin = true"),
            4,
            "the files lie in the folder `{path}`",
        ),
        (
            set("eu/release", "external = true"),
            4,
            "the set `eu/release` cannot have a folder of its name",
        ),
        (verifier("command = []"), 4, "give a program"),
        (verifier("command = \"sh\""), 4, "a list of texts"),
        (
            verifier("command = [\"sh\"]\nfailed = [0]"),
            5,
            "0 always means passed",
        ),
        (
            verifier("command = [\"sh\"]\nfailed = [256]"),
            5,
            "from 1 to 255",
        ),
        (
            verifier("command = [\"sh\"]\nfailed = []"),
            5,
            "from 1 to 255",
        ),
        (
            verifier("command = [\"sh\"]\ntimeuot = \"3s\""),
            5,
            "did you mean `timeout`?",
        ),
    ] {
        let problems = home.problems(&text);
        assert!(
            problems
                .iter()
                .any(|(at, message)| *at == line && message.contains(expected)),
            "expected {line}: {expected}\nfound {problems:?}\nin\n{text}"
        );
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let home = Home::new();
    let problems = home.problems("data_dri = 1\n[fetch]\ntotal = 0\n[log]\nkeep = 1\n");
    assert_eq!(
        problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
        [1, 3, 5]
    );
    let error = home.load(&[]).err().expect("an error").to_string();
    let file = home.path("config/config.toml");
    assert!(
        error.contains(&format!("{}:3: ", file.display())) && error.lines().count() == 3,
        "{error}"
    );
}

#[test]
fn secrets_come_from_a_closed_file_then_from_the_environment() {
    let home = Home::new();
    let values = [("TOKEN", "of-environment"), ("OTHER", "other")];
    home.write("config/config.toml", "secrets_file = \"secrets\"\n", 0o644);
    let path = home.write("config/secrets", "# a comment\n\nTOKEN = hunter2\n", 0o600);
    let secrets = home.load(&values).expect("a configuration").secrets;
    let get = |name| {
        secrets
            .get(name)
            .map(|value| value.expose_secret().to_owned())
    };
    assert_eq!(get("TOKEN").as_deref(), Some("hunter2"));
    assert_eq!(get("OTHER").as_deref(), Some("other"));
    assert_eq!(get("NONE"), None);
    assert!(!format!("{secrets:?} {:?}", home.environment(&values)).contains("other"));

    for mode in [0o640, 0o604, 0o660, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        let error = home.load(&values).err().expect("an error");
        assert!(
            matches!(error, ConfigError::SecretsOpen { mode: found, .. } if found == mode),
            "{error}"
        );
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    home.write("config/secrets", "A=1\nhunter2\n", 0o400);
    let error = home.load(&values).err().expect("an error").to_string();
    assert!(
        error.contains("secrets:2: ") && !error.contains("hunter2"),
        "{error}"
    );
    fs::remove_file(&path).expect("a removal");
    assert!(matches!(
        home.load(&values),
        Err(ConfigError::Unreadable { .. })
    ));
}

#[test]
fn a_notifier_that_says_little_hears_all_of_every_source() {
    let home = Home::new();
    let text = "[[notify]]\nname = \"ops\"\nwebhook = \"http://127.0.0.1:9/${KEY}\"\n
        [[notify]]\nname = \"mail\"\ncommand = [\"sh\", \"{path}\"]\non = [\"recovered\"]\nafter = 3\nquiet = \"2d\"
        timeout = \"5s\"\nsources = [\"tag:a\"]\n[worker]\nheartbeat = \"https://h/${ID}\"\n";
    let config = home.load_text(text).expect("a configuration");
    assert_eq!(config.worker.heartbeat.as_deref(), Some("https://h/${ID}"));
    let [ops, mail] = &config.notifiers[..] else {
        panic!("{:?}", config.notifiers)
    };
    let rules = |on: &[ChangeKind], after, hours| NoticeRules {
        on: on.to_vec(),
        after,
        quiet: chrono::TimeDelta::hours(hours),
    };
    assert_eq!(ops.rules, rules(&ChangeKind::default_kinds(), 1, 1));
    assert_eq!(mail.rules, rules(&[ChangeKind::Recovered], 3, 48));
    assert_eq!((ops.timeout.as_secs(), mail.timeout.as_secs()), (30, 5));
    assert!(matches!(&ops.sources[..], [every] if every.to_string() == "*"));
    assert!(matches!(&mail.sources[..], [pattern] if pattern.tag() == Some("a")));
    assert!(
        matches!(&ops.kind, NotifierKind::Webhook { url, secret: None, format: NoticeFormat::Json }
        if url.ends_with("${KEY}"))
    );
    let NotifierKind::Command { argv } = &mail.kind else {
        panic!("{:?}", mail.kind)
    };
    assert!(argv[0].ends_with("/sh") && argv[1] == "{path}", "{argv:?}");
}

#[test]
fn what_is_wrong_with_a_notifier_is_told() {
    let home = Home::new();
    let notifier = |rest: &str| format!("[[notify]]\nname = \"n\"\n{rest}\n");
    let hook = |rest: &str| notifier(&format!("webhook = \"https://h/\"\n{rest}"));
    for (text, line, expected) in [
        (
            "[[notify]]\nwebhook = \"https://h/\"\n".to_owned(),
            1,
            "`notify.name`: missing; every notifier needs a name",
        ),
        (
            hook("") + &hook(""),
            6,
            "`n` is the name of the notifier on line 2",
        ),
        (
            notifier(""),
            1,
            "one of `command` and `webhook`: neither is given",
        ),
        (hook("command = [\"sh\"]"), 1, "both are given"),
        (notifier("command = []"), 3, "`notify.command`: empty"),
        (
            notifier("command = [\"sh\"]\nsecret = \"x\""),
            4,
            "`notify.secret` means nothing with `command`",
        ),
        (notifier("webhook = \"ftp://h/\""), 3, "begins with http://"),
        (hook("sources = []"), 4, "`notify.sources`: selects nothing"),
        (hook("sources = [\"a[\"]"), 4, "is not a glob"),
        (hook("on = []"), 4, "names no change"),
        (
            hook("on = [\"failing\", \"passed\"]"),
            4,
            "`passed` is not a change",
        ),
        (hook("after = 0"), 4, "from 1 to 1000"),
        (hook("quiet = \"2w\""), 4, "such as 30m, 6h or 3d"),
        (hook("format = \"xml\""), 4, "expected json or text"),
        (hook("formta = \"json\""), 4, "did you mean `format`?"),
        (
            "[worker]\nheartbeat = \"hc-ping.com\"\n".to_owned(),
            2,
            "`worker.heartbeat`: expected an address",
        ),
    ] {
        let problems = home.problems(&text);
        assert!(
            problems
                .iter()
                .any(|(at, message)| *at == line && message.contains(expected)),
            "expected {line}: {expected}\nfound {problems:?}\nin\n{text}"
        );
    }
}

const SHIPPED: &str = include_str!("../../assets/config.toml");

/// Returns the lines of the shipped file that `marked` selects, without the `#` of a comment.
fn uncommented(marked: impl Fn(&str) -> bool) -> String {
    let lines = SHIPPED
        .lines()
        .map(|line| line.strip_prefix('#').unwrap_or(line))
        .filter(|line| marked(line));
    lines.fold(String::new(), |text, line| text + line.trim_start() + "\n")
}

#[test]
fn the_shipped_file_states_the_defaults() {
    let home = Home::new();
    let live: Vec<_> = SHIPPED
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(
        live,
        [
            "[fetch]",
            "[log]",
            "[dashboard]",
            "[worker]",
            "[queues]",
            "[rates]",
            "[http]"
        ],
        "all but the sections is commented out"
    );
    let settings =
        uncommented(|line| line.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()));
    assert_eq!(settings.lines().count(), 19, "{settings}");
    let stated = home.load_text(&settings).expect("a configuration");
    let default = Home::new().load(&[]).expect("a configuration");
    assert_eq!(
        format!("{:?}", stated.fetch),
        format!("{:?}", default.fetch)
    );
    assert_eq!(format!("{:?}", stated.log), format!("{:?}", default.log));
    assert_eq!(stated.dashboard.theme, default.dashboard.theme);
    assert_eq!(stated.data_dir, home.path("data"));
}

const SECTIONS: [&str; 12] = [
    "http",
    "fetch",
    "log",
    "dashboard",
    "keys",
    "worker",
    "queues",
    "rates",
    "verifier",
    "limits",
    "notify",
    "queue",
];

#[test]
fn the_shipped_file_documents_every_key() {
    let home = Home::new();
    home.write("config/prices.schema.json", "{}", 0o644);
    home.write("config/order.schema.json", "{}", 0o644);
    let examples = uncommented(|line| line.starts_with("     "));
    let examples = examples
        .replace("/usr/local/bin/check-prices", "sh")
        .replace("/usr/local/bin/check-release", "sh")
        .replace("/usr/bin/python3", "sh")
        .replace("/usr/local/bin/tell", "sh");
    // `[fetch]` and `[log]` hold defaults, so here their examples stand at the top: unknown keys, if anything.
    let (top, arrays) = examples.split_at(examples.find("[[verifier]]").expect("an example"));
    let (verifiers, rest) = arrays.split_at(arrays.find("[[notify]]").expect("an example"));
    let (notifiers, queues) = rest.split_at(rest.find("[[queue]]").expect("an example"));
    let config = home.load_text(arrays).expect("a configuration");
    let counts = (
        config.verifiers.len(),
        config.notifiers.len(),
        config.queues.len(),
    );
    assert_eq!(counts, (13, 2, 1));
    for (section, documented) in [
        ("", top),
        ("[fetch]\n", SHIPPED),
        ("[log]\n", SHIPPED),
        ("[dashboard]\n", SHIPPED),
        ("[worker]\n", top),
        ("[queues]\n", top),
        ("[rates.fixer]\n", top),
        ("[http]\n", SHIPPED),
        ("[[verifier]]\n", verifiers),
        ("[[verifier]]\nbuiltin = \"json\"\n", verifiers),
        ("[[verifier]]\nbuiltin = \"csv\"\n", verifiers),
        ("[[verifier]]\nbuiltin = \"image\"\n", verifiers),
        ("[[verifier]]\nbuiltin = \"sha256\"\n", verifiers),
        ("[[verifier]]\nbuiltin = \"size\"\n", verifiers),
        ("[[verifier]]\nbuiltin = \"fresh\"\n", verifiers),
        ("[[verifier]]\n[verifier.limits]\n", verifiers),
        ("[[notify]]\n", notifiers),
        ("[[queue]]\n", queues),
    ] {
        let problems = home.problems(&format!("{section}zzz = 1\n"));
        let message = &problems
            .iter()
            .find(|(_, message)| message.contains("zzz"))
            .expect("a problem")
            .1;
        let (_, keys) = message
            .trim_end_matches(')')
            .split_once("accepted here: ")
            .expect("keys");
        for key in keys.split(", ").filter(|key| !SECTIONS.contains(key)) {
            assert!(documented.contains(&format!("{key} = ")), "{section}{key}");
        }
    }
}

#[test]
fn verifiers_of_messages_name_their_queues_or_judge_all() {
    let home = Home::new();
    let config = home
        .load_text(
            r#"
[[verifier]]
name = "amounts"
scope = "message"
queues = ["orders", "returns"]
command = ["sh"]
stdin = true

[[verifier]]
name = "small"
scope = "message"
builtin = "size"
max = "10KiB"
advisory = true
"#,
        )
        .expect("a configuration");
    let words = config.verifiers.iter().map(|one| one.scope.words());
    let words: Vec<_> = words.flatten().collect();
    assert_eq!(
        words,
        ["messages of orders, returns", "messages of all queues"]
    );
}

#[test]
fn limits_of_programs_are_read() {
    let home = Home::new();
    let config = home
        .load_text(
            r#"
[[verifier]]
name = "a"
sources = ["*"]
command = ["sh"]

[verifier.limits]
cpu = "2m"
memory = "512MiB"
file_size = "10MB"
open_files = 64
folder = "2GiB"

[[verifier]]
name = "b"
sources = ["*"]
command = ["sh"]
limits = { cpu = "1s" }

[[verifier]]
name = "c"
sources = ["*"]
command = ["sh"]
"#,
        )
        .expect("a configuration");
    let limits = config.verifiers.iter().map(|verifier| {
        let VerifierKind::Command { limits, .. } = verifier.kind else {
            panic!("a command")
        };
        limits
    });
    let default = ResourceLimits::default();
    assert_eq!(
        limits.collect::<Vec<_>>(),
        [
            ResourceLimits {
                cpu: Some(Duration::from_mins(2)),
                memory_bytes: Some(512 << 20),
                file_size_bytes: 10_000_000,
                open_files: Some(64),
                folder_bytes: 2 << 30,
            },
            ResourceLimits {
                cpu: Some(Duration::from_secs(1)),
                ..default
            },
            default,
        ]
    );
}

#[test]
fn problems_with_limits_name_line_and_key() {
    let home = Home::new();
    for (kind, line, expected) in [
        (
            "cpu = \"500ms\"",
            6,
            "`verifier.limits.cpu`: `500ms` is no whole number of seconds",
        ),
        ("cpu = \"10\"", 6, "`10` is not a duration"),
        (
            "memory = \"1MiB\"",
            6,
            "`verifier.limits.memory`: `1MiB` is less than any program",
        ),
        (
            "memory = 100",
            6,
            "expected a text in quotes, found integer",
        ),
        (
            "\nfile_size = \"many\"",
            7,
            "`verifier.limits.file_size`: `many` is not a size",
        ),
        (
            "open_files = 3",
            6,
            "expected a whole number from 16 to 1048576",
        ),
        (
            "folder = \"0\"",
            6,
            "`verifier.limits.folder`: `0` is not a size",
        ),
        (
            "foldr = \"1GiB\"",
            6,
            "unknown key `verifier.limits.foldr`, did you mean `folder`?",
        ),
    ] {
        let verifier = "[[verifier]]\nname = \"v\"\nsources = [\"*\"]\ncommand = [\"sh\"]\n";
        let problems = home.problems(&format!("{verifier}[verifier.limits]\n{kind}\n"));
        let [(at, message)] = &problems[..] else {
            panic!("{kind}: {problems:?}")
        };
        assert_eq!(*at, line, "{kind}: {message}");
        assert!(message.contains(expected), "{kind}: {message}");
    }
    let rule = "[[verifier]]\nname = \"v\"\nsources = [\"*\"]\nbuiltin = \"json\"\nlimits = {}\n";
    let problems = home.problems(rule);
    assert!(
        problems[0]
            .1
            .contains("`verifier.limits` means nothing with"),
        "{problems:?}"
    );
}

#[test]
fn a_program_that_is_not_there_is_told_and_keeps_nothing_from_being_read() {
    for (program, why) in [
        ("no-such-program-here", "in /usr/local/sbin:/usr/local/bin:"),
        ("/no/such/program", "No such file"),
        ("/etc/passwd", "not an executable file"),
        ("/", "not an executable file"),
    ] {
        let gannet = crate::rig::Gannet::new();
        gannet.configure(&format!(
            "[[verifier]]\nname = \"v\"\nsources = [\"*\"]\ncommand = [{program:?}]\n\
             [[notify]]\nname = \"n\"\ncommand = [{program:?}]\n"
        ));
        gannet.ok(&["add", "https://example.org/a"]);
        for reading in [&["list"][..], &["log"], &["dump", "--json"], &["show", "a"]] {
            gannet.ok(reading);
        }
        let checked = gannet.run(&["config", "check"]);
        let page = format!("{}{}", checked.out, checked.err);
        for who in ["verifier v", "notifier n"] {
            let line = page
                .lines()
                .find(|line| line.contains(who) && line.contains(why));
            assert!(line.is_some(), "{who}, {why}: {page}");
        }
    }
}
