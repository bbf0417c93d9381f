//! Copies of a database in use.

use super::*;

#[tokio::test]
async fn a_backup_holds_everything_acknowledged_before() {
    let (directory, store, tenant) = with_tenant().await;
    let target = directory.path().join("copy.db");
    for round in 0..3 {
        for number in 0..20 {
            commit(&store, &tenant, vec![code(&format!("{round}-{number}"), "{}")]).await.unwrap();
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..20 {
                    let write = vec![code(&format!("{round}-later-{number}"), "{}")];
                    store::contract::block_on(commit(&store, &tenant, write)).unwrap();
                }
            });
            crate::backup::copy(&file(&directory), &target).unwrap();
        });
        let copy = SqliteStore::open(&target, &Options::default()).unwrap();
        for number in 0..20 {
            assert!(has_code(&copy, &tenant, &format!("{round}-{number}")).await, "{round}-{number}");
        }
        copy.ping().await.unwrap();
    }
    store.backup_to(&target).await.unwrap();
    assert!(!directory.path().join("copy.db.partial").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, store, _tenant) = with_tenant().await;
    let target = directory.path().join("copy.db");
    store.backup_to(&target).await.unwrap();
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_backup_that_fails_leaves_the_last_one() {
    let (directory, store, tenant) = with_tenant().await;
    let target = directory.path().join("copy.db");
    store.backup_to(&target).await.unwrap();
    // A directory in the way of the unfinished copy.
    std::fs::create_dir_all(directory.path().join("copy.db.partial/full")).unwrap();
    assert!(store.backup_to(&target).await.is_err());
    let copy = SqliteStore::open(&target, &Options::default()).unwrap();
    assert_eq!(copy.tenant(&tenant).await.unwrap().map(|tenant| tenant.id), Some(tenant));
}
