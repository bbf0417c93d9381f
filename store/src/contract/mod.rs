//! What every backend must pass: a suite that its tests run with [`contract_tests!`](crate::contract_tests).
//!
//! Every test works in one tenant while a second one holds rows under the same keys. At its end the second tenant must
//! be exactly as it was.
#![expect(
    clippy::expect_used,
    reason = "the suite is test code that other crates' tests run: a failure is a panic"
)]

mod artifacts;
mod batches;
mod documents;
mod events;
mod grants;
mod sweeping;
mod tenants;
mod trail;

pub use artifacts::*;
pub use batches::*;
pub use documents::*;
pub use events::*;
pub use grants::*;
pub use sweeping::*;
pub use tenants::*;
pub use trail::*;

use crate::{Batch, Cursor, Page, Store, StoreError, StoredEvent};
use protocol::decision::Event;
use protocol::grant_record::{GrantBody, GrantRecord};
use protocol::id::{ClientId, GrantId, ServerId, SessionId, TenantId, Uid};
use protocol::record::{
    Artifact, ArtifactKind, Document, DocumentKind, Expect, Found, GrantSelector, HandleHash, Lookup, Write,
};
use protocol::scope::ScopeSet;
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use protocol::unknown_members::UnknownMembers;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// Declares one `#[test]` per test of the suite.
///
/// `$run` is a function that makes an empty store, hands it to the test and drives the future to its end:
/// `fn run<F: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Store>) -> F)`. Attributes before it stand before each test.
#[macro_export]
macro_rules! contract_tests {
    ($(#[$attribute:meta])* $run:ident) => {
        $crate::contract_tests! { [$(#[$attribute])*] $run:
            an_artifact_is_created_once
            an_artifact_is_replaced_in_its_revision_only
            an_artifact_is_put_whatever_is_there
            an_artifact_is_deleted_under_its_precondition
            an_artifact_that_expired_still_exists
            kinds_of_artifacts_are_separate
            an_artifact_comes_with_its_grant
            artifacts_are_listed_by_owner
            artifacts_are_paged_by_key
            what_is_due_is_found_in_every_tenant
            one_of_64_uses_an_artifact
            one_of_64_sees_an_artifact_first
            a_batch_is_whole_or_nothing
            a_batch_sees_its_own_writes
            a_batch_needs_its_tenant
            a_conflict_spoils_no_other_batch
            a_load_is_one_snapshot
            a_load_answers_in_order
            a_document_is_created_once
            a_document_is_replaced_in_its_revision_only
            a_document_keeps_its_incarnation
            a_document_is_deleted_under_its_precondition
            kinds_of_documents_are_separate
            children_are_deleted_together
            bodies_come_back_as_they_were
            documents_are_paged_by_key
            documents_are_paged_while_they_change
            documents_are_paged_under_a_parent
            lists_are_bounded
            events_come_newest_first
            events_are_paged
            events_belong_to_their_commit
            a_trail_is_read_by_time
            events_wait_until_each_sink_was_told
            a_lease_is_held_by_one
            old_events_are_swept
            a_grant_is_put_under_its_precondition
            a_revocation_is_final
            a_grant_is_required_in_a_revision
            grants_are_selected
            grants_come_newest_first
            a_sweep_removes_what_expired
            a_sweep_is_small
            a_tenant_is_created_once
            a_tenant_takes_everything_with_it
            tenants_are_paged
            configuration_moves_the_epoch
            revocations_move_the_epoch
            an_epoch_never_returns
            a_store_says_how_it_is
        }
    };
    ($attributes:tt $run:ident: $($test:ident)*) => {
        $($crate::contract_tests! { one $attributes $run $test })*
    };
    (one [$(#[$attribute:meta])*] $run:ident $test:ident) => {
        #[test]
        $(#[$attribute])*
        fn $test() {
            $run($crate::contract::$test);
        }
    };
}

/// Drives a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// The store under test with two tenants: `one` is empty and worked in, `two` holds rows that nobody may touch.
struct World {
    store: Arc<dyn Store>,
    one: TenantId,
    two: TenantId,
    /// What `two` holds.
    before: Vec<String>,
}

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        let (one, two) = (TenantId::new("one"), TenantId::new("two"));
        for id in [&one, &two] {
            store.create_tenant(&tenant(id.as_str())).await.expect("a new tenant");
        }
        let mut world = Self { store, one, two, before: Vec::new() };
        world.commit_to(&world.two, twins()).await.expect("rows of the other tenant");
        world.before = world.everything_of(&world.two).await;
        world
    }

    /// Ends a test: the other tenant is as it was.
    async fn done(self) {
        assert_eq!(self.everything_of(&self.two).await, self.before, "the other tenant changed");
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.commit_to(&self.one, writes).await
    }

    async fn commit_to(&self, tenant: &TenantId, writes: Vec<Write>) -> Result<(), StoreError> {
        self.store.commit(tenant, Batch { writes, events: Vec::new() }).await
    }

    async fn load(&self, lookups: &[Lookup]) -> Vec<Found> {
        self.store.load(&self.one, lookups).await.expect("an answer")
    }

    async fn artifact(&self, kind: ArtifactKind, name: &str) -> Option<Artifact> {
        let found = self.load(&[Lookup::Artifact(kind, HandleHash::of(name))]).await;
        match found.into_iter().next() {
            Some(Found::Artifact(artifact, _)) => artifact,
            other => unreachable!("asked for an artifact, got {other:?}"),
        }
    }

    async fn grant(&self, id: &str) -> Option<GrantRecord> {
        match self.load(&[Lookup::Grant(GrantId::new(id))]).await.into_iter().next() {
            Some(Found::Grant(grant)) => grant.map(Arc::unwrap_or_clone),
            other => unreachable!("asked for a grant, got {other:?}"),
        }
    }

    async fn document(&self, kind: DocumentKind, id: &str) -> Option<Document> {
        match self.load(&[Lookup::Document(kind, id.to_owned())]).await.into_iter().next() {
            Some(Found::Document(document)) => document,
            other => unreachable!("asked for a document, got {other:?}"),
        }
    }

    /// Ids of the documents on a page.
    async fn ids(&self, kind: DocumentKind, parent: Option<&str>, page: &Page) -> Vec<String> {
        let documents = self.store.documents(&self.one, kind, parent, page).await.expect("a page");
        documents.into_iter().map(|document| document.id).collect()
    }

    /// A tenant as far as the port shows it.
    async fn everything_of(&self, tenant: &TenantId) -> Vec<String> {
        let mut all = vec![
            format!("{:?}", self.store.tenant(tenant).await.expect("a tenant")),
            format!("{:?}", self.store.epoch(tenant).await.expect("an epoch")),
            format!("{:?}", self.store.events(tenant, None, 100).await.expect("events")),
        ];
        let any_grant = GrantSelector::Server(server());
        all.push(format!("{:?}", self.store.grants(tenant, &any_grant, 100).await.expect("grants")));
        for kind in DocumentKind::ALL {
            let page = self.store.documents(tenant, *kind, None, &Page::first(100)).await;
            all.push(format!("{:?}", page.expect("documents")));
        }
        for kind in ArtifactKind::ALL {
            let listed = self.store.artifacts(tenant, *kind, OWNER, time(0), &Page::first(100)).await;
            all.push(format!("{:?}", listed.expect("artifacts")));
        }
        all
    }

    /// Commits the same writes from 64 threads at the same moment; answers the outcomes.
    fn race(&self, writes: &[Write]) -> Vec<Result<(), StoreError>> {
        const THREADS: usize = 64;
        let start = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        block_on(self.commit(writes.to_vec()))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread that ends")).collect()
        })
    }
}

/// The owner of every artifact made here.
const OWNER: &str = "owner";

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn server() -> ServerId {
    ServerId::new("server")
}

fn tenant(id: &str) -> Tenant {
    Tenant {
        id: TenantId::new(id),
        name: format!("Tenant {id}"),
        uid: Uid::new(format!("uid-of-{id}")),
        created_at: time(1),
    }
}

/// An artifact that expires at second 1000, of revision 0 as before it is stored.
fn artifact(kind: ArtifactKind, name: &str) -> Artifact {
    Artifact {
        kind,
        hash: HandleHash::of(name),
        grant: None,
        owner: Some(OWNER.to_owned()),
        expires_at: time(1000),
        due_at: None,
        revision: 0,
        body: format!(r#"{{"name":"{name}"}}"#),
    }
}

/// A grant of second 10 that expires at second 1000.
fn grant(id: &str) -> GrantRecord {
    GrantRecord {
        id: GrantId::new(id),
        server: server(),
        client: ClientId::new("client"),
        subject: Some("subject".to_owned()),
        session: Some(SessionId::new("session")),
        created_at: time(10),
        expires_at: time(1000),
        revoked_at: None,
        revision: 0,
        body: GrantBody {
            server_uid: Uid::new("server-uid"),
            client_uid: Uid::new("client-uid"),
            scope: ScopeSet::default(),
            resource: vec!["https://api.example".to_owned()],
            subject: None,
            claims: None,
            nonce: Some("n-0S6_WzA2Mj".to_owned()),
            ancestors: Vec::new(),
            act: None,
            unknown: UnknownMembers::default(),
        },
    }
}

fn document(kind: DocumentKind, id: &str) -> Document {
    Document {
        kind,
        id: id.to_owned(),
        parent: Some("parent".to_owned()),
        uid: Uid::new(format!("uid-of-{id}")),
        revision: 0,
        created_at: time(10),
        updated_at: time(10),
        body: format!(r#"{{"id":"{id}"}}"#),
    }
}

fn event(action: &'static str) -> StoredEvent {
    StoredEvent::new(&Event::new("code", action), time(10), Some(server()), "trace")
}

fn put_artifact(artifact: Artifact, expect: Expect) -> Write {
    Write::PutArtifact { artifact, expect }
}

fn put_grant(grant: GrantRecord, expect: Expect) -> Write {
    Write::PutGrant { grant, expect }
}

fn put_document(document: Document, expect: Expect) -> Write {
    Write::PutDocument { document, expect }
}

/// The rows of the other tenant: every key that the tests use in theirs.
fn twins() -> Vec<Write> {
    let mut writes = Vec::new();
    for name in ["a", "b", "c"] {
        for kind in ArtifactKind::ALL {
            let twin = artifact(*kind, name).with_grant(GrantId::new(name));
            writes.push(put_artifact(Artifact { body: "\"twin\"".to_owned(), ..twin }, Expect::Absent));
        }
        for kind in DocumentKind::ALL {
            let twin = Document { body: "\"twin\"".to_owned(), ..document(*kind, name) };
            writes.push(put_document(twin, Expect::Absent));
        }
        writes.push(put_grant(grant(name), Expect::Absent));
    }
    writes
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(outcome: Result<T, StoreError>, at: usize) {
    assert!(
        matches!(outcome, Err(StoreError::Conflict { index }) if index == at),
        "a conflict of write {at} was expected, got {outcome:?}"
    );
}

/// Exactly one racer won, and all others were told of the conflict.
#[track_caller]
fn assert_one_winner(outcomes: &[Result<(), StoreError>]) {
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let losers =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Conflict { index: 0 }))).count();
    assert_eq!((winners, losers), (1, outcomes.len() - 1), "winners and losers of a single use");
}
