//! Durations as the contract writes them: `1h0m0s`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::time::Duration;

/// A duration that reads and writes the form `720h0m0s`, `10m`, `1h30m`, `500ms`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

impl Span {
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    pub const fn hours(hours: u64) -> Self {
        Self::seconds(hours * 3600)
    }

    pub const fn as_secs(self) -> u64 {
        self.0.as_secs()
    }

    /// Parses `<number><unit>` pairs with the units `h`, `m`, `s`, `ms`; fractions are allowed (`1.5h`).
    pub fn parse(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self(Duration::ZERO));
        }
        let mut rest = text;
        let mut total = 0f64;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, tail) = rest.split_at_checked(digits)?;
            let unit_len = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at_checked(unit_len)?;
            let factor = match unit {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
            total += number.parse::<f64>().ok()? * factor;
            rest = tail;
        }
        Duration::try_from_secs_f64(total).ok().map(Self)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_secs();
        let (hours, minutes, seconds) = (total / 3600, total % 3600 / 60, total % 60);
        let millis = self.0.subsec_millis();
        match (hours, minutes, seconds) {
            (0, 0, 0) if millis > 0 => write!(f, "{millis}ms"),
            (0, 0, s) => write!(f, "{s}s"),
            (0, m, s) => write!(f, "{m}m{s}s"),
            (h, m, s) => write!(f, "{h}h{m}m{s}s"),
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is not a duration; write for example `1h0m0s` or `10m`"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn reads_and_writes_the_contract_form() {
        for (text, seconds, written) in [
            ("1h0m0s", 3600, "1h0m0s"),
            ("10m", 600, "10m0s"),
            ("720h", 2_592_000, "720h0m0s"),
            ("1.5h", 5400, "1h30m0s"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!(span.as_secs(), seconds);
            assert_eq!(span.to_string(), written);
        }
        for bad in ["", "h", "10", "10x", "-1h", "1h-"] {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
    }
}
