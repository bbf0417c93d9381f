//! Nonces that a server gives and finds in later proofs (RFC 9449 §8, §9). They are derived from the time with a key, so
//! that nothing is stored and every node accepts those of every other.

use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::time::Timestamp;
use jose::base64url;
use std::time::Duration;

/// How long one nonce is given, in seconds; it is accepted for as long again.
const PERIOD: i64 = 120;

/// The nonce of this moment.
pub fn current(cx: &Cx<'_>) -> String {
    of(period(cx), cx)
}

/// Whether a nonce was given lately. Answers when it is accepted no more.
///
/// # Errors
/// [`Reason::DpopNonceNeeded`] with the nonce to use.
pub(super) fn check(nonce: Option<&str>, cx: &Cx<'_>) -> Result<Timestamp, Refusal> {
    let now = period(cx);
    // The next one may come from a node whose clock is a little ahead.
    let accepted = [now, now.saturating_sub(1), now.saturating_add(1)];
    let is_ours = |nonce: &str| {
        accepted.iter().any(|period| jose::constant_time_eq(of(*period, cx).as_bytes(), nonce.as_bytes()))
    };
    if nonce.is_some_and(is_ours) {
        return Ok(cx.now.plus(Duration::from_secs(3 * PERIOD.unsigned_abs())));
    }
    Err(Refusal::new(Reason::DpopNonceNeeded)
        .received(if nonce.is_some() { "another nonce" } else { "no nonce" })
        .nonce(current(cx)))
}

fn period(cx: &Cx<'_>) -> i64 {
    cx.now.seconds().div_euclid(PERIOD)
}

fn of(period: i64, cx: &Cx<'_>) -> String {
    base64url::encode(&cx.deriver.derive("dpop nonce", &period.to_string()))
}
