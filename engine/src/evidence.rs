//! Gathers what a grant needs beside stored records, once per request, before it decides.

use crate::password::PasswordCheck;
use crate::{Call, Engine, EngineError, Workspace};
use protocol::client::Client;
use protocol::error::{Reason, Refusal};
use protocol::grant::{Evidence, Grant, Need, Person};
use protocol::id::TenantId;
use protocol::params::Params;
use protocol::record::{Found, Lookup, ancestors};

impl Engine {
    pub(crate) async fn evidence(
        &self,
        workspace: &Workspace,
        grant: &dyn Grant,
        params: &Params,
        client: &Client,
        call: &Call,
    ) -> Result<Evidence, Refusal> {
        let mut evidence = Evidence::default();
        for need in grant.needs() {
            match *need {
                Need::AccessToken(name) => {
                    let Some(token) = params.get(name) else { continue };
                    let active = self.fresh_token(workspace, token).await.map(|(active, _)| active);
                    // That we could not look is no fault of the token.
                    if let Err(refusal) = &active
                        && refusal.status() >= 500
                    {
                        return Err(refusal.clone());
                    }
                    evidence.access_tokens.push((name, active));
                }
                Need::ClientKeys(name) => {
                    let Some(token) = params.get(name) else { continue };
                    let Ok(jwt) = jose::UnverifiedJwt::parse(token) else { continue };
                    evidence.client_keys = self.client_keys(client, jwt.header().kid.as_deref()).await;
                }
                Need::Password => evidence.person = self.person(workspace, params, client, call).await?,
            }
        }
        Ok(evidence)
    }

    /// The person of `username` and `password`; `None` when one was not sent.
    async fn person(
        &self,
        workspace: &Workspace,
        params: &Params,
        client: &Client,
        call: &Call,
    ) -> Result<Option<Result<Person, Refusal>>, Refusal> {
        let (Some(username), Some(password)) = (params.get("username"), params.get("password")) else {
            return Ok(None);
        };
        let typed = (username, password);
        Ok(Some(match self.check_password(workspace, typed, Some(&client.client_id), call).await? {
            PasswordCheck::Fits { subject, writes, .. } => Ok(Person { subject, writes }),
            // RFC 6749 §5.2: credentials of a person that do not fit are an invalid grant.
            PasswordCheck::Refused(refusal) if refusal.reason == Reason::CredentialsWrong => {
                Err(Reason::PasswordWrong.into())
            }
            PasswordCheck::Refused(refusal) if refusal.reason == Reason::LoginClosed => {
                let closed = Refusal::new(Reason::PasswordWrong).received(refusal.entry().description);
                Err(closed.expected(refusal.entry().fix))
            }
            PasswordCheck::Refused(refusal) => Err(refusal),
        }))
    }

    /// Loads, and then the grants from which the grants that were found were exchanged: a token counts only while
    /// they all live.
    pub(crate) async fn load_with_ancestors(
        &self,
        tenant: &TenantId,
        lookups: &[Lookup],
    ) -> Result<Vec<Found>, EngineError> {
        let mut found = self.store.load(tenant, lookups).await?;
        let further = ancestors(&found);
        if !further.is_empty() {
            found.extend(self.store.load(tenant, &further).await?);
        }
        Ok(found)
    }
}
