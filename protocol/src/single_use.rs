//! What counts once: the `jti` of a proof, remembered in the commit of whatever it lets through (house rule 3).

use crate::error::Reason;
use crate::record::Write;

/// A write that only the first one can commit, and what it means to be second. Unlike other conflicts this one does not
/// go away by loading and deciding again.
#[derive(Clone, PartialEq, Debug)]
pub struct SingleUse {
    pub write: Write,
    /// The refusal of everybody who comes later.
    pub replayed: Reason,
}
