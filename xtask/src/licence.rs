//! Reads licence expressions (SPDX, with the old `/` for OR) and says whether a list of licences allows them.

/// Whether a choice within `expression` exists that consists of allowed licences only.
pub(crate) fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, allowed };
    let verdict = parser.any_of();
    verdict && parser.words.is_empty()
}

struct Parser<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl Parser<'_> {
    fn any_of(&mut self) -> bool {
        let mut verdict = self.all_of();
        while self.take("OR") {
            verdict |= self.all_of();
        }
        verdict
    }

    fn all_of(&mut self) -> bool {
        let mut verdict = self.one();
        while self.take("AND") {
            verdict &= self.one();
        }
        verdict
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let verdict = self.any_of();
            return self.take(")") && verdict;
        }
        let Some((name, rest)) = self.words.split_first() else { return false };
        self.words = rest;
        // An exception only ever gives more rights than the licence it is attached to.
        if self.take("WITH") {
            self.words = self.words.get(1..).unwrap_or_default();
        }
        self.allowed.iter().any(|allowed| allowed == name)
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

#[test]
fn expressions_are_judged() {
    let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned()];
    let judged = |expression| is_allowed(expression, &allowed);
    assert!(judged("MIT") && judged("GPL-3.0 OR MIT") && judged("Unlicense/MIT"));
    assert!(judged("(MIT OR GPL-2.0-only) AND Apache-2.0") && judged("Apache-2.0 WITH LLVM-exception"));
    assert!(!judged("GPL-3.0") && !judged("MIT AND GPL-3.0") && !judged("(MIT") && !judged(""));
    assert!(!judged("MIT OR Apache-2.0) AND (GPL-3.0"));
}
