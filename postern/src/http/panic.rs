//! A panic costs one request, never the process (E24).

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs a future to its end, or to its panic.
///
/// # Errors
/// The future panicked; it was dropped and is not polled again.
pub(super) async fn contain<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

/// The future panicked. What it said is in the log.
#[derive(Debug)]
pub(super) struct Panicked;

/// Logs panics as events instead of printing them: where, and what it said if that is a literal. A
/// formatted message may hold a value of the request, and a value may be a secret (W-02).
pub fn log_panics() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, message = literal(info.payload()), "a request handler or task panicked");
    }));
}

fn literal(payload: &dyn Any) -> &str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(withheld)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w_02_a_formatted_panic_message_is_withheld() {
        let secret = String::from("hunter2");
        let payload = catch_unwind(|| panic!("no such token {secret}")).unwrap_err();
        assert_eq!(literal(payload.as_ref()), "(withheld)");
        let payload = catch_unwind(|| panic!("index out of order")).unwrap_err();
        assert_eq!(literal(payload.as_ref()), "index out of order");
    }
}
