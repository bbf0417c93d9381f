//! Whether tenants cost anything: Postern over a database with one tenant beside Postern over one with thousands.
//!
//! The many are copies, made by SQL, of a tenant that the server made itself: workspaces with their keys, services,
//! scopes and clients, some sessions, grants and events, each row with an incarnation of its own. Only the key material
//! is the same: three RSA keys for each of ten thousand would take an hour.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::connection::{Connection, Request, Target};
use bench::process;
use rusqlite::{Connection as Database, params};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::client::{self, CLIENT};
use crate::server::{Pinned, Server};
use crate::{Options, Run, load};

/// Sweep, outbox and flush each have their turn within this time.
const IDLE: Duration = Duration::from_secs(32);
/// Each operation is measured so often on each of the two, in turn; the least counts, which others disturbed least.
const ROUNDS: usize = 3;
/// Requests of a list in one round.
const LISTS: usize = 1500;

/// One tenant, and many.
struct Both {
    one: Server,
    many: Server,
}

/// Measures everything; rows of a name and the figures of one and many.
pub(crate) async fn measure(options: &Options, pinned: Option<Pinned>) -> Result<Value> {
    let (one, many) = (options.scratch.join("tenants-one"), options.scratch.join("tenants-many"));
    for directory in [&one, &many] {
        // An earlier run that was cut off left it.
        let _ = std::fs::remove_dir_all(directory);
        std::fs::create_dir_all(directory.join("data"))?;
    }
    let model = Server::postern_in(&options.postern, &one, 1, pinned).await?;
    client::create(model.base(), None).await?;
    let run = Run { connections: 1, secs: 0.5, tokens: "0" };
    load(options, (&model, model.issuer()), "login", &run, pinned)?;
    model.leave().await;
    copy(&one.join("data"), &many.join("data"))?;
    println!("making {} tenants", options.tenants);
    multiply(&many.join("data/postern.db"), options.tenants)?;

    let both = Both {
        one: Server::postern_in(&options.postern, &one, 5, pinned).await?,
        many: Server::postern_in(&options.postern, &many, 5, pinned).await?,
    };
    let mut rows = both.of_figures(&[("start-up, ms", "start_up_ms"), ("memory idle, KiB", "rss_idle_kib")]);
    rows.push(both.idle().await);
    for operation in ["discovery", "client-credentials", "login"] {
        println!("measuring {operation} with one tenant and with {}", options.tenants);
        rows.push(both.operation(options, operation, pinned)?);
    }
    for (name, path) in [
        ("list of clients", "/api/admin/default/servers/default/clients?limit=2"),
        ("list of tenants", "/api/admin/tenants?limit=2"),
    ] {
        rows.push(both.list(name, path).await?);
    }
    rows.extend(both.touch(options.tenants).await?);
    Ok(json!({ "tenants": options.tenants, "rows": rows }))
}

impl Both {
    fn each(&self) -> [(&'static str, &Server); 2] {
        [("one", &self.one), ("many", &self.many)]
    }

    fn of_figures(&self, members: &[(&str, &str)]) -> Vec<Value> {
        let (one, many) = (self.one.figures(), self.many.figures());
        let row = |(name, member): &(&str, &str)| json!({ "name": name, "one": one.get(member), "many": many.get(member) });
        members.iter().map(row).collect()
    }

    /// Processor time of a server that nobody asks anything: what its background jobs cost.
    async fn idle(&self) -> Value {
        let before = self.each().map(|(_, server)| process::processor_time(server.pid()));
        sleep(IDLE).await;
        let [one, many] = self.each().map(|(_, server)| process::processor_time(server.pid()));
        let [one_before, many_before] = before;
        let millis = |spent: Duration| json!(spent.as_millis());
        json!({
            "name": format!("CPU of {} idle s, ms", IDLE.as_secs()),
            "one": millis(one.saturating_sub(one_before)),
            "many": millis(many.saturating_sub(many_before)),
        })
    }

    fn operation(&self, options: &Options, operation: &str, pinned: Option<Pinned>) -> Result<Value> {
        let connections = if operation == "login" { 1 } else { 8 };
        let run = Run { connections, secs: options.secs / 2.0, tokens: "0" };
        let mut least = [f64::MAX; 2];
        for _ in 0..ROUNDS {
            for ((_, server), least) in self.each().into_iter().zip(&mut least) {
                let figures = load(options, (server, server.issuer()), operation, &run, pinned)?;
                let spent = figures.get("server_cpu_us_per_op").and_then(Value::as_f64);
                *least = least.min(spent.with_context(|| format!("{operation}: {figures}"))?);
            }
        }
        Ok(row(&format!("{operation}, CPU µs"), least))
    }

    /// A page of a list, as an administrator asks for it.
    async fn list(&self, name: &str, path: &str) -> Result<Value> {
        let tenant = if path.starts_with("/api/admin/tenants") { "system" } else { "default" };
        let mut least = [f64::MAX; 2];
        for _ in 0..ROUNDS {
            for ((_, server), least) in self.each().into_iter().zip(&mut least) {
                let mut connection = Connection::new(Target::of_url(server.base())?);
                let bearer = client::administrator(&mut connection, tenant).await?;
                let headers = [("authorization", bearer.as_str())];
                let before = process::processor_time(server.pid());
                for _ in 0..LISTS {
                    let request = Request { path, headers: &headers, ..Request::default() };
                    let reply = connection.send(&request).await?;
                    ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.text());
                }
                let spent = process::processor_time(server.pid()).saturating_sub(before);
                *least = least.min(micros(spent) / LISTS as f64);
            }
        }
        Ok(row(&format!("{name}, CPU µs"), least))
    }

