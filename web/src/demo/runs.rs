//! The runs of the demonstration's relying party, in memory: what a client keeps in its session.

use crate::pages::demo::{DemoProblem, ExchangeView};
use engine::Engine;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs kept; the oldest goes first.
const MAX_RUNS: usize = 64;
/// Requests shown of one run; the oldest go first.
const MAX_EXCHANGES: usize = 24;

/// One flow, from the button to the tokens.
#[derive(Clone)]
pub(super) struct Run {
    /// In the address of its page.
    pub(super) id: String,
    /// Value of the cookie of the browser that started it.
    browser: String,
    /// RFC 6749 §10.12.
    pub(super) state: String,
    /// OIDC Core §3.1.2.1.
    pub(super) nonce: String,
    /// RFC 7636 §4.1.
    pub(super) code_verifier: String,
    /// Whether its authorization response was taken up; it is once only.
    pub(super) is_returned: bool,
    pub(super) tokens: Option<Tokens>,
    pub(super) subject: String,
    pub(super) problem: Option<DemoProblem>,
    pub(super) exchanges: Vec<ExchangeView>,
}

/// What the token endpoint gave.
#[derive(Clone)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) id_token: Option<String>,
    pub(super) refresh_token: Option<String>,
    /// `kid` of the key that verified the ID token.
    pub(super) verified_by: Option<String>,
}

impl Run {
    pub(super) fn start(engine: &Engine, browser: &str) -> Self {
        let random = || engine.new_secret().0;
        Self {
            id: engine.new_id(),
            browser: browser.to_owned(),
            state: random(),
            nonce: random(),
            code_verifier: random(),
            is_returned: false,
            tokens: None,
            subject: String::new(),
            problem: None,
            exchanges: Vec::new(),
        }
    }

    /// Adds a request; it is shown open, the earlier ones closed.
    pub(super) fn add(&mut self, exchange: ExchangeView) {
        for earlier in &mut self.exchanges {
            earlier.open = false;
        }
        self.exchanges.push(exchange);
        let excess = self.exchanges.len().saturating_sub(MAX_EXCHANGES);
        self.exchanges.drain(..excess);
    }

    pub(super) fn fail(&mut self, error: &str, description: &str) {
        let description = Some(description.to_owned()).filter(|text| !text.is_empty());
        self.problem = Some(DemoProblem { error: error.to_owned(), description });
    }
}

/// Every run that is remembered, oldest first.
#[derive(Default)]
pub(super) struct Runs(Mutex<VecDeque<Run>>);

impl Runs {
    pub(super) fn find(&self, id: &str, browser: &str) -> Option<Run> {
        self.lock().iter().find(|run| run.id == id && run.browser == browser).cloned()
    }

    pub(super) fn of_state(&self, state: &str, browser: &str) -> Option<Run> {
        self.lock().iter().find(|run| run.state == state && run.browser == browser).cloned()
    }

    /// Remembers a run, or what became of it.
    pub(super) fn put(&self, run: Run) {
        let mut runs = self.lock();
        match runs.iter_mut().find(|known| known.id == run.id) {
            Some(known) => *known = run,
            None => {
                runs.push_back(run);
                if runs.len() > MAX_RUNS {
                    runs.pop_front();
                }
            }
        }
    }

    pub(super) fn forget(&self, id: &str) {
        self.lock().retain(|run| run.id != id);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, browser: &str) -> Run {
        Run {
            id: id.to_owned(),
            browser: browser.to_owned(),
            state: format!("state-{id}"),
            nonce: String::new(),
            code_verifier: String::new(),
            is_returned: false,
            tokens: None,
            subject: String::new(),
            problem: None,
            exchanges: Vec::new(),
        }
    }

    #[test]
    fn rfc6749_10_12_a_run_is_seen_by_its_own_browser_only() {
        let runs = Runs::default();
        runs.put(run("a", "mine"));
        assert!(runs.find("a", "mine").is_some() && runs.of_state("state-a", "mine").is_some());
        assert!(runs.find("a", "theirs").is_none() && runs.of_state("state-a", "theirs").is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let runs = Runs::default();
        for number in 0..MAX_RUNS + 5 {
            runs.put(run(&number.to_string(), "b"));
        }
        assert_eq!(runs.lock().len(), MAX_RUNS);
        assert!(runs.find("0", "b").is_none() && runs.find("68", "b").is_some());
        runs.forget("68");
        assert!(runs.find("68", "b").is_none());
    }
}
