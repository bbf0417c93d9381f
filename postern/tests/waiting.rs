//! E5: a server whose database is not there yet.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

    use reqwest::{Method, Response};
    use serde_json::Value;
    use tempfile::TempDir;

    /// A server that waits. Killed when dropped.
    struct Waiting {
        directory: TempDir,
        process: Child,
        log: BufReader<ChildStderr>,
        main: String,
        side: String,
        database: String,
    }

    impl Waiting {
        fn start() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let [listen, metrics, database] = [(); 3].map(|()| free_address());
            let place = directory.path().display();
            let config = directory.path().join("postern.toml");
            let text = format!(
                "public_url = \"https://localhost:8443\"\nlisten = \"{listen}\"\nmetrics_listen = \"{metrics}\"\n\
                 key_file = \"{place}/seal.key\"\n[tls]\nself_signed = true\n\
                 [store]\nurl = \"postgres://postern@{database}/postern\"\n[store.postgres]\ntls = \"off\"\n"
            );
            fs::write(&config, text).unwrap();
            let mut process = Command::new(env!("CARGO_BIN_EXE_postern"))
                .args(["serve", "--config", config.to_str().unwrap()])
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut log = BufReader::new(process.stderr.take().unwrap());
            let mut line = String::new();
            while !line.contains("waiting for the database") {
                line.clear();
                assert!(log.read_line(&mut line).unwrap() > 0, "ended early");
            }
            let (main, side) = (format!("https://{listen}"), format!("http://{metrics}"));
            Self { directory, process, log, main, side, database }
        }

        /// How it ended, and what it said last.
        fn end(mut self) -> (ExitStatus, String, TempDir) {
            let mut said = String::new();
            self.log.read_to_string(&mut said).unwrap();
            let status = self.process.wait().unwrap();
            let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
            (status, said, directory)
        }
    }

    impl Drop for Waiting {
        fn drop(&mut self) {
            let _ = self.process.kill();
        }
    }

    /// An address where nobody listens.
    fn free_address() -> String {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
    }

    /// The certificate is not kept before the database is accepted, so that there is none to trust.
    fn client() -> reqwest::Client {
        reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap()
    }

    async fn ask(method: Method, url: String, accept: &str) -> Response {
        client().request(method, url).header("accept", accept).send().await.unwrap()
    }

    #[tokio::test]
    async fn e_05_says_that_it_lives_and_refuses_everything_else_for_a_while() {
        let waiting = Waiting::start();
        for base in [&waiting.main, &waiting.side] {
            assert_eq!(ask(Method::GET, format!("{base}/alive"), "*/*").await.status(), 200);
            let ready = ask(Method::GET, format!("{base}/ready"), "*/*").await;
            assert_eq!(
                (ready.status().as_u16(), &ready.headers()["retry-after"]),
                (503, &"1".parse().unwrap())
            );
        }
        for (method, path) in [
            (Method::GET, "/acme/main/.well-known/openid-configuration"),
            (Method::POST, "/acme/main/oauth2/token"),
            (Method::GET, "/api/admin/acme/servers"),
            (Method::GET, "/nowhere"),
        ] {
            let answer = ask(method, format!("{}{path}", waiting.main), "application/json").await;
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["retry-after"]),
                (503, &"1".parse().unwrap())
            );
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["error"], "temporarily_unavailable", "{path}: {body}");
            assert_eq!(body["error_description"], "The server cannot reach its store at the moment.");
        }
        let page =
            ask(Method::GET, format!("{}/acme/main/oauth2/authorize", waiting.main), "text/html").await;
        assert_eq!((page.status().as_u16(), &page.headers()["retry-after"]), (503, &"1".parse().unwrap()));
        assert!(page.text().await.unwrap().contains("<html"));

        let metrics = ask(Method::GET, format!("{}/metrics", waiting.side), "*/*").await;
        assert_eq!(metrics.status(), 200);
        let metrics = metrics.text().await.unwrap();
        let counted =
            "http_request_duration_seconds_count{route=\"(none)\",method=\"POST\",status=\"5xx\"} 1";
        assert!(metrics.contains(counted), "{metrics}");
    }

    #[tokio::test]
    async fn e_06_ends_in_order_when_it_is_told_to_stop() {
        let waiting = Waiting::start();
        let kept = client();
        let alive = format!("{}/alive", waiting.main);
        assert_eq!(kept.get(&alive).send().await.unwrap().status(), 200);
        let told = Command::new("kill").arg(waiting.process.id().to_string()).status().unwrap();
        assert!(told.success());
        let (status, said, _) = waiting.end();
        assert!(status.success(), "{status}: {said}");
        assert!(said.trim_end().lines().last().unwrap().contains("\"stopped\""), "{said}");
    }

    #[test]
    fn e_23_ends_with_one_line_when_the_database_that_came_refuses() {
        let waiting = Waiting::start();
        let database = TcpListener::bind(&waiting.database).unwrap();
        let (mut session, _) = database.accept().unwrap();
        let mut length = [0; 4];
        session.read_exact(&mut length).unwrap();
        let mut rest = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
        session.read_exact(&mut rest).unwrap();
        // PostgreSQL's ErrorResponse.
        let fields = b"SFATAL\0VFATAL\0C28P01\0Mnobody is let in\0\0";
        let told = [b"E", &(u32::try_from(fields.len()).unwrap() + 4).to_be_bytes()[..], fields].concat();
        session.write_all(&told).unwrap();
        drop(session);

        let (status, said, directory) = waiting.end();
        assert_eq!(status.code(), Some(1), "{said}");
        let complaints: Vec<_> = said.lines().filter(|line| !line.starts_with('{')).collect();
        assert_eq!(complaints.len(), 1, "{said}");
        assert!(
            complaints[0].contains("store.url: ") && complaints[0].contains("nobody is let in"),
            "{said}"
        );
        let files: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(files.len(), 1, "it left something behind: {files:?}");
    }
}
