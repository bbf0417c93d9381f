//! The house rules that a compiler does not check, each as one test whose message says how to mend it.
//!
//! Needs nothing but the sources and Cargo, offline. Run it alone with `cargo xtask tidy`.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod purity;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod source;
#[cfg(test)]
mod words;

/// Fails with the rule, how to mend a violation, and where the violations are.
#[track_caller]
fn assert_none(rule: &str, mend: &str, violations: &[String]) {
    assert!(violations.is_empty(), "\n\n  rule: {rule}\n  mend: {mend}\n\n  {}\n", violations.join("\n  "));
}
