use super::*;
use crate::{Cursor, MAX_ROWS};

const CLIENT: DocumentKind = DocumentKind::Client;

pub async fn a_document_is_created_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.document(CLIENT, "a").await, None, "one tenant sees the other's");
    let new = Document { parent: None, ..document(CLIENT, "a") };
    world.commit(vec![put_document(new.clone(), Expect::Absent)]).await.expect("a new document");
    assert_conflict(world.commit(vec![put_document(document(CLIENT, "a"), Expect::Absent)]).await, 0);
    assert_eq!(world.document(CLIENT, "a").await, Some(Document { revision: 1, ..new }));
    world.done().await;
}

pub async fn a_document_is_replaced_in_its_revision_only(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let put = |expect| world.commit(vec![put_document(document(CLIENT, "a"), expect)]);
    assert_conflict(put(Expect::Revision(1)).await, 0);
    put(Expect::Any).await.expect("no precondition");
    for stale in [-1, 0, 2] {
        assert_conflict(put(Expect::Revision(stale)).await, 0);
    }
    put(Expect::Revision(1)).await.expect("the right revision");
    assert_conflict(put(Expect::Revision(1)).await, 0);
    put(Expect::Any).await.expect("no precondition");
    assert_eq!(world.document(CLIENT, "a").await.map(|document| document.revision), Some(3));
    world.done().await;
}

/// W-09: `uid` and `created_at` stay for as long as the document exists, and only so long.
pub async fn a_document_keeps_its_incarnation(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = document(CLIENT, "a");
    world.commit(vec![put_document(first.clone(), Expect::Absent)]).await.expect("a new document");
    for (expect, revision) in [(Expect::Revision(1), 2), (Expect::Any, 3)] {
        let changed = Document {
            parent: Some("another".to_owned()),
            uid: Uid::new("forged"),
            created_at: time(99),
            updated_at: time(100 + revision),
            body: revision.to_string(),
            ..first.clone()
        };
        world.commit(vec![put_document(changed.clone(), expect)]).await.expect("a replacement");
        let kept = Document { uid: first.uid.clone(), created_at: first.created_at, revision, ..changed };
        assert_eq!(world.document(CLIENT, "a").await, Some(kept));
    }
    let next = Document { uid: Uid::new("next"), created_at: time(99), ..first };
    let delete = Write::DeleteDocument { kind: CLIENT, id: "a".to_owned(), expect: Expect::Any };
    world
        .commit(vec![delete, put_document(next.clone(), Expect::Absent)])
        .await
        .expect("another incarnation");
    assert_eq!(world.document(CLIENT, "a").await, Some(Document { revision: 1, ..next }));
    world.done().await;
}

pub async fn a_document_is_deleted_under_its_precondition(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delete =
        |expect| world.commit(vec![Write::DeleteDocument { kind: CLIENT, id: "a".to_owned(), expect }]);
    let create = || world.commit(vec![put_document(document(CLIENT, "a"), Expect::Absent)]);
    delete(Expect::Any).await.expect("deleting nothing is fine");
    delete(Expect::Absent).await.expect("it is absent");
    assert_conflict(delete(Expect::Revision(1)).await, 0);
    create().await.expect("a new document");
    assert_conflict(delete(Expect::Absent).await, 0);
    assert_conflict(delete(Expect::Revision(2)).await, 0);
    delete(Expect::Revision(1)).await.expect("the right revision");
    assert_eq!(world.document(CLIENT, "a").await, None);
    create().await.expect("it is gone");
    delete(Expect::Any).await.expect("no precondition");
    assert_eq!(world.document(CLIENT, "a").await, None);
    world.done().await;
}

pub async fn kinds_of_documents_are_separate(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for kind in DocumentKind::ALL {
        assert_eq!(world.document(*kind, "a").await, None, "{kind:?}");
        world
            .commit(vec![put_document(document(*kind, "a"), Expect::Absent)])
            .await
            .expect("a key of its own");
        assert_eq!(world.ids(*kind, None, &Page::first(10)).await, ["a"]);
    }
    world.done().await;
}

pub async fn children_are_deleted_together(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let under = |parent: Option<&str>, kind, id| {
        let document = Document { parent: parent.map(str::to_owned), ..document(kind, id) };
        put_document(document, Expect::Absent)
    };
    let writes = vec![
        under(Some("parent"), CLIENT, "a"),
        under(Some("parent"), CLIENT, "b"),
        under(Some("another"), CLIENT, "c"),
        under(None, CLIENT, "d"),
        under(Some("parent"), DocumentKind::Key, "a"),
    ];
    world.commit(writes).await.expect("new documents");
    let delete = || vec![Write::DeleteChildren { kind: CLIENT, parent: "parent".to_owned() }];
    world.commit(delete()).await.expect("deleting children");
    world.commit(delete()).await.expect("deleting none");
    assert_eq!(world.ids(CLIENT, None, &Page::first(10)).await, ["c", "d"]);
    assert_eq!(world.ids(DocumentKind::Key, None, &Page::first(10)).await, ["a"]);
    world.done().await;
}

pub async fn bodies_come_back_as_they_were(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let long = "x".repeat(300_000);
    for body in ["", "{}", "'; DROP TABLE tenant; --", "\"\\ \u{0} \u{1F511} \u{FEFF} \r\n", long.as_str()] {
        let put = Document { body: body.to_owned(), ..document(CLIENT, "a") };
        world.commit(vec![put_document(put, Expect::Any)]).await.expect("any text");
        assert!(world.document(CLIENT, "a").await.is_some_and(|stored| stored.body == body));
        let put = Artifact { body: body.to_owned(), ..artifact(ArtifactKind::Session, "a") };
        world.commit(vec![put_artifact(put, Expect::Any)]).await.expect("any text");
        let stored = world.artifact(ArtifactKind::Session, "a").await;
        assert!(stored.is_some_and(|stored| stored.body == body));
    }
    world.done().await;
}

