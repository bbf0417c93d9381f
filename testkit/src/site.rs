//! A small web site on this machine, from which the server fetches documents.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers `GET` over plain HTTP on a free port of 127.0.0.1; clones are the same one.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    port: u16,
    pages: Mutex<HashMap<String, String>>,
    visits: AtomicUsize,
}

impl Site {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let site = Self(Arc::new(Inner { port, pages: Mutex::default(), visits: AtomicUsize::new(0) }));
        let served = site.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = vec![0; 8192];
                let length = socket.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let answer = served.answer(request.split(' ').nth(1).unwrap_or_default());
                // A client that hangs up has its reasons.
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        site
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.0.port)
    }

    /// Serves a JSON document at `path`; `headers` are whole lines, each with its line end.
    pub fn put(&self, path: &str, headers: &str, body: &str) {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
        let answer = format!("{head}{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        self.pages().insert(path.to_owned(), answer);
    }

    /// Answers `path` with exactly these bytes, and closes the connection.
    pub fn answer_with(&self, path: &str, bytes: &str) {
        self.pages().insert(path.to_owned(), bytes.to_owned());
    }

    /// Leads from `path` elsewhere.
    pub fn redirect(&self, path: &str, to: &str) {
        let answer =
            format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        self.pages().insert(path.to_owned(), answer);
    }

    pub fn remove(&self, path: &str) {
        self.pages().remove(path);
    }

    /// How many requests came.
    pub fn visits(&self) -> usize {
        self.0.visits.load(Ordering::SeqCst)
    }

    fn answer(&self, path: &str) -> String {
        self.0.visits.fetch_add(1, Ordering::SeqCst);
        let page = self.pages().get(path).cloned();
        page.unwrap_or_else(|| {
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
        })
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.0.pages.lock().expect("the pages")
    }
}
