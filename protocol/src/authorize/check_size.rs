//! A request has a sane size: it is kept while the user logs in, and anybody can send one (RFC 6819 §4.4.1.11).

use super::pipeline::Arrival;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

/// Names and values of all parameters together, in bytes.
const MAX_REQUEST_BYTES: usize = 32 * 1024;

pub(super) fn check(arrival: &mut Arrival<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    let bytes: usize = arrival.params.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_REQUEST_BYTES {
        return Err(Refusal::new(Reason::ParameterTooLong)
            .received(format!("{bytes} bytes"))
            .expected(format!("at most {MAX_REQUEST_BYTES} bytes in all")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn rfc6819_4_4_1_11_what_strangers_make_us_keep_is_bounded() {
        let mut trial = Trial::default();
        assert!(trial.run(&[("state", &"s".repeat(30_000))]).is_ok());
        assert_eq!(trial.page(&[("state", &"s".repeat(33_000))]), Reason::ParameterTooLong);
        assert_eq!(trial.page(&[("unheard_of", &"s".repeat(33_000))]), Reason::ParameterTooLong);
    }
}
