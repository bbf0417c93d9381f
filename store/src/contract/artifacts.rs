use super::*;
use std::sync::Arc;

const CODE: ArtifactKind = ArtifactKind::AuthorizationCode;

pub async fn an_artifact_is_created_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.artifact(CODE, "a").await, None, "one tenant sees the other's");
    let new = Artifact { grant: None, owner: None, ..artifact(CODE, "a") };
    world.commit(vec![put_artifact(new.clone(), Expect::Absent)]).await.expect("a new artifact");
    assert_conflict(world.commit(vec![put_artifact(artifact(CODE, "a"), Expect::Absent)]).await, 0);
    assert_eq!(world.artifact(CODE, "a").await, Some(Artifact { revision: 1, ..new }));
    world.done().await;
}

pub async fn an_artifact_is_replaced_in_its_revision_only(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let put = |expect| world.commit(vec![put_artifact(artifact(CODE, "a"), expect)]);
    assert_conflict(put(Expect::Revision(1)).await, 0);
    put(Expect::Absent).await.expect("a new artifact");
    for stale in [-1, 0, 2] {
        assert_conflict(put(Expect::Revision(stale)).await, 0);
    }
    let changed = Artifact {
        grant: Some(GrantId::new("g")),
        owner: Some("another".to_owned()),
        expires_at: time(2000),
        due_at: Some(time(1500)),
        body: "{}".to_owned(),
        ..artifact(CODE, "a")
    };
    let replace = vec![put_artifact(changed.clone(), Expect::Revision(1))];
    world.commit(replace.clone()).await.expect("the right revision");
    assert_conflict(world.commit(replace).await, 0);
    assert_eq!(world.artifact(CODE, "a").await, Some(Artifact { revision: 2, ..changed }));
    world.done().await;
}

pub async fn an_artifact_is_put_whatever_is_there(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for revision in 1..=3 {
        let body = format!("{revision}");
        let put = Artifact { body: body.clone(), ..artifact(CODE, "a") };
        world.commit(vec![put_artifact(put, Expect::Any)]).await.expect("no precondition");
        let stored = world.artifact(CODE, "a").await.expect("it is there");
        assert_eq!((stored.revision, stored.body), (revision, body));
    }
    world.done().await;
}

pub async fn an_artifact_is_deleted_under_its_precondition(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delete =
        |expect| world.commit(vec![Write::DeleteArtifact { kind: CODE, hash: HandleHash::of("a"), expect }]);
    let create = || world.commit(vec![put_artifact(artifact(CODE, "a"), Expect::Absent)]);
    delete(Expect::Any).await.expect("deleting nothing is fine");
    delete(Expect::Absent).await.expect("it is absent");
    assert_conflict(delete(Expect::Revision(1)).await, 0);
    create().await.expect("a new artifact");
    assert_conflict(delete(Expect::Absent).await, 0);
    assert_conflict(delete(Expect::Revision(2)).await, 0);
    delete(Expect::Revision(1)).await.expect("the right revision");
    assert_eq!(world.artifact(CODE, "a").await, None);
    create().await.expect("it is gone");
    delete(Expect::Any).await.expect("no precondition");
    assert_eq!(world.artifact(CODE, "a").await, None);
    world.done().await;
}

/// Expiry is the rules' business until the sweep: a store that forgot a used code early would let it be used again.
pub async fn an_artifact_that_expired_still_exists(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let expired = Artifact { expires_at: time(-1), ..artifact(CODE, "a") };
    world.commit(vec![put_artifact(expired.clone(), Expect::Absent)]).await.expect("a new artifact");
    assert_conflict(world.commit(vec![put_artifact(expired.clone(), Expect::Absent)]).await, 0);
    assert_eq!(world.artifact(CODE, "a").await, Some(Artifact { revision: 1, ..expired }));
    world.done().await;
}

/// COD-11: what was handed out as one thing is never found as another.
pub async fn kinds_of_artifacts_are_separate(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for (index, kind) in ArtifactKind::ALL.iter().enumerate() {
        for other in ArtifactKind::ALL.iter().skip(index) {
            assert_eq!(world.artifact(*other, "a").await, None, "{kind:?}, {other:?}");
        }
        world
            .commit(vec![put_artifact(artifact(*kind, "a"), Expect::Absent)])
            .await
            .expect("a key of its own");
    }
    for (index, kind) in ArtifactKind::ALL.iter().enumerate() {
        let delete =
            Write::DeleteArtifact { kind: *kind, hash: HandleHash::of("a"), expect: Expect::Revision(1) };
        world.commit(vec![delete]).await.expect("it is there");
        for other in ArtifactKind::ALL.iter().skip(index + 1) {
            let left = world.artifact(*other, "a").await.expect("another kind stays");
            assert_eq!(left.kind, *other);
        }
    }
    world.done().await;
}

pub async fn an_artifact_comes_with_its_grant(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    // The other tenant has a grant of this name.
    let code = artifact(CODE, "a").with_grant(GrantId::new("a"));
    let lookup = [Lookup::Artifact(CODE, code.hash)];
    let stored = Artifact { revision: 1, ..code.clone() };
    world.commit(vec![put_artifact(code, Expect::Absent)]).await.expect("a new artifact");
    assert_eq!(world.load(&lookup).await, [Found::Artifact(Some(stored.clone()), None)]);

    world.commit(vec![put_grant(grant("a"), Expect::Absent)]).await.expect("a new grant");
    let found = Found::Artifact(Some(stored), Some(Arc::new(GrantRecord { revision: 1, ..grant("a") })));
    assert_eq!(world.load(&lookup).await, [found]);
    world.done().await;
}

