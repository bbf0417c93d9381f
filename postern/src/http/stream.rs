//! A connection's byte stream, with its pulse felt and its end made gentle.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::pulse::{Monitor, Pulse};

/// How long, and for how many bytes, a closed connection goes on reading what the client still sends.
/// Closing under a sending client makes its kernel throw away the answer (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;

pub(super) struct Stream<S> {
    inner: S,
    pulse: Arc<Pulse>,
    monitor: Arc<Monitor>,
    linger: Option<Linger>,
}

struct Linger {
    until: Pin<Box<Sleep>>,
    read: usize,
}

impl<S> Stream<S> {
    pub(super) fn new(inner: S, pulse: Arc<Pulse>, monitor: Arc<Monitor>) -> Self {
        Self { inner, pulse, monitor, linger: None }
    }

    fn wrote<T>(&self, outcome: Poll<T>) -> Poll<T> {
        self.pulse.write(outcome.is_pending(), || self.monitor.now());
        outcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let outcome = Pin::new(&mut this.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            this.pulse.read(|| this.monitor.now());
        }
        outcome
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.wrote(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.inner).poll_flush(cx);
        this.wrote(outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
            if !this.pulse.may_still_send() {
                return Poll::Ready(Ok(()));
            }
            let until = Box::pin(sleep_until(Instant::now() + LINGER));
            this.linger = Some(Linger { until, read: 0 });
        }
        match &mut this.linger {
            Some(linger) => linger.poll(&mut this.inner, cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Linger {
    fn poll<S: AsyncRead + Unpin>(&mut self, inner: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0_u8; 4096];
        while self.until.as_mut().poll(cx).is_pending() && self.read < LINGER_BYTES {
            let mut buf = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut *inner).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => self.read += buf.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
