use super::*;
use protocol::error::{Reason, Refusal};
use protocol::web_uri::{HTTPS, LOOPBACK, PUBLIC};
use std::future::Future;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn strict() -> Fetch {
    Fetch::new(&FetchPolicy::default()).unwrap()
}

fn on_loopback() -> Fetch {
    Fetch::new(&FetchPolicy { allow_loopback: true, ..FetchPolicy::default() }).unwrap()
}

/// Answers each connection on 127.0.0.1 with the bytes that `answer` makes of the path; its port.
async fn serve<F, A>(answer: F) -> u16
where
    F: Fn(String) -> A + Send + Sync + 'static,
    A: Future<Output = Vec<u8>> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            let bytes = answer(path).await;
            let _ = socket.write_all(&bytes).await;
        }
    });
    port
}

fn ok(body: &str) -> Vec<u8> {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: max-age=60\r\nConnection: close";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

#[tokio::test]
async fn w_13_every_spelling_of_an_inner_address_is_refused() {
    let fetch = strict();
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "0177.0.0.01",
        "127.0.0.0x1",
        "%31%32%37.0.0.1",
        "127%2e0%2e0%2e1",
        "１２７.0.0.1",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "0",
        "0.0.0.0",
        "0x0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "168.63.129.16",
        "10.0.0.1",
        "167772161",
        "172.16.0.1",
        "192.168.0.1",
        "3232235521",
        "[fe80::1]",
        "[fc00::1]",
        "[ff02::1]",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        for url in [format!("https://{host}/"), format!("https://{host}:8443/x?y=z")] {
            let refused = fetch.get_json(&url).await;
            assert!(matches!(refused, Err(FetchError::Address { .. })), "{url}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn w_13_other_schemes_and_credentials_are_refused() {
    for url in [
        "http://example.com/",
        "http://127.0.0.1/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "data:application/json,{}",
        "unix:/run/x",
        "//example.com/",
        "example.com",
        "",
        "https://",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://:secret@example.com/",
    ] {
        let refused = strict().get_json(url).await;
        assert!(matches!(refused, Err(FetchError::Url(_) | FetchError::NotHttps)), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn w_13_loopback_answers_only_when_it_is_allowed() {
    let port = serve(|_| async { ok("{}") }).await;
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{port}/doc");
        assert!(matches!(strict().get_json(&url).await, Err(FetchError::NotHttps)));
        let fetched = on_loopback().get_json(&url).await.unwrap();
        assert_eq!(fetched.status, 200);
        assert_eq!(&fetched.body[..], b"{}");
        assert_eq!(fetched.content_type.as_deref(), Some("application/json"));
        assert_eq!(fetched.max_age, Some(Duration::from_secs(60)));
    }
}

#[tokio::test]
async fn w_13_a_redirect_is_checked_like_the_first_url() {
    for to in ["https://10.0.0.1/", "https://[fe80::1]/", "https://169.254.169.254/latest/meta-data/"] {
        let port = serve(move |_| async move { redirect(to) }).await;
        let refused = on_loopback().get_json(&format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(refused, Err(FetchError::Address { .. })), "{to}: {refused:?}");
    }
    for to in ["http://example.com/", "http://10.0.0.1/", "file:///etc/passwd"] {
        let port = serve(move |_| async move { redirect(to) }).await;
        let refused = on_loopback().get_json(&format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(refused, Err(FetchError::NotHttps | FetchError::Url(_))), "{to}: {refused:?}");
    }
}

#[tokio::test]
async fn w_13_two_redirects_are_followed_and_no_third() {
    let port = serve(|path| async move {
        match path.as_str() {
            "/3" => redirect("/2"),
            "/2" => redirect("/1"),
            "/1" => redirect("/0"),
            _ => ok("[]"),
        }
    })
    .await;
    let fetch = on_loopback();
    assert_eq!(fetch.get_json(&format!("http://127.0.0.1:{port}/2")).await.unwrap().status, 200);
    let refused = fetch.get_json(&format!("http://127.0.0.1:{port}/3")).await;
    assert!(matches!(refused, Err(FetchError::Redirects(2))), "{refused:?}");
}

#[tokio::test]
async fn w_13_a_large_body_is_refused_announced_or_not() {
    let port = serve(|path| async move {
        let body = "x".repeat(1001);
        match path.as_str() {
            "/announced" => ok(&body),
            "/fits" => ok(&body[..1000]),
            _ => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}").into_bytes(),
        }
    })
    .await;
    let mut fetch = on_loopback();
    fetch.limits.body = 1000;
    for path in ["announced", "unannounced"] {
        let refused = fetch.get_json(&format!("http://127.0.0.1:{port}/{path}")).await;
        assert!(matches!(refused, Err(FetchError::TooLarge(1000))), "{path}: {refused:?}");
    }
    assert_eq!(fetch.get_json(&format!("http://127.0.0.1:{port}/fits")).await.unwrap().body.len(), 1000);
}

#[tokio::test]
async fn w_13_a_server_that_never_answers_is_given_up() {
    let port = serve(|_| std::future::pending()).await;
    let mut fetch = on_loopback();
    fetch.limits.total = Duration::from_millis(50);
    let refused = fetch.get_json(&format!("http://127.0.0.1:{port}/")).await;
    assert!(matches!(refused, Err(FetchError::Slow(_))), "{refused:?}");
}

/// What is told of fetches that failed, each of them made to fail in earnest (attack AUT-31).
#[tokio::test]
async fn aut_31_each_reason_not_to_fetch_is_told_with_its_limit() {
    let port = serve(|path| async move {
        match path.as_str() {
            "/slow" => std::future::pending().await,
            "/half" => b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\nx".to_vec(),
            "/large" => ok(&"x".repeat(1001)),
            "/around" => redirect("/around"),
            "/inside" => redirect("https://10.0.0.1/"),
            _ => b"HTTP/1.1 302 Found\r\nConnection: close\r\n\r\n".to_vec(),
        }
    })
    .await;
    let mut patient = on_loopback();
    patient.limits.body = 1000;
    let mut hasty = on_loopback();
    hasty.limits.total = Duration::from_millis(20);
    let here = |path: &str| format!("http://127.0.0.1:{port}{path}");
    for (fetch, url, received, expected) in [
        (&hasty, here("/slow"), "no complete answer within 20ms", "a complete answer within that time"),
        (&patient, here("/large"), "more than 1000 bytes", "a shorter answer"),
        (&patient, here("/half"), "more than 1000 bytes", "a shorter answer"),
        (&patient, here("/around"), "more than 2 redirects", "an answer at the address itself"),
        (&patient, here("/nowhere"), "a redirect that leads nowhere", "an answer at the address itself"),
        (&patient, here("/inside"), "an address that is not allowed (private)", PUBLIC),
        (&strict(), "https://[::1]/".to_owned(), "an address that is not allowed (loopback)", LOOPBACK),
        (&strict(), here("/large"), "an address that is not https", HTTPS),
        (
            &strict(),
            "nonsense".to_owned(),
            "an address that cannot be fetched (it does not parse)",
            "an https URL",
        ),
        (&on_loopback(), "http://127.0.0.1:1/".to_owned(), "no connection", "a server that answers"),
    ] {
        let error = fetch.get_json(&url).await.unwrap_err();
        let told = error.told_in(Refusal::new(Reason::RegistrationMetadata), &url);
        assert_eq!(told.received, Some(format!("{received}: {url}")), "{error}");
        assert!(told.expected.as_deref().unwrap().starts_with(expected), "{told:?}");
    }
}

#[test]
fn an_exempt_host_is_exempt_by_its_exact_name_and_port() {
    let allowed = ["idp.internal".to_owned(), "keys.internal:8443".to_owned(), "10.0.0.7".to_owned()];
    for (url, exempt) in [
        ("https://idp.internal/", true),
        ("https://idp.internal:9000/", true),
        ("https://IDP.internal/", true),
        ("https://keys.internal:8443/", true),
        ("https://keys.internal/", false),
        ("https://keys.internal:443/", false),
        ("https://10.0.0.7/", true),
        ("https://x.idp.internal/", false),
        ("https://idp.internal.example/", false),
    ] {
        let url = Url::parse(url).unwrap();
        assert_eq!(Target::check(&url, false).unwrap().is_named_in(&allowed), exempt, "{url}");
    }
}

#[test]
fn rfc9111_5_2_2_the_lifetime_is_read_from_cache_control() {
    for (header, expected) in [
        ("max-age=300", Some(300)),
        ("public, Max-Age=5", Some(5)),
        ("max-age=300, no-store", Some(0)),
        ("no-cache", Some(0)),
        ("public", None),
        ("max-age=soon", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, header.parse().unwrap());
        assert_eq!(max_age(&headers), expected.map(Duration::from_secs), "{header}");
    }
}

#[test]
fn a_trust_anchor_that_cannot_be_read_is_said_at_start() {
    let policy =
        FetchPolicy { extra_trust_anchors: vec!["/does/not/exist.pem".into()], ..FetchPolicy::default() };
    assert!(Fetch::new(&policy).is_err());
}

/// A TLS server on 127.0.0.1 with a certificate of its own making, which answers each connection with the bytes that
/// `answer` makes of the path and ends TLS properly where it is `orderly`; its port and the certificate as PEM.
async fn serve_tls(name: &str, answer: fn(&str) -> Vec<u8>, orderly: bool) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let _ = stream.write_all(&answer(request.split(' ').nth(1).unwrap_or_default())).await;
            let _ = stream.flush().await;
            if orderly {
                let _ = stream.shutdown().await;
            }
        }
    });
    (port, made.cert.pem())
}

