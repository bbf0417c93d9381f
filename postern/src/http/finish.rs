//! A handler, once begun, runs to its end, also when its client hangs up: an answer nobody reads is
//! cheap, a use-case that stops half-way between commit and clean-up is not.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that goes on in a task of its own when it is dropped before its end.
pub(super) struct ToTheEnd<T: Send + 'static> {
    unfinished: Option<Boxed<T>>,
}

/// Wraps a future; its number is bounded by the permits it holds.
pub(super) fn to_the_end<F>(future: F) -> ToTheEnd<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    ToTheEnd { unfinished: Some(Box::pin(future)) }
}

impl<T: Send + 'static> Future for ToTheEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(future) = &mut self.unfinished else { return Poll::Pending };
        let polled = future.as_mut().poll(cx);
        if polled.is_ready() {
            self.unfinished = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        if let (Some(future), Ok(runtime)) = (self.unfinished.take(), Handle::try_current()) {
            runtime.spawn(future);
        }
    }
}