    /// One token from each of the many tenants, twice: what a tenant costs that nobody asked for lately, and what memory
    /// does.
    async fn touch(&self, tenants: usize) -> Result<Vec<Value>> {
        let idle = process::memory(self.many.pid()).0;
        let mut rows = Vec::new();
        let mut connection = Connection::new(Target::of_url(self.many.base())?);
        let basic = client::basic(CLIENT);
        for round in ["first", "second"] {
            println!("one token from each of {tenants} tenants");
            let before = process::processor_time(self.many.pid());
            for number in 1..=tenants {
                let path = format!("/{}/default/oauth2/token", name(number));
                let reply = client::token(&mut connection, &path, &basic).await?;
                ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.text());
            }
            let spent = process::processor_time(self.many.pid()).saturating_sub(before);
            rows.push(json!({ "name": format!("{round} token of each, CPU µs"), "many": micros(spent) / tenants as f64 }));
            let memory = process::memory(self.many.pid()).0;
            rows.push(json!({ "name": format!("memory after that, KiB"), "one": idle, "many": memory }));
        }
        Ok(rows)
    }
}

fn row(name: &str, [one, many]: [f64; 2]) -> Value {
    let tenths = |micros: f64| (micros * 10.0).round() / 10.0;
    json!({ "name": name, "one": tenths(one), "many": tenths(many) })
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn name(number: usize) -> String {
    format!("t{number:05}")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Copies the tenant `default` so many times, without its workspace `system`.
fn multiply(path: &Path, tenants: usize) -> Result<()> {
    let mut database = Database::open(path)?;
    database.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;")?;
    let changes = database.transaction()?;
    changes.execute("CREATE TEMP TABLE number (i INTEGER PRIMARY KEY, name TEXT NOT NULL)", [])?;
    for number in 1..=tenants {
        changes
            .execute("INSERT INTO number VALUES (?1, ?2)", params![i64::try_from(number)?, name(number)])?;
    }
    for statement in COPIES {
        changes.execute(statement, []).with_context(|| statement.to_owned())?;
    }
    changes.commit()?;
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;")?;
    Ok(())
}

const COPIES: [&str; 5] = [
    "INSERT INTO tenant (id, uid, name, created_at, epoch, revocations)
     SELECT n.name, lower(hex(randomblob(16))), 'Tenant ' || n.i, t.created_at, t.epoch, t.revocations
     FROM number n, tenant t WHERE t.id = 'default' ORDER BY n.i",
    "INSERT INTO document (tenant, kind, id, parent, uid, revision, created_at, updated_at, body)
     SELECT n.name, d.kind, d.id, d.parent, lower(hex(randomblob(16))), 1, d.created_at, d.updated_at,
       replace(d.body, '\"tenant_id\":\"default\"', '\"tenant_id\":\"' || n.name || '\"')
     FROM number n, document d WHERE d.tenant = 'default' AND d.id <> 'system' AND ifnull(d.parent, '') <> 'system'
     ORDER BY n.i",
    "INSERT INTO grant_record (tenant, id, server, client, subject, session, created_at, expires_at, revoked_at,
       revision, body)
     SELECT n.name, g.id, g.server, g.client, g.subject, g.session, g.created_at, g.expires_at, g.revoked_at, 1, g.body
     FROM number n, (SELECT * FROM grant_record WHERE tenant = 'default' LIMIT 2) g ORDER BY n.i",
    "INSERT INTO artifact (tenant, kind, hash, grant_id, owner, expires_at, due_at, revision, body)
     SELECT n.name, a.kind, randomblob(32), a.grant_id, a.owner, a.expires_at, a.due_at, 1, a.body
     FROM number n, (SELECT * FROM artifact WHERE tenant = 'default' LIMIT 5) a ORDER BY n.i",
    "INSERT INTO event (tenant, happened_at, server, trace_id, body)
     SELECT n.name, e.happened_at, e.server, e.trace_id, e.body
     FROM number n, (SELECT * FROM event WHERE tenant = 'default' LIMIT 10) e ORDER BY n.i",
];

/// Keeps and prints the rows.
pub(crate) fn write(report: &Value, out: &Path) -> Result<()> {
    std::fs::write(out, format!("{report:#}\n"))?;
    print(report);
    Ok(())
}

/// Prints the rows.
pub(crate) fn print(report: &Value) {
    let tenants = report.get("tenants").and_then(Value::as_u64).unwrap_or_default();
    println!("\n{:<34}{:>12}{:>12}{:>9}", "tenants", 1, tenants, "ratio");
    for row in report.get("rows").and_then(Value::as_array).into_iter().flatten() {
        let number = |member: &str| row.get(member).and_then(Value::as_f64);
        let cell =
            |number: Option<f64>| number.map_or_else(|| "-".to_owned(), |number| format!("{number:.1}"));
        let ratio = match (number("one"), number("many")) {
            (Some(one), Some(many)) if one > 0.0 => format!("{:.2}", many / one),
            _ => "-".to_owned(),
        };
        let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
        println!("{name:<34}{:>12}{:>12}{ratio:>9}", cell(number("one")), cell(number("many")));
    }
}
