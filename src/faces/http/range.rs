//! The range of bytes that a request asks for (RFC 9110 §14). Requests for several ranges get the whole.

use axum::http::HeaderValue;

/// A range of some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// So many bytes from an offset on; at least one.
    Bytes {
        /// The offset.
        from: u64,
        /// The number of bytes.
        length: u64,
    },
    /// Nothing of the content: the range begins behind its end.
    Beyond,
}

/// Returns the range that a field asks for; `None` for one that is to be ignored.
pub(super) fn asked_range(field: &HeaderValue, size: u64) -> Option<Range> {
    let (unit, ranges) = field.to_str().ok()?.trim().split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = ranges.split_once('-').filter(|_| !ranges.contains(','))?;
    let number = |text: &str| -> Option<u64> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let length = number(last)?.min(size);
        let range = Range::Bytes {
            from: size - length,
            length,
        };
        return Some(if length == 0 { Range::Beyond } else { range });
    }
    let from = number(first)?;
    let last = if last.is_empty() {
        u64::MAX
    } else {
        number(last)?
    };
    if last < from {
        return None;
    }
    if from >= size {
        return Some(Range::Beyond);
    }
    let length = last.min(size - 1) - from + 1;
    Some(Range::Bytes { from, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let bytes = |from, length| Some(Range::Bytes { from, length });
        for (field, size, expected) in [
            ("bytes=0-0", 10, bytes(0, 1)),
            ("bytes=2-4", 10, bytes(2, 3)),
            ("bytes=2-", 10, bytes(2, 8)),
            ("bytes=-3", 10, bytes(7, 3)),
            ("bytes=-30", 10, bytes(0, 10)),
            ("bytes=8-99999999999999999999999", 10, bytes(8, 2)),
            ("bytes=10-", 10, Some(Range::Beyond)),
            ("bytes=0-", 0, Some(Range::Beyond)),
            ("bytes=-0", 10, Some(Range::Beyond)),
            ("bytes=-5", 0, Some(Range::Beyond)),
            ("Bytes=0-1", 10, bytes(0, 2)),
            ("BYTES=-3", 10, bytes(7, 3)),
            ("bytes", 10, None),
            ("bytes=4-2", 10, None),
            ("bytes=0-1,3-4", 10, None),
            ("bytes=a-b", 10, None),
            ("bytes=-", 10, None),
            ("bytes=+1-2", 10, None),
            ("lines=0-1", 10, None),
        ] {
            let field_value = HeaderValue::from_static(field);
            assert_eq!(asked_range(&field_value, size), expected, "{field}");
        }
    }
}
