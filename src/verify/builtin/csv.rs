//! `csv`: rows of a table (RFC 4180), as bytes: what is in the columns need not be UTF-8.

use std::io::{self, Chain, Cursor, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::source::{Bounded, Case, Finding, PIECE_BYTES, Source, Trouble, bad, cannot};
use crate::config::CsvRule;
use crate::domain::{Content, in_short};

/// The longest row.
const MAX_ROW_BYTES: usize = 16 << 20;
/// Put behind the content, as a row of its own. When it is not read back as one, a quoted field never ended.
const END: &[u8] = b"\nthe end of the file";

/// A table as the rule wants it.
pub(super) fn judge(rule: &CsvRule, case: &Case) -> Finding {
    let mut table = Table::open(rule, case, &case.content)?;
    let mut columns = rule.columns.map(|columns| columns as usize);
    let mut rows: u64 = 0;
    while table.advance()? {
        match &rule.header {
            Some(header) if table.number == 1 => table.check_header(header)?,
            _ => rows += 1,
        }
        table.check_width(*columns.get_or_insert(table.row.len()))?;
    }
    if rule.header.is_some() && table.number == 0 {
        return bad("no header: there is no row at all");
    }
    check_count(rule, rows)?;
    let detail = format!("{rows} rows of {} columns", columns.unwrap_or(0));
    if rule.min_rows_of_last.is_none() {
        return Ok(detail);
    }
    against_last(rule, case, rows, &detail)
}

fn check_count(rule: &CsvRule, rows: u64) -> Result<(), Trouble> {
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

fn against_last(rule: &CsvRule, case: &Case, rows: u64, detail: &str) -> Finding {
    let previous = case.evidence.previous.as_ref();
    let previous = previous.map_err(|why| Trouble::Cannot(why.clone()))?;
    let Some(previous) = previous else {
        return Ok(format!("{detail}; no earlier version"));
    };
    let Some(content) = &previous.content else {
        return cannot("the last good version is not at hand");
    };
    let last = count_rows(rule, case, content)?;
    match rule.min_rows_of_last {
        Some(share) if share.is_more_than(rows, last) => bad(format!(
            "{rows} rows are less than {share} of the last good version's {last}"
        )),
        _ => Ok(format!("{detail}; the last good version has {last} rows")),
    }
}

/// Counts the data rows of another version, whatever is in them.
fn count_rows(rule: &CsvRule, case: &Case, content: &Content) -> Result<u64, Trouble> {
    let mut table = Table::open(rule, case, content)?;
    loop {
        match table.advance() {
            Ok(true) => {}
            Ok(false) => break,
            Err(Trouble::Bad(why)) => return cannot(format!("the last good version: {why}")),
            Err(other) => return Err(other),
        }
    }
    Ok(table.number - u64::from(rule.header.is_some() && table.number > 0))
}

/// The first bytes, and what comes after them.
type Unmarked<R> = Chain<Cursor<Vec<u8>>, R>;

/// Returns the stream without a byte order mark at its beginning. The reader would do that too, but takes a mark that comes
/// alone for the end.
fn without_mark<R: Read>(mut stream: R) -> io::Result<Unmarked<R>> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    let mut beginning = Vec::new();
    stream
        .by_ref()
        .take(MARK.len() as u64)
        .read_to_end(&mut beginning)?;
    if beginning == MARK {
        beginning.clear();
    }
    Ok(Cursor::new(beginning).chain(stream))
}

/// A table that is read row by row, with one row of foresight.
struct Table {
    reader: Reader<Bounded<Chain<Unmarked<Source>, &'static [u8]>>>,
    row: ByteRecord,
    ahead: ByteRecord,
    /// Of `row`, from 1.
    number: u64,
}

impl Table {
    fn open(rule: &CsvRule, case: &Case, content: &Content) -> Result<Self, Trouble> {
        let stream = without_mark(case.open_other(content)?)?.chain(END);
        let reader = ReaderBuilder::new()
            .delimiter(rule.delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(PIECE_BYTES)
            .from_reader(Bounded::new(stream, MAX_ROW_BYTES, "row"));
        let mut table = Self {
            reader,
            row: ByteRecord::new(),
            ahead: ByteRecord::new(),
            number: 0,
        };
        table.read_ahead()?;
        Ok(table)
    }

    /// Goes to the next row; tells whether there is one.
    fn advance(&mut self) -> Result<bool, Trouble> {
        std::mem::swap(&mut self.row, &mut self.ahead);
        if self.read_ahead()? {
            self.number += 1;
            return Ok(true);
        }
        if self.row.len() == 1 && self.row[0] == END[1..] {
            return Ok(false);
        }
        self.number += 1;
        bad(format!("{}: a quoted column never ends", self.place()))
    }

    fn read_ahead(&mut self) -> Result<bool, Trouble> {
        let read = self.reader.read_byte_record(&mut self.ahead);
        self.reader.get_mut().done();
        read.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => error.into(),
            other => Trouble::Cannot(format!("cannot read the rows: {other:?}")),
        })
    }

    /// Prints where the row is: quoted line breaks make its line another number.
    fn place(&self) -> String {
        let line = self.row.position().map_or(0, csv::Position::line);
        format!("row {} (line {line})", self.number)
    }

    fn check_header(&self, header: &[String]) -> Result<(), Trouble> {
        for (number, (found, expected)) in self.row.iter().zip(header).enumerate() {
            if found != expected.as_bytes() {
                return bad(format!(
                    "{}, column {}: `{}`, not `{}`",
                    self.place(),
                    number + 1,
                    in_short(&String::from_utf8_lossy(found)),
                    in_short(expected)
                ));
            }
        }
        self.check_width(header.len())
    }

    fn check_width(&self, columns: usize) -> Result<(), Trouble> {
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
        Known, assert_cannot, assert_fails, assert_passes, memory,
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
        for good in [
            &b""[..],
            b"\n",
            b"a",
            b"a,b\n",
            b"a,b\n1,2",
            b"a,b\r\n1,2\r\n",
            b"\xEF\xBB\xBFa,b\n1,2\n",
            b"a,b\n\n1,2\n",
            b"a,\"x\ny,\"\"z\"\n1,2\n",
            b"5\" pipe,1\n",
            b"\xFF,\xC3\n1,2\n",
            b"\xEF\xBB\xBF",
            b"the end of the file",
        ] {
            assert_passes(&any, good);
        }
        for (bad, expected) in [
            (&b"a,b\n1\n"[..], "row 2 (line 2): 1 columns, not 2"),
            (b"a,b\n1,2\n1,2,3", "row 3 (line 3): 3 columns, not 2"),
            (b"a,\"x\ny\"\n1\n", "row 2 (line 3): 1 columns, not 2"),
            (
                b"a,b\n1,\"2\n",
                "row 2 (line 2): a quoted column never ends",
            ),
            (b"\"", "row 1 (line 1): a quoted column never ends"),
            (
                b"a\n\"x\"\"\nthe end of the file",
                "row 2 (line 2): a quoted column never ends",
            ),
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
        let (outcome, detail) = Known::default().judged(&with_header, rows(3).as_bytes());
        assert_eq!(outcome, VerdictOutcome::Passed);
        assert_eq!(detail, "3 rows of 1 columns; no earlier version");
        for (last, now, outcome) in [
            (10, 9, VerdictOutcome::Passed),
            (10, 8, VerdictOutcome::Failed),
            (0, 0, VerdictOutcome::Passed),
            (1, 0, VerdictOutcome::Failed),
        ] {
            let (found, detail) =
                Known::after(rows(last).as_bytes()).judged(&with_header, rows(now).as_bytes());
            assert_eq!(found, outcome, "{detail}");
            let expected = match outcome {
                VerdictOutcome::Failed => {
                    format!("{now} rows are less than 90% of the last good version's {last}")
                }
                _ => format!("{now} rows of 1 columns; the last good version has {last} rows"),
            };
            assert_eq!(detail, expected);
        }
        for (known, expected) in [
            (Known::unreadable(), "the last good version is damaged"),
            (
                Known::after(b"n\n\"x"),
                "the last good version: row 2 (line 2): a quoted column never ends",
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
        assert_cannot(&rule(|_| {}), &long, "a row is longer than 16 MiB");
        // As many bytes in rows that end are fine.
        for at in (0..long.len()).step_by(1 << 20) {
            long[at] = b'\n';
        }
        assert_passes(&rule(|_| {}), &long);
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
            let rule = CsvRule { delimiter, ..CsvRule::default() };
            let case = Known::default().case(memory(&text));
            prop_assert!(judge(&rule, &case).is_ok());
            let mut read = Table::open(&rule, &case, &case.content).expect("memory");
            for row in &table {
                prop_assert!(read.advance().expect("a row"));
                prop_assert_eq!(read.row.iter().collect::<Vec<_>>(), row.iter().map(String::as_bytes).collect::<Vec<_>>());
            }
            prop_assert!(!read.advance().expect("the end"));
            // One column more or less in any row is found.
            if table.len() > 1 {
                let more = [&text[..], b"1", &vec![delimiter; table[0].len()], b"1\n"].concat();
                let case = Known::default().case(memory(&more));
                prop_assert!(matches!(judge(&rule, &case), Err(Trouble::Bad(_))));
            }
        }
    }
}
