//! Client authentication, the same at every endpoint that asks for it.

use crate::{Call, Engine, SPANS, Workspace};
use protocol::client::Client;
use protocol::client_auth::{self, Credential, Presented, Proof, Verdict};
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::params::Params;
use protocol::single_use::SingleUse;
use std::sync::Arc;
use tracing::Instrument;

/// A client that proved itself, and what must be committed for the proof to count (a `jti`, once).
pub(crate) struct AuthenticatedClient {
    pub(crate) client: Arc<Client>,
    pub(crate) once: Vec<SingleUse>,
}

impl Engine {
    pub(crate) async fn authenticate_client(
        &self,
        workspace: &Workspace,
        presented: &Presented<'_>,
        params: &Params,
        call: &Call,
    ) -> Result<AuthenticatedClient, Refusal> {
        let by_header = presented.authorization.is_some();
        let marked = |refusal: Refusal| Refusal { by_header, ..refusal };
        let credential = client_auth::identify(presented, params).map_err(marked)?;
        let span = tracing::info_span!(target: SPANS, "client_authentication");
        let result = self.check_credential(workspace, &credential).instrument(span).await.map_err(marked);
        if let Err(refusal) = &result {
            let event = Event::new("client_authentication", "refused").client(&credential.client_id);
            self.audit.push(
                &workspace.tenant,
                Some(&workspace.server.id),
                event.reason(refusal),
                self.now(),
                call,
            );
        }
        let authenticated = result?;
        // A proof that was refused here is not used up: the same request may come again.
        self.admit_client(workspace, &authenticated.client)?;
        Ok(authenticated)
    }

    async fn check_credential(
        &self,
        workspace: &Workspace,
        credential: &Credential,
    ) -> Result<AuthenticatedClient, Refusal> {
        let client = self.client(workspace, &credential.client_id).await?;
        let keys = match (&client, &credential.proof) {
            (Some(client), Proof::Assertion(assertion)) => {
                self.authentication_keys(workspace, client, assertion).await
            }
            _ => Vec::new(),
        };
        let now = self.now();
        let mut entropy = crate::entropy::SystemEntropy::default();
        let mut cx = workspace.cx(now, &mut entropy);
        let verdict = client_auth::check(credential, client.as_deref(), &keys, &mut cx)?;
        let Some(client) = client else { return Err(Reason::ClientUnknown.into()) };
        match (verdict, &credential.proof) {
            (Verdict::Holds(once), _) => Ok(AuthenticatedClient { client, once }),
            (Verdict::CheckSecret, Proof::Secret(readings)) => {
                for secret in readings {
                    if self.hashing.verify_client_secret(secret, &client, now).await? {
                        return Ok(AuthenticatedClient { client, once: Vec::new() });
                    }
                }
                Err(Refusal::new(Reason::ClientSecretWrong).expected("one of the client's secrets"))
            }
            (Verdict::CheckSecret, _) => Err(Reason::Internal.into()),
        }
    }
}
