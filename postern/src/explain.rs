//! `postern explain`: what the server knows about a refusal, by its trace id.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use engine::EngineConfig;
use protocol::explain::Explanation;

use crate::cli::ExplainArgs;
use crate::config::{Config, Secret, Store};
use crate::demo::DataDirectory;
use crate::{seal_key, server, wire};

/// How often, and how long after one another, it is looked again for what is not there.
const LOOKS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(300);

/// Prints the explanation.
///
/// # Errors
/// There is none under that id, or the database cannot be opened.
pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let (store, key) = match &args.config {
        Some(file) => places(file)?,
        None => {
            let directory = DataDirectory::new(&args.data_dir);
            (directory.store(), directory.key())
        }
    };
    let found = server::runtime()?.block_on(find(&store, &key, &args.trace_id))?;
    let explanation = found.with_context(|| {
        format!("nothing is known about {}: explanations are kept for a day", args.trace_id)
    })?;
    print!("{}", text(&explanation));
    Ok(())
}

fn places(file: &Path) -> anyhow::Result<(Store, Secret)> {
    let config = Config::read(file)?;
    Ok((config.store, config.key))
}

async fn find(store: &Store, key: &Secret, trace_id: &str) -> anyhow::Result<Option<Explanation>> {
    ensure!(
        wire::pending(store).await?.steps.is_empty(),
        "there is no database of this version here: name the demo's directory with --data-dir, or a server's file with --config"
    );
    let config = EngineConfig::new("", seal_key::open(key, false)?);
    let engine = wire::open_engine(config, Arc::clone(&wire::open_store(store, false).await?))?;
    let mut found = engine.explanation(trace_id).await?;
    // A node writes explanations in groups, twice a second: what was refused just now comes with the next one.
    for _ in 0..LOOKS {
        if found.is_some() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        found = engine.explanation(trace_id).await?;
    }
    Ok(found)
}

fn text(explanation: &Explanation) -> String {
    let lines = [
        ("Trace id", Some(&explanation.trace_id)),
        ("Time", Some(&explanation.at.rfc3339())),
        ("Request", Some(&explanation.request)),
        ("Error", Some(&explanation.error)),
        ("Reason", Some(&explanation.description)),
        ("Parameter", explanation.parameter.as_ref()),
        ("Received", explanation.received.as_ref()),
        ("Expected", explanation.expected.as_ref()),
        ("Rule", Some(&explanation.clause)),
        ("Fix", Some(&explanation.fix)),
    ];
    let given = lines.into_iter().filter_map(|(name, value)| Some((name, value?)));
    // What was received is a stranger's text: it must not steer the terminal.
    given.map(|(name, value)| format!("{name:<10} {}\n", harmless(value))).collect()
}

/// Escapes whatever is not plain text; quotation marks are.
fn harmless(value: &str) -> String {
    let mut shown = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\'' | '"' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

#[test]
fn what_was_received_cannot_steer_the_terminal() {
    assert_eq!(harmless("the client's \"name\""), "the client's \"name\"");
    assert_eq!(harmless("\u{1b}[2J\n\u{202e}"), "\\u{1b}[2J\\n\\u{202e}");
}
