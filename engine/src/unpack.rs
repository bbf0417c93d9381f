//! What an authorization request stands for: its parameters may be those of a request that was pushed (RFC 9126 §4),
//! or be in a request object (OIDC Core §6, RFC 9101).

use crate::authorize::Browser;
use crate::entropy::SystemEntropy;
use crate::interaction::with_prompt;
use crate::{Engine, EngineError, Workspace};
use protocol::authorize::{Envelope, Interaction, Unpacked, VerifiedRedirect};
use protocol::client::Client;
use protocol::error::{Reason, Refusal};
use protocol::par;
use protocol::params::Params;
use protocol::record::{Artifact, ArtifactKind, Found, HandleHash, Lookup};

/// Names a login in progress whose request is to be started again. It counts only beside what it was unpacked from,
/// which may have expired meanwhile, and only in the browser that began it.
const LOGIN_ID: &str = "login_id";

/// A request as the rules see it.
pub(crate) struct Arrived {
    pub(crate) params: Params,
    pub(crate) envelope: Envelope,
    /// Set when what the browser brought was not the whole request.
    pub(crate) unpacked: Option<Unpacked>,
    /// Set when it is that of a login here which has been answered: where the answer went.
    pub(crate) answered: Option<VerifiedRedirect>,
}

impl Arrived {
    fn plain(sent: &Params) -> Self {
        Self { params: sent.clone(), envelope: Envelope::default(), unpacked: None, answered: None }
    }

    fn faulty(sent: &Params, pushed: bool, fault: Refusal) -> Self {
        Self { envelope: Envelope { pushed, fault: Some(fault), ..Envelope::default() }, ..Self::plain(sent) }
    }

    fn unpacked(params: Params, pushed: Option<HandleHash>) -> Self {
        let unpacked = Some(Unpacked { query: params.to_query(), pushed });
        let envelope = Envelope { pushed: pushed.is_some(), signed: pushed.is_none(), fault: None };
        Self { params, envelope, unpacked, answered: None }
    }
}

impl Engine {
    /// Finds what the parameters of a browser stand for. What cannot be had is a fault for the rules to tell.
    ///
    /// # Errors
    /// Only failures of the server.
    pub(crate) async fn unpack(
        &self,
        workspace: &Workspace,
        sent: &Params,
        client: Option<&Client>,
        browser: &Browser,
    ) -> Result<Arrived, EngineError> {
        let (Some(client), true) = (client, is_packed(sent)) else { return Ok(Arrived::plain(sent)) };
        if let Some(arrived) = self.unpacked_before(workspace, sent, client, browser).await? {
            return Ok(arrived);
        }
        match sent.get("request_uri").and_then(par::reference) {
            Some(reference) if sent.get("request").is_none() => {
                self.open_pushed(workspace, sent, reference, client).await
            }
            _ => Ok(match self.open_request_object(workspace, sent, false, client).await {
                Ok(Some(params)) => Arrived::unpacked(params, None),
                Ok(None) => Arrived::plain(sent),
                Err(fault) => Arrived::faulty(sent, false, fault),
            }),
        }
    }

    async fn open_pushed(
        &self,
        workspace: &Workspace,
        sent: &Params,
        reference: HandleHash,
        client: &Client,
    ) -> Result<Arrived, EngineError> {
        let artifact = self.artifact(workspace, ArtifactKind::PushedRequest, reference).await?;
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        Ok(match par::open(artifact.as_ref(), client, &cx) {
            Ok(params) => Arrived::unpacked(params, Some(reference)),
            Err(fault) => Arrived::faulty(sent, true, fault),
        })
    }

    /// The request of a login that starts again: the same, unless its pushed request has been answered meanwhile.
    async fn unpacked_before(
        &self,
        workspace: &Workspace,
        sent: &Params,
        client: &Client,
        browser: &Browser,
    ) -> Result<Option<Arrived>, EngineError> {
        let (Some(login_id), Some(browser)) = (sent.get(LOGIN_ID), &browser.browser) else { return Ok(None) };
        let hash = HandleHash::of(login_id);
        let artifact = self.artifact(workspace, ArtifactKind::Interaction, hash).await?;
        let Some(artifact) = artifact.filter(|artifact| self.now() < artifact.expires_at) else {
            return Ok(None);
        };
        let interaction: Interaction = artifact.payload()?;
        let is_ours = interaction.server_uid == workspace.server.uid
            && interaction.client_uid == client.uid
            && jose::constant_time_eq(&HandleHash::of(browser).0, &interaction.browser.0);
        let Some(unpacked) = interaction.unpacked.filter(|_| is_ours) else { return Ok(None) };
        if let Some(reference) = unpacked.pushed
            && !self.is_pushed(workspace, reference).await?
        {
            let fault = Refusal::new(Reason::LoginFinished).parameter("request_uri");
            let answered = Some(interaction.request.target.redirect);
            return Ok(Some(Arrived { answered, ..Arrived::faulty(sent, true, fault) }));
        }
        let query = match sent.get("prompt") {
            Some(prompt @ ("login" | "consent")) => with_prompt(&unpacked.query, prompt),
            _ => unpacked.query,
        };
        let Ok(params) = Params::parse(query.as_bytes()) else { return Ok(None) };
        Ok(Some(Arrived::unpacked(params, unpacked.pushed)))
    }

    /// Whether the pushed request has not been answered yet.
    pub(crate) async fn is_pushed(
        &self,
        workspace: &Workspace,
        reference: HandleHash,
    ) -> Result<bool, EngineError> {
        Ok(self.artifact(workspace, ArtifactKind::PushedRequest, reference).await?.is_some())
    }

    /// The artifact of a hash, whoever handed it out.
    pub(crate) async fn artifact(
        &self,
        workspace: &Workspace,
        kind: ArtifactKind,
        hash: HandleHash,
    ) -> Result<Option<Artifact>, EngineError> {
        match self.store.load(&workspace.tenant, &[Lookup::Artifact(kind, hash)]).await?.pop() {
            Some(Found::Artifact(artifact, _)) => Ok(artifact),
            _ => Ok(None),
        }
    }
}

fn is_packed(sent: &Params) -> bool {
    sent.get("request_uri").or_else(|| sent.get("request")).is_some()
}

/// What the browser brought, without what an earlier start of the same request added.
pub(crate) fn as_first_sent(sent: &Params) -> String {
    if !is_packed(sent) || sent.get(LOGIN_ID).is_none() {
        return sent.to_query();
    }
    let mut first = Params::default();
    for (name, value) in sent.iter().filter(|(name, _)| ![LOGIN_ID, "prompt"].contains(name)) {
        // Already parsed once: nothing is repeated here that was not allowed before.
        let _ = first.push(name.to_owned(), value.to_owned());
    }
    first.to_query()
}

/// The query that starts the request of a login again.
pub(crate) fn restart(interaction: &Interaction, login_id: &str) -> String {
    match (&interaction.unpacked, Params::parse(interaction.query.as_bytes())) {
        (Some(_), Ok(mut params)) => {
            // A query that names a login already is one that somebody else wrote: it is left as it is.
            let _ = params.push(LOGIN_ID.to_owned(), login_id.to_owned());
            params.to_query()
        }
        _ => interaction.query.clone(),
    }
}
