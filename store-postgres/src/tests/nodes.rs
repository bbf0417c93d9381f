//! Several nodes on one database: stores that share nothing but the server.

use super::*;

/// E2: 64 uses of one code at the same moment, over two nodes: one wins, and nobody is told of a fault.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_02_one_of_64_uses_over_two_nodes() {
    const RACERS: usize = 64;
    let (database, one, tenant) = with_tenant().await;
    let nodes = [Arc::new(one), Arc::new(database.open().await)];
    for round in 0..10 {
        let name = format!("round {round}");
        commit(&nodes[0], &tenant, vec![code(&name, "{}"), grant(&name)]).await.unwrap();
        let racers: Vec<_> = (0..RACERS)
            .map(|racer| {
                let (node, tenant, name) = (Arc::clone(&nodes[racer % 2]), tenant.clone(), name.clone());
                tokio::spawn(async move {
                    let used = revised(code(&name, "\"used\""), 1);
                    let writes =
                        vec![used, code(&format!("{name}, token of {racer}"), "{}"), require(&name, 1)];
                    node.commit(&tenant, Batch { writes, events: vec![event()] }).await
                })
            })
            .collect();
        let mut winners = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Ok(()) => winners += 1,
                Err(StoreError::Conflict { index: 0 }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(winners, 1, "round {round}");
    }
    assert_eq!(nodes[0].events(&tenant, None, 100).await.unwrap().len(), 10, "one event for each winner");
}

/// Batches that want the same rows in another order: the server ends one of them, and it is run again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_deadlock_is_nobodys_fault() {
    let (database, one, tenant) = with_tenant().await;
    let nodes = [Arc::new(one), Arc::new(database.open().await)];
    for round in 0..5 {
        let batches: Vec<_> = (0..2)
            .map(|node| {
                let (store, tenant) = (Arc::clone(&nodes[node]), tenant.clone());
                let mut writes: Vec<Write> =
                    (0..200).map(|row| any(code(&format!("row {row}"), &format!("{round}")))).collect();
                if node == 1 {
                    writes.reverse();
                }
                tokio::spawn(async move { store.commit(&tenant, Batch { writes, events: Vec::new() }).await })
            })
            .collect();
        for batch in batches {
            batch.await.unwrap().expect("a lost race is run again");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn nodes_see_each_other_at_once() {
    let (database, one, tenant) = with_tenant().await;
    let two = database.open().await;
    for number in 0..50 {
        let name = number.to_string();
        commit(&one, &tenant, vec![code(&name, "{}"), document(&name)]).await.unwrap();
        assert!(has_code(&two, &tenant, &name).await, "{name}");
        assert_eq!(one.epoch(&tenant).await.unwrap(), two.epoch(&tenant).await.unwrap());
    }
}

/// Whoever comes while a tenant is being deleted is refused or goes with it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn nothing_is_left_behind_in_a_deleted_tenant() {
    let (database, one, id) = with_tenant().await;
    let two = Arc::new(database.open().await);
    for round in 0..10 {
        let writers: Vec<_> = (0..16)
            .map(|writer| {
                let (store, id) = (Arc::clone(&two), id.clone());
                tokio::spawn(async move {
                    let writes =
                        vec![code(&format!("{round} {writer}"), "{}"), grant(&format!("{round} {writer}"))];
                    store.commit(&id, Batch { writes, events: vec![event()] }).await
                })
            })
            .collect();
        one.delete_tenant(&id).await.unwrap();
        for writer in writers {
            assert!(matches!(writer.await.unwrap(), Ok(()) | Err(StoreError::Conflict { index: 0 })));
        }
        let shell = database.shell().await;
        for table in ["artifact", "grant_record", "event"] {
            let rows = shell.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap();
            assert_eq!(rows.get::<_, i64>(0), 0, "round {round}: {table}");
        }
        one.create_tenant(&tenant_named("t1")).await.unwrap();
    }
}

/// All nodes see one clock, which is the server's.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn the_clock_is_the_servers() {
    let (database, one, _tenant) = with_tenant().await;
    let two = database.open().await;
    let shell = database.shell().await;
    let seen = async || {
        let row = shell.query_one("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", &[]);
        row.await.unwrap().get::<_, i64>(0)
    };
    let before = seen().await;
    let told = [one.clock().await.unwrap().unwrap(), two.clock().await.unwrap().unwrap()];
    let after = seen().await;
    let [first, second] = told.map(Timestamp::millis);
    assert!(before <= first && first <= second && second <= after, "{before} {first} {second} {after}");
}
