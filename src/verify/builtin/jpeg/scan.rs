//! One scan: all blocks of the components that it codes (T.81 §F.2 and §G.2).

use std::sync::atomic::AtomicBool;

use super::bits::Bits;
use super::frame::{Component, Frame};
use super::huffman::Huffman;
use super::tables::Tables;
use crate::verify::builtin::input::{RuleFailure, bad, go_on};

/// Most bits of a first coefficient's difference (DC), and of any other coefficient (AC), at 8 bits a sample.
const MAX_DC_BITS: u8 = 11;
const MAX_AC_BITS: u8 = 10;
/// Largest norm (root of the sum of squares) of a block's coefficients, each multiplied by its quantisation step. The
/// norm of the 64 samples is the same, and each is within 128 of the middle, and 31 more where an encoder smooths
/// edges.
const MAX_NORM: u64 = 1_280;
/// Most blocks in one unit of an interleaved scan.
const MAX_UNIT_BLOCKS: usize = 10;

const BEYOND: &str = "a run of zeros goes beyond its block";
const TOO_WIDE: &str = "a coefficient is larger than any can be";

/// One scan, with the tables that it uses.
pub(super) struct Scan<'a> {
    parts: Vec<ScanComponent<'a>>,
    first: usize,
    last: usize,
    is_refinement: bool,
    low: u8,
    is_progressive: bool,
    restart_interval: u64,
}

/// A component of a scan.
struct ScanComponent<'a> {
    component: usize,
    dc: Option<&'a Huffman>,
    ac: Option<&'a Huffman>,
    steps: &'a [u16; 64],
    /// First coefficient of the previous block.
    before: i32,
}

/// The header of a scan (T.81 §B.2.3).
struct ScanHeader<'a> {
    /// Of each component, its id and its tables.
    specs: &'a [[u8; 2]],
    /// The coefficients that the scan codes, both ends included.
    first: usize,
    last: usize,
    /// The bit where the previous scan of these coefficients ended, and where this one does.
    high: u8,
    low: u8,
}

impl<'a> ScanHeader<'a> {
    fn read(segment: &'a [u8], is_progressive: bool) -> Result<Self, RuleFailure> {
        let Some((count, rest)) = segment.split_first() else {
            return bad("a scan header is cut off");
        };
        let Some((specs, &[first, last, bits])) = rest.split_at_checked(2 * usize::from(*count))
        else {
            return bad("a scan header of another length");
        };
        let (first, last) = (usize::from(first), usize::from(last));
        let (high, low) = (bits >> 4, bits & 15);
        let is_sound = if is_progressive {
            let band = if first == 0 { last == 0 } else { *count == 1 };
            band && first <= last && last < 64 && low <= 13 && (high == 0 || high == low + 1)
        } else {
            (first, last, bits) == (0, 63, 0)
        };
        if !is_sound || !matches!(count, 1..=4) {
            return bad("a scan header with invalid parameters");
        }
        Ok(Self {
            specs: specs.as_chunks::<2>().0,
            first,
            last,
            high,
            low,
        })
    }
}

