//! The single sign-on session behind the cookie.

use crate::entropy::SystemEntropy;
use crate::{Call, Engine, EngineError, Workspace};
use protocol::backchannel_logout::LogoutNotice;
use protocol::client::Client;
use protocol::decision::{Event, Handle, Subjects};
use protocol::frontchannel_logout;
use protocol::grant_record::GrantRecord;
use protocol::id::{SessionId, Uid};
use protocol::record::{ArtifactKind, Expect, Found, GrantSelector, HandleHash, Lookup, Write};
use protocol::session::Session;
use protocol::subject::Subject;
use protocol::time::Timestamp;
use protocol::unknown_members::UnknownMembers;
use std::sync::Arc;

/// Grants of one session that a logout looks at.
const MAX_GRANTS_PER_SESSION: usize = 1000;

/// A living session and the hash of its handle.
pub(crate) struct LiveSession {
    pub(crate) session: Session,
    pub(crate) hash: HandleHash,
    pub(crate) revision: i64,
}

impl Engine {
    /// The session behind a cookie's value, if it is alive in this workspace.
    pub(crate) async fn session(
        &self,
        workspace: &Workspace,
        cookie: Option<&str>,
    ) -> Result<Option<LiveSession>, EngineError> {
        let Some(cookie) = cookie else { return Ok(None) };
        let hash = HandleHash::of(cookie);
        let lookup = [Lookup::Artifact(ArtifactKind::Session, hash)];
        let found = self.store.load(&workspace.tenant, &lookup).await?.pop();
        let Some(Found::Artifact(Some(artifact), _)) = found else { return Ok(None) };
        let session: Session = artifact.payload()?;
        let revision = artifact.revision;
        Ok(is_alive(&session, workspace, self.now()).then_some(LiveSession { session, hash, revision }))
    }

    /// Notes that the session was used, which its idle life counts from.
    pub(crate) async fn note_use(
        &self,
        workspace: &Workspace,
        live: &LiveSession,
        call: &Call,
    ) -> Result<(), EngineError> {
        let Some(used) = live.session.used(&workspace.server, self.now()) else { return Ok(()) };
        let artifact = used.artifact(live.hash, &workspace.server);
        let write = Write::PutArtifact { artifact, expect: Expect::Revision(live.revision) };
        match self.commit_decision(workspace, vec![write], Vec::new(), call).await {
            // Another tab noted it, or the session has just ended.
            Err(EngineError::Conflict { .. }) => Ok(()),
            other => other,
        }
    }

    /// Ends the session of a browser, if there is one; what its applications want loaded there.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn end_session(
        self: &Arc<Self>,
        workspace: &Workspace,
        cookie: Option<&str>,
        call: &Call,
    ) -> Result<Vec<String>, EngineError> {
        match self.session(workspace, cookie).await? {
            Some(live) => self.end(workspace, &live, call).await,
            None => Ok(Vec::new()),
        }
    }

    /// Ends the session and the grants that live by it, and tells its applications: those with a back channel at once,
    /// those with a front channel by the addresses that are answered, which only this session's browser can load.
    /// Grants with `offline_access` go on: that is what the user agreed to (OIDC Back-Channel Logout §2.7).
    pub(crate) async fn end(
        self: &Arc<Self>,
        workspace: &Workspace,
        live: &LiveSession,
        call: &Call,
    ) -> Result<Vec<String>, EngineError> {
        let sid = live.session.subject.sid.clone();
        let selector = GrantSelector::Session(workspace.server.id.clone(), sid);
        let grants = self.store.grants(&workspace.tenant, &selector, MAX_GRANTS_PER_SESSION).await?;
        let (kind, at) = (ArtifactKind::Session, self.now());
        let mut writes = vec![Write::DeleteArtifact { kind, hash: live.hash, expect: Expect::Any }];
        let (mut told, mut front_channel) = (Vec::new(), Vec::new());
        for client in self.clients_of(workspace, &grants).await? {
            let mut entropy = SystemEntropy::default();
            let notice = LogoutNotice::new(&client, &live.session, &mut workspace.cx(at, &mut entropy));
            told.extend(notice);
            front_channel.extend(frontchannel_logout::address(&client, &live.session, &workspace.issuer));
        }
        writes.extend(told.iter().map(|notice| notice.write(Expect::Absent)));
        let ending = grants.into_iter().filter(|g| !g.body.scope.contains("offline_access"));
        writes.extend(ending.map(|grant| Write::RevokeGrant { id: grant.id, at }));
        let event = Event::new("session", "ended").person(&live.session.subject);
        self.commit_decision(workspace, writes, vec![event], call).await?;
        self.send_now(&workspace.tenant, told.iter().map(LogoutNotice::hash).collect()).await;
        Ok(front_channel)
    }

    /// The clients that the grants were given to, each once; none that only bears the name of one.
    async fn clients_of(
        &self,
        workspace: &Workspace,
        grants: &[GrantRecord],
    ) -> Result<Vec<Arc<Client>>, EngineError> {
        let mut clients: Vec<Arc<Client>> = Vec::new();
        for grant in grants {
            if clients.iter().any(|client| client.client_id == grant.client) {
                continue;
            }
            let client = self.known_client(workspace, &grant.client).await?;
            clients.extend(client.filter(|client| grant.belongs_to(client, &workspace.server)));
        }
        Ok(clients)
    }
}

fn is_alive(session: &Session, workspace: &Workspace, now: Timestamp) -> bool {
    session.server == workspace.server.id
        && session.server_uid == workspace.server.uid
        && !session.is_over(&workspace.server, now)
        && workspace.idp_uid(&session.subject) == Some(&session.idp_uid)
        && workspace.still_exists(&session.subject)
}

/// A new session with a new handle: the cookie's value changes at each login (attack SES-02).
pub(crate) fn begin(
    workspace: &Workspace,
    mut subject: Subject,
    idp_uid: Uid,
    now: Timestamp,
    call: &Call,
) -> (Handle, Session, Write) {
    let mut entropy = SystemEntropy::default();
    let mut cx = workspace.cx(now, &mut entropy);
    let handle = cx.handle();
    subject.sid = SessionId::new(cx.uuid());
    let ends_at = Session::end(&workspace.server, now);
    let session = Session {
        server: workspace.server.id.clone(),
        server_uid: workspace.server.uid.clone(),
        idp_uid,
        created_at: now,
        ends_at,
        last_used_at: now,
        ip_address: call.source.clone(),
        user_agent: Session::shortened(&call.user_agent),
        unknown: UnknownMembers::default(),
        subject,
    };
    let artifact = session.artifact(handle.hash(), &workspace.server);
    (handle, session, Write::PutArtifact { artifact, expect: Expect::Absent })
}
