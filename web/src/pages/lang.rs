//! Which language a page speaks.

use serde::{Serialize, Serializer};

/// A language with a complete message file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    #[default]
    En,
    De,
}

impl Lang {
    /// Every language, in the order of preference when a person accepts any.
    pub const ALL: &'static [Lang] = &[Lang::En, Lang::De];

    /// The BCP 47 tag for `<html lang>`, `Content-Language` and `ui_locales_supported`.
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::De => "de",
        }
    }

    /// The writing direction for `<html dir>`.
    pub const fn dir(self) -> &'static str {
        match self {
            Lang::En | Lang::De => "ltr",
        }
    }

    /// Picks the first language we have: from `ui_locales` (space-separated, best first; OIDC Core §3.1.2.1), then from
    /// `Accept-Language` (RFC 9110 §12.5.4), else English. Unknown and malformed entries are passed over, never an error.
    pub fn negotiate(ui_locales: Option<&str>, accept_language: Option<&str>) -> Lang {
        let asked = ui_locales.and_then(|tags| tags.split_ascii_whitespace().find_map(Lang::of_tag));
        asked.or_else(|| accept_language.and_then(Lang::accepted)).unwrap_or_default()
    }

    /// The language of a tag, by its primary subtag: `de-AT` is German (RFC 4647 §3.4, lookup).
    fn of_tag(tag: &str) -> Option<Lang> {
        let primary = tag.split('-').next()?;
        Lang::ALL.iter().copied().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The entry of highest quality that we speak; of equals, the first.
    fn accepted(header: &str) -> Option<Lang> {
        let mut best: Option<(Lang, u16)> = None;
        for entry in header.split(',').take(32) {
            let (range, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            let lang = match range.trim() {
                "*" => Some(Lang::default()),
                tag => Lang::of_tag(tag),
            };
            let quality = quality_thousandths(parameters);
            if let Some(lang) = lang
                && quality > best.map_or(0, |(_, quality)| quality)
            {
                best = Some((lang, quality));
            }
        }
        best.map(|(lang, _)| lang)
    }
}

impl Serialize for Lang {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.tag())
    }
}

/// `q=0.8` in thousandths; absent is 1000, unreadable 0 (RFC 9110 §12.4.2).
fn quality_thousandths(parameters: &str) -> u16 {
    let Some(value) = parameters.trim().strip_prefix("q=") else { return 1000 };
    let Ok(quality) = value.trim().parse::<f32>() else { return 0 };
    (quality.clamp(0.0, 1.0) * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_locales_come_before_accept_language() {
        assert_eq!(Lang::negotiate(Some("fr de-AT en"), Some("en")), Lang::De);
        assert_eq!(Lang::negotiate(Some("fr"), Some("de, en;q=0.5")), Lang::De);
        assert_eq!(Lang::negotiate(None, None), Lang::En);
    }

    #[test]
    fn accept_language_is_weighed_by_quality() {
        assert_eq!(Lang::negotiate(None, Some("en;q=0.4, de-DE;q=0.9, fr")), Lang::De);
        assert_eq!(Lang::negotiate(None, Some("de;q=0, *;q=0.1")), Lang::En);
        assert_eq!(Lang::negotiate(None, Some("DE")), Lang::De);
    }

    #[test]
    fn nonsense_is_english() {
        for header in ["", ";;;,,,", "q=1", "de;q=NaN", "de;q=x", "\u{202e}de", "<script>"] {
            assert_eq!(Lang::negotiate(Some(header), Some(header)), Lang::En, "{header:?}");
        }
    }
}
