//! What a query of a person may do, for SQLite's authorizer: read the catalogue's tables with harmless functions.
//!
//! Never allows a write, another file, a setting, or the hashes of passwords, sessions and tokens.

use std::collections::HashSet;

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// The tables of those who sign in or have a link. Their columns with names of [`SECRET_NAMES`] or [`SECRET_ENDS`] read as NULL.
const SECRET_TABLES: [&str; 4] = ["person", "session", "token", "verifier_link"];

/// A checksum is computed of a hash, among others.
const SECRET_NAMES: [&str; 3] = ["hash", "digest", "checksum"];

const SECRET_ENDS: [&str; 2] = ["_hash", "_digest"];

/// The words of a join in which SQLite compares columns without asking the authorizer for them.
const UNASKED_JOINS: [&str; 2] = ["using", "natural"];

/// SQLite's own tables and table-valued functions that may be read.
const OWN_TABLES: [&str; 14] = [
    "json_each",
    "json_tree",
    "jsonb_each",
    "jsonb_tree",
    "pragma_foreign_key_list",
    "pragma_index_info",
    "pragma_index_list",
    "pragma_index_xinfo",
    "pragma_table_info",
    "pragma_table_list",
    "pragma_table_xinfo",
    "sqlite_master",
    "sqlite_schema",
    "sqlite_sequence",
];

/// The pragmas that describe the schema; their values name what they describe.
const SCHEMA_PRAGMAS: [&str; 7] = [
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// The pragmas that return a number of the file, and would set it with a value.
const NUMBER_PRAGMAS: [&str; 7] = [
    "application_id",
    "encoding",
    "freelist_count",
    "page_count",
    "page_size",
    "schema_version",
    "user_version",
];

/// The functions that only compute. A test compares them with those that SQLite has.
#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "->", "->>", "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "avg", "ceil", "ceiling",
    "changes", "char", "coalesce", "concat", "concat_ws", "cos", "cosh", "count", "cume_dist", "current_date",
    "current_time", "current_timestamp", "date", "datetime", "degrees", "dense_rank", "exp", "first_value", "floor",
    "format", "glob", "group_concat", "hex", "if", "ifnull", "iif", "instr", "json", "json_array",
    "json_array_insert", "json_array_length", "json_error_position", "json_extract", "json_group_array",
    "json_group_object", "json_insert", "json_object", "json_patch", "json_pretty", "json_quote", "json_remove",
    "json_replace", "json_set", "json_type", "json_valid", "jsonb", "jsonb_array", "jsonb_array_insert",
    "jsonb_extract", "jsonb_group_array", "jsonb_group_object", "jsonb_insert", "jsonb_object", "jsonb_patch",
    "jsonb_remove", "jsonb_replace", "jsonb_set", "julianday", "lag", "last_insert_rowid", "last_value", "lead",
    "length", "like", "likelihood", "likely", "ln", "log", "log10", "log2", "lower", "ltrim", "max", "median", "min",
    "mod", "nth_value", "ntile", "nullif", "octet_length", "percent_rank", "percentile", "percentile_cont",
    "percentile_disc", "pi", "pow", "power", "printf", "quote", "radians", "random", "randomblob", "rank",
    "replace", "round", "row_checksum", "row_number", "rtrim", "sign", "sin", "sinh", "soundex",
    "sqlite_source_id", "sqlite_version", "sqrt", "strftime", "string_agg", "substr", "substring", "subtype", "sum",
    "tan", "tanh", "time", "timediff", "total", "total_changes", "trim", "trunc", "typeof", "unhex", "unicode",
    "unistr", "unistr_quote", "unixepoch", "unlikely", "upper", "zeroblob",
];

/// What queries over one catalogue may read.
pub(super) struct Rights {
    /// The names of the catalogue's tables and views.
    tables: HashSet<String>,
}

