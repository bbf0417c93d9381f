//! The figures as a table to read.

use serde_json::Value;

use crate::STORM;

/// What a token may take at the 99th percentile while logins take all there is.
const STORM_MILLIS: f64 = 20.0;

const HEAD: [&str; 10] =
    ["one core", "floor", "postern", "ratio", "floor", "postern", "ratio", "primitive", "floor", "postern"];

/// Prints the report.
pub(crate) fn print(report: &Value) {
    let row = |cells: [&str; 10]| {
        let [name, rest @ ..] = cells;
        let cell = |line: String, (column, cell): (usize, &&str)| {
            let width = if column < 7 { 11 } else { 15 };
            line + &format!("{cell:>width$}")
        };
        let line = rest.iter().enumerate().fold(format!("{name:<19}"), cell);
        println!("{}", line.trim_end());
    };
    println!();
    row(HEAD);
    row(["", "ops/s", "ops/s", "", "CPU µs/op", "CPU µs/op", "by CPU", "by CPU", "p50/p99 ms", "p50/p99 ms"]);
    for both in report.pointer("/operations").and_then(Value::as_array).into_iter().flatten() {
        let name = both.pointer("/name").and_then(Value::as_str).unwrap_or_default();
        let number = |pointer: &str| both.pointer(pointer).and_then(Value::as_f64).unwrap_or(0.0);
        let rate = |server: &str| number(&format!("/{server}/many/ops_per_s"));
        let cpu = |server: &str| number(&format!("/{server}/many/server_cpu_us_per_op"));
        let latency = |server: &str| {
            let millis = |rank: &str| number(&format!("/{server}/one/{rank}")) / 1000.0;
            format!("{:.2}/{:.2}", millis("p50_us"), millis("p99_us"))
        };
        row([
            name,
            &format!("{:.0}", rate("floor")),
            &format!("{:.0}", rate("postern")),
            &percent(rate("postern"), rate("floor")),
            &format!("{:.1}", cpu("floor")),
            &format!("{:.1}", cpu("postern")),
            &percent(cpu("floor"), cpu("postern")),
            &percent(number("/primitive/cpu_us_per_op"), cpu("postern")),
            &latency("floor"),
            &latency("postern"),
        ]);
        if name == STORM {
            println!("    {}", storm_verdict(number("/postern/one/p99_us") / 1000.0));
        }
        for run in ["/floor/many", "/floor/one", "/postern/many", "/postern/one"] {
            if let Some(error) = both.pointer(&format!("{run}/first_error")).and_then(Value::as_str) {
                println!("    {run}: {} errors, the first: {error}", number(&format!("{run}/errors")));
            }
        }
    }
    println!("\n{:<19}{:>12}{:>12}", "", "floor", "postern");
    let rows = [
        ("start-up, ms", "start_up_ms", 1.0),
        ("after a kill, ms", "start_up_after_kill_ms", 1.0),
        ("memory idle, MiB", "rss_idle_kib", 1024.0),
        ("after load, MiB", "rss_after_load_kib", 1024.0),
        ("at most, MiB", "rss_peak_kib", 1024.0),
    ];
    for (title, member, divisor) in rows {
        let value = |server: &str| {
            report.pointer(&format!("/servers/{server}/{member}")).and_then(Value::as_f64).unwrap_or(0.0)
                / divisor
        };
        println!("{title:<19}{:>12.1}{:>12.1}", value("floor"), value("postern"));
    }
}

fn storm_verdict(p99: f64) -> String {
    let verdict = if p99 <= STORM_MILLIS { "held" } else { "NOT held" };
    format!("tokens within {STORM_MILLIS} ms while others log in: {verdict}")
}

/// `part` of `whole`; 100% is as good as the floor.
fn percent(part: f64, whole: f64) -> String {
    if whole > 0.0 && part > 0.0 { format!("{:.0}%", part / whole * 100.0) } else { "-".into() }
}
