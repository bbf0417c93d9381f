//! Statements sent without waiting for each other's answers: a transaction in one round trip.

use crate::failure::Failure;
use crate::sql;
use crate::value::Value;
use deadpool_postgres::ClientWrapper;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::Poll;
use tokio_postgres::{Error, Row, Statement};

/// A statement with its values.
#[derive(Clone, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) statement: &'static str,
    pub(crate) values: Vec<Value<'a>>,
    /// The write of the batch that it belongs to.
    pub(crate) write: usize,
}

impl<'a> Step<'a> {
    pub(crate) fn new(statement: &'static str, values: Vec<Value<'a>>) -> Self {
        Self { statement, values, write: 0 }
    }
}

type Sent<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Runs the steps as one transaction, in one round trip; answers how many rows each changed or found.
///
/// A step that fails ends the transaction inside the server: those after it and the commit find it ended. Everything is
/// sent before anything is awaited, so that a caller who goes away leaves no transaction open.
///
/// # Errors
/// The first step's that failed. Whether a commit happened is unknown after [`Failure::Lost`].
pub(crate) async fn transaction(client: &ClientWrapper, steps: &[Step<'_>]) -> Result<Vec<u64>, Failure> {
    let prepared = prepare(client, steps).await?;
    let mut sent: Vec<Sent<'_, u64>> = Vec::with_capacity(steps.len() + 2);
    sent.push(Box::pin(async { client.batch_execute(sql::BEGIN_WRITE).await.map(|()| 0) }));
    for step in steps {
        let statement = prepared.get(step.statement).ok_or_else(unprepared)?;
        sent.push(Box::pin(client.execute_raw(statement, &step.values)));
    }
    sent.push(Box::pin(async { client.batch_execute(sql::COMMIT).await.map(|()| 0) }));
    let outcomes = in_order(sent).await;

    let writes = std::iter::once(0).chain(steps.iter().map(|step| step.write)).chain([0]);
    let mut rows = Vec::with_capacity(outcomes.len());
    for (outcome, write) in outcomes.into_iter().zip(writes) {
        rows.push(outcome.map_err(|error| Failure::of(&error, write))?);
    }
    Ok(rows.get(1..=steps.len()).unwrap_or_default().to_vec())
}

/// Answers every step from one snapshot, in one round trip.
pub(crate) async fn snapshot(client: &ClientWrapper, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
    let prepared = prepare(client, steps).await?;
    // One statement is a snapshot by itself.
    let several = steps.len() > 1;
    let parameters: Vec<Vec<&(dyn tokio_postgres::types::ToSql + Sync)>> =
        steps.iter().map(|step| step.values.iter().map(|value| value as _).collect()).collect();
    let mut sent: Vec<Sent<'_, Vec<Row>>> = Vec::with_capacity(steps.len() + 2);
    if several {
        sent.push(Box::pin(async { client.batch_execute(sql::BEGIN_READ).await.map(|()| Vec::new()) }));
    }
    for (step, parameters) in steps.iter().zip(&parameters) {
        let statement = prepared.get(step.statement).ok_or_else(unprepared)?;
        sent.push(Box::pin(client.query(statement, parameters)));
    }
    if several {
        sent.push(Box::pin(async { client.batch_execute(sql::COMMIT).await.map(|()| Vec::new()) }));
    }
    let mut answers = in_order(sent).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    if several {
        answers.pop();
        answers.remove(0);
    }
    Ok(answers)
}

/// Every statement of the steps, prepared once per connection; new ones in one round trip.
async fn prepare(
    client: &ClientWrapper,
    steps: &[Step<'_>],
) -> Result<BTreeMap<&'static str, Statement>, Failure> {
    let mut wanted: Vec<&'static str> = steps.iter().map(|step| step.statement).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let sent = wanted.iter().map(|text| Box::pin(client.prepare_cached(text)) as Sent<'_, Statement>);
    let prepared = in_order(sent.collect()).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(wanted.into_iter().zip(prepared).collect())
}

/// Starts all, in their order, and only then waits for them.
async fn in_order<T>(mut sent: Vec<Sent<'_, T>>) -> Vec<Result<T, Error>> {
    let mut early = Vec::with_capacity(sent.len());
    std::future::poll_fn(|context| {
        for future in sent.iter_mut().skip(early.len()) {
            early.push(match future.as_mut().poll(context) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            });
        }
        Poll::Ready(())
    })
    .await;
    let mut outcomes = Vec::with_capacity(sent.len());
    for (future, early) in sent.into_iter().zip(early) {
        outcomes.push(match early {
            Some(outcome) => outcome,
            None => future.await,
        });
    }
    outcomes
}

fn unprepared() -> Failure {
    Failure::Refused("a statement was not prepared".to_owned())
}
