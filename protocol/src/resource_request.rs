//! A request at one of our own protected resources, and the access token that it brings (RFC 6750 §2, RFC 9449 §7.1).

use crate::client::Client;
use crate::client_auth::Presented;
use crate::confirmation::TokenType;
use crate::decision::Cx;
use crate::dpop;
use crate::error::{Challenge, Reason, Refusal};
use crate::profile::Rules;
use crate::sender_constraint::{SenderRequest, check_use};
use crate::single_use::SingleUse;
use crate::token::ActiveToken;

/// A request that brings an access token.
#[derive(Clone)]
pub struct ResourceRequest<'a> {
    pub presented: Presented<'a>,
    /// An access token in a form body (RFC 6750 §2.2).
    pub token_in_body: Option<&'a str>,
    pub method: &'a str,
    /// Where it went, by configuration and not by what the request says of itself.
    pub url: String,
    /// What tokens for this API alone name as `resource` (RFC 9728 §2); absent where it has no identifier.
    pub identifier: Option<String>,
}

impl<'a> ResourceRequest<'a> {
    /// The access token and how it is presented; from one place only (RFC 6750 §2).
    ///
    /// # Errors
    /// None, or two.
    pub fn token(&self) -> Result<(TokenType, &'a str), Refusal> {
        match (in_header(self.presented.authorization), self.token_in_body) {
            (Some(_), Some(_)) => Err(Refusal::new(Reason::TokenTwice).parameter("access_token")),
            (Some(found), None) => Ok(found),
            (None, Some(token)) => Ok((TokenType::Bearer, token)),
            (None, None) => {
                Err(Refusal::new(Reason::TokenMissing).expected("Authorization: Bearer <access token>"))
            }
        }
    }

    /// That the token is used by whom it is bound to. Answers what counts once.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check_sender(
        &self,
        active: &ActiveToken,
        client: &Client,
        cx: &Cx<'_>,
    ) -> Result<Vec<SingleUse>, Refusal> {
        let (scheme, token) = self.token()?;
        let (presented, method) = (self.presented, self.method);
        let request = SenderRequest { presented, method, url: &self.url, access_token: Some(token) };
        check_use(&request, scheme, active.confirmation.as_ref(), client, cx)
    }

    /// A refusal as the resource tells it: it says how to ask.
    pub fn challenge(&self, refusal: Refusal, cx: &Cx<'_>) -> Refusal {
        let scheme = in_header(self.presented.authorization).map_or(TokenType::Bearer, |(scheme, _)| scheme);
        let challenge =
            Challenge { scheme, algorithms: dpop::algorithm_names(Rules::of_workspace(cx.server)) };
        Refusal { challenge: Some(Box::new(challenge)), ..refusal }
    }
}

/// The token of an `Authorization` header, if it holds one.
pub fn in_header(authorization: Option<&str>) -> Option<(TokenType, &str)> {
    let (scheme, token) = authorization?.split_once(' ')?;
    let token = token.trim();
    TokenType::of_scheme(scheme).filter(|_| !token.is_empty()).map(|scheme| (scheme, token))
}