async fn create(world: &World, ids: &[&str]) {
    let new = ids.iter().map(|id| put_document(document(CLIENT, id), Expect::Absent)).collect();
    world.commit(new).await.expect("new documents");
}

fn page(cursor: Cursor, limit: usize) -> Page {
    Page { cursor, limit, descending: false }
}

fn descending(cursor: Cursor, limit: usize) -> Page {
    Page { cursor, limit, descending: true }
}

fn after(key: &str) -> Cursor {
    Cursor::After(key.to_owned())
}

fn before(key: &str) -> Cursor {
    Cursor::Before(key.to_owned())
}

pub async fn documents_are_paged_by_key(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    // The order of bytes: capitals before small letters, accents last.
    create(&world, &["a", "b", "ä", "B", "c", "a0"]).await;
    let all = ["B", "a", "a0", "b", "c", "ä"];
    let reversed = ["ä", "c", "b", "a0", "a", "B"];
    for (page, expected) in [
        (page(Cursor::Start, 10), &all[..]),
        (page(Cursor::Start, 2), &["B", "a"]),
        (page(after("a"), 2), &["a0", "b"]),
        (page(after("c"), 2), &["ä"]),
        (page(after("ä"), 2), &[]),
        (page(before("c"), 2), &["a0", "b"]),
        (page(before("a0"), 10), &["B", "a"]),
        (page(before("B"), 2), &[]),
        (descending(Cursor::Start, 10), &reversed[..]),
        (descending(Cursor::Start, 2), &["ä", "c"]),
        (descending(after("c"), 2), &["b", "a0"]),
        (descending(after("B"), 2), &[]),
        (descending(before("a0"), 2), &["c", "b"]),
        (descending(before("b"), 10), &["ä", "c"]),
        (descending(before("ä"), 2), &[]),
    ] {
        assert_eq!(world.ids(CLIENT, None, &page).await, expected, "{page:?}");
    }
    world.done().await;
}

/// Rows that come and go between pages neither shift nor repeat the others.
pub async fn documents_are_paged_while_they_change(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    create(&world, &["b", "d", "f", "h"]).await;
    assert_eq!(world.ids(CLIENT, None, &page(Cursor::Start, 2)).await, ["b", "d"]);
    create(&world, &["a", "c", "e"]).await;
    let delete = Write::DeleteDocument { kind: CLIENT, id: "d".to_owned(), expect: Expect::Any };
    world.commit(vec![delete]).await.expect("it is there");
    assert_eq!(world.ids(CLIENT, None, &page(after("d"), 2)).await, ["e", "f"], "the key itself is gone");
    assert_eq!(world.ids(CLIENT, None, &page(after("f"), 2)).await, ["h"]);
    assert_eq!(world.ids(CLIENT, None, &page(before("e"), 2)).await, ["b", "c"]);
    assert_eq!(world.ids(CLIENT, None, &descending(after("d"), 2)).await, ["c", "b"]);
    assert_eq!(world.ids(CLIENT, None, &descending(before("d"), 2)).await, ["f", "e"]);
    world.done().await;
}

pub async fn documents_are_paged_under_a_parent(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let under = |parent: &str, id| {
        put_document(Document { parent: Some(parent.to_owned()), ..document(CLIENT, id) }, Expect::Absent)
    };
    let orphan = put_document(Document { parent: None, ..document(CLIENT, "g") }, Expect::Absent);
    let writes =
        vec![under("p", "a"), under("q", "b"), under("p", "c"), under("p", "e"), under("q", "f"), orphan];
    world.commit(writes).await.expect("new documents");
    for (page, expected) in [
        (page(Cursor::Start, 2), &["a", "c"][..]),
        (page(after("a"), 10), &["c", "e"]),
        (page(before("e"), 1), &["c"]),
        (descending(Cursor::Start, 2), &["e", "c"]),
        (descending(after("c"), 10), &["a"]),
        (descending(before("a"), 1), &["c"]),
    ] {
        assert_eq!(world.ids(CLIENT, Some("p"), &page).await, expected, "{page:?}");
    }
    assert_eq!(world.ids(CLIENT, Some("q"), &Page::first(10)).await, ["b", "f"]);
    assert_eq!(world.ids(CLIENT, Some("r"), &Page::first(10)).await, [""; 0]);
    assert_eq!(world.ids(DocumentKind::Key, Some("p"), &Page::first(10)).await, [""; 0]);

    // A document that moves is listed where it is.
    let moved = Document { parent: Some("q".to_owned()), ..document(CLIENT, "c") };
    world.commit(vec![put_document(moved, Expect::Revision(1))]).await.expect("the right revision");
    assert_eq!(world.ids(CLIENT, Some("p"), &Page::first(10)).await, ["a", "e"]);
    assert_eq!(world.ids(CLIENT, Some("q"), &Page::first(10)).await, ["b", "c", "f"]);
    world.done().await;
}

pub async fn lists_are_bounded(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let new = |number: usize| put_document(document(CLIENT, &format!("{number:05}")), Expect::Absent);
    world.commit((0..MAX_ROWS + 5).map(new).collect()).await.expect("new documents");
    assert_eq!(world.ids(CLIENT, None, &Page::first(usize::MAX)).await.len(), MAX_ROWS);
    assert_eq!(world.ids(CLIENT, None, &page(before("9"), usize::MAX)).await.len(), MAX_ROWS);
    assert_eq!(world.ids(CLIENT, None, &Page::first(0)).await, ["00000"]);
    world.done().await;
}
