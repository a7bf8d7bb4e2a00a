//! Decodes an XML document to UTF-8, from the encoding that a byte order mark or the declaration names (XML 1.0
//! §4.3.3).

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::domain::truncate_line;
use crate::verify::builtin::input::{Damage, PIECE_BYTES, RuleFailure, bad, cannot};

/// Longest XML declaration.
const MAX_DECLARATION_BYTES: u64 = 1 << 10;

/// A document as UTF-8, without its byte order mark.
pub(super) struct Characters<R> {
    stream: R,
    /// Bytes read from the stream, and how many of them are decoded.
    input: Vec<u8>,
    taken: usize,
    output: Vec<u8>,
    given: usize,
    decoder: Decoder,
    name: &'static str,
    /// Refuse bytes beyond ASCII.
    only_ascii: bool,
    offset: u64,
    is_done: bool,
}

impl<R: Read> Characters<R> {
    /// Detects the encoding from the beginning of the stream.
    pub(super) fn new(mut stream: R) -> Result<Self, RuleFailure> {
        let mut input = Vec::new();
        stream
            .by_ref()
            .take(MAX_DECLARATION_BYTES)
            .read_to_end(&mut input)?;
        let (encoding, mark) = by_first_bytes(&input)?;
        let declared = declared(&input, encoding);
        let (encoding, only_ascii) = agreed(encoding, mark, declared.as_deref())?;
        Ok(Self {
            stream,
            taken: mark,
            offset: mark as u64,
            input,
            output: Vec::new(),
            given: 0,
            decoder: encoding.new_decoder_without_bom_handling(),
            name: encoding.name(),
            only_ascii,
            is_done: false,
        })
    }

    fn decode(&mut self) -> io::Result<()> {
        if self.taken == self.input.len() {
            self.input.resize(PIECE_BYTES, 0);
            let count = self.stream.read(&mut self.input)?;
            self.input.truncate(count);
            self.taken = 0;
        }
        let input = &self.input[self.taken..];
        let last = input.is_empty();
        if self.only_ascii
            && let Some(at) = input.iter().position(|byte| !byte.is_ascii())
        {
            let offset = self.offset + at as u64;
            return Err(Damage(format!(
                "the byte at offset {offset} is no ASCII, as it says it is"
            ))
            .into());
        }
        self.output.resize(3 * PIECE_BYTES, 0);
        let (result, read, written) =
            self.decoder
                .decode_to_utf8_without_replacement(input, &mut self.output, last);
        self.taken += read;
        self.offset += read as u64;
        self.output.truncate(written);
        self.given = 0;
        self.is_done = last;
        if let DecoderResult::Malformed(length, behind) = result {
            let offset = self
                .offset
                .saturating_sub(u64::from(length) + u64::from(behind));
            let why = format!("the byte at offset {offset} is no {}", self.name);
            return Err(Damage(why).into());
        }
        Ok(())
    }
}

impl<R: Read> Read for Characters<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.output.len() && !self.is_done {
            self.decode()?;
        }
        let rest = &self.output[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

/// Detects the encoding by a byte order mark, or by the first bytes of a declaration (XML 1.0 §F.1). Returns the
/// length of the mark too.
fn by_first_bytes(input: &[u8]) -> Result<(Option<&'static Encoding>, usize), RuleFailure> {
    match input {
        [0, 0, 0xFE, 0xFF, ..]
        | [0xFF, 0xFE, 0, 0, ..]
        | [0, 0, 0, b'<', ..]
        | [b'<', 0, 0, 0, ..] => cannot("UTF-32, which this rule does not read"),
        [0x4C, 0x6F, 0xA7, 0x94, ..] => cannot("EBCDIC, which this rule does not read"),
        [0xEF, 0xBB, 0xBF, ..] => Ok((Some(UTF_8), 3)),
        [0xFF, 0xFE, ..] => Ok((Some(UTF_16LE), 2)),
        [0xFE, 0xFF, ..] => Ok((Some(UTF_16BE), 2)),
        [b'<', 0, b'?', 0, ..] => Ok((Some(UTF_16LE), 0)),
        [0, b'<', 0, b'?', ..] => Ok((Some(UTF_16BE), 0)),
        _ => Ok((None, 0)),
    }
}

/// Returns the encoding named in the declaration.
fn declared(input: &[u8], encoding: Option<&'static Encoding>) -> Option<String> {
    let text = match encoding {
        Some(encoding) => encoding.decode(input).0,
        None => String::from_utf8_lossy(input),
    };
    let declaration = text.trim_start_matches('\u{FEFF}').strip_prefix("<?xml")?;
    let (declaration, _) = declaration.split_once("?>")?;
    let (before, value) = declaration.split_once("encoding")?;
    before
        .ends_with(|c: char| c.is_ascii_whitespace())
        .then_some(())?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, _) = value[1..].split_once(quote)?;
    Some(name.to_owned())
}

/// Returns the encoding on which bytes and declaration agree, and whether the document must be ASCII.
fn agreed(
    found: Option<&'static Encoding>,
    mark: usize,
    declared: Option<&str>,
) -> Result<(&'static Encoding, bool), RuleFailure> {
    let Some(name) = declared else {
        return match found {
            Some(wide) if wide != UTF_8 && mark == 0 => bad("UTF-16 without a byte order mark"),
            found => Ok((found.unwrap_or(UTF_8), false)),
        };
    };
    let upper = name.to_ascii_uppercase();
    let is_wide = found.is_some_and(|found| found != UTF_8);
    let encoding = match upper.as_str() {
        "UTF-16" | "ISO-10646-UCS-2" if mark > 0 && is_wide => found,
        "UTF-16" | "ISO-10646-UCS-2" => {
            return bad(format!(
                "says it is {upper}, and has no byte order mark of it"
            ));
        }
        "US-ASCII" | "ASCII" if found.is_none() => return Ok((UTF_8, true)),
        _ => Encoding::for_label_no_replacement(name.as_bytes()),
    };
    match (encoding, found) {
        (None, _) => cannot(format!(
            "the encoding `{}`, which this rule does not read",
            truncate_line(&name)
        )),
        (Some(said), Some(found)) if said != found => bad(format!(
            "says it is {}, and is {}",
            said.name(),
            found.name()
        )),
        (Some(said), None) if said == UTF_16LE || said == UTF_16BE => {
            bad(format!("says it is {}, and is not", said.name()))
        }
        (Some(said), _) => Ok((said, false)),
    }
}
