//! The audit export of the real program: to a file, to an address that is down for a while, and through a kill.

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::{BufRead, BufReader};
    use std::path::PathBuf;
    use std::process::{Child, Command, Stdio};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use serde_json::Value;
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// An installation with both sinks.
    struct Installation(TempDir);

    impl Installation {
        fn new(sink: u16) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let place = directory.path().display();
            let config = format!(
                "public_url = \"https://localhost:8443\"\nlisten = \"127.0.0.1:0\"\nmetrics_listen = \"off\"\n\
                 key_file = \"{place}/seal.key\"\n[tls]\nself_signed = true\n\
                 [store.sqlite]\npath = \"{place}/postern.db\"\n[fetch]\nallow_loopback = true\n\
                 [audit.export.file]\npath = \"{place}/audit.jsonl\"\n\
                 [audit.export.http]\nurl = \"http://127.0.0.1:{sink}/events\"\ntoken_env = \"SINK_TOKEN\"\n"
            );
            std::fs::write(directory.path().join("postern.toml"), config).unwrap();
            Self(directory)
        }

        fn command(&self, arguments: &[&str]) -> Command {
            let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
            command.args(arguments).arg("--config").arg(self.0.path().join("postern.toml"));
            command.env("SINK_TOKEN", "token-of-the-sink");
            command
        }

        fn create_tenant(&self, id: &str) {
            let output = self.command(&["create-tenant", id]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }

        fn serve(&self) -> Running {
            let mut server = self.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
            let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
            while !log.next().expect("it goes on").unwrap().contains("\"serving\"") {}
            // What it says later must not block it.
            std::thread::spawn(move || log.for_each(drop));
            Running(server)
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("audit.jsonl")
        }

        /// The events in the file, by tenant and identifier.
        fn written(&self) -> BTreeSet<(String, String)> {
            events(&std::fs::read_to_string(self.file()).unwrap_or_default())
        }
    }

    /// A running server. Killed when dropped: nothing is put in order.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn events(lines: &str) -> BTreeSet<(String, String)> {
        let event = |line: &str| {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            (text("tenant_id"), text("event_id"))
        };
        lines.lines().map(event).collect()
    }

    fn of<'e>(all: &'e BTreeSet<(String, String)>, tenant: &str) -> Vec<&'e (String, String)> {
        all.iter().filter(|(of, _)| of == tenant).collect()
    }

    /// Waits for the program outside, which nothing else tells us about.
    async fn until(what: &str, holds: impl Fn() -> bool) {
        for _ in 0..6_000 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{what}: it never came");
    }

    /// Takes whatever is posted.
    async fn collect(listener: TcpListener, taken: Arc<Mutex<String>>) {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (mut request, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
            let body = loop {
                let read = socket.read(&mut chunk).await.unwrap_or(0);
                request.extend_from_slice(&chunk[..read]);
                let text = String::from_utf8_lossy(&request);
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let head = head.to_lowercase();
                assert!(head.contains("authorization: bearer token-of-the-sink"), "{head}");
                assert!(head.contains("content-type: application/x-ndjson"), "{head}");
                let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
                if body.len() >= length.parse().unwrap() {
                    break body.to_owned();
                }
            };
            taken.lock().unwrap().push_str(&body);
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            socket.write_all(answer).await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn events_reach_file_and_address_through_a_kill_and_a_sink_that_was_down() {
        // Taken and closed: nobody listens there for now.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let installation = Installation::new(port);
        installation.create_tenant("one");
        let server = installation.serve();
        until("the file", || of(&installation.written(), "one").len() >= 2).await;
        drop(server);
        let before = installation.written();

        installation.create_tenant("two");
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let taken = Arc::new(Mutex::new(String::new()));
        tokio::spawn(collect(listener, Arc::clone(&taken)));
        std::fs::rename(installation.file(), installation.0.path().join("audit.1")).unwrap();
        let server = installation.serve();
        until("the address", || events(&taken.lock().unwrap()).is_superset(&before)).await;
        let told = || events(&taken.lock().unwrap());
        until("events of the second tenant", || of(&told(), "two").len() >= 2).await;
        until("a new file", || of(&installation.written(), "two").len() >= 2).await;
        drop(server);
        assert!(of(&told(), "one").iter().all(|event| before.contains(event)), "the same identifiers");
        let all = told();
        assert!(of(&installation.written(), "two").iter().all(|event| all.contains(event)));
    }
}
