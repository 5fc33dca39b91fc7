//! The watch on the wire: it starts with everything, loses nothing, and never ends.

use crate::stub::{Chunk, Reply, Stub, event, kinds, page, status};
use futures_util::{StreamExt as _, stream::BoxStream};
use serde_json::{Value, json};
use stackctl_engine::{
    ObjectType,
    execute::{Provider as _, WatchEvent},
};

fn widgets() -> ObjectType {
    ObjectType::new("example.com/v1", "Widget")
}

fn discovered() -> Reply {
    kinds(&["GET /apis/example.com/v1 "], &[("Widget", "widgets", true)]).lasting()
}

fn widget(name: &str, resource_version: &str) -> Value {
    json!({"kind": "Widget", "apiVersion": "example.com/v1",
        "metadata": {"name": name, "resourceVersion": resource_version}})
}

fn watching(stub: &Stub) -> BoxStream<'static, WatchEvent> {
    stub.provider().watch(&widgets(), Some("demo"))
}

/// The next event in a word: `=a,b` is a snapshot, `+a` changed, `-a` gone, `!` interrupted.
async fn next(stream: &mut BoxStream<'static, WatchEvent>) -> String {
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    match stream.next().await.expect("it never ends") {
        WatchEvent::Snapshot(items) => format!("={}", items.iter().map(name).collect::<Vec<_>>().join(",")),
        WatchEvent::Changed(object) => format!("+{}", name(&object)),
        WatchEvent::Gone(object) => format!("-{}", name(&object)),
        WatchEvent::Interrupted(reason) => format!("!{reason}"),
        WatchEvent::Resumed => "resumed".to_owned(),
    }
}

fn send(watch: &tokio::sync::mpsc::UnboundedSender<Chunk>, chunk: Chunk) {
    watch.send(chunk).expect("somebody watches");
}