impl<'a> Scan<'a> {
    /// Reads a scan header, and records in the frame which coefficients the scan codes.
    pub(super) fn read(
        segment: &[u8],
        frame: &mut Frame,
        tables: &'a Tables,
    ) -> Result<Self, RuleFailure> {
        let ScanHeader {
            specs,
            first,
            last,
            high,
            low,
        } = ScanHeader::read(segment, frame.is_progressive)?;
        let mut scan = Self {
            parts: Vec::new(),
            first,
            last,
            is_refinement: high > 0,
            low,
            is_progressive: frame.is_progressive,
            restart_interval: tables.restart_interval,
        };
        for spec in specs {
            let part = scan.part(*spec, frame, tables)?;
            frame.components[part.component].code(first..=last, high, low)?;
            scan.parts.push(part);
        }
        let blocks = |part: &ScanComponent<'_>| {
            let component = &frame.components[part.component];
            component.across * component.down
        };
        if specs.len() > 1 && scan.parts.iter().map(blocks).sum::<usize>() > MAX_UNIT_BLOCKS {
            return bad("a scan with too many blocks in a unit");
        }
        Ok(scan)
    }

    fn part(
        &self,
        [id, codes]: [u8; 2],
        frame: &Frame,
        tables: &'a Tables,
    ) -> Result<ScanComponent<'a>, RuleFailure> {
        let Some(component) = frame.components.iter().position(|one| one.id == id) else {
            return bad("a scan of a component that the picture has not");
        };
        let table = |tables: &'a [Option<Huffman>; 4], number: u8| {
            tables.get(usize::from(number)).and_then(Option::as_ref)
        };
        let (dc, ac) = (table(&tables.dc, codes >> 4), table(&tables.ac, codes & 15));
        let is_first = self.first == 0 && !self.is_refinement;
        let uses_ac = self.last > 0;
        let steps = tables.steps[frame.components[component].quantisation].as_ref();
        let (Some(steps), true) = (
            steps,
            (dc.is_some() || !is_first) && (ac.is_some() || !uses_ac),
        ) else {
            return bad("a scan without its tables");
        };
        Ok(ScanComponent {
            component,
            dc,
            ac,
            steps,
            before: 0,
        })
    }

    /// Reads every block. Returns the offset of the marker behind the scan.
    pub(super) fn walk(
        mut self,
        bytes: &[u8],
        at: usize,
        frame: &mut Frame,
        stop: &AtomicBool,
    ) -> Result<usize, RuleFailure> {
        let is_single = self.parts.len() == 1;
        let (columns, rows) = if is_single {
            let component = &frame.components[self.parts[0].component];
            (component.columns, component.rows)
        } else {
            frame.units
        };
        let mut reader = Reader {
            bits: Bits::new(bytes, at),
            empty: 0,
            power: 0,
        };
        let mut number: u64 = 0;
        for row in 0..rows {
            go_on(stop)?;
            for column in 0..columns {
                self.restart(number, &mut reader)?;
                number += 1;
                if is_single {
                    self.block(0, (column, row), frame, &mut reader)?;
                } else {
                    self.unit((column, row), frame, &mut reader)?;
                }
            }
        }
        reader.no_run()?;
        reader.bits.end()
    }

    /// Skips the restart marker before this unit, if one belongs there.
    fn restart(&mut self, number: u64, reader: &mut Reader<'_>) -> Result<(), RuleFailure> {
        let is_due = self.restart_interval > 0 && number.is_multiple_of(self.restart_interval);
        if number == 0 || !is_due {
            return Ok(());
        }
        reader.no_run()?;
        let count = number / self.restart_interval - 1;
        reader
            .bits
            .restart(u8::try_from(count % 8).unwrap_or_default())?;
        for part in &mut self.parts {
            part.before = 0;
        }
        Ok(())
    }

    /// Reads the blocks of one unit of an interleaved scan.
    fn unit(
        &mut self,
        (column, row): (usize, usize),
        frame: &mut Frame,
        reader: &mut Reader<'_>,
    ) -> Result<(), RuleFailure> {
        for part in 0..self.parts.len() {
            let component = &frame.components[self.parts[part].component];
            let (across, down) = (component.across, component.down);
            for y in 0..down {
                for x in 0..across {
                    let place = (column * across + x, row * down + y);
                    self.block(part, place, frame, reader)?;
                }
            }
        }
        Ok(())
    }

    fn block(
        &mut self,
        part: usize,
        (column, row): (usize, usize),
        frame: &mut Frame,
        reader: &mut Reader<'_>,
    ) -> Result<(), RuleFailure> {
        let low = self.low;
        let part = &mut self.parts[part];
        if self.first == 0 {
            match part.dc {
                Some(table) if !self.is_refinement => part.first(table, low, reader)?,
                _ => drop(reader.bits.take(1)?),
            }
        }
        let Some(table) = part.ac.filter(|_| self.last > 0) else {
            return Ok(());
        };
        if !self.is_progressive {
            return reader.sequential(table, part.steps);
        }
        let component: &mut Component = &mut frame.components[part.component];
        let band = (self.first, self.last);
        let not_zero = &mut component.not_zero[row * component.stride + column];
        if self.is_refinement {
            reader.refined(table, band, not_zero)
        } else {
            reader.progressive(table, band, not_zero)
        }
    }
}

impl ScanComponent<'_> {
    /// Reads the first coefficient of a block. After a gap in the data, the sum of differences soon exceeds any valid
    /// value.
    fn first(
        &mut self,
        table: &Huffman,
        low: u8,
        reader: &mut Reader<'_>,
    ) -> Result<(), RuleFailure> {
        let size = reader.bits.symbol(table)?;
        if size > MAX_DC_BITS {
            return bad(TOO_WIDE);
        }
        self.before += reader.bits.signed(size.into())?;
        reader.power = 0;
        reader.add(self.before, low, self.steps[0])
    }
}

