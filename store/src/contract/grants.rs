use super::*;

pub async fn a_grant_is_put_under_its_precondition(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.grant("a").await, None, "one tenant sees the other's");
    let put = |grant: GrantRecord, expect| world.commit(vec![put_grant(grant, expect)]);
    assert_conflict(put(grant("a"), Expect::Revision(1)).await, 0);
    let new = GrantRecord { subject: None, session: None, ..grant("a") };
    put(new.clone(), Expect::Absent).await.expect("a new grant");
    assert_conflict(put(grant("a"), Expect::Absent).await, 0);
    assert_conflict(put(grant("a"), Expect::Revision(2)).await, 0);
    assert_eq!(world.grant("a").await, Some(GrantRecord { revision: 1, ..new.clone() }));

    let changed = GrantRecord {
        server: ServerId::new("server 2"),
        client: ClientId::new("client 2"),
        subject: Some("subject 2".to_owned()),
        session: Some(SessionId::new("session 2")),
        created_at: time(20),
        expires_at: time(2000),
        ..new
    };
    put(changed.clone(), Expect::Revision(1)).await.expect("the right revision");
    assert_eq!(world.grant("a").await, Some(GrantRecord { revision: 2, ..changed }));
    put(grant("a"), Expect::Any).await.expect("no precondition");
    assert_eq!(world.grant("a").await, Some(GrantRecord { revision: 3, ..grant("a") }));
    world.done().await;
}

/// A batch that only looks at the grant is refused whole when the grant has moved or is not there.
pub async fn a_grant_is_required_in_a_revision(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let require = |revision| {
        let required = Write::RequireGrant { id: GrantId::new("a"), revision };
        world.commit(vec![required, put_grant(grant("b"), Expect::Any)])
    };
    assert_conflict(require(1).await, 0);
    assert_eq!(world.grant("b").await, None, "nothing of the batch is there");
    world.commit(vec![put_grant(grant("a"), Expect::Absent)]).await.expect("a new grant");
    require(1).await.expect("the right revision");
    assert_eq!(world.grant("a").await.map(|grant| grant.revision), Some(1), "it stays as it is");
    let revoke = Write::RevokeGrant { id: GrantId::new("a"), at: time(20) };
    world.commit(vec![revoke]).await.expect("a live grant");
    assert_conflict(require(1).await, 0);
    world.done().await;
}

/// RFC 7009 §2.1: what was revoked stays so, whatever a slower request still writes.
pub async fn a_revocation_is_final(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let revoke = |at| world.commit(vec![Write::RevokeGrant { id: GrantId::new("a"), at }]);
    revoke(time(15)).await.expect("revoking nothing is fine");
    assert_eq!(world.grant("a").await, None);
    world.commit(vec![put_grant(grant("a"), Expect::Absent)]).await.expect("a new grant");
    revoke(time(20)).await.expect("a live grant");
    let revoked = GrantRecord { revoked_at: Some(time(20)), revision: 2, ..grant("a") };
    assert_eq!(world.grant("a").await, Some(revoked.clone()));

    revoke(time(30)).await.expect("again");
    let selector = GrantSelector::Server(server());
    world.commit(vec![Write::RevokeGrants { selector, at: time(30) }]).await.expect("again, by selector");
    assert_eq!(world.grant("a").await, Some(revoked), "revoked once, at one time");

    for (expect, revision) in [(Expect::Revision(2), 3), (Expect::Any, 4)] {
        let stale = GrantRecord { revoked_at: None, ..grant("a") };
        world.commit(vec![put_grant(stale, expect)]).await.expect("the precondition holds");
        let stored = world.grant("a").await.map(|grant| (grant.revoked_at, grant.revision));
        assert_eq!(stored, Some((Some(time(20)), revision)));
    }
    world.done().await;
}

/// Grants that differ in one thing each, newest first as listed.
fn varied() -> Vec<GrantRecord> {
    let base = |id: &str, created_at| GrantRecord { created_at: time(created_at), ..grant(id) };
    vec![
        GrantRecord { session: Some(SessionId::new("session 2")), ..base("other session", 60) },
        GrantRecord { subject: None, session: None, ..base("no subject", 50) },
        GrantRecord { subject: Some("subject 2".to_owned()), ..base("other subject", 40) },
        GrantRecord { client: ClientId::new("client 2"), ..base("other client", 30) },
        GrantRecord { server: ServerId::new("server 2"), ..base("other server", 20) },
        base("a", 10),
    ]
}

pub async fn grants_are_selected(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let client = || ClientId::new("client");
    let subject = || "subject".to_owned();
    let session = SessionId::new("session");
    let cases = [
        (
            GrantSelector::Server(server()),
            &["other session", "no subject", "other subject", "other client", "a"][..],
        ),
        (GrantSelector::Client(server(), client()), &["other session", "no subject", "other subject", "a"]),
        (GrantSelector::Subject(server(), subject()), &["other session", "other client", "a"]),
        (GrantSelector::Session(server(), session), &["other subject", "other client", "a"]),
        (GrantSelector::SubjectAndClient(server(), subject(), client()), &["other session", "a"]),
        (GrantSelector::Server(ServerId::new("server 3")), &[]),
    ];
    for (at, (selector, expected)) in (100..).zip(cases) {
        // Those of the case before were revoked, so each case starts anew.
        let fresh: Vec<GrantRecord> = varied()
            .into_iter()
            .map(|grant| GrantRecord { id: GrantId::new(format!("{at} {}", grant.id)), ..grant })
            .collect();
        let names = |grants: Vec<GrantRecord>| {
            let prefix = format!("{at} ");
            let own = grants.iter().filter_map(|grant| grant.id.as_str().strip_prefix(&prefix));
            own.map(str::to_owned).collect::<Vec<_>>()
        };
        world
            .commit(fresh.iter().cloned().map(|new| put_grant(new, Expect::Absent)).collect())
            .await
            .expect("new");
        let listed = world.store.grants(&world.one, &selector, 1000).await.expect("a list");
        assert_eq!(names(listed), expected, "{selector:?}");

        world
            .commit(vec![Write::RevokeGrants { selector: selector.clone(), at: time(at) }])
            .await
            .expect("revoking");
        let mut revoked = Vec::new();
        for grant in &fresh {
            let stored = world.grant(grant.id.as_str()).await.expect("it stays");
            let live = GrantRecord { revision: 1, ..grant.clone() };
            if stored != live {
                assert_eq!(stored, GrantRecord { revoked_at: Some(time(at)), revision: 2, ..live });
                revoked.push(stored);
            }
        }
        assert_eq!(names(revoked), expected, "{selector:?}");
    }
    world.done().await;
}

pub async fn grants_come_newest_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let at = |id: &str, seconds| GrantRecord { created_at: time(seconds), ..grant(id) };
    let expired = GrantRecord { expires_at: time(0), ..at("expired", 40) };
    let revoked = GrantRecord { revoked_at: Some(time(50)), ..at("revoked", 30) };
    let all = [at("old", 10), at("same b", 20), at("same a", 20), revoked, expired];
    world.commit(all.map(|new| put_grant(new, Expect::Absent)).to_vec()).await.expect("new grants");
    let listed = async |limit| {
        let selector = GrantSelector::Client(server(), ClientId::new("client"));
        let grants = world.store.grants(&world.one, &selector, limit).await.expect("a list");
        grants.into_iter().map(|grant| grant.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed(10).await, ["expired", "revoked", "same b", "same a", "old"]);
    assert_eq!(listed(2).await, ["expired", "revoked"]);
    assert_eq!(listed(0).await, ["expired"], "a limit is at least 1");
    world.done().await;
}