impl Rights {
    /// Returns the rights over the catalogue's present tables.
    pub(super) fn over(sql: &Connection) -> rusqlite::Result<Self> {
        let names = "SELECT lower(name) FROM sqlite_schema
                     WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        let mut statement = sql.prepare(names)?;
        let tables = statement.query_map([], |row| row.get(0))?;
        Ok(Self {
            tables: tables.collect::<rusqlite::Result<_>>()?,
        })
    }

    /// Decides on one action of a query.
    pub(super) fn decide(&self, context: &AuthContext<'_>) -> Authorization {
        let is_allowed = match context.action {
            AuthAction::Select | AuthAction::Recursive => true,
            AuthAction::Function { function_name } => {
                let name = function_name.to_ascii_lowercase();
                FUNCTIONS.binary_search(&name.as_str()).is_ok()
            }
            AuthAction::Pragma {
                pragma_name,
                pragma_value,
            } => may_ask(&pragma_name.to_ascii_lowercase(), pragma_value),
            AuthAction::Read {
                table_name,
                column_name,
            } => return self.reading(table_name, column_name),
            _ => false,
        };
        allow_if(is_allowed)
    }

    fn reading(&self, table: &str, column: &str) -> Authorization {
        let table = table.to_ascii_lowercase();
        if is_secret(&table, column) {
            return Authorization::Ignore;
        }
        // Without a column, only the number of rows is read: of a common table expression, too.
        let is_known = self.tables.contains(&table) || OWN_TABLES.contains(&table.as_str());
        allow_if(is_known || column.is_empty())
    }
}

/// Returns why a query must not run whatever the authorizer says of it; `None` for others.
///
/// SQLite compares the columns of `USING` and `NATURAL` without asking the authorizer, and may return their values.
pub(super) fn unaskable(query: &str) -> Option<&'static str> {
    let query = query.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| query.contains(word));
    (has(&SECRET_TABLES) && has(&UNASKED_JOINS)).then_some(
        "the tables person, session, token and verifier_link cannot be joined by USING or NATURAL: write ON (these words are not allowed anywhere in such a query)",
    )
}

fn allow_if(is_allowed: bool) -> Authorization {
    if is_allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

fn may_ask(pragma: &str, value: Option<&str>) -> bool {
    SCHEMA_PRAGMAS.contains(&pragma) || (value.is_none() && NUMBER_PRAGMAS.contains(&pragma))
}

fn is_secret(table: &str, column: &str) -> bool {
    let column = column.to_ascii_lowercase();
    let is_hash = SECRET_NAMES.contains(&column.as_str())
        || SECRET_ENDS.iter().any(|end| column.ends_with(end));
    SECRET_TABLES.contains(&table) && is_hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions that do more than compute, or nothing for a query of the catalogue.
    const REFUSED: &[&str] = &[
        "bm25",
        "fts3_tokenizer",
        "fts5",
        "fts5_get_locale",
        "fts5_insttoken",
        "fts5_locale",
        "fts5_source_id",
        "highlight",
        "load_extension",
        "match",
        "matchinfo",
        "offsets",
        "optimize",
        "regexp",
        "rtreecheck",
        "rtreedepth",
        "rtreenode",
        "snippet",
        "sqlite_compileoption_get",
        "sqlite_compileoption_used",
        "sqlite_log",
        "sqlite_offset",
    ];

    #[test]
    fn every_function_of_sqlite_is_allowed_or_refused_knowingly() {
        assert!(FUNCTIONS.is_sorted(), "the search halves the list");
        let sql = Connection::open_in_memory().expect("a database");
        let mut statement = sql
            .prepare("SELECT DISTINCT lower(name) FROM pragma_function_list")
            .expect("a list");
        let names = statement.query_map([], |row| row.get::<_, String>(0));
        let names: Vec<_> = names.expect("rows").flatten().collect();
        assert!(names.len() > 100, "{names:?}");
        let unknown = names.iter().filter(|name| {
            let name = name.as_str();
            !FUNCTIONS.contains(&name) && !REFUSED.contains(&name)
        });
        assert_eq!(unknown.collect::<Vec<_>>(), [""; 0]);
    }
}
