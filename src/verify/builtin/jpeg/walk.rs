//! From segment to segment (T.81 §B.1.1), up to the end of the picture.

use std::sync::atomic::AtomicBool;

use super::frame::Frame;
use super::huffman::Huffman;
use super::scan::Scan;
use super::tables::Tables;
use crate::verify::builtin::input::{RuleFailure, bad, cannot};

/// Reads the file up to its end marker, and returns width and height.
///
/// `allow` may refuse a size before any of the picture is read.
pub(in crate::verify::builtin) fn check(
    bytes: &[u8],
    stop: &AtomicBool,
    allow: impl FnOnce(u32, u32) -> Result<(), RuleFailure>,
) -> Result<(u32, u32), RuleFailure> {
    let mut walk = Walk { bytes, at: 0 };
    let mut allow = Some(allow);
    let mut tables = Tables::default();
    let mut frame: Option<Frame> = None;
    if walk.marker()? != 0xD8 {
        return bad("does not begin as a JPEG");
    }
    loop {
        let code = walk.marker()?;
        match (code, &mut frame) {
            (0xD9, Some(frame)) => return complete(frame),
            (0xD9, None) => return bad("without a picture"),
            (0x00..=0xBF | 0xD0..=0xD8, _) => return misplaced(code),
            (0xC0..=0xC2, None) => {
                let read = Frame::read(walk.segment()?, code == 0xC2)?;
                if let Some(allow) = allow.take() {
                    allow(read.width, read.height)?;
                }
                frame.insert(read).reserve()?;
            }
            (0xDA, Some(frame)) => {
                let scan = Scan::read(walk.segment()?, frame, &tables)?;
                walk.at = scan.walk(bytes, walk.at, frame, stop)?;
            }
            (0xC4, _) => huffman_tables(walk.segment()?, &mut tables)?,
            (0xDB, _) => quantisation_tables(walk.segment()?, &mut tables)?,
            (0xDD, _) => tables.restart_interval = restart_interval(walk.segment()?)?,
            // Application data, comments.
            (0xE0..=0xEF | 0xFE, _) => drop(walk.segment()?),
            (_, None) if code != 0xDA && code != 0xDC => return cannot(unsupported(code)),
            _ => return misplaced(code),
        }
    }
}

fn misplaced<T>(code: u8) -> Result<T, RuleFailure> {
    bad(format!("marker {code:02X} where none may be"))
}

fn complete(frame: &Frame) -> Result<(u32, u32), RuleFailure> {
    if frame.is_complete() {
        return Ok((frame.width, frame.height));
    }
    bad("cut off: not all scans of the picture are there")
}

fn unsupported(code: u8) -> &'static str {
    match code {
        0xC9 | 0xCA | 0xCC => "a JPEG with arithmetic coding",
        0xC3 | 0xC7 | 0xCB | 0xCF | 0xF7 => "a lossless JPEG",
        0xC5 | 0xC6 | 0xCD | 0xCE | 0xDE | 0xDF => "a hierarchical JPEG",
        _ => "a JPEG with extensions",
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    /// Reads a marker, and the fill bytes before it.
    fn marker(&mut self) -> Result<u8, RuleFailure> {
        let rest = &self.bytes[self.at..];
        let fill = rest.iter().take_while(|byte| **byte == 0xFF).count();
        match rest.get(fill) {
            None => bad("cut off before its end"),
            Some(_) if fill == 0 => bad(format!("no marker at offset {}", self.at)),
            Some(code) => {
                self.at += fill + 1;
                Ok(*code)
            }
        }
    }

    /// Reads a segment behind its marker. Returns the content of the segment.
    fn segment(&mut self) -> Result<&'a [u8], RuleFailure> {
        let rest = &self.bytes[self.at..];
        let length = rest.first_chunk().map(|two| u16::from_be_bytes(*two));
        let Some(segment) = length.and_then(|length| rest.get(..length.into())) else {
            return bad("cut off before its end");
        };
        self.at += segment.len();
        match segment.get(2..) {
            Some(content) => Ok(content),
            None => bad("a segment of impossible length"),
        }
    }
}

fn huffman_tables(mut segment: &[u8], tables: &mut Tables) -> Result<(), RuleFailure> {
    while let Some((name, rest)) = segment.split_first() {
        let (table, rest) = Huffman::read(rest)?;
        let (class, number) = (name >> 4, usize::from(name & 15));
        let place = match class {
            0 => tables.dc.get_mut(number),
            1 => tables.ac.get_mut(number),
            _ => None,
        };
        let Some(place) = place else {
            return bad("a Huffman table of impossible number");
        };
        *place = Some(table);
        segment = rest;
    }
    Ok(())
}

fn restart_interval(segment: &[u8]) -> Result<u64, RuleFailure> {
    match segment.try_into() {
        Ok(interval) => Ok(u16::from_be_bytes(interval).into()),
        Err(_) => bad("a restart interval of another length"),
    }
}

fn quantisation_tables(mut segment: &[u8], tables: &mut Tables) -> Result<(), RuleFailure> {
    while let Some((name, rest)) = segment.split_first() {
        let wide = name >> 4 == 1;
        let length = if wide { 128 } else { 64 };
        let place = tables.steps.get_mut(usize::from(name & 15));
        let (Some(place), 0 | 1, Some((table, rest))) =
            (place, name >> 4, rest.split_at_checked(length))
        else {
            return bad("a quantisation table is cut off, or has an impossible number");
        };
        let mut steps = [0; 64];
        for (step, bytes) in steps.iter_mut().zip(table.chunks(length / 64)) {
            *step = bytes
                .iter()
                .fold(0, |step, byte| step << 8 | u16::from(*byte));
        }
        if steps.contains(&0) {
            return bad("a quantisation table has a step of 0");
        }
        *place = Some(steps);
        segment = rest;
    }
    Ok(())
}
