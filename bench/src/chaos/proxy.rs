//! A TCP proxy that delays, swallows or cuts what passes: the network between a node and its database.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cluster::free_port;

/// What happens to what passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Weather {
    Fair,
    /// Each piece comes later.
    Slow(Duration),
    /// Nothing comes through, in neither direction, and nobody is told. What was sent arrives when the weather is fair.
    Silent,
    /// Questions arrive, answers do not.
    SilentAnswers,
    /// Connections are reset, and new ones too.
    Reset,
}

/// Which way a piece goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

/// A proxy in front of one port; it goes when dropped.
pub(crate) struct Proxy {
    port: u16,
    weather: watch::Sender<Weather>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Leads to `target` on this machine.
    pub(crate) async fn start(target: u16) -> Result<Self> {
        let port = free_port()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let (weather, seen) = watch::channel(Weather::Fair);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, target, seen));
        Ok(Self { port, weather, _tasks: tasks })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn accept(listener: TcpListener, target: u16, weather: watch::Receiver<Weather>) {
    let mut connections = JoinSet::new();
    while let Ok((node, _)) = listener.accept().await {
        connections.spawn(carry(node, target, weather.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(node: TcpStream, target: u16, mut weather: watch::Receiver<Weather>) {
    if *weather.borrow() == Weather::Reset {
        let _ = node.set_zero_linger();
        return;
    }
    let Ok(database) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { return };
    let _ = (node.set_nodelay(true), database.set_nodelay(true));
    // What is still open when the weather turns to `Reset` is reset, on both sides.
    let _ = (node.set_zero_linger(), database.set_zero_linger());
    let ((from_node, to_node), (from_database, to_database)) = (node.into_split(), database.into_split());
    let there = pass(from_node, to_database, Way::There, weather.clone());
    let back = pass(from_database, to_node, Way::Back, weather.clone());
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = weather.wait_for(|weather| *weather == Weather::Reset) => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way, weather: watch::Receiver<Weather>) {
    let mut weather = weather;
    let mut piece = vec![0; 16 << 10];
    while let Ok(length) = from.read(&mut piece).await {
        let passes = |weather: &Weather| match weather {
            Weather::Silent => false,
            Weather::SilentAnswers => way == Way::There,
            Weather::Fair | Weather::Slow(_) | Weather::Reset => true,
        };
        let Ok(now) = weather.wait_for(passes).await.map(|weather| *weather) else { return };
        if let Weather::Slow(time) = now {
            sleep(time).await;
        }
        match piece.get(..length) {
            Some(sent) if length > 0 => {
                if to.write_all(sent).await.is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}