/// A client that trusts this certificate.
fn trusting(pem: &str) -> Fetch {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("root.pem");
    std::fs::write(&file, pem).unwrap();
    let policy =
        FetchPolicy { allow_loopback: true, extra_trust_anchors: vec![file], ..FetchPolicy::default() };
    Fetch::new(&policy).unwrap()
}

/// Answers that do not say how long they are, as small servers make them.
fn without_length(path: &str) -> Vec<u8> {
    match path {
        "/missing" => b"HTTP/1.1 404 Not Found\r\n\r\nnothing here".to_vec(),
        "/moved" => b"HTTP/1.1 302 Found\r\nLocation: /doc\r\n\r\n".to_vec(),
        "/silent" => Vec::new(),
        _ => b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}".to_vec(),
    }
}

#[tokio::test]
async fn rfc9112_8_what_is_wrong_with_an_answer_is_not_called_trouble_with_the_certificate() {
    let told = |error: FetchError| {
        let told = error.told_in(Refusal::new(Reason::ClientDocumentUnavailable), "u");
        (told.received.unwrap(), told.expected.unwrap())
    };
    for orderly in [false, true] {
        let (port, pem) = serve_tls("localhost", without_length, orderly).await;
        let fetch = trusting(&pem);
        let here = |path: &str| format!("https://localhost:{port}{path}");
        // Nobody reads what stands in an answer that is none, so that it cannot break off.
        assert_eq!(fetch.get_json_here(&here("/missing")).await.unwrap().status, 404);
        assert_eq!(fetch.get_json_here(&here("/moved")).await.unwrap().status, 302);
        let silent = told(fetch.get_json_here(&here("/silent")).await.unwrap_err());
        assert_eq!(silent.0, "a connection without an HTTP answer: u");
        let whole = fetch.get_json_here(&here("/doc")).await;
        if orderly {
            assert_eq!(&whole.unwrap().body[..], b"{}");
        } else {
            let (received, expected) = told(whole.unwrap_err());
            assert_eq!(received, "an answer that broke off: u");
            assert!(expected.contains("Content-Length"), "{expected}");
        }
        let (received, expected) = told(on_loopback().get_json_here(&here("/doc")).await.unwrap_err());
        assert_eq!(received, "a certificate that is not trusted here: u");
        assert!(expected.contains("extra_trust_anchors"), "{expected}");
    }
    let plain = serve(|_| async { ok("{}") }).await;
    let url = format!("https://localhost:{plain}/");
    let (received, expected) = told(on_loopback().get_json_here(&url).await.unwrap_err());
    assert_eq!(received, "no connection: u");
    assert!(!expected.contains("certificate"), "{expected}");
}

