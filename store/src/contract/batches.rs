use super::*;
use std::sync::Arc;

const CODE: ArtifactKind = ArtifactKind::AuthorizationCode;

pub async fn a_batch_is_whole_or_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.commit(vec![put_document(document(DocumentKind::Client, "a"), Expect::Absent)]).await.expect("new");
    let before = world.everything_of(&world.one).await;
    let good = [
        put_artifact(artifact(CODE, "a"), Expect::Absent),
        put_grant(grant("a"), Expect::Absent),
        put_document(document(DocumentKind::Server, "a"), Expect::Any),
        Write::DeleteDocument { kind: DocumentKind::Client, id: "a".to_owned(), expect: Expect::Revision(1) },
        Write::DeleteChildren { kind: DocumentKind::Client, parent: "parent".to_owned() },
    ];
    let bad = [
        put_artifact(artifact(CODE, "b"), Expect::Revision(1)),
        put_grant(grant("b"), Expect::Revision(1)),
        put_document(document(DocumentKind::Key, "b"), Expect::Revision(1)),
        Write::DeleteArtifact { kind: CODE, hash: HandleHash::of("b"), expect: Expect::Revision(1) },
        Write::DeleteDocument { kind: DocumentKind::Key, id: "b".to_owned(), expect: Expect::Revision(1) },
    ];
    for at in 0..=good.len() {
        for write in &bad {
            let mut writes = good.to_vec();
            writes.insert(at, write.clone());
            let batch = Batch { writes, events: vec![event("issued")] };
            assert_conflict(world.store.commit(&world.one, batch).await, at);
            assert_eq!(world.everything_of(&world.one).await, before, "{write:?} at {at} left something");
        }
    }
    world.commit(good.to_vec()).await.expect("without the bad write it holds");
    world.done().await;
}

pub async fn a_batch_sees_its_own_writes(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let put = |expect| put_artifact(artifact(CODE, "a"), expect);
    assert_conflict(world.commit(vec![put(Expect::Absent), put(Expect::Absent)]).await, 1);
    let delete = Write::DeleteArtifact { kind: CODE, hash: HandleHash::of("a"), expect: Expect::Revision(2) };
    let writes = vec![put(Expect::Absent), put(Expect::Revision(1)), delete, put(Expect::Absent)];
    world.commit(writes).await.expect("each precondition holds in its turn");
    assert_eq!(world.artifact(CODE, "a").await.map(|code| code.revision), Some(1));

    let revoke = Write::RevokeGrant { id: GrantId::new("a"), at: time(20) };
    world.commit(vec![put_grant(grant("a"), Expect::Absent), revoke]).await.expect("new, then revoked");
    assert_eq!(world.grant("a").await.and_then(|grant| grant.revoked_at), Some(time(20)));
    world.commit(Vec::new()).await.expect("nothing to do is fine");
    world.done().await;
}

/// A tenant that is deleted while a request works in it keeps nothing of that request.
pub async fn a_batch_needs_its_tenant(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let nowhere = TenantId::new("nowhere");
    assert_conflict(world.commit_to(&nowhere, vec![put_artifact(artifact(CODE, "a"), Expect::Any)]).await, 0);
    assert_conflict(world.commit_to(&nowhere, Vec::new()).await, 0);
    world.store.append(&nowhere, vec![event("issued")]).await.expect("late events are dropped");

    world.store.create_tenant(&tenant("nowhere")).await.expect("a new tenant");
    assert_eq!(world.store.events(&nowhere, None, 10).await.expect("events"), []);
    let lookup = [Lookup::Artifact(CODE, HandleHash::of("a"))];
    assert_eq!(world.store.load(&nowhere, &lookup).await.expect("an answer"), [Found::Artifact(None, None)]);
    world.done().await;
}

