//! Below HTTP: TLS versions, plaintext, HTTP/2 frames.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{HandshakeKind, NamedGroup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::support::{Answer, Server};

#[tokio::test]
async fn htp_16_tls_11_is_refused() {
    let server = Server::start().await;
    let mut stream = server.tcp().await;
    stream.write_all(&client_hello_of_tls_11()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer.first(), Some(&21), "an alert (RFC 8446 §6), not a handshake: {answer:?}");
}

/// RFC 4346 §7.4.1.2 with one suite of that time, TLS_RSA_WITH_AES_128_CBC_SHA, and one of today.
fn client_hello_of_tls_11() -> Vec<u8> {
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0x00, 0x2f, 0xc0, 0x2b, 1, 0]);
    let length = |n: usize| u8::try_from(n).unwrap();
    let mut hello = vec![22, 3, 1, 0, length(body.len() + 4), 1, 0, 0, length(body.len())];
    hello.extend(body);
    hello
}

#[tokio::test]
async fn key_exchange_is_hybrid_and_sessions_resume() {
    let server = Server::start().await;
    let config = Arc::new(server.client_config());
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut stream = server.connect_with(Arc::clone(&config)).await;
        // The ticket arrives with the first answer.
        stream.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert_eq!(Answer::read(&mut stream).await.status, 200);
        let (_, connection) = stream.get_ref();
        assert_eq!(connection.handshake_kind(), Some(kind));
        let group = connection.negotiated_key_exchange_group().unwrap();
        assert_eq!(group.name(), NamedGroup::X25519MLKEM768);
    }
}

#[tokio::test]
async fn http_1_1_keeps_its_connection_and_answers_a_pipeline_in_order() {
    let server = Server::start().await;
    let mut stream = server.connect("http/1.1").await;
    for _ in 0..3 {
        stream.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert_eq!(Answer::read(&mut stream).await.body, "hello");
    }
    stream
        .write_all(b"GET /item/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    let (first, second) = (rest.find("\r\n\r\nitem"), rest.find("\r\n\r\nhello"));
    assert!(first.is_some() && first < second, "{rest}");
}

#[tokio::test]
async fn http_2_answers_many_requests_on_one_connection() {
    let server = Server::start().await;
    let client = server.client();
    for _ in 0..3 {
        let answer = client.get(server.url("/hello")).send().await.unwrap();
        assert_eq!(answer.version(), http::Version::HTTP_2);
        assert_eq!(answer.text().await.unwrap(), "hello");
    }
    let at_once = (0..20).map(|_| client.get(server.url("/hello")).send());
    for answer in at_once.map(tokio::spawn).collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(server.metric("http_connections"), "http_connections 1");
}

#[tokio::test]
async fn key_exchange_without_the_hybrid_works_too() {
    let server = Server::start().await;
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    let stream = server.connect_with(Arc::new(server.client_config_of(provider))).await;
    let (_, connection) = stream.get_ref();
    assert_eq!(connection.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(connection.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519);
}

#[tokio::test]
async fn htp_17_plain_http_is_told_to_use_https() {
    let server = Server::start().await;
    let mut stream = server.tcp().await;
    let request =
        b"POST /default/default/oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsecret";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{answer}");
    assert!(body.contains("HTTPS"));
}

#[tokio::test]
async fn htp_17_noise_is_dropped() {
    let server = Server::start().await;
    let mut stream = server.tcp().await;
    stream.write_all(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP"));
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `GET / https a`, in the static table of RFC 7541.
const GET_ROOT: [u8; 6] = [0x82, 0x84, 0x87, 0x41, 1, b'a'];

async fn http2(server: &Server) -> TlsStream<TcpStream> {
    let mut stream = server.connect("h2").await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

/// Reads until the connection ends; whether it ended with GOAWAY because of an error.
async fn is_sent_away(stream: &mut TlsStream<TcpStream>) -> bool {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let mut rest = bytes.as_slice();
    let mut sent_away = false;
    while let Some((head, after)) = rest.split_at_checked(9) {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let Some((payload, after)) = after.split_at_checked(length) else { break };
        sent_away |= head[3] == GOAWAY && payload.get(4..8).is_some_and(|code| code != [0; 4]);
        rest = after;
    }
    sent_away
}

#[tokio::test]
async fn htp_18_rapid_reset_ends_the_connection() {
    let server = Server::start().await;
    let mut stream = http2(&server).await;
    let mut burst = Vec::new();
    for id in (1..4_000).step_by(2) {
        burst.extend(frame(HEADERS, END_STREAM | END_HEADERS, id, &GET_ROOT));
        burst.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
    }
    let _ = stream.write_all(&burst).await;
    assert!(is_sent_away(&mut stream).await);
    assert_eq!(server.client().get(server.url("/hello")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn htp_18_endless_continuation_ends_the_connection() {
    let server = Server::start().await;
    let mut stream = http2(&server).await;
    let mut burst = frame(HEADERS, END_STREAM, 1, &GET_ROOT);
    // Literal without indexing: name "x", value of 8 000 bytes.
    let mut field = vec![0x00, 1, b'x', 0x7f, 0xc1, 0x3d];
    field.extend([b'a'; 8_000]);
    for _ in 0..200 {
        burst.extend(frame(CONTINUATION, 0, 1, &field));
    }
    let _ = stream.write_all(&burst).await;
    assert!(is_sent_away(&mut stream).await);
    assert_eq!(server.client().get(server.url("/hello")).send().await.unwrap().status(), 200);
}