#[tokio::test]
async fn w_13_certificates_are_checked_against_system_and_extra_trust_anchors() {
    let (port, pem) = serve_tls("localhost", |_| ok("{}"), true).await;
    let url = format!("https://localhost:{port}/");
    let stranger = on_loopback().get_json(&url).await;
    assert!(matches!(stranger, Err(FetchError::Certificate(_))), "{stranger:?}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("root.pem");
    std::fs::write(&file, &pem).unwrap();
    let policy =
        FetchPolicy { allow_loopback: true, extra_trust_anchors: vec![file], ..FetchPolicy::default() };
    let trusting = Fetch::new(&policy).unwrap();
    assert_eq!(trusting.get_json(&url).await.unwrap().status, 200);
    // The name must be the certificate's, too.
    let other = trusting.get_json(&format!("https://127.0.0.1:{port}/")).await;
    assert!(matches!(other, Err(FetchError::Certificate(_))), "{other:?}");
    // A host that is exempt by name needs no leave for loopback.
    let exempt =
        FetchPolicy { allow_loopback: false, allowed_hosts: vec![format!("localhost:{port}")], ..policy };
    assert_eq!(Fetch::new(&exempt).unwrap().get_json(&url).await.unwrap().status, 200);
    let other_port = FetchPolicy { allowed_hosts: vec![format!("localhost:{}", port ^ 1)], ..exempt };
    let refused = Fetch::new(&other_port).unwrap().get_json(&url).await;
    assert!(matches!(refused, Err(FetchError::Address { .. })), "{refused:?}");
}
