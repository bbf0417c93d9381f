//! What one client may take: bytes, seconds, connections.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;

/// The gate's limits. The defaults are generous enough for a load test from one address.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections on all listeners together.
    pub connections: usize,
    /// Requests being answered at once; one more gets 503.
    pub requests: usize,
    /// From the TCP connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its header fields, and from the handshake to the
    /// first request.
    pub head: Duration,
    /// From the end of the header fields to the end of the body.
    pub body: Duration,
    /// A kept-alive connection without a request.
    pub idle: Duration,
    /// A client that does not take what is sent to it.
    pub stall: Duration,
    /// How long an orderly stop waits for requests in flight.
    pub drain: Duration,
    /// Path and query of a request.
    pub uri_bytes: usize,
    /// All header fields together, counted as in RFC 9113 §6.5.2.
    pub header_bytes: usize,
    /// A request body.
    pub body_bytes: usize,
    /// All request bodies that are in memory at once, beyond the first 16 KiB of each; one more gets 503.
    pub bodies_bytes: usize,
    /// Concurrent streams of one HTTP/2 connection.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            requests: 4_096,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            body: Duration::from_secs(20),
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(20),
            drain: Duration::from_secs(30),
            uri_bytes: 16 * 1024,
            header_bytes: 32 * 1024,
            body_bytes: 256 * 1024,
            bodies_bytes: 64 * 1024 * 1024,
            streams: 128,
        }
    }
}

/// File descriptors that are not client connections: database, logs, outbound requests.
const OTHER_FILES: usize = 96;

impl Limits {
    /// Lowers the number of connections to what the process may have open, and says so: running out of
    /// file descriptors would starve the database too.
    pub fn within_open_files(mut self) -> Self {
        let allowed = std::fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(open_files);
        let room = allowed.map_or(usize::MAX, |files| files.saturating_sub(OTHER_FILES).max(16));
        if room < self.connections {
            tracing::info!(
                connections = room,
                "the limit of open files (ulimit -n) allows fewer connections than configured"
            );
            self.connections = room;
        }
        self
    }
}

/// The soft limit in the text of `/proc/self/limits`; `None` when there is no limit.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How much of a body that is too large is read and thrown away, so that the client, still sending,
/// gets to see the 413 instead of a reset connection.
const DISCARDED_BYTES: usize = 8 * 1024 * 1024;

/// A body that was not read to its end, and why.
pub(super) struct Unread {
    pub(super) refusal: Refusal,
    /// The client may still be sending.
    pub(super) sending: bool,
}

/// The memory that request bodies may take together. What every form fits into is free: those who log in or ask for a
/// token are served however many large bodies are on their way.
#[derive(Clone, Debug)]
pub(super) struct Bodies(Arc<Semaphore>);

/// How much of each body is not counted, and the unit in which the rest is.
const FREE_BYTES: usize = 16 * 1024;
const UNIT: usize = 1024;

impl Bodies {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Semaphore::new(limits.bodies_bytes.div_ceil(UNIT))))
    }

    /// Makes `held` enough for a body of `size` bytes; `false` when there is no room.
    fn hold(&self, held: &mut Option<OwnedSemaphorePermit>, size: usize) -> bool {
        let units = size.saturating_sub(FREE_BYTES).div_ceil(UNIT);
        let missing = units.saturating_sub(held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        let Ok(missing) = u32::try_from(missing) else { return false };
        if missing == 0 {
            return true;
        }
        let Ok(more) = Arc::clone(&self.0).try_acquire_many_owned(missing) else { return false };
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        true
    }
}

/// A whole body, and the room that it takes until it is dropped.
pub(super) type Held = (Bytes, Option<OwnedSemaphorePermit>);

/// The whole request body, within size, time and memory. Every endpoint needs it whole; reading it here means
/// that no handler is ever occupied by a slow one.
///
/// # Errors
/// [`Refusal::BodyTooLarge`], [`Refusal::BodyTimeout`], [`Refusal::BodyBroken`] or [`Refusal::Overloaded`].
pub(super) async fn read_body<B>(
    headers: &HeaderMap,
    body: B,
    limits: &Limits,
    bodies: &Bodies,
) -> Result<Held, Unread>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Ok((Bytes::new(), None));
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let unasked = headers.contains_key(header::EXPECT) || announced > DISCARDED_BYTES;
    if announced > limits.body_bytes && unasked {
        return Err(Unread { refusal: Refusal::BodyTooLarge, sending: true });
    }
    match tokio::time::timeout(limits.body, collect(body, limits.body_bytes, bodies)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Unread { refusal: Refusal::BodyTimeout, sending: true }),
    }
}

async fn collect<B>(mut body: B, limit: usize, bodies: &Bodies) -> Result<Held, Unread>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (mut whole, mut held, mut size) = (Bytes::new(), None, 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Unread { refusal: Refusal::BodyBroken, sending: false });
        };
        // Trailers carry nothing that any endpoint asks for.
        let Ok(data) = frame.into_data() else { continue };
        size = size.saturating_add(data.len());
        if size > DISCARDED_BYTES.max(limit) {
            return Err(Unread { refusal: Refusal::BodyTooLarge, sending: true });
        }
        if size > limit {
            whole.clear();
        } else if bodies.hold(&mut held, size) {
            whole = join(whole, data);
        } else {
            return Err(Unread { refusal: Refusal::Overloaded, sending: true });
        }
    }
    if size > limit {
        Err(Unread { refusal: Refusal::BodyTooLarge, sending: false })
    } else {
        Ok((whole, held))
    }
}

/// A body nearly always arrives in one frame, which then is not copied.
fn join(first: Bytes, second: Bytes) -> Bytes {
    if first.is_empty() {
        return second;
    }
    let mut joined = BytesMut::from(first);
    joined.extend_from_slice(&second);
    joined.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn htp_13_large_bodies_share_a_bounded_memory_and_small_ones_need_none() {
        let bodies = Bodies::new(&Limits { bodies_bytes: 100 * UNIT, ..Limits::default() });
        let (mut first, mut second, mut small) = (None, None, None);
        for size in [FREE_BYTES, FREE_BYTES + 1, FREE_BYTES + 60 * UNIT] {
            assert!(bodies.hold(&mut first, size));
        }
        assert!(bodies.hold(&mut second, FREE_BYTES + 40 * UNIT));
        assert!(!bodies.hold(&mut second, FREE_BYTES + 40 * UNIT + 1));
        assert!(bodies.hold(&mut small, FREE_BYTES) && small.is_none());
        drop(first);
        assert!(bodies.hold(&mut second, FREE_BYTES + 100 * UNIT));
    }

    #[test]
    fn the_limit_of_open_files_is_read() {
        let text = "Limit   Soft Limit  Hard Limit  Units\nMax open files   1024   524288   files\n";
        assert_eq!(open_files(text), Some(1024));
        assert_eq!(open_files("Max open files  unlimited  unlimited  files\n"), None);
    }
}
