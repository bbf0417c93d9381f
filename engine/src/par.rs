//! The pushed authorization request endpoint (RFC 9126 §2): authenticate, check, keep, answer.

use crate::entropy::SystemEntropy;
use crate::{Call, Engine, EngineError, Workspace};
use protocol::authorize::Envelope;
use protocol::client_auth::Presented;
use protocol::error::Refusal;
use protocol::par;
use protocol::params::Params;
use protocol::sender_constraint::{self, SenderRequest};
use serde::Serialize;

/// Body of a successful answer (RFC 9126 §2.2).
#[derive(Serialize)]
struct PushResponse<'a> {
    expires_in: u64,
    request_uri: &'a str,
}

impl Engine {
    /// Keeps an authorization request and answers with the JSON body of the response.
    ///
    /// # Errors
    /// Failed client authentication (attack PAR-06), or what the authorization endpoint would refuse.
    pub async fn push_authorization_request(
        &self,
        workspace: &Workspace,
        presented: &Presented<'_>,
        params: &Params,
        call: &Call,
    ) -> Result<Vec<u8>, Refusal> {
        let mut authenticated = self.authenticate_client(workspace, presented, params, call).await?;
        let request = par::request(params, &authenticated.client)?;
        // RFC 9126 §3: a request object that is pushed is the whole request.
        let whole = self.open_request_object(workspace, &request, true, &authenticated.client).await?;
        let envelope = Envelope { signed: whole.is_some(), ..Envelope::default() };
        let mut request = whole.unwrap_or(request);
        let decision = {
            let mut entropy = SystemEntropy::default();
            let mut cx = workspace.cx(self.now(), &mut entropy);
            let url = format!("{}/par", workspace.issuer);
            let sender =
                SenderRequest { presented: *presented, method: "POST", url: &url, access_token: None };
            if let Some(proven) = sender_constraint::prove(&sender, &authenticated.client, &cx)? {
                par::bind(&mut request, &proven.confirmation)?;
                authenticated.once.extend(proven.once);
            }
            par::push(&request, &envelope, &authenticated.client, &mut cx)
        };
        self.commit_once(workspace, &authenticated.once, decision.writes, decision.events, call).await?;
        let issue = decision.reply?;
        let response = PushResponse { expires_in: issue.expires_in, request_uri: &issue.request_uri };
        Ok(serde_json::to_vec(&response).map_err(|e| EngineError::Internal(e.to_string()))?)
    }
}
