//! The audit trail: by time, handed on once, removed when old.

use super::*;
use crate::{EventKey, EventRange, ExportSink, Lease};

const WHOLE: EventRange =
    EventRange { after: EventKey::START, before: EventKey::END, descending: false, limit: 100 };

fn at(seconds: i64, body: &str) -> StoredEvent {
    StoredEvent { at: time(seconds), body: body.to_owned(), ..event("issued") }
}

async fn told(world: &World, server_id: &ServerId, range: EventRange) -> Vec<StoredEvent> {
    world.store.trail(&world.one, server_id, &range).await.expect("a trail")
}

fn bodies(events: &[StoredEvent]) -> Vec<&str> {
    events.iter().map(|event| event.body.as_str()).collect()
}

/// The trail of a workspace is in the order of time, whenever its events were stored.
pub async fn a_trail_is_read_by_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let elsewhere = StoredEvent { server: Some(ServerId::new("elsewhere")), ..at(11, "x") };
    let late = vec![at(12, "c"), at(10, "a"), elsewhere, at(12, "d"), at(11, "b")];
    world.store.append(&world.one, late).await.expect("events");
    world.store.append(&world.two, vec![at(11, "other tenant")]).await.expect("events");
    let all = told(&world, &server(), WHOLE).await;
    assert_eq!(bodies(&all), ["a", "b", "c", "d"]);
    let newest = told(&world, &server(), EventRange { descending: true, limit: 3, ..WHOLE }).await;
    assert_eq!(bodies(&newest), ["d", "c", "b"]);
    let [_, b, c, _] = all.as_slice() else { unreachable!("four events, got {all:?}") };
    let (b, c) = (EventKey { at: b.at, id: b.id }, EventKey { at: c.at, id: c.id });
    assert_eq!(bodies(&told(&world, &server(), EventRange { after: c, ..WHOLE }).await), ["d"]);
    assert_eq!(bodies(&told(&world, &server(), EventRange { before: c, ..WHOLE }).await), ["a", "b"]);
    assert_eq!(told(&world, &server(), EventRange { after: b, before: c, ..WHOLE }).await, []);
    let from = EventRange { after: EventKey::before(time(11)), before: EventKey::before(time(12)), ..WHOLE };
    assert_eq!(bodies(&told(&world, &server(), from).await), ["b"]);
    assert_eq!(bodies(&told(&world, &ServerId::new("elsewhere"), WHOLE).await), ["x"]);
}

/// Each sink is told of what it has to be told, until it was.
pub async fn events_wait_until_each_sink_was_told(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let both = ExportSink::File.bit() | ExportSink::Http.bit();
    let events = vec![
        StoredEvent { exports: both, ..at(1, "a") },
        at(2, "nobody"),
        StoredEvent { exports: ExportSink::Http.bit(), ..at(3, "b") },
    ];
    let batch = Batch { writes: Vec::new(), events };
    world.store.commit(&world.one, batch).await.expect("a commit with events");
    let more = vec![StoredEvent { exports: both, ..at(4, "c") }];
    world.store.append(&world.two, more).await.expect("events");
    let waiting = async |sink: ExportSink, limit: usize| {
        let waiting = world.store.unexported(sink, limit).await.expect("events");
        waiting.into_iter().map(|(tenant, event)| (tenant, event.id, event.body)).collect::<Vec<_>>()
    };
    let file = waiting(ExportSink::File, 10).await;
    assert_eq!(file.iter().map(|(_, _, body)| body.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert!(file.iter().map(|(tenant, _, _)| tenant).eq([&world.one, &world.two]), "{file:?}");
    assert_eq!(waiting(ExportSink::Http, 2).await.len(), 2);
    let told: Vec<_> = file.iter().map(|(tenant, id, _)| (tenant.clone(), *id)).collect();
    // The same number in another tenant is another event.
    let another: Vec<_> = told.iter().take(1).map(|(_, id)| (world.two.clone(), *id)).collect();
    world.store.exported(ExportSink::File, &another).await.expect("nothing");
    assert_eq!(waiting(ExportSink::File, 10).await.len(), 2);
    for _ in 0..2 {
        world.store.exported(ExportSink::File, &told).await.expect("told");
        assert_eq!(waiting(ExportSink::File, 10).await, []);
    }
    assert_eq!(waiting(ExportSink::Http, 10).await.len(), 3, "the other sink still waits");
}

/// One node at a time tells a sink, and another one when its time is over.
pub async fn a_lease_is_held_by_one(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = async |sink, held: Option<i64>, now: i64, until: i64| {
        let lease = Lease { held_until: held.map(time), now: time(now), until: time(until) };
        world.store.lease_export(sink, lease).await.expect("an answer")
    };
    assert!(lease(ExportSink::File, None, 100, 130).await);
    assert!(!lease(ExportSink::File, None, 110, 140).await, "it is somebody else's");
    assert!(lease(ExportSink::Http, None, 110, 140).await, "the other sink is free");
    assert!(lease(ExportSink::File, Some(130), 120, 150).await, "prolonged");
    assert!(!lease(ExportSink::File, Some(130), 121, 160).await, "an older one is worth nothing");
    assert!(!lease(ExportSink::File, None, 150, 180).await, "its last moment");
    assert!(lease(ExportSink::File, None, 151, 181).await, "over");
    assert!(!lease(ExportSink::File, Some(150), 152, 190).await, "lost to somebody else");
}

/// Old events go in batches.
pub async fn old_events_are_swept(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.store.append(&world.one, vec![at(1, "a"), at(2, "b"), at(4, "c")]).await.expect("events");
    world.store.append(&world.two, vec![at(3, "d")]).await.expect("events");
    assert_eq!(world.store.sweep_events(time(4), 2).await.expect("a sweep"), 2);
    assert_eq!(world.store.sweep_events(time(4), 2).await.expect("a sweep"), 1);
    assert_eq!(world.store.sweep_events(time(4), 2).await.expect("a sweep"), 0);
    assert_eq!(bodies(&told(&world, &server(), WHOLE).await), ["c"]);
    assert_eq!(world.store.events(&world.two, None, 10).await.expect("events"), []);
}
