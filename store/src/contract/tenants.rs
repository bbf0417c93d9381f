use super::*;
use crate::{Cursor, Epoch};

pub async fn a_tenant_is_created_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let taken = Tenant { name: "Another".to_owned(), uid: Uid::new("another"), ..tenant("one") };
    assert_conflict(world.store.create_tenant(&taken).await, 0);
    let found = world.store.tenant(&world.one).await.expect("an answer");
    assert_eq!(found, Some(tenant("one")));
    assert_eq!(world.store.tenant(&TenantId::new("three")).await.expect("an answer"), None);
    world.done().await;
}

/// W-09: whoever gets the identifier next inherits nothing.
pub async fn a_tenant_takes_everything_with_it(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.commit(twins()).await.expect("rows of every shape");
    world.store.append(&world.one, vec![event("issued")]).await.expect("an event");
    for _ in 0..2 {
        world.store.delete_tenant(&world.one).await.expect("deleting, and deleting again");
        assert_eq!(world.store.tenant(&world.one).await.expect("an answer"), None);
        assert_eq!(world.store.epoch(&world.one).await.expect("an answer"), Epoch::default());
    }
    let next = Tenant { uid: Uid::new("next"), ..tenant("one") };
    world.store.create_tenant(&next).await.expect("the name is free");
    for name in ["a", "b", "c"] {
        assert_eq!(world.grant(name).await, None);
        for kind in ArtifactKind::ALL {
            assert_eq!(world.artifact(*kind, name).await, None, "{kind:?}");
        }
        for kind in DocumentKind::ALL {
            assert_eq!(world.document(*kind, name).await, None, "{kind:?}");
        }
    }
    assert_eq!(world.store.events(&world.one, None, 10).await.expect("events"), []);
    assert_eq!(world.store.tenant(&world.one).await.expect("an answer"), Some(next));
    world.done().await;
}

pub async fn tenants_are_paged(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for id in ["three", "four"] {
        world.store.create_tenant(&tenant(id)).await.expect("a new tenant");
    }
    let key = |id: &str| id.to_owned();
    for (cursor, descending, limit, expected) in [
        (Cursor::Start, false, 10, &["four", "one", "three", "two"][..]),
        (Cursor::Start, false, 0, &["four"]),
        (Cursor::After(key("one")), false, 1, &["three"]),
        (Cursor::Before(key("two")), false, 2, &["one", "three"]),
        (Cursor::Start, true, 2, &["two", "three"]),
        (Cursor::After(key("three")), true, 2, &["one", "four"]),
        (Cursor::Before(key("four")), true, 1, &["one"]),
    ] {
        let page = Page { cursor, limit, descending };
        let tenants = world.store.tenants(&page).await.expect("a page");
        let ids: Vec<_> = tenants.iter().map(|tenant| tenant.id.as_str()).collect();
        assert_eq!(ids, expected, "{page:?}");
    }
    world.done().await;
}

pub async fn configuration_moves_the_epoch(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut epoch = configuration(&world).await;
    for kind in DocumentKind::ALL {
        let (kind, id) = (*kind, "a".to_owned());
        for write in [
            put_document(document(kind, "a"), Expect::Absent),
            put_document(document(kind, "a"), Expect::Revision(1)),
            put_document(document(kind, "a"), Expect::Any),
            Write::DeleteDocument { kind, id: id.clone(), expect: Expect::Revision(3) },
            put_document(document(kind, "a"), Expect::Any),
            Write::DeleteDocument { kind, id, expect: Expect::Any },
            put_document(document(kind, "b"), Expect::Any),
            Write::DeleteChildren { kind, parent: "parent".to_owned() },
        ] {
            world.commit(vec![write.clone()]).await.expect("the precondition holds");
            let next = configuration(&world).await;
            let moved = next > epoch;
            assert_eq!(moved, kind.is_configuration(), "{epoch} then {next} after {write:?}");
            epoch = next;
        }
    }
    let others = vec![
        put_artifact(artifact(ArtifactKind::Session, "a"), Expect::Absent),
        put_grant(grant("a"), Expect::Absent),
        Write::RevokeGrant { id: GrantId::new("a"), at: time(20) },
    ];
    world.commit(others).await.expect("new rows");
    assert_conflict(
        world.commit(vec![put_document(document(DocumentKind::Key, "a"), Expect::Revision(9))]).await,
        0,
    );
    assert_eq!(configuration(&world).await, epoch);
    world.done().await;
}

/// Whatever may end a token moves the number by which nodes remember tokens; nothing else does (decisions 8).
pub async fn revocations_move_the_epoch(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut epoch = world.store.epoch(&world.one).await.expect("an epoch");
    let (id, selector) = (GrantId::new("a"), GrantSelector::Server(server()));
    let revoked = GrantRecord { revoked_at: Some(time(20)), ..grant("b") };
    let delete = |kind| Write::DeleteArtifact { kind, hash: HandleHash::of("a"), expect: Expect::Any };
    for (write, revokes) in [
        (put_grant(grant("a"), Expect::Absent), false),
        (Write::RequireGrant { id: id.clone(), revision: 1 }, false),
        (Write::RevokeGrant { id, at: time(20) }, true),
        (Write::RevokeGrants { selector, at: time(20) }, true),
        (put_grant(revoked, Expect::Absent), true),
        (put_artifact(artifact(ArtifactKind::RevokedJti, "a"), Expect::Any), true),
        (put_artifact(artifact(ArtifactKind::AccessToken, "a"), Expect::Any), false),
        (delete(ArtifactKind::AccessToken), true),
        (delete(ArtifactKind::Session), false),
        (put_document(document(DocumentKind::Client, "a"), Expect::Absent), false),
    ] {
        world.commit(vec![write.clone()]).await.expect("the precondition holds");
        let next = world.store.epoch(&world.one).await.expect("an epoch");
        let moved = next.revocations > epoch.revocations;
        assert_eq!(moved, revokes, "{epoch:?} then {next:?} after {write:?}");
        epoch = next;
    }
    let at = time(30);
    let refused =
        vec![Write::RevokeGrant { id: GrantId::new("a"), at }, put_grant(grant("a"), Expect::Absent)];
    assert_conflict(world.commit(refused).await, 1);
    assert_eq!(world.store.epoch(&world.one).await.expect("an epoch"), epoch);
    world.done().await;
}

async fn configuration(world: &World) -> i64 {
    world.store.epoch(&world.one).await.expect("an epoch").configuration
}

/// A cache that knew the deleted tenant must not think itself valid for its successor.
pub async fn an_epoch_never_returns(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut epoch = Epoch::default();
    for _ in 0..3 {
        world
            .commit(vec![put_document(document(DocumentKind::Key, "a"), Expect::Absent)])
            .await
            .expect("new");
        let last = world.store.epoch(&world.one).await.expect("an epoch");
        assert!(last.configuration > epoch.configuration, "{last:?} after {epoch:?}");
        world.store.delete_tenant(&world.one).await.expect("it goes");
        world.store.create_tenant(&tenant("one")).await.expect("it comes back");
        epoch = world.store.epoch(&world.one).await.expect("an epoch");
        assert!(epoch.configuration > last.configuration, "{epoch:?} after {last:?}");
        assert!(epoch.revocations > last.revocations, "{epoch:?} after {last:?}");
    }
    world.done().await;
}

pub async fn a_store_says_how_it_is(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.store.ping().await.expect("it reads and writes");
    assert!(world.store.schema_version().await.expect("a version") >= 0);
    world.done().await;
}
