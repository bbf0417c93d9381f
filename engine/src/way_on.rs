//! Where a person goes on whom a page can only tell that nothing goes on here.

use crate::authorize::{AuthorizeAnswer, Standing};
use crate::{Engine, EngineError, Workspace, seal};
use protocol::authorize::{Interaction, VerifiedRedirect};
use protocol::client::Client;
use protocol::error::Reason;
use protocol::par::PushedRequest;
use protocol::record::ArtifactKind;
use protocol::response_mode::Outgoing;
use protocol::third_party_login::{initiate_login, way_to};
use std::sync::Arc;

/// What the sealed copy of a request in the forms of a login is sealed for.
const RESUME: &str = "resume";

/// A link on the page.
pub enum WayOn {
    /// To the authorization endpoint, with the same request.
    StartAgain { query: String },
    /// To an address of the application.
    Client { uri: String },
}

/// Seals the request of a login for its forms.
pub(crate) fn seal_request(workspace: &Workspace, query: &str) -> Result<String, EngineError> {
    Ok(seal::seal(&workspace.deriver, RESUME, query.as_bytes())?)
}

/// The request that a form brought along.
pub(crate) fn request_of(workspace: &Workspace, resume: Option<&str>) -> Option<String> {
    let plain = seal::open(&workspace.deriver, RESUME, resume?).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

impl Engine {
    /// The answer to a browser without the cookie that the login is bound to (RFC 9700 §4.7). Who brings the form of the
    /// login knows its request, and may start it again; who brings the address alone learns nothing of the request.
    pub(crate) async fn other_browser(
        &self,
        workspace: &Workspace,
        interaction: &Interaction,
        client: Arc<Client>,
        resume: Option<&str>,
    ) -> Result<AuthorizeAnswer, EngineError> {
        let brought = request_of(workspace, resume).filter(|query| *query == interaction.query);
        let way_on = match brought {
            Some(query) if self.can_start_again(workspace, interaction).await? => {
                Some(WayOn::StartAgain { query })
            }
            _ => way_to_client(workspace, &client, &interaction.request.target.redirect),
        };
        let refusal = Reason::InteractionOfOtherBrowser.into();
        Ok(AuthorizeAnswer::Refused { refusal, client: Some(client), way_on })
    }

    /// Whether a browser that knows nothing of the login may open its request once more: a pushed one has its time.
    async fn can_start_again(
        &self,
        workspace: &Workspace,
        interaction: &Interaction,
    ) -> Result<bool, EngineError> {
        let Some(reference) = interaction.pushed() else { return Ok(true) };
        let artifact = self.artifact(workspace, ArtifactKind::PushedRequest, reference).await?;
        let Some(artifact) = artifact else { return Ok(false) };
        Ok(self.now() < artifact.payload::<PushedRequest>()?.expires_at)
    }
}

/// The answer to who comes back to a login whose pushed request is used up. There is no second code (decisions 9): the
/// application begins a new login where it can be asked to (OIDC Core §4), else a page leads on to it.
pub(crate) fn finished(
    workspace: &Workspace,
    client: &Arc<Client>,
    redirect: &VerifiedRedirect,
) -> AuthorizeAnswer {
    if let Some(location) = initiate_login(client, &workspace.issuer) {
        let outgoing = Outgoing::Redirect(location);
        return AuthorizeAnswer::Respond { outgoing, targets: Vec::new(), browser_state: None };
    }
    AuthorizeAnswer::Refused {
        refusal: Reason::LoginFinished.into(),
        client: Some(Arc::clone(client)),
        way_on: way_to_client(workspace, client, redirect),
    }
}

/// The answer to a login whose pushed request another tab has used up; a request that began no login is as unknown as any.
pub(crate) fn answered_elsewhere(standing: &Standing<'_>) -> AuthorizeAnswer {
    match standing.open {
        Some(_) => finished(standing.workspace, standing.client, &standing.request.target.redirect),
        None => AuthorizeAnswer::refused(Reason::RequestUriUnknown),
    }
}

fn way_to_client(workspace: &Workspace, client: &Client, redirect: &VerifiedRedirect) -> Option<WayOn> {
    way_to(client, redirect, &workspace.issuer).map(|uri| WayOn::Client { uri })
}