pub async fn artifacts_are_listed_by_owner(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let session = ArtifactKind::Session;
    let until = |name, seconds| Artifact { expires_at: time(seconds), ..artifact(session, name) };
    let foreign = Artifact { owner: Some("somebody".to_owned()), ..artifact(session, "foreign") };
    let nobodys = Artifact { owner: None, ..artifact(session, "nobody's") };
    let all = [until("a", 20), until("b", 40), until("c", 30), foreign, nobodys, artifact(CODE, "a")];
    world.commit(all.map(|new| put_artifact(new, Expect::Absent)).to_vec()).await.expect("new artifacts");
    let listed = async |now| {
        let page = Page::first(100);
        let found =
            world.store.artifacts(&world.one, session, OWNER, time(now), &page).await.expect("a list");
        let mut ends: Vec<_> = found.into_iter().map(|artifact| artifact.expires_at.seconds()).collect();
        ends.sort_unstable();
        ends
    };
    assert_eq!(listed(0).await, [20, 30, 40]);
    assert_eq!(listed(20).await, [30, 40], "at its expiry an artifact has expired");
    assert_eq!(listed(40).await, [0; 0]);
    world.done().await;
}

pub async fn artifacts_are_paged_by_key(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let session = ArtifactKind::Session;
    let names = ["a", "b", "c", "d", "e"];
    let new = names.map(|name| put_artifact(artifact(session, name), Expect::Absent));
    world.commit(new.to_vec()).await.expect("new artifacts");
    let mut keys = names.map(|name| HandleHash::of(name).key());
    keys.sort_unstable();
    let [k0, k1, k2, k3, k4] = keys.each_ref().map(String::as_str);
    let after = |key: &str| Cursor::After(key.to_owned());
    let before = |key: &str| Cursor::Before(key.to_owned());
    for (cursor, descending, expected) in [
        (Cursor::Start, false, vec![k0, k1]),
        (Cursor::Start, true, vec![k4, k3]),
        (after(k1), false, vec![k2, k3]),
        (after(k3), true, vec![k2, k1]),
        (before(k3), false, vec![k1, k2]),
        (before(k1), true, vec![k3, k2]),
        (after(k4), false, vec![]),
        (after(""), false, vec![k0, k1]),
    ] {
        let page = Page { cursor, limit: 2, descending };
        let found = world.store.artifacts(&world.one, session, OWNER, time(0), &page).await.expect("a page");
        let found: Vec<String> = found.into_iter().map(|artifact| artifact.hash.key()).collect();
        assert_eq!(found, expected, "{page:?}");
    }
    world.done().await;
}

/// A background job asks once for its work, however many tenants there are.
pub async fn what_is_due_is_found_in_every_tenant(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let third = TenantId::new("three");
    world.store.create_tenant(&tenant("three")).await.expect("a new tenant");
    let outbox = ArtifactKind::Outbox;
    let due = |kind, name: &str, at| put_artifact(artifact(kind, name).due_at(time(at)), Expect::Any);
    let writes = vec![due(outbox, "a", 30), due(outbox, "b", 10), due(outbox, "late", 41), due(CODE, "a", 5)];
    world.commit(writes).await.expect("new artifacts");
    world.commit_to(&third, vec![due(outbox, "c", 20), due(outbox, "d", 40)]).await.expect("new artifacts");
    let found = async |now, limit| {
        let due = world.store.due(outbox, time(now), limit).await.expect("a list");
        let seconds = |artifact: &Artifact| artifact.due_at.map(|at| at.seconds());
        due.iter().map(|(id, artifact)| (id.as_str().to_owned(), seconds(artifact))).collect::<Vec<_>>()
    };
    let row = |id: &str, at| (id.to_owned(), Some(at));
    assert_eq!(found(9, 100).await, []);
    assert_eq!(found(40, 2).await, [row("one", 10), row("three", 20)], "the longest due first");
    assert_eq!(found(40, 100).await.len(), 4);
    // Put off, or not due any more.
    world.commit(vec![due(outbox, "b", 50)]).await.expect("no precondition");
    let done = put_artifact(artifact(outbox, "a"), Expect::Revision(1));
    world.commit(vec![done]).await.expect("the right revision");
    assert_eq!(found(40, 100).await, [row("three", 20), row("three", 40)]);
    world.store.delete_tenant(&third).await.expect("it goes");
    assert_eq!(found(40, 100).await, []);
    world.done().await;
}

/// House rule 3: single use is a precondition of the commit.
pub async fn one_of_64_uses_an_artifact(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for name in ["a", "b", "c"] {
        world.commit(vec![put_artifact(artifact(CODE, name), Expect::Absent)]).await.expect("a new code");
        let used = Artifact { body: "\"used\"".to_owned(), ..artifact(CODE, name) };
        let token = artifact(ArtifactKind::RefreshToken, name);
        let redeem = [put_artifact(used, Expect::Revision(1)), put_artifact(token, Expect::Any)];
        assert_one_winner(&world.race(&redeem));
        assert_eq!(world.artifact(CODE, name).await.map(|code| code.revision), Some(2));
        let token = world.artifact(ArtifactKind::RefreshToken, name).await;
        assert_eq!(token.map(|token| token.revision), Some(1), "a loser wrote something");
    }
    world.done().await;
}

/// A `jti` is accepted once (RFC 7523 §3, RFC 9449 §11.1).
pub async fn one_of_64_sees_an_artifact_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for name in ["a", "b", "c"] {
        let seen = put_artifact(artifact(ArtifactKind::SeenJti, name), Expect::Absent);
        assert_one_winner(&world.race(&[seen]));
    }
    world.done().await;
}
