//! Sender constraints: tokens that only the holder of a key may use (RFC 9700 §2.2.1). One file per way of proving that,
//! one line of [`SENDER_CONSTRAINTS`] each; grants and resources know only the [`Confirmation`] that comes out.

use crate::client::Client;
use crate::client_auth::Presented;
use crate::confirmation::{Confirmation, TokenType};
use crate::decision::Cx;
use crate::dpop::Dpop;
use crate::error::{Reason, Refusal};
use crate::profile::{self, Rules};
use crate::single_use::SingleUse;

/// A request that may prove who sends it.
pub struct SenderRequest<'a> {
    pub presented: Presented<'a>,
    pub method: &'a str,
    /// Where it went, by configuration and not by what the request says of itself.
    pub url: &'a str,
    /// The access token that it brings, at a protected resource.
    pub access_token: Option<&'a str>,
}

/// The key that a request proves to hold.
#[derive(Clone, PartialEq, Debug)]
pub struct ProvenSender {
    pub confirmation: Confirmation,
    /// Belongs into the commit of whatever the request leads to.
    pub once: Vec<SingleUse>,
}

/// One way of binding tokens to a sender.
pub trait SenderConstraint: Sync {
    /// Standard and section.
    fn clause(&self) -> &'static str;

    /// Whether every token of this client must be bound this way.
    fn is_required(&self, client: &Client) -> bool;

    /// Whether this is the way in which something was bound.
    fn is_way_of(&self, confirmation: &Confirmation) -> bool;

    /// What is said when a token is asked for or used and the proof is not there.
    fn missing(&self) -> Reason;

    /// The key that the request proves to hold; `None` when it does not try. `client` is whose request it is.
    ///
    /// # Errors
    /// It tries, and the proof does not hold.
    fn prove(
        &self,
        request: &SenderRequest<'_>,
        client: &Client,
        cx: &Cx<'_>,
    ) -> Result<Option<ProvenSender>, Refusal>;
}

/// Every sender constraint that is implemented.
pub static SENDER_CONSTRAINTS: &[&dyn SenderConstraint] = &[&Dpop];

/// The key that a request proves to hold, if it proves any.
///
/// # Errors
/// A proof that does not hold.
pub fn prove(
    request: &SenderRequest<'_>,
    client: &Client,
    cx: &Cx<'_>,
) -> Result<Option<ProvenSender>, Refusal> {
    for constraint in SENDER_CONSTRAINTS {
        if let Some(proven) = constraint.prove(request, client, cx)? {
            return Ok(Some(proven));
        }
    }
    Ok(None)
}

/// [`prove`] for a request that asks for tokens: a client that must bind them cannot get any without.
///
/// # Errors
/// A proof that does not hold, or that is not there (RFC 9449 §5.2).
pub fn prove_for_tokens(
    request: &SenderRequest<'_>,
    client: &Client,
    cx: &Cx<'_>,
) -> Result<Option<ProvenSender>, Refusal> {
    let proven = prove(request, client, cx)?;
    match required(client, cx).filter(|_| proven.is_none()) {
        Some(constraint) => Err(constraint.missing().into()),
        None => Ok(proven),
    }
}

/// The way in which a client must bind its tokens, if it must: its own, or any where
/// the profile wants one (FAPI 2.0 Security Profile §5.3.2.1).
pub fn required(client: &Client, cx: &Cx<'_>) -> Option<&'static dyn SenderConstraint> {
    let by_client = SENDER_CONSTRAINTS.iter().find(|constraint| constraint.is_required(client));
    let profiles = Rules::of(cx.server, client);
    let is_demanded = profiles.sender_constraint() == profile::SenderConstraint::DpopOrMtls;
    by_client.or_else(|| SENDER_CONSTRAINTS.first().filter(|_| is_demanded)).copied()
}

/// That an access token is used by the holder of the key that it is bound to, and in the way that its binding asks for:
/// a bound token is never a bearer token (RFC 9449 §7.2; attack DPO-13), and a scheme that promises a binding needs one.
/// Answers what counts once.
///
/// # Errors
/// Another scheme, no proof, a proof that does not hold, or another key.
pub fn check_use(
    request: &SenderRequest<'_>,
    scheme: TokenType,
    bound_to: Option<&Confirmation>,
    client: &Client,
    cx: &Cx<'_>,
) -> Result<Vec<SingleUse>, Refusal> {
    let needed = TokenType::of(bound_to);
    if scheme != needed {
        let reason = match needed {
            TokenType::Bearer => Reason::TokenNotBound,
            TokenType::Dpop => Reason::TokenBoundToKey,
        };
        return Err(Refusal::new(reason).received(scheme.scheme()).expected(needed.scheme()));
    }
    let Some(bound_to) = bound_to else { return Ok(Vec::new()) };
    let constraint = SENDER_CONSTRAINTS.iter().find(|constraint| constraint.is_way_of(bound_to));
    let constraint = constraint.ok_or(Reason::Internal)?;
    let proven = constraint.prove(request, client, cx)?.ok_or_else(|| constraint.missing())?;
    if proven.confirmation != *bound_to {
        return Err(Reason::TokenOfOtherKey.into());
    }
    Ok(proven.once)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::World;
    use crate::profile::Profile;

    fn without_proof(world: &mut World, client: &Client) -> Result<Option<ProvenSender>, Reason> {
        let presented = Presented::default();
        let request =
            SenderRequest { presented, method: "POST", url: "https://as.example/", access_token: None };
        prove_for_tokens(&request, client, &world.cx()).map_err(|refusal| refusal.reason)
    }

    /// `fapi2-security-profile-final-holder-of-key-required`.
    #[test]
    fn fapi_2_0_5_3_2_1_and_rfc9449_5_2_no_tokens_without_a_proof() {
        let mut world = World::default();
        let mut client = world.confidential();
        assert_eq!(without_proof(&mut world, &client), Ok(None));
        world.server.profile = Profile::named("fapi_20_security").unwrap();
        assert_eq!(without_proof(&mut world, &client), Err(Reason::DpopProofMissing));
        world.server.profile = Profile::default();
        client.dpop_bound_access_tokens = true;
        assert_eq!(without_proof(&mut world, &client), Err(Reason::DpopProofMissing));
    }

    #[test]
    fn dpo_13_scheme_and_binding_must_fit() {
        let mut world = World::default();
        let client = world.confidential();
        let presented = Presented::default();
        let request =
            SenderRequest { presented, method: "GET", url: "https://as.example/", access_token: Some("t") };
        let key = Confirmation::Jkt("k".to_owned());
        let mut used = |scheme, bound_to| {
            check_use(&request, scheme, bound_to, &client, &world.cx()).map_err(|refusal| refusal.reason)
        };
        assert_eq!(used(TokenType::Bearer, None), Ok(Vec::new()));
        assert_eq!(used(TokenType::Dpop, None), Err(Reason::TokenNotBound));
        assert_eq!(used(TokenType::Bearer, Some(&key)), Err(Reason::TokenBoundToKey));
        assert_eq!(used(TokenType::Dpop, Some(&key)), Err(Reason::DpopProofMissing));
    }

    #[test]
    fn every_constraint_cites_its_standard() {
        assert!(SENDER_CONSTRAINTS.iter().all(|constraint| constraint.clause().contains(" §")));
    }
}