/// The bits of a scan, and the number of empty blocks ahead.
struct Reader<'a> {
    bits: Bits<'a>,
    empty: u32,
    /// Sum of the squares of this block's coefficients so far.
    power: u64,
}

impl Reader<'_> {
    /// Adds a coefficient to the norm of the block, less half a step for rounding.
    fn add(&mut self, value: i32, low: u8, step: u16) -> Result<(), RuleFailure> {
        let step = u64::from(step) << low;
        let value = (u64::from(value.unsigned_abs()) * step).saturating_sub(step.div_ceil(2));
        self.power = self.power.saturating_add(value.saturating_mul(value));
        if self.power > MAX_NORM * MAX_NORM {
            return bad(TOO_WIDE);
        }
        Ok(())
    }

    fn no_run(&self) -> Result<(), RuleFailure> {
        if self.empty > 0 {
            return bad("a run of empty blocks goes beyond the picture");
        }
        Ok(())
    }

    /// Reads the other coefficients of a block (T.81 §F.2.2.2).
    fn sequential(&mut self, table: &Huffman, steps: &[u16; 64]) -> Result<(), RuleFailure> {
        let mut at = 1;
        while at < 64 {
            let code = self.bits.symbol(table)?;
            let (run, size) = (code >> 4, code & 15);
            match (run, size) {
                (0, 0) => return Ok(()),
                (15, 0) => at += 16,
                (_, 0) => return bad("an invalid run-length code"),
                _ => {
                    let value;
                    (at, value) = self.coefficient((at, 63), run, size)?;
                    self.add(value, 0, steps[at])?;
                    at += 1;
                }
            }
        }
        if at > 64 { bad(BEYOND) } else { Ok(()) }
    }

    /// Reads a coefficient behind a run of zeros. Returns its index and value.
    fn coefficient(
        &mut self,
        (at, last): (usize, usize),
        run: u8,
        size: u8,
    ) -> Result<(usize, i32), RuleFailure> {
        let at = at + usize::from(run);
        if at > last {
            return bad(BEYOND);
        }
        if size > MAX_AC_BITS {
            return bad(TOO_WIDE);
        }
        Ok((at, self.bits.signed(size.into())?))
    }

    /// Reads a band of coefficients for the first time (T.81 §G.1.2.2).
    fn progressive(
        &mut self,
        table: &Huffman,
        (first, last): (usize, usize),
        not_zero: &mut u64,
    ) -> Result<(), RuleFailure> {
        if self.empty > 0 {
            self.empty -= 1;
            return Ok(());
        }
        let mut at = first;
        while at <= last {
            let code = self.bits.symbol(table)?;
            let (run, size) = (code >> 4, code & 15);
            match (run, size) {
                (15, 0) => at += 16,
                (_, 0) => {
                    self.empty = (1 << run) + self.bits.take(run.into())? - 1;
                    return Ok(());
                }
                _ => {
                    (at, _) = self.coefficient((at, last), run, size)?;
                    *not_zero |= 1 << at;
                    at += 1;
                }
            }
        }
        if at > last + 1 { bad(BEYOND) } else { Ok(()) }
    }

    /// Reads one more bit of a band (T.81 §G.1.2.3).
    fn refined(
        &mut self,
        table: &Huffman,
        (first, last): (usize, usize),
        not_zero: &mut u64,
    ) -> Result<(), RuleFailure> {
        let mut at = first;
        while self.empty == 0 && at <= last {
            let code = self.bits.symbol(table)?;
            let (run, size) = (code >> 4, code & 15);
            match (run, size) {
                (15, 0) => {}
                (_, 0) => {
                    self.empty = (1 << run) + self.bits.take(run.into())?;
                    break;
                }
                (_, 1) => drop(self.bits.take(1)?),
                _ => return bad("an invalid run-length code"),
            }
            at = self.corrected(at, last, run.into(), *not_zero)?;
            if size == 1 {
                if at > last {
                    return bad(BEYOND);
                }
                *not_zero |= 1 << at;
            }
            at += 1;
        }
        if self.empty > 0 {
            self.corrected(at, last, usize::MAX, *not_zero)?;
            self.empty -= 1;
        }
        Ok(())
    }

    /// Reads a bit for each nonzero coefficient while skipping the given number of zero ones. Returns the index where
    /// it stopped.
    fn corrected(
        &mut self,
        mut at: usize,
        last: usize,
        mut zeros: usize,
        not_zero: u64,
    ) -> Result<usize, RuleFailure> {
        while at <= last {
            if not_zero >> at & 1 == 1 {
                self.bits.take(1)?;
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            at += 1;
        }
        Ok(at)
    }
}
