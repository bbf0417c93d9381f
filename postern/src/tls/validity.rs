//! From when until when a certificate is valid (RFC 5280 §4.1.2.5). Only that is read here; whether a
//! certificate is genuine is rustls' business.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// A certificate's period of validity, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: OffsetDateTime,
    /// The last moment.
    pub not_after: OffsetDateTime,
}

const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Reads the validity of a DER certificate; `None` when it is not one.
pub fn validity(certificate: &[u8]) -> Option<Validity> {
    let (certificate, _) = take(certificate, SEQUENCE)?;
    let (mut fields, _) = take(certificate, SEQUENCE)?;
    if let Some((_, after)) = take(fields, EXPLICIT_VERSION) {
        fields = after;
    }
    let (_, _, fields) = element(fields)?; // serialNumber
    let (_, _, fields) = element(fields)?; // signature
    let (_, _, fields) = element(fields)?; // issuer
    let (period, _) = take(fields, SEQUENCE)?;
    let (tag, not_before, period) = element(period)?;
    let not_before = moment(tag, not_before)?;
    let (tag, not_after, _) = element(period)?;
    Some(Validity { not_before, not_after: moment(tag, not_after)? })
}

fn take(input: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(input)?;
    (tag == wanted).then_some((content, rest))
}

/// The first element of `input`: tag, content, and what follows (X.690 §8.1).
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, input) = input.split_first()?;
    let (&first, input) = input.split_first()?;
    let (length, input) = if first < 0x80 {
        (usize::from(first), input)
    } else {
        let digits = usize::from(first & 0x7f);
        let (bytes, rest) = input.split_at_checked(digits)?;
        let length = bytes
            .iter()
            .try_fold(0_usize, |length, byte| length.checked_mul(256)?.checked_add(usize::from(*byte)))?;
        (length, rest)
    };
    let (content, rest) = input.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ`, where years below 50 are of this century, or `YYYYMMDDHHMMSSZ`.
fn moment(tag: u8, content: &[u8]) -> Option<OffsetDateTime> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let year: i32 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let two = |at: usize| -> Option<u8> { rest.get(at..at + 2)?.parse().ok() };
    let date = Date::from_calendar_date(year, Month::try_from(two(0)?).ok()?, two(2)?).ok()?;
    let time = Time::from_hms(two(4)?, two(6)?, two(8)?).ok()?;
    (rest.len() == 10).then(|| date.with_time(time).assume_offset(UtcOffset::UTC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_time_are_read() {
        let utc = moment(UTC_TIME, b"261122123456Z").unwrap();
        assert_eq!(utc, moment(GENERALIZED_TIME, b"20261122123456Z").unwrap());
        assert_eq!(moment(UTC_TIME, b"500101000000Z").unwrap().year(), 1950);
        for broken in ["261122123456", "269922123456Z", "2611221234Z", "26112212345x6Z", "éé1122123456Z"] {
            assert_eq!(moment(UTC_TIME, broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_validity() {
        for input in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x89\x01", b"-----BEGIN"] {
            assert_eq!(validity(input), None);
        }
    }
}
