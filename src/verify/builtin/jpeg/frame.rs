//! The frame of the picture: its size and its components (T.81 §B.2.2).

use crate::verify::builtin::input::{RuleFailure, bad, cannot};

/// Most memory for the map of nonzero coefficients.
const MAX_BYTES: usize = 256 << 20;
/// Marks a coefficient that no scan has coded yet.
const UNCODED: u8 = u8::MAX;

/// One component, such as brightness.
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of one unit of an interleaved scan, across and down.
    pub(super) across: usize,
    pub(super) down: usize,
    pub(super) quantisation: usize,
    /// Blocks in a scan of this component alone, across and down.
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Blocks in one row of an interleaved scan.
    pub(super) stride: usize,
    /// One bit for each nonzero coefficient, one word for each block; of a progressive picture only.
    pub(super) not_zero: Vec<u64>,
    /// For each coefficient, how many of its low bits are still to come.
    missing: [u8; 64],
}

pub(super) struct Frame {
    pub(super) is_progressive: bool,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: Vec<Component>,
    /// Units of an interleaved scan, across and down.
    pub(super) units: (usize, usize),
}

impl Frame {
    /// Reads a frame header. Allocates nothing for the picture yet.
    pub(super) fn read(segment: &[u8], is_progressive: bool) -> Result<Self, RuleFailure> {
        let &[precision, h0, h1, w0, w1, count, ref specs @ ..] = segment else {
            return bad("the frame header is cut off");
        };
        let (height, width) = (u16::from_be_bytes([h0, h1]), u16::from_be_bytes([w0, w1]));
        if !matches!(count, 1..=4) || specs.len() != 3 * usize::from(count) || width == 0 {
            return bad("the frame header contradicts itself");
        }
        match (precision, height) {
            (8, 1..) => {}
            (8, 0) => return cannot("a JPEG that tells its height at its end only (DNL)"),
            (12, _) => return cannot("a JPEG with 12 bits a sample"),
            _ => return bad(format!("{precision} bits a sample")),
        }
        let mut frame = Self {
            is_progressive,
            width: width.into(),
            height: height.into(),
            components: Vec::new(),
            units: (0, 0),
        };
        for spec in specs.as_chunks::<3>().0 {
            frame.components.push(component(*spec)?);
        }
        frame.lay_out()?;
        Ok(frame)
    }

    fn lay_out(&mut self) -> Result<(), RuleFailure> {
        let components = &mut self.components;
        let across = components.iter().map(|one| one.across).max().unwrap_or(1);
        let down = components.iter().map(|one| one.down).max().unwrap_or(1);
        let (width, height) = (self.width as usize, self.height as usize);
        self.units = (width.div_ceil(8 * across), height.div_ceil(8 * down));
        for number in 0..components.len() {
            let id = components[number].id;
            if components[..number].iter().any(|other| other.id == id) {
                return bad("two components of the same name");
            }
            let one = &mut components[number];
            one.columns = (width * one.across).div_ceil(across).div_ceil(8);
            one.rows = (height * one.down).div_ceil(down).div_ceil(8);
            one.stride = self.units.0 * one.across;
        }
        Ok(())
    }

    /// Allocates the memory for a progressive picture.
    pub(super) fn reserve(&mut self) -> Result<(), RuleFailure> {
        if !self.is_progressive {
            return Ok(());
        }
        let down = self.units.1;
        let blocks = self
            .components
            .iter()
            .map(|one| one.stride * one.down * down);
        if blocks.sum::<usize>() > MAX_BYTES / size_of::<u64>() {
            return cannot(format!(
                "its scans take more than {} MiB of memory",
                MAX_BYTES >> 20
            ));
        }
        for one in &mut self.components {
            one.not_zero = vec![0; one.stride * one.down * down];
        }
        Ok(())
    }

    /// Returns whether all bits of every component's coefficients have been coded.
    pub(super) fn is_complete(&self) -> bool {
        let mut components = self.components.iter();
        components.all(|one| one.missing.iter().all(|missing| *missing == 0))
    }
}

fn component([id, sampling, quantisation]: [u8; 3]) -> Result<Component, RuleFailure> {
    let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
    if !matches!(across, 1..=4) || !matches!(down, 1..=4) || quantisation > 3 {
        return bad("the frame header contradicts itself");
    }
    Ok(Component {
        id,
        across,
        down,
        quantisation: quantisation.into(),
        columns: 0,
        rows: 0,
        stride: 0,
        not_zero: Vec::new(),
        missing: [UNCODED; 64],
    })
}

impl Component {
    /// Records that a scan codes these coefficients from bit `high` (0: for the first time) to bit `low`.
    pub(super) fn code(
        &mut self,
        band: std::ops::RangeInclusive<usize>,
        high: u8,
        low: u8,
    ) -> Result<(), RuleFailure> {
        let expected = if high == 0 { UNCODED } else { high };
        let is_early = *band.start() > 0 && self.missing[0] == UNCODED;
        if is_early
            || self.missing[band.clone()]
                .iter()
                .any(|bits| *bits != expected)
        {
            return bad("a scan that does not continue the scans before it");
        }
        self.missing[band].fill(low);
        Ok(())
    }
}
