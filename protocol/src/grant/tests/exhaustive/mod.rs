//! Every history of one grant, up to a bound: requests that overlap, answers that get lost, processes that die between
//! any two steps, clients that try again, thieves that have what the client has, revocations at the worst moment.
//!
//! The rules are the real ones; only the store is the small one of the fixtures. A request is two steps: it loads its
//! facts, and later decides and commits by them. States that were seen are not visited again. [`Mutant`]s break one
//! thing each; every one of them must be found, or the model proves nothing.

mod mutant;
mod state;

use crate::fixtures::Desk;
use crate::record::{Expect, Write};
use mutant::Mutant;
use state::{Act, Model, State};
use std::collections::HashSet;

/// What may happen, and for how long.
#[derive(Clone, Copy)]
struct Bounds {
    /// Steps of one history.
    steps: usize,
    /// Requests of one history.
    requests: usize,
    /// Only what a well-behaved client does: it presents the newest token that it has, again when an answer got lost,
    /// and sooner than the retry window ends.
    well_behaved: bool,
}

const ANYBODY: Bounds = Bounds { steps: 7, requests: 3, well_behaved: false };
const WELL_BEHAVED: Bounds = Bounds { steps: 8, requests: 5, well_behaved: true };

/// Visits every state within the bounds; answers how many there are, or the first history that breaks an invariant.
fn explore(bounds: &Bounds, mutant: Option<Mutant>) -> Result<usize, String> {
    let mut model = Model::new(mutant);
    let mut seen = HashSet::new();
    let mut history = Vec::new();
    let mut start = model.start();
    if bounds.well_behaved {
        for act in [Act::BeginCode, Act::Finish(0)] {
            start = model.step(&start, act, bounds)?;
        }
    }
    visit(&mut model, bounds, &start, &mut history, &mut seen)?;
    Ok(seen.len())
}

fn visit(
    model: &mut Model,
    bounds: &Bounds,
    state: &State,
    history: &mut Vec<Act>,
    seen: &mut HashSet<[u8; 32]>,
) -> Result<(), String> {
    if history.len() == bounds.steps || !seen.insert(state.fingerprint(bounds.steps - history.len())) {
        return Ok(());
    }
    for act in state.possible(bounds) {
        history.push(act);
        let next = model.step(state, act, bounds).map_err(|broken| format!("{broken} after {history:?}"))?;
        visit(model, bounds, &next, history, seen)?;
        history.pop();
    }
    Ok(())
}

#[test]
fn i1_i2_i7_hold_in_every_history_of_clients_and_thieves() {
    let states = explore(&ANYBODY, None).unwrap();
    assert!(states > 3_000, "only {states} states: the bounds no longer let anything happen");
    println!("{states} states");
}

#[test]
fn no_retry_logs_out_a_client_that_uses_its_newest_token() {
    let states = explore(&WELL_BEHAVED, None).unwrap();
    assert!(states > 1_000, "only {states} states: the bounds no longer let anything happen");
    println!("{states} states");
}

/// The shortest history in which something breaks.
fn first_break(bounds: &Bounds, mutant: Mutant) -> Option<String> {
    (3..=bounds.steps).find_map(|steps| explore(&Bounds { steps, ..*bounds }, Some(mutant)).err())
}

#[test]
fn every_mutant_is_found() {
    for mutant in Mutant::ALL {
        let found = [&ANYBODY, &WELL_BEHAVED].into_iter().find_map(|bounds| first_break(bounds, *mutant));
        let broken = found.unwrap_or_else(|| panic!("{mutant:?} breaks nothing that is looked at"));
        println!("{mutant:?}: {broken}");
    }
}

/// Nothing is overwritten by chance.
#[test]
fn every_write_of_an_exchange_has_a_precondition() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let code = desk.issued_code(&client, "offline_access");
    let body = format!("grant_type=authorization_code&code={code}&redirect_uri=https://app.example/cb");
    let found = desk.load(&client, &body).unwrap();
    let decision = desk.judge(&client, &body, &found);
    assert!(!decision.writes.is_empty());
    for write in &decision.writes {
        let expect = match write {
            Write::PutArtifact { expect, .. } | Write::PutGrant { expect, .. } => *expect,
            other => panic!("{other:?}"),
        };
        assert_ne!(expect, Expect::Any, "{write:?}");
    }
}
