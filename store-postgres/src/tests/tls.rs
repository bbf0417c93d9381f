//! A server behind TLS that asks for a password: what is let through, and the one line that says why something is not.

use super::*;
use std::path::Path;
use zeroize::Zeroizing;

const PASSWORD: &str = "sesame, open";

/// Reaches `port` of `host` with the roots in `ca_file`.
async fn open(host: &str, port: u16, password: &str, ca_file: &Path) -> Result<PostgresStore, OpenError> {
    let options = Options {
        password: Some(Zeroizing::new(password.as_bytes().to_vec())),
        tls: Tls::VerifyFull { ca_file: Some(ca_file.to_owned()) },
        ..options()
    };
    PostgresStore::open(&format!("postgres://postern@{host}:{port}/postgres"), &options).await
}

fn line(refused: Result<PostgresStore, OpenError>) -> String {
    let line = refused.err().unwrap().to_string();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_server_is_reached_with_its_own_authority_and_a_password() {
    let (cluster, root) = Cluster::protected("localhost", PASSWORD);
    let directory = tempfile::tempdir().unwrap();
    let [own, other] = ["own.pem", "other.pem"].map(|name| directory.path().join(name));
    std::fs::write(&own, root.pem()).unwrap();
    let stranger = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&other, stranger.cert.pem()).unwrap();
    let port = cluster.port();

    let store = open("localhost", port, PASSWORD, &own).await.unwrap();
    let tenant = TenantId::new("t1");
    store.create_tenant(&tenant_named("t1")).await.unwrap();
    commit(&store, &tenant, vec![code("protected", "{}")]).await.unwrap();
    assert!(has_code(&store, &tenant, "protected").await);
    let session = store.pool.acquire().await.unwrap();
    let protected = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert!(session.query_one(protected, &[]).await.unwrap().get::<_, bool>(0));

    // Another authority; the right one for another name; no password that it knows.
    let refused = open("localhost", port, PASSWORD, &other).await;
    assert!(matches!(refused, Err(OpenError::Unprotected(_))));
    let refused = line(refused);
    assert!(refused.contains("certificate") && refused.contains("store.postgres.ca_file"), "{refused}");
    let refused = open("127.0.0.1", port, PASSWORD, &own).await;
    assert!(matches!(refused, Err(OpenError::Unprotected(_))), "{}", line(refused));
    let refused = open("localhost", port, "wrong", &own).await;
    assert!(matches!(refused, Err(OpenError::Refused(_))));
    let refused = line(refused);
    assert!(refused.contains("password") && !refused.contains("wrong"), "{refused}");
    // Without TLS the server lets nobody in.
    let plain = Options { password: Some(Zeroizing::new(PASSWORD.into())), ..options() };
    let url = format!("postgres://postern@localhost:{port}/postgres");
    assert!(matches!(PostgresStore::open(&url, &plain).await, Err(OpenError::Refused(_))));
}

/// A server that has no TLS is not talked to in the clear.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_server_without_tls_is_refused_unless_the_settings_say_so() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        // SSLRequest is eight bytes; N means that there is none.
        let mut request = [0; 8];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(b"N").await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        rest
    });
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root.pem");
    let authority = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&root, authority.cert.pem()).unwrap();
    let refused = open("127.0.0.1", port, PASSWORD, &root).await;
    assert!(matches!(refused, Err(OpenError::Unprotected(_))), "{}", line(refused));
    assert_eq!(answering.await.unwrap(), b"", "neither name nor password is told");
}