/// Backends may commit many batches at once; each still stands or falls alone.
pub async fn a_conflict_spoils_no_other_batch(store: Arc<dyn Store>) {
    const EACH: usize = 20;
    let world = World::new(store).await;
    world.commit(vec![put_artifact(artifact(CODE, "taken"), Expect::Absent)]).await.expect("a new artifact");
    let work = |worker: usize| {
        for turn in 0..EACH {
            let name = format!("{worker}-{turn}");
            let mut writes = vec![put_artifact(artifact(CODE, &name), Expect::Absent)];
            let conflicts = (worker + turn).is_multiple_of(2);
            if conflicts {
                writes.push(put_artifact(artifact(CODE, "taken"), Expect::Absent));
            }
            match block_on(world.commit(writes)) {
                Ok(()) => assert!(!conflicts, "{name} was committed"),
                other => {
                    assert!(conflicts, "{name} was refused: {other:?}");
                    assert_conflict(other, 1);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..8 {
            scope.spawn(move || work(worker));
        }
    });
    for worker in 0..8 {
        for turn in 0..EACH {
            let stored = world.artifact(CODE, &format!("{worker}-{turn}")).await;
            assert_eq!(stored.is_none(), (worker + turn).is_multiple_of(2), "{worker}-{turn}");
        }
    }
    world.done().await;
}

/// Rows that change together are seen together.
pub async fn a_load_is_one_snapshot(store: Arc<dyn Store>) {
    const TURNS: usize = 200;
    let world = World::new(store).await;
    let turn = |turn: usize| {
        let body = turn.to_string();
        let mut granted = grant("g");
        granted.body.nonce = Some(body.clone());
        let code = artifact(CODE, "a").with_grant(GrantId::new("g"));
        vec![
            put_document(Document { body: body.clone(), ..document(DocumentKind::Client, "a") }, Expect::Any),
            put_grant(granted, Expect::Any),
            put_artifact(Artifact { body, ..code }, Expect::Any),
        ]
    };
    world.commit(turn(0)).await.expect("a first turn");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 1..=TURNS {
                block_on(world.commit(turn(number))).expect("another turn");
            }
        });
        while !writer.is_finished() {
            let lookups = [
                Lookup::Document(DocumentKind::Client, "a".to_owned()),
                Lookup::Grant(GrantId::new("g")),
                Lookup::Artifact(CODE, HandleHash::of("a")),
            ];
            assert_same_turn(&block_on(world.load(&lookups)));
        }
    });
    assert_eq!(world.artifact(CODE, "a").await.map(|code| code.body), Some(TURNS.to_string()));
    world.done().await;
}

#[track_caller]
fn assert_same_turn(found: &[Found]) {
    let [
        Found::Document(Some(document)),
        Found::Grant(Some(grant)),
        Found::Artifact(Some(code), Some(of_code)),
    ] = found
    else {
        unreachable!("all rows exist: {found:?}");
    };
    let nonce = grant.body.nonce.as_deref();
    assert_eq!(Some(document.body.as_str()), nonce, "document and grant");
    assert_eq!(Some(code.body.as_str()), nonce, "artifact and grant");
    assert_eq!(grant, of_code, "the grant, asked for in two ways");
}

pub async fn a_load_answers_in_order(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.load(&[]).await, []);
    let writes = vec![
        put_document(document(DocumentKind::Client, "a"), Expect::Absent),
        put_grant(grant("b"), Expect::Absent),
    ];
    world.commit(writes).await.expect("new rows");
    let client = || Lookup::Document(DocumentKind::Client, "a".to_owned());
    let found = world
        .load(&[
            Lookup::Grant(GrantId::new("a")),
            client(),
            Lookup::Artifact(CODE, HandleHash::of("a")),
            Lookup::Grant(GrantId::new("b")),
            Lookup::Document(DocumentKind::Client, "b".to_owned()),
            client(),
        ])
        .await;
    let stored = Found::Document(Some(Document { revision: 1, ..document(DocumentKind::Client, "a") }));
    let expected = [
        Found::Grant(None),
        stored.clone(),
        Found::Artifact(None, None),
        Found::Grant(Some(Arc::new(GrantRecord { revision: 1, ..grant("b") }))),
        Found::Document(None),
        stored,
    ];
    assert_eq!(found, expected);
    world.done().await;
}
