use super::*;

const CODE: ArtifactKind = ArtifactKind::AuthorizationCode;

fn artifact_until(name: &str, seconds: i64) -> Write {
    put_artifact(Artifact { expires_at: time(seconds), ..artifact(CODE, name) }, Expect::Absent)
}

fn grant_until(id: &str, seconds: i64) -> Write {
    put_grant(GrantRecord { expires_at: time(seconds), ..grant(id) }, Expect::Absent)
}

pub async fn a_sweep_removes_what_expired(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let third = TenantId::new("three");
    world.store.create_tenant(&tenant("three")).await.expect("a new tenant");
    world.commit_to(&third, vec![artifact_until("a", 9), grant_until("a", 9)]).await.expect("new rows");
    let writes = vec![
        artifact_until("expired", 9),
        artifact_until("at the limit", 10),
        artifact_until("alive", 11),
        grant_until("expired", 9),
        grant_until("at the limit", 10),
        grant_until("alive", 11),
        put_document(document(DocumentKind::Consent, "a"), Expect::Absent),
    ];
    world.commit(writes).await.expect("new rows");

    assert_eq!(world.store.sweep(time(10), 100).await.expect("a sweep"), 4, "of two tenants");
    assert_eq!(world.store.sweep(time(10), 100).await.expect("a sweep"), 0);
    for name in ["expired", "at the limit", "alive"] {
        assert_eq!(world.artifact(CODE, name).await.is_some(), name != "expired", "artifact {name}");
        assert_eq!(world.grant(name).await.is_some(), name != "expired", "grant {name}");
    }
    assert!(world.document(DocumentKind::Consent, "a").await.is_some(), "documents do not expire");
    let lookups = [Lookup::Artifact(CODE, HandleHash::of("a")), Lookup::Grant(GrantId::new("a"))];
    let found = world.store.load(&third, &lookups).await.expect("an answer");
    assert_eq!(found, [Found::Artifact(None, None), Found::Grant(None)]);
    world.commit(vec![artifact_until("expired", 100)]).await.expect("what was swept is absent");
    world.done().await;
}

pub async fn a_sweep_is_small(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut writes: Vec<Write> = (0..7).map(|number| artifact_until(&number.to_string(), number)).collect();
    writes.extend((0..6).map(|number| grant_until(&number.to_string(), number)));
    writes.push(artifact_until("alive", 100));
    world.commit(writes).await.expect("new rows");
    let mut swept = Vec::new();
    for _ in 0..5 {
        swept.push(world.store.sweep(time(50), 4).await.expect("a sweep"));
    }
    assert_eq!(swept, [4, 4, 4, 1, 0]);
    assert_eq!(world.store.sweep(time(500), 0).await.expect("a sweep"), 0);
    assert!(world.artifact(CODE, "alive").await.is_some());
    world.done().await;
}
