//! The outbox: what leaves by itself. A row is stored in the commit of what it tells, sent at once, and sent again by
//! the background job until it arrives or is not worth it (OIDC Back-Channel Logout §2.5, §2.8).

use crate::entropy::SystemEntropy;
use crate::measures::Delivery;
use crate::{Call, Engine, EngineError, SPANS};
use protocol::backchannel_logout::{LOGOUT_TOKEN_TYPE, LogoutNotice, WAITING};
use protocol::decision::Event;
use protocol::id::{SessionId, TenantId};
use protocol::profile::Rules;
use protocol::record::{Artifact, ArtifactKind, Expect, Found, HandleHash, Lookup, Write};
use protocol::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use store::Page;
use tracing::Instrument;

/// How long an answer waits for what goes out with it, so that both arrive together.
const TOGETHER: Duration = Duration::from_secs(2);
/// Rows that one round of the job looks at; the rest is due in the next.
const ROUND: usize = 100;

/// A row of the outbox, as an administrator sees it.
pub struct WaitingNotice {
    pub id: String,
    pub notice: LogoutNotice,
    /// When the row goes, delivered or not.
    pub expires_at: Timestamp,
}

impl Engine {
    /// Sends what was just stored, and waits a little for it.
    pub(crate) async fn send_now(self: &Arc<Self>, tenant: &TenantId, stored: Vec<HandleHash>) {
        let sending: Vec<_> = stored
            .into_iter()
            .map(|hash| {
                let (engine, tenant) = (Arc::clone(self), tenant.clone());
                tokio::spawn(async move { engine.send_one(&tenant, hash).await })
            })
            .collect();
        let all = async {
            for sent in sending {
                if let Ok(Err(error)) = sent.await {
                    tracing::warn!(%error, "the outbox could not be worked on");
                }
            }
        };
        // What is late goes on by itself.
        let _ = tokio::time::timeout(TOGETHER, all).await;
    }

    /// Sends what is due, whosever it is: one round of the background job.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn send_due(&self) -> Result<(), EngineError> {
        let due = self.store.due(ArtifactKind::Outbox, self.now(), ROUND).await?;
        self.measures.outbox_due.set(i64::try_from(due.len()).unwrap_or(i64::MAX));
        for (tenant, row) in due {
            // One that cannot be worked on does not keep the others waiting.
            if let Err(error) = self.send_one(&tenant, row.hash).await {
                tracing::warn!(%tenant, %error, "a row of the outbox could not be worked on");
            }
        }
        Ok(())
    }

    /// A page of what waits to be delivered, or could not be, by identifier.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn outbox(&self, tenant: &TenantId, page: &Page) -> Result<Vec<WaitingNotice>, EngineError> {
        let rows = self.store.artifacts(tenant, ArtifactKind::Outbox, WAITING, self.now(), page).await?;
        let read = |row: Artifact| {
            let notice = row.payload()?;
            Ok(WaitingNotice { id: row.hash.key(), notice, expires_at: row.expires_at })
        };
        rows.into_iter().map(read).collect()
    }

    /// Sends one row, unless it is gone or somebody else is sending it.
    async fn send_one(&self, tenant: &TenantId, hash: HandleHash) -> Result<(), EngineError> {
        let lookup = [Lookup::Artifact(ArtifactKind::Outbox, hash)];
        let Some(Found::Artifact(Some(row), _)) = self.store.load(tenant, &lookup).await?.pop() else {
            return Ok(());
        };
        let notice = row.payload::<LogoutNotice>()?;
        // Since it was found due, somebody else may have begun to send it. The first time it is sent before it is due.
        if notice.attempts > 0 && self.now() < notice.due_at {
            return Ok(());
        }
        let notice = notice.sending(self.now());
        match self.store_row(tenant, notice.write(Expect::Revision(row.revision)), None, &notice).await {
            Err(EngineError::Conflict { .. }) => return Ok(()),
            other => other?,
        }
        let span = tracing::info_span!(target: SPANS, "outbox.deliver", postern.tenant = tenant.as_str());
        let outcome = self.deliver(tenant, &notice).instrument(span).await;
        let attempt = notice.attempts;
        let event = Event::new("backchannel_logout", if outcome.is_ok() { "delivered" } else { "failed" });
        let event = event.client(&notice.client).subject(&notice.sub).session(&SessionId::new(&notice.sid));
        match outcome {
            Ok(()) => {
                tracing::info!(client = %notice.client, attempt, "logout token delivered");
                self.measures.delivered(Delivery::Sent);
                self.store_row(tenant, gone(&row), Some(event), &notice).await
            }
            Err(why) => {
                tracing::warn!(client = %notice.client, attempt, %why, "logout token not delivered");
                let event = event.detail(format!("attempt {attempt}: {why}"));
                let failed = notice.failed(&why);
                self.measures.delivered(if failed.given_up { Delivery::GivenUp } else { Delivery::Failed });
                let noted = failed.write(Expect::Revision(row.revision.saturating_add(1)));
                match self.store_row(tenant, noted, Some(event), &notice).await {
                    // Somebody else is at it again already.
                    Err(EngineError::Conflict { .. }) => Ok(()),
                    other => other,
                }
            }
        }
    }

    /// Signs and posts the logout token. Why it did not arrive, else.
    async fn deliver(&self, tenant: &TenantId, notice: &LogoutNotice) -> Result<(), String> {
        let workspace =
            self.workspace(tenant.as_str(), notice.server.as_str()).await.map_err(|e| e.to_string())?;
        let workspace = workspace.ok_or("the workspace is gone")?;
        let client = self.client(&workspace, &notice.client).await.map_err(|e| e.to_string())?;
        let client = client.filter(|client| client.uid == notice.client_uid).ok_or("the client is gone")?;
        let (claims, alg) = {
            let mut entropy = SystemEntropy::default();
            let cx = workspace.cx(self.now(), &mut entropy);
            // OIDC Back-Channel Logout §2.4: signed like the client's ID tokens.
            let rules = Rules::of(cx.server, &client);
            (notice.claims(&cx), rules.signing_algorithm(client.id_token_signed_response_alg, &cx))
        };
        let token =
            self.sign_jwt(&workspace, alg, LOGOUT_TOKEN_TYPE, &claims).await.map_err(|e| e.to_string())?;
        let fields = [("logout_token", token.as_str())];
        let posted = self.fetch.post_form(&client.backchannel_logout_uri, &fields).await;
        match posted.map_err(|error| error.to_string())? {
            // OIDC Back-Channel Logout §2.8: 200, and 204 from some frameworks.
            200..=299 => Ok(()),
            status => Err(format!("status {status}")),
        }
    }

    async fn store_row(
        &self,
        tenant: &TenantId,
        write: Write,
        event: Option<Event>,
        notice: &LogoutNotice,
    ) -> Result<(), EngineError> {
        let call = Call::default();
        let events = event.into_iter().collect();
        self.commit(tenant, vec![write], events, Some(&notice.server), &call).await
    }
}

fn gone(row: &Artifact) -> Write {
    Write::DeleteArtifact { kind: row.kind, hash: row.hash, expect: Expect::Any }
}
