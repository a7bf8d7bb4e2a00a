//! `csv`: the rows of a table (RFC 4180), as bytes: the columns need not be UTF-8.

use std::io::{self, Chain, Cursor, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::csv_quotes::Quotes;
use super::input::{
    Input, PIECE_BYTES, RecordLimit, RuleFailure, RuleInput, RuleResult, bad, cannot,
};
use crate::config::CsvRule;
use crate::domain::{Content, truncate_line};

const MAX_ROW_BYTES: usize = 16 << 20;

/// Passes a table with the columns and the number of rows that the rule asks for.
pub(super) fn judge(rule: &CsvRule, input: &RuleInput) -> RuleResult {
    let mut table = CsvTable::open(rule, input, &input.content)?;
    let mut columns = rule.columns.map(|columns| columns as usize);
    let mut rows: u64 = 0;
    while table.advance()? {
        if rule.header.is_none() && columns.is_none() && table.row.len() < 2 {
            return bad(no_table(rule, &table.place()));
        }
        match &rule.header {
            Some(header) if table.number == 1 => table.check_header(header)?,
            _ => rows += 1,
        }
        table.check_width(*columns.get_or_insert(table.row.len()))?;
    }
    if rule.header.is_some() && table.number == 0 {
        return bad("no header: there is no row at all");
    }
    let Some(columns) = columns.or(rule.header.as_ref().map(Vec::len)) else {
        return bad("no row at all");
    };
    check_count(rule, rows)?;
    let plural = |many| if many { "s" } else { "" };
    let detail = format!(
        "{rows} row{} of {columns} column{}",
        plural(rows != 1),
        plural(columns != 1)
    );
    if rule.min_rows_of_last.is_none() {
        return Ok(detail);
    }
    against_last(rule, input, rows, &detail)
}

/// Explains why a single column is refused unless the rule asks for one: any text is such a table, an error page too.
fn no_table(rule: &CsvRule, place: &str) -> String {
    let delimiter = char::from(rule.delimiter).escape_debug();
    format!("{place}: no `{delimiter}`; a table of one column needs `columns = 1` in the verifier")
}

fn check_count(rule: &CsvRule, rows: u64) -> Result<(), RuleFailure> {
    if let Some(min) = rule.min_rows
        && rows < u64::from(min)
    {
        return bad(format!("{rows} rows are less than {min}"));
    }
    if let Some(max) = rule.max_rows
        && rows > u64::from(max)
    {
        return bad(format!("{rows} rows are more than {max}"));
    }
    Ok(())
}

fn against_last(rule: &CsvRule, input: &RuleInput, rows: u64, detail: &str) -> RuleResult {
    let previous = input.context.previous.as_ref();
    let previous = previous.map_err(|why| RuleFailure::Cannot(why.clone()))?;
    let Some(previous) = previous else {
        return Ok(format!("{detail}; no earlier version"));
    };
    let Some(content) = &previous.content else {
        return cannot("the last good version is not at hand");
    };
    let last = count_rows(rule, input, content)?;
    match rule.min_rows_of_last {
        Some(share) if share.is_below(rows, last) => bad(format!(
            "{rows} rows are less than {share} of the last good version's {last}"
        )),
        _ => Ok(format!("{detail}; the last good version has {last} rows")),
    }
}

/// Counts the data rows of another version, without checking their columns.
fn count_rows(rule: &CsvRule, input: &RuleInput, content: &Content) -> Result<u64, RuleFailure> {
    let mut table = CsvTable::open(rule, input, content)?;
    loop {
        match table.advance() {
            Ok(true) => {}
            Ok(false) => break,
            Err(RuleFailure::Bad(why)) => return cannot(format!("the last good version: {why}")),
            Err(other) => return Err(other),
        }
    }
    Ok(table.number - u64::from(rule.header.is_some() && table.number > 0))
}

/// The first bytes, followed by the rest of the stream.
type WithoutMark<R> = Chain<Cursor<Vec<u8>>, R>;

/// Returns the stream without a byte order mark at its beginning. The CSV reader strips a mark too, but takes a
/// mark that is read alone for the end of the stream.
fn without_mark<R: Read>(mut stream: R) -> io::Result<WithoutMark<R>> {
    const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
    let mut beginning = Vec::new();
    stream
        .by_ref()
        .take(BYTE_ORDER_MARK.len() as u64)
        .read_to_end(&mut beginning)?;
    if beginning == BYTE_ORDER_MARK {
        beginning.clear();
    }
    Ok(Cursor::new(beginning).chain(stream))
}

struct CsvTable {
    reader: Reader<RecordLimit<Quotes<WithoutMark<Input>>>>,
    row: ByteRecord,
    /// Number of `row`, from 1.
    number: u64,
}

impl CsvTable {
    fn open(rule: &CsvRule, input: &RuleInput, content: &Content) -> Result<Self, RuleFailure> {
        let stream = without_mark(input.open_other(content)?)?;
        let stream = Quotes::new(stream, rule.delimiter);
        let reader = ReaderBuilder::new()
            .delimiter(rule.delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(PIECE_BYTES)
            .from_reader(RecordLimit::new(stream, MAX_ROW_BYTES, "row"));
        Ok(Self {
            reader,
            row: ByteRecord::new(),
            number: 0,
        })
    }

    /// Reads the next row. Returns whether there is one.
    fn advance(&mut self) -> Result<bool, RuleFailure> {
        let read = self.reader.read_byte_record(&mut self.row);
        self.reader.get_mut().done();
        let is_row = read.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => error.into(),
            other => RuleFailure::Cannot(format!("cannot read the rows: {other:?}")),
        })?;
        self.number += u64::from(is_row);
        Ok(is_row)
    }

    /// Prints the place of the row; its line differs from its number where quotes hold line breaks.
    fn place(&self) -> String {
        let line = self.row.position().map_or(0, csv::Position::line);
        format!("row {} (line {line})", self.number)
    }

    fn check_header(&self, header: &[String]) -> Result<(), RuleFailure> {
        for (number, (found, expected)) in self.row.iter().zip(header).enumerate() {
            if found != expected.as_bytes() {
                return bad(format!(
                    "{}, column {}: `{}`, not `{}`",
                    self.place(),
                    number + 1,
                    truncate_line(&String::from_utf8_lossy(found)),
                    truncate_line(expected)
                ));
            }
        }
        self.check_width(header.len())
    }

    fn check_width(&self, columns: usize) -> Result<(), RuleFailure> {
        let found = self.row.len();
        if found == columns {
            return Ok(());
        }
        bad(format!("{}: {found} columns, not {columns}", self.place()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Builtin, Percent};
    use crate::domain::VerdictOutcome;
    use crate::verify::builtin::tests::{
        Fixture, assert_cannot, assert_fails, assert_passes, memory,
    };
    use proptest::prelude::*;

    fn rule(change: impl FnOnce(&mut CsvRule)) -> Builtin {
        let mut rule = CsvRule::default();
        change(&mut rule);
        Builtin::Csv(rule)
    }

    #[test]
    fn all_rows_have_as_many_columns() {
        let any = rule(|_| {});
        for one in [&b""[..], b"\n", b"a", b"\xEF\xBB\xBF", b"a\nb\n", b"<p>x\n"] {
            assert_fails(&any, one, "no ");
            assert_passes(&rule(|rule| rule.columns = Some(1)), one);
        }
        for good in [
            &b"a,b\n"[..],
            b"a,b\n1,2",
            b"a,b\r\n1,2\r\n",
            b"\xEF\xBB\xBFa,b\n1,2\n",
            b"a,b\n\n1,2\n",
            b"a,\"x\ny,\"\"z\"\n1,2\n",
            b"5\" pipe,1\n",
            b"\xFF,\xC3\n1,2\n",
            b"\"a\",\"\"\r\n\"1\",\"2\"",
            b"a,b\r1,2\r",
        ] {
            assert_passes(&any, good);
        }
        for (bad, expected) in [
            (&b"a,b\n1\n"[..], "row 2 (line 2): 1 columns, not 2"),
            (b"a,b\n1,2\n1,2,3", "row 3 (line 3): 3 columns, not 2"),
            (b"a,\"x\ny\"\n1\n", "row 2 (line 3): 1 columns, not 2"),
            (b"a,b\n1,\"2\n", "line 2: a quoted column never ends"),
            (b"\"", "line 1: a quoted column never ends"),
            (b"a,b\n\"x\"\"\n1,2\n", "line 2: a quoted column never ends"),
            (
                b"name,price\n\"r1,1\nr2 \"x\" y,3\nr3,3\n",
                "line 3: `x` behind a quote that closes a column, which line 2 opens",
            ),
            (b"a,b\n\"x\" ,1\n", "line 2: ` ` behind a quote"),
            (b"a,\"b\"c\n", "line 1: `c` behind a quote"),
            (b"a,b\n\"x\"\"y\"z,1\n", "line 2: `z` behind a quote"),
            (b"a,b\n1,\0\n", "line 2: a NUL"),
            (b"\xFF\xFEa\0,\0b\0", "line 1: a NUL"),
        ] {
            assert_fails(&any, bad, expected);
        }
        assert_fails(
            &rule(|rule| rule.columns = Some(3)),
            b"a,b\n",
            "row 1 (line 1): 2 columns, not 3",
        );
    }

    #[test]
    fn another_character_may_stand_between() {
        for (delimiter, text) in [
            (b'\t', "a\tb\n1,2\t3\n"),
            (b';', "a;b\n1,2;3\n"),
            (b'|', "a|b\n"),
        ] {
            let rule = rule(|rule| {
                rule.delimiter = delimiter;
                rule.columns = Some(2);
            });
            assert_passes(&rule, text.as_bytes());
        }
    }

    #[test]
    fn a_header_is_exact_and_no_data() {
        let rule = rule(|rule| {
            rule.header = Some(vec!["id".to_owned(), "price".to_owned()]);
            rule.min_rows = Some(1);
            rule.max_rows = Some(2);
        });
        for good in ["id,price\n1,2\n", "\"id\",price\r\n1,2\n3,4\n"] {
            assert_passes(&rule, good.as_bytes());
        }
        for (bad, expected) in [
            ("", "no header"),
            (
                "id,cost\n1,2\n",
                "row 1 (line 1), column 2: `cost`, not `price`",
            ),
            ("ID,price\n1,2\n", "column 1: `ID`, not `id`"),
            ("id\n1\n", "row 1 (line 1): 1 columns, not 2"),
            ("id,price,x\n1,2,3\n", "row 1 (line 1): 3 columns, not 2"),
            ("id,price\n1\n", "row 2 (line 2): 1 columns, not 2"),
            ("id,price\n", "0 rows are less than 1"),
            ("id,price\n1,2\n1,2\n1,2\n", "3 rows are more than 2"),
            ("<html>\n", "column 1: `<html>`, not `id`"),
        ] {
            assert_fails(&rule, bad.as_bytes(), expected);
        }
    }

    #[test]
    fn rows_are_a_share_of_the_last() {
        let share = "90%".parse::<Percent>().expect("a share");
        let with_header = rule(|rule| {
            rule.header = Some(vec!["n".to_owned()]);
            rule.min_rows_of_last = Some(share);
        });
        let rows = |count: usize| "n\n".to_owned() + &"1\n".repeat(count);
        let (outcome, detail) = Fixture::default().judged(&with_header, rows(3).as_bytes());
        assert_eq!(outcome, VerdictOutcome::Passed);
        assert_eq!(detail, "3 rows of 1 column; no earlier version");
        for (last, now, outcome) in [
            (10, 9, VerdictOutcome::Passed),
            (10, 8, VerdictOutcome::Failed),
            (0, 0, VerdictOutcome::Passed),
            (1, 0, VerdictOutcome::Failed),
        ] {
            let (found, detail) =
                Fixture::after(rows(last).as_bytes()).judged(&with_header, rows(now).as_bytes());
            assert_eq!(found, outcome, "{detail}");
            let expected = match outcome {
                VerdictOutcome::Failed => {
                    format!("{now} rows are less than 90% of the last good version's {last}")
                }
                _ => format!("{now} rows of 1 column; the last good version has {last} rows"),
            };
            assert_eq!(detail, expected);
        }
        for (known, expected) in [
            (Fixture::unreadable(), "the last good version is damaged"),
            (
                Fixture::after(b"n\n\"x"),
                "the last good version: line 2: a quoted column never ends",
            ),
        ] {
            let (outcome, detail) = known.judged(&with_header, b"n\n1\n");
            assert_eq!(outcome, VerdictOutcome::Error);
            assert!(detail.contains(expected), "{detail}");
        }
    }

    #[test]
    fn a_row_without_end_is_not_read_for_ever() {
        let mut long = vec![b'x'; MAX_ROW_BYTES + (1 << 20)];
        let rule = rule(|rule| rule.columns = Some(1));
        assert_cannot(&rule, &long, "a row is longer than 16 MiB");
        // As many bytes in shorter rows pass.
        for at in (0..long.len()).step_by(1 << 20) {
            long[at] = b'\n';
        }
        assert_passes(&rule, &long);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            table in (1..5_usize).prop_flat_map(|columns| {
                let column = prop_oneof!["[ -~\n\r\t]{0,6}", "[\",\n]{0,4}", "\\PC{0,3}"];
                prop::collection::vec(prop::collection::vec(column, columns), 0..8)
            }),
            delimiter in prop::sample::select(b",;\t|".as_slice()),
        ) {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).expect("memory");
            }
            let text = writer.into_inner().expect("memory");
            let columns = table.first().map_or(1, Vec::len);
            let columns = u32::try_from(columns).ok();
            let rule = CsvRule { delimiter, columns, ..CsvRule::default() };
            let input = Fixture::default().input(memory(&text));
            prop_assert!(judge(&rule, &input).is_ok());
            let mut read = CsvTable::open(&rule, &input, &input.content).expect("memory");
            for row in &table {
                prop_assert!(read.advance().expect("a row"));
                prop_assert_eq!(read.row.iter().collect::<Vec<_>>(), row.iter().map(String::as_bytes).collect::<Vec<_>>());
            }
            prop_assert!(!read.advance().expect("the end"));
            // A row with a column too many or too few is found anywhere.
            if table.len() > 1 {
                let more = [&text[..], b"1", &vec![delimiter; table[0].len()], b"1\n"].concat();
                let input = Fixture::default().input(memory(&more));
                prop_assert!(matches!(judge(&rule, &input), Err(RuleFailure::Bad(_))));
            }
        }
    }
}
