//! Two processes on one file, as far as one process can show it: two stores that share nothing but the file.

use super::*;

#[tokio::test]
async fn two_stores_on_one_file_see_each_other_and_race_fairly() {
    const EACH: usize = 8;
    let (directory, one, tenant) = with_tenant().await;
    let two = open(&directory);
    for round in 0..5 {
        let name = round.to_string();
        let outcomes: Vec<bool> = std::thread::scope(|scope| {
            let race = |store| {
                let (name, tenant) = (&name, &tenant);
                scope.spawn(move || {
                    let committed = commit(store, tenant, vec![code(name, "{}")]);
                    match store::contract::block_on(committed) {
                        Ok(()) => true,
                        Err(StoreError::Conflict { index: 0 }) => false,
                        Err(error) => panic!("{error}"),
                    }
                })
            };
            let threads: Vec<_> = (0..EACH).flat_map(|_| [race(&one), race(&two)]).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|won| **won).count(), 1, "round {round}");
        assert!(has_code(&one, &tenant, &name).await && has_code(&two, &tenant, &name).await);
    }
    commit(&one, &tenant, vec![document("a")]).await.unwrap();
    assert_eq!(one.epoch(&tenant).await.unwrap(), two.epoch(&tenant).await.unwrap());
}
