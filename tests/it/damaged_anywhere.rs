//! Any one value of any row of any table that is damaged: no panic, what is not concerned is listed and fetched, and no published
//! file goes.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::rig::sqlite::damage;
use crate::rig::{Gannet, Home, Numbers, Saved, sqlite};

const SEEDS: [u64; 3] = [7, 11, 41];
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// Cases of each seed.
const CASES: usize = 10;

/// What everything depends on: where it is damaged, nothing may be fetched, but no published file goes.
const SHARED: [&str; 3] = ["text", "policy", "archive_mark"];

/// What a damaged column holds.
const VALUES: [&str; 6] = [
    "NULL",
    "'qassed'",
    "-1",
    "9223372036854775807",
    "x'ff00'",
    "''",
];

const ROW_NUMBERS: [&str; 2] = ["-1", "1099511627776"];

/// A set of two sources, two sources beside it, and a copy of all of that.
struct House {
    home: Home,
    files: Vec<PathBuf>,
    saved: Saved,
}

impl House {
    fn new() -> Self {
        let home = Home::new(
            "[[verifier]]\nname = \"both\"\nscope = \"set\"\nsources = [\"tag:pair\"]\ncommand = [\"true\"]\n
             [[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n",
        );
        let home = NAMES.into_iter().fold(home, |home, name| {
            let tag = if name < "c" { "pair" } else { "single" };
            let contents = [1, 2, 3].map(|number| format!("line {number} of {name}\n"));
            home.with_member(name, &[tag], contents)
        });
        for _ in 0..2 {
            home.fetch("*");
        }
        let files = ["c", "d"].map(|name| home.file(name));
        sqlite::make_all_due(&home.data());
        let saved = home.save();
        Self {
            home,
            files: files.into(),
            saved,
        }
    }
}

/// Chooses a value of the catalogue. Returns the statement that damages it, its table, and the ids of the sources that it concerns.
fn choose(gannet: &Gannet, numbers: &mut Numbers) -> (String, String, Vec<i64>) {
    let sql = sqlite::read(&gannet.data());
    let texts = |query: &str| -> Vec<String> {
        let mut statement = sql.prepare(query).expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a text")).collect()
    };
    let count = |table: &str| -> i64 {
        let count = sql.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        });
        count.expect("a number")
    };
    let mut tables = texts(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    );
    tables.retain(|table| count(table) > 0);
    let table = numbers.pick(&tables).clone();
    let row = numbers.below(usize::try_from(count(&table)).expect("a number"));
    let columns = texts(&format!("SELECT name FROM pragma_table_info('{table}')"));
    let keys = texts(&format!(
        "SELECT name FROM pragma_table_info('{table}') WHERE pk > 0"
    ));
    let column = numbers.pick(&columns);
    let key = keys.iter().map(|key| format!("'{key} = ' || quote({key})"));
    let key = key.collect::<Vec<_>>().join(" || ' AND ' || ");
    let place = texts(&format!(
        "SELECT {key} FROM {table} ORDER BY {} LIMIT 1 OFFSET {row}",
        keys.join(", ")
    ));
    let place = &place[0];
    let of_source = match table.as_str() {
        "source" => "id".to_owned(),
        "verdict" | "judging_death" => {
            "(SELECT source_id FROM version v WHERE v.id = version_id)".to_owned()
        }
        "blob" => "(SELECT source_id FROM version v WHERE v.blob_id = blob.id)".to_owned(),
        _ if columns.iter().any(|one| one == "source_id") => "source_id".to_owned(),
        _ => "NULL".to_owned(),
    };
    let concerned = texts(&format!(
        "SELECT CAST(coalesce({of_source}, 0) AS TEXT) FROM {table} WHERE {place}"
    ));
    // An integer that is the row's own number can be nothing else. With the largest there is, SQLite has no next one.
    let is_number = texts(&format!(
        "SELECT name FROM pragma_table_info('{table}') WHERE pk = 1 AND type = 'INTEGER'"
    ));
    let is_number = keys.len() == 1 && is_number.contains(column);
    let value = numbers.pick(if is_number { &ROW_NUMBERS } else { &VALUES[..] });
    let statement = format!("UPDATE OR IGNORE {table} SET {column} = {value} WHERE {place}");
    let concerned = concerned.iter().map(|id| id.parse().expect("an id"));
    (statement, table, concerned.collect())
}

/// Returns what is wrong after one value was damaged.
fn try_one(house: &House, numbers: &mut Numbers) -> Vec<String> {
    house.home.put_back(&house.saved);
    let (statement, table, concerned) = choose(&house.home, numbers);
    damage(&house.home.data(), &statement);
    let is_concerned = |id: i64| concerned.contains(&id);
    let mut wrong = Vec::new();
    let mut run = |arguments: &[&str]| {
        let said = house.home.run(arguments);
        // Another file than the policy's refuses a pass.
        let is_refused = said.code == Some(2) && table == "policy";
        let is_fine = matches!(said.code, Some(0 | 1 | 3)) || is_refused;
        if said.err.contains("panicked") || !is_fine {
            wrong.push(format!("{statement}: {arguments:?}: {said:#?}"));
        }
        said
    };
    let listed = run(&["list", "--json"]);
    let others = [
        &["dump"][..],
        &["report"],
        &["log"],
        &["list", "--sets"],
        &["verdicts"],
    ];
    run(others[numbers.below(others.len())]);
    let said = run(&["--worker-only"]);

    let sources: Value = serde_json::from_str(&listed.out).unwrap_or_default();
    let names = sources.as_array().into_iter().flatten();
    let names: Vec<_> = names.map(|source| source["name"].clone()).collect();
    for (id, name) in (1..).zip(NAMES) {
        if !names.iter().any(|one| one == name) && !is_concerned(id) {
            wrong.push(format!("{statement}: {name} is not listed: {listed:#?}"));
        }
    }
    for ((id, name), file) in (3..).zip(["c", "d"]).zip(&house.files) {
        let content = fs::read_to_string(file).unwrap_or_default();
        let [old, new] = [2, 3].map(|number| format!("line {number} of {name}\n"));
        let may_be_old = is_concerned(id) || SHARED.contains(&table.as_str());
        if content != new && !(may_be_old && content == old) {
            wrong.push(format!("{statement}: {name} is {content:?}: {said:#?}"));
        }
    }
    let of_set = fs::read_dir(house.home.data().join("sets/pair"));
    if of_set.map_or(0, Iterator::count) == 0 {
        wrong.push(format!("{statement}: the set is gone: {said:#?}"));
    }
    wrong
}

#[test]
fn one_damaged_value_ends_nothing_for_what_it_does_not_concern() {
    let house = House::new();
    let mut wrong = Vec::new();
    for seed in SEEDS {
        let mut numbers = Numbers(seed);
        for _ in 0..CASES {
            wrong.extend(try_one(&house, &mut numbers));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
