use super::*;

async fn bodies(world: &World, before: Option<i64>, limit: usize) -> Vec<String> {
    let events = world.store.events(&world.one, before, limit).await.expect("events");
    events.into_iter().map(|event| event.body).collect()
}

fn numbered(numbers: std::ops::Range<i64>) -> Vec<StoredEvent> {
    numbers.map(|number| StoredEvent { id: 7, body: number.to_string(), ..event("issued") }).collect()
}

/// The order of the commits, not of the clock.
pub async fn events_come_newest_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let nameless = StoredEvent { server: None, at: time(5), ..event("refused") };
    let batch = Batch { writes: Vec::new(), events: vec![event("issued"), nameless.clone()] };
    world.store.commit(&world.one, batch).await.expect("a commit with events");
    world.store.append(&world.one, vec![event("created")]).await.expect("an event");
    world.store.append(&world.two, Vec::new()).await.expect("nothing to append is fine");

    let events = world.store.events(&world.one, None, 10).await.expect("events");
    assert!(events.is_sorted_by(|newer, older| newer.id > older.id), "{events:?}");
    let without_ids: Vec<_> = events.into_iter().map(|event| StoredEvent { id: 0, ..event }).collect();
    assert_eq!(without_ids, [event("created"), nameless, event("issued")]);
    world.done().await;
}

pub async fn events_are_paged(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.store.append(&world.one, numbered(0..5)).await.expect("events");
    let first = world.store.events(&world.one, None, 2).await.expect("events");
    assert_eq!(first.iter().map(|event| event.body.as_str()).collect::<Vec<_>>(), ["4", "3"]);
    let last = first.last().map(|event| event.id);
    world.store.append(&world.one, numbered(5..7)).await.expect("events between two pages");
    assert_eq!(bodies(&world, last, 2).await, ["2", "1"]);
    assert_eq!(bodies(&world, last, 10).await, ["2", "1", "0"]);
    assert_eq!(bodies(&world, Some(i64::MIN), 10).await, [""; 0]);
    assert_eq!(bodies(&world, None, 0).await, ["6"], "a limit is at least 1");
    world.done().await;
}

pub async fn events_belong_to_their_commit(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let refused = Batch { writes: vec![put_grant(grant("a"), Expect::Revision(1))], events: numbered(0..1) };
    assert_conflict(world.store.commit(&world.one, refused).await, 0);
    assert_eq!(bodies(&world, None, 10).await, [""; 0]);
    let granted = Batch { writes: vec![put_grant(grant("a"), Expect::Absent)], events: numbered(1..2) };
    world.store.commit(&world.one, granted).await.expect("a new grant");
    assert_eq!(bodies(&world, None, 10).await, ["1"]);
    world.done().await;
}
