//! When the certificate of the service expires, and the words in which that is said before.
//!
//! Never judges whether a certificate is good for anything else.

use chrono::{DateTime, TimeDelta, Utc};
use rustls::pki_types::CertificateDer;
use yasna::tags::TAG_UTCTIME;
use yasna::{ASN1Result, BERReader, Tag};

/// The time before the end in which it is said.
const SAID_BEFORE: TimeDelta = TimeDelta::days(14);

/// Returns when the first of these certificates expires; `None` if that cannot be read.
pub(super) fn expiry(chain: &[CertificateDer<'_>]) -> Option<DateTime<Utc>> {
    let ends = chain.iter().filter_map(|one| not_after(one).ok());
    let end = ends.min()?;
    DateTime::from_timestamp(end, 0)
}

/// Returns that a certificate has expired, or is about to.
pub(super) fn expiry_words(end: DateTime<Utc>, now: DateTime<Utc>) -> Option<String> {
    let left = end - now;
    let on = end.format("%Y-%m-%d %H:%M UTC");
    let when = match left.num_days() {
        _ if left > SAID_BEFORE => return None,
        _ if left <= TimeDelta::zero() => {
            return Some(format!(
                "the certificate of the service ([http] cert) expired on {on}: clients refuse it"
            ));
        }
        0 => "within a day".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    };
    Some(format!(
        "the certificate of the service ([http] cert) expires {when}, on {on}"
    ))
}

/// Returns the end of a certificate's validity in seconds since 1970 (RFC 5280 §4.1).
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods are not general enough in their lifetimes"
)]
fn not_after(certificate: &[u8]) -> ASN1Result<i64> {
    yasna::parse_der(certificate, |reader| {
        reader.read_sequence(|certificate| {
            let end = certificate.next().read_sequence(|signed| {
                let version = Tag::context(0);
                signed.read_optional(|reader| {
                    reader.read_tagged(version, |reader| reader.read_i64())
                })?;
                let _serial = signed.next().read_der()?;
                let _algorithm = signed.next().read_der()?;
                let _issuer = signed.next().read_der()?;
                let end = signed.next().read_sequence(|validity| {
                    let _begin = validity.next().read_der()?;
                    time(validity.next())
                })?;
                while signed.read_optional(|reader| reader.read_der())?.is_some() {}
                Ok(end)
            })?;
            while certificate
                .read_optional(|reader| reader.read_der())?
                .is_some()
            {}
            Ok(end)
        })
    })
}

fn time(reader: BERReader<'_, '_>) -> ASN1Result<i64> {
    if reader.lookahead_tag()? == TAG_UTCTIME {
        return Ok(reader.read_utctime()?.datetime().unix_timestamp());
    }
    let time = reader.read_generalized_time()?;
    Ok(time.datetime().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use yasna::models::{GeneralizedTime, UTCTime};
    use yasna::{DERWriter, construct_der};

    use super::*;

    fn utc(text: &str) -> UTCTime {
        UTCTime::parse(text.as_bytes()).expect("a time")
    }

    fn general(text: &str) -> GeneralizedTime {
        GeneralizedTime::parse(text.as_bytes()).expect("a time")
    }

    /// Returns the frame of a certificate that ends at a time.
    fn made(end: impl FnOnce(DERWriter<'_>)) -> CertificateDer<'static> {
        let der = construct_der(|writer| {
            writer.write_sequence(|certificate| {
                certificate.next().write_sequence(|signed| {
                    let version = |writer: DERWriter<'_>| writer.write_i64(2);
                    signed.next().write_tagged(Tag::context(0), version);
                    signed.next().write_i64(7);
                    signed.next().write_sequence(|_| ());
                    signed.next().write_sequence(|_| ());
                    signed.next().write_sequence(|validity| {
                        validity.next().write_utctime(&utc("300101000000Z"));
                        end(validity.next());
                    });
                    signed.next().write_sequence(|_| ());
                });
                certificate.next().write_sequence(|_| ());
                certificate.next().write_bytes(b"signature");
            });
        });
        der.into()
    }

    fn day(text: &str) -> DateTime<Utc> {
        format!("{text}T00:00:00Z").parse().expect("a time")
    }

    #[test]
    fn the_first_end_of_a_chain_counts() {
        // Years from 2050 on have another form in DER.
        let near = made(|writer| writer.write_utctime(&utc("310203000000Z")));
        let far = made(|writer| writer.write_generalized_time(&general("20550607000000Z")));
        for (chain, expected) in [
            (&[near.clone()][..], Some("2031-02-03")),
            (std::slice::from_ref(&far), Some("2055-06-07")),
            (&[far.clone(), near], Some("2031-02-03")),
            (
                &[far.clone(), CertificateDer::from(vec![0x30, 0x80, 7])],
                Some("2055-06-07"),
            ),
            (&[CertificateDer::from(b"none".to_vec())], None),
            (&[], None),
        ] {
            assert_eq!(expiry(chain), expected.map(day), "{expected:?}");
        }
    }

    #[test]
    fn the_end_is_said_two_weeks_before() {
        let end = day("2031-02-28");
        for (now, expected) in [
            ("2031-02-01", None),
            ("2031-02-13", None),
            (
                "2031-02-14",
                Some("expires in 14 days, on 2031-02-28 00:00 UTC"),
            ),
            ("2031-02-27", Some("expires in 1 day, ")),
            (
                "2031-02-28",
                Some("expired on 2031-02-28 00:00 UTC: clients refuse it"),
            ),
            ("2032-01-01", Some("expired on ")),
        ] {
            let words = expiry_words(end, day(now));
            let is_as_expected = match (&words, expected) {
                (Some(words), Some(expected)) => words.contains(expected),
                (words, expected) => words.is_none() && expected.is_none(),
            };
            assert!(is_as_expected, "{now}: {words:?}");
        }
        let hours = expiry_words(end, end - TimeDelta::hours(5)).expect("words");
        assert!(hours.contains("expires within a day, on "), "{hours}");
    }
}
