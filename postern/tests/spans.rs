//! Spans of the real program, as a collector gets them.

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};
    use std::sync::{Arc, Mutex};

    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::trace::v1::Span;
    use prost::Message;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// Every body that was posted to `/v1/traces` with the right header.
    async fn collect(listener: TcpListener, bodies: Arc<Mutex<Vec<Vec<u8>>>>) {
        while let Ok((mut socket, _)) = listener.accept().await {
            let bodies = Arc::clone(&bodies);
            tokio::spawn(async move {
                let (mut request, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
                loop {
                    let read = socket.read(&mut chunk).await.unwrap_or(0);
                    if read == 0 {
                        return;
                    }
                    request.extend_from_slice(&chunk[..read]);
                    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
                    let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
                    let length: usize = length.parse().unwrap();
                    if request.len() < end + 4 + length {
                        continue;
                    }
                    assert!(head.starts_with("post /v1/traces "), "{head}");
                    assert!(head.contains("x-collector-key: key-of-the-collector"), "{head}");
                    bodies.lock().unwrap().push(request[end + 4..end + 4 + length].to_vec());
                    request.drain(..end + 4 + length);
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    socket.write_all(answer).await.unwrap();
                }
            });
        }
    }

    /// The server; killed when dropped, so that a failed test leaves none behind.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn attribute(span: &Span, name: &str) -> Option<String> {
        let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
        match found.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text.clone()),
            Value::IntValue(number) => Some(number.to_string()),
            other => Some(format!("{other:?}")),
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_collector_gets_the_spans_of_a_token_request_and_nothing_secret() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().display();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = format!(
            "public_url = \"https://localhost:{free}\"\nlisten = \"127.0.0.1:{free}\"\nmetrics_listen = \"off\"\n\
             key_file = \"{place}/seal.key\"\ntrusted_proxies = [\"127.0.0.1\"]\n[tls]\nself_signed = true\n\
             [store.sqlite]\npath = \"{place}/postern.db\"\n\
             [otel]\nendpoint = \"http://{}\"\nheaders_env = \"COLLECTOR_HEADERS\"\nservice_name = \"under-test\"\n",
            collector.local_addr().unwrap()
        );
        let bodies = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(collect(collector, Arc::clone(&bodies)));
        let file = directory.path().join("postern.toml");
        std::fs::write(&file, config).unwrap();
        let postern = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
            command.args(arguments).arg("--config").arg(&file);
            command.env("COLLECTOR_HEADERS", "x-collector-key=key-of-the-collector");
            command
        };
        let made = postern(&["create-tenant", "acme"]).output().unwrap();
        let said = String::from_utf8(made.stdout).unwrap();
        let secret = said.lines().find_map(|line| line.strip_prefix("Secret")).unwrap().trim().to_owned();
        let mut server = Running(postern(&["serve"]).stderr(Stdio::piped()).spawn().unwrap());
        let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
        while !log.next().expect("it goes on").unwrap().contains("\"serving\"") {}
        std::thread::spawn(move || log.for_each(drop));

        let root = std::fs::read(directory.path().join("root.pem")).unwrap();
        let root = reqwest::Certificate::from_pem(&root).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
        let ask = || {
            let url = format!("https://localhost:{free}/acme/admin/oauth2/token");
            let form = [("grant_type", "client_credentials")];
            client.post(url).basic_auth("admin", Some(&secret)).form(&form)
        };
        let answer = ask().send().await.unwrap();
        let ours = answer.headers()["x-trace-id"].to_str().unwrap().to_owned();
        assert_eq!(answer.status(), 200);
        let token = answer.text().await.unwrap().split('"').nth(3).unwrap().to_owned();
        let continued = ask().header("traceparent", PARENT).send().await.unwrap();
        let continued = continued.headers()["x-trace-id"].to_str().unwrap().to_owned();
        let query = format!("https://localhost:{free}/acme/admin/.well-known/jwks.json?not=for-spans");
        client.get(query).send().await.unwrap();
        // An orderly stop sends what waits.
        assert!(Command::new("kill").arg(server.0.id().to_string()).status().unwrap().success());
        assert!(server.0.wait().unwrap().success());

        let bodies = bodies.lock().unwrap().clone();
        for (name, needle) in [
            ("secret", secret.as_str()),
            ("token", &token),
            ("query", "for-spans"),
            ("body", "client_credentials"),
        ] {
            for body in &bodies {
                let found = body.windows(needle.len()).any(|window| window == needle.as_bytes());
                assert!(!found, "the {name} is in a span");
            }
        }
        let sent = bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
        let resources: Vec<_> = sent.flat_map(|request| request.resource_spans).collect();
        let resource = format!("{:?}", resources[0].resource);
        assert!(resource.contains("service.name") && resource.contains("under-test"), "{resource}");
        let spans: Vec<Span> =
            resources.into_iter().flat_map(|r| r.scope_spans).flat_map(|scope| scope.spans).collect();
        let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
        let requests: Vec<&Span> =
            spans.iter().filter(|span| span.name == "POST /{tid}/{aid}/oauth2/token").collect();
        let [first, second] = requests[..] else { panic!("two requests in {names:?}") };
        assert_eq!(hex(&first.trace_id), ours, "X-Trace-ID is the trace");
        assert!(first.parent_span_id.is_empty());
        for (name, value) in [
            ("http.request.method", "POST"),
            ("http.route", "/{tid}/{aid}/oauth2/token"),
            ("http.response.status_code", "200"),
            ("postern.tenant", "acme"),
            ("postern.workspace", "admin"),
            ("postern.trace_id", &ours),
        ] {
            assert_eq!(attribute(first, name).as_deref(), Some(value), "{name}");
        }
        let children: Vec<&str> = spans
            .iter()
            .filter(|span| span.parent_span_id == first.span_id)
            .map(|span| span.name.as_str())
            .collect();
        for child in ["client_authentication", "sign"] {
            assert!(children.contains(&child), "{child} in {children:?}");
        }
        let load = spans.iter().find(|span| span.name == "store.load" && span.trace_id == first.trace_id);
        let load = load.unwrap_or_else(|| panic!("store.load in {names:?}"));
        assert_eq!(attribute(load, "postern.outcome").as_deref(), Some("ok"));
        // The proxy is trusted, so its trace goes on, and ours is told beside it.
        assert_eq!(hex(&second.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(hex(&second.parent_span_id), "00f067aa0ba902b7");
        assert_eq!(attribute(second, "postern.trace_id"), Some(continued));
    }
}