#[tokio::test]
async fn everything_first_then_each_change() {
    let (watch, open) = Reply::open(&["watch=true"]);
    let stub = Stub::serve(vec![
        discovered(),
        open,
        page(&["widgets?limit"], "10", "", &["a", "b"]),
    ])
    .await;
    let mut stream = watching(&stub);
    assert_eq!(next(&mut stream).await, "=a,b");
    send(&watch, event("ADDED", &widget("c", "11")));
    assert_eq!(next(&mut stream).await, "+c");
    send(&watch, event("MODIFIED", &widget("a", "12")));
    send(&watch, event("DELETED", &widget("b", "13")));
    assert_eq!(next(&mut stream).await, "+a");
    assert_eq!(next(&mut stream).await, "-b");
    insta::assert_snapshot!(stub.lines().join("\n"), @r"
    GET /apis/example.com/v1
    GET /apis/example.com/v1/namespaces/demo/widgets?limit=500
    GET /apis/example.com/v1/namespaces/demo/widgets?watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=300
    ");
}

#[tokio::test]
async fn a_line_may_come_in_pieces() {
    let (watch, open) = Reply::open(&["watch=true"]);
    let stub = Stub::serve(vec![discovered(), open, page(&["widgets?limit"], "10", "", &[])]).await;
    let mut stream = watching(&stub);
    assert_eq!(next(&mut stream).await, "=");
    let line = json!({"type": "ADDED", "object": widget("ü", "11")}).to_string();
    for piece in line.split_inclusive(':') {
        send(&watch, Chunk::Text(piece.to_owned()));
    }
    send(&watch, Chunk::Text("\n\n".to_owned()));
    assert_eq!(next(&mut stream).await, "+ü");
}

#[tokio::test]
async fn a_proper_end_goes_on_from_the_last_bookmark_without_a_word() {
    let (first, open_first) = Reply::open(&["resourceVersion=10"]);
    let (second, open_second) = Reply::open(&["resourceVersion=40"]);
    let replies = vec![
        discovered(),
        open_first,
        open_second,
        page(&["widgets?limit"], "10", "", &["a"]),
    ];
    let stub = Stub::serve(replies).await;
    let mut stream = watching(&stub);
    assert_eq!(next(&mut stream).await, "=a");
    send(
        &first,
        event(
            "BOOKMARK",
            &json!({"kind": "Widget", "metadata": {"resourceVersion": "40"}}),
        ),
    );
    send(&first, Chunk::End);
    send(&second, event("MODIFIED", &widget("a", "41")));
    assert_eq!(next(&mut stream).await, "+a");
}

#[tokio::test]
async fn a_cut_connection_is_told_and_resumed_and_half_a_line_is_not_read() {
    let (first, open_first) = Reply::open(&["resourceVersion=10"]);
    let (second, open_second) = Reply::open(&["resourceVersion=11"]);
    let replies = vec![
        discovered(),
        open_first,
        open_second,
        page(&["widgets?limit"], "10", "", &["a"]),
    ];
    let stub = Stub::serve(replies).await;
    let mut stream = watching(&stub);
    assert_eq!(next(&mut stream).await, "=a");
    send(&first, event("MODIFIED", &widget("a", "11")));
    send(&first, Chunk::Text("{\"type\":\"MODIFIED\",\"obj".to_owned()));
    send(&first, Chunk::Cut);
    send(&second, event("DELETED", &widget("a", "12")));
    assert_eq!(next(&mut stream).await, "+a");
    let told = next(&mut stream).await;
    assert!(told.starts_with("!the connection broke"), "{told}");
    assert_eq!(next(&mut stream).await, "resumed");
    assert_eq!(next(&mut stream).await, "-a");
}

#[tokio::test]
async fn an_expired_version_lists_again_in_whichever_shape_it_comes() {
    let expired = status(410, "Expired", "too old resource version: 1 (1473)", &json!({}));
    let (in_event, open) = Reply::open(&["resourceVersion=1&"]);
    let (as_line, open_bare) = Reply::open(&["resourceVersion=3&"]);
    let replies = vec![
        discovered(),
        open,
        Reply::json(&["resourceVersion=2&"], 410, &expired),
        open_bare,
        page(&["widgets?limit"], "1", "", &["a"]),
        page(&["widgets?limit"], "2", "", &["b"]),
        page(&["widgets?limit"], "3", "", &["c"]),
        page(&["widgets?limit"], "4", "", &["d"]),
    ];
    let stub = Stub::serve(replies).await;
    send(&in_event, event("ERROR", &expired));
    send(&as_line, Chunk::Text(format!("{expired}\n")));
    let mut stream = watching(&stub);
    for snapshot in ["=a", "=b", "=c"] {
        assert_eq!(next(&mut stream).await, snapshot);
        assert_eq!(next(&mut stream).await, "!too old resource version: 1 (1473)");
    }
    assert_eq!(next(&mut stream).await, "=d");
}

#[tokio::test]
async fn a_kind_that_appears_later_is_an_empty_snapshot_until_then() {
    let stub = Stub::serve(Vec::new()).await;
    let mut stream = watching(&stub);
    assert_eq!(next(&mut stream).await, "=");
    let (watch, open) = Reply::open(&["watch=true"]);
    let appears = async {
        while stub.lines().len() < 4 {
            tokio::task::yield_now().await;
        }
        stub.add(open);
        stub.add(page(&["widgets?limit"], "10", "", &["a"]));
        stub.add(discovered());
    };
    let (seen, ()) = tokio::join!(next(&mut stream), appears);
    assert_eq!(seen, "=a");
    send(&watch, event("ADDED", &widget("b", "11")));
    assert_eq!(next(&mut stream).await, "+b");
}

#[tokio::test]
async fn a_kind_that_goes_is_an_empty_snapshot_again() {
    let (watch, open) = Reply::open(&["watch=true"]);
    let served_once = kinds(&["GET /apis/example.com/v1 "], &[("Widget", "widgets", true)]);
    let stub = Stub::serve(vec![served_once, open, page(&["widgets?limit"], "10", "", &["a"])]).await;
    let mut stream = watching(&stub);
    assert_eq!(next(&mut stream).await, "=a");
    send(&watch, Chunk::End);
    assert_eq!(next(&mut stream).await, "=");
}

#[tokio::test]
async fn a_failure_is_told_once_and_then_waited_out() {
    let forbidden = status(403, "Forbidden", "widgets is forbidden", &json!({}));
    let list = || Reply::json(&["widgets?limit"], 403, &forbidden);
    let (_watch, open) = Reply::open(&["watch=true"]);
    let replies = vec![
        discovered(),
        open,
        list(),
        list(),
        list(),
        page(&["widgets?limit"], "10", "", &["a"]),
    ];
    let stub = Stub::serve(replies).await;
    let mut stream = watching(&stub);
    assert_eq!(next(&mut stream).await, "!widgets is forbidden");
    assert_eq!(next(&mut stream).await, "=a");
    assert_eq!(stub.lines().iter().filter(|line| line.contains("?limit")).count(), 4);
}
