//! The floor: not an authorization server, but what one cannot do without.
//!
//! It parses, checks the client, signs, and makes one durable write where single use or rotation needs it; no
//! tenants, policies, consent, audit or logs. Its figures on a machine are the practical limit against which a
//! real server's figures on the same machine are a ratio. One thread serves, one writes to the database.

mod clock;
mod endpoint;
mod page;
mod password;
mod signer;
mod store;
mod tls;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context, Result};
use clap::Parser;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};

use crate::endpoint::Floor;

/// Serves on loopback until it is stopped.
#[derive(Parser)]
struct Options {
    /// Port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// Database file; made when it is not there.
    #[arg(long)]
    data: PathBuf,
    /// Plain HTTP instead of TLS with a self-signed certificate.
    #[arg(long)]
    plain: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let scheme = if options.plain { "http" } else { "https" };
    let issuer = format!("{scheme}://localhost:{}", options.port);
    let floor = Rc::new(Floor::new(issuer, &options.data)?);
    let acceptor = if options.plain { None } else { Some(tls::acceptor()?) };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("{address} cannot be listened on"))?;
    let accept = async {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (floor, acceptor) = (floor.clone(), acceptor.clone());
            spawn_local(async move {
                match acceptor {
                    None => serve(floor, stream).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            serve(floor, stream).await;
                        }
                    }
                }
            });
        }
    };
    LocalSet::new().run_until(accept).await
}

/// Answers the requests of one connection.
async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(floor: Rc<Floor>, stream: S) {
    let service = service_fn(move |request| {
        let floor = floor.clone();
        async move { Ok::<_, Infallible>(floor.answer(request).await) }
    });
    // A connection that breaks is the client's affair.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
