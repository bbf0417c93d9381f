//! The figures as a table to read.

use serde_json::Value;

/// Prints the report.
pub(crate) fn print(report: &Value) {
    println!();
    println!(
        "{:<20}{:>11}{:>11}{:>8}{:>12}{:>12}{:>18}{:>18}",
        "one core", "floor", "postern", "ratio", "floor", "postern", "floor", "postern"
    );
    println!(
        "{:<20}{:>11}{:>11}{:>8}{:>12}{:>12}{:>18}{:>18}",
        "", "ops/s", "ops/s", "", "CPU µs/op", "CPU µs/op", "p50/p99 ms", "p50/p99 ms"
    );
    for (name, both) in report.pointer("/operations").and_then(Value::as_object).into_iter().flatten() {
        let number = |pointer: &str| both.pointer(pointer).and_then(Value::as_f64);
        let [floor, postern] = ["/floor/many/ops_per_s", "/postern/many/ops_per_s"]
            .map(|pointer| number(pointer).unwrap_or(0.0));
        let ratio = if floor > 0.0 { postern / floor * 100.0 } else { 0.0 };
        let cpu = |server: &str| number(&format!("/{server}/many/server_cpu_us_per_op")).unwrap_or(0.0);
        let latency = |server: &str| {
            let millis = |rank: &str| number(&format!("/{server}/one/{rank}")).unwrap_or(0.0) / 1000.0;
            format!("{:.2}/{:.2}", millis("p50_us"), millis("p99_us"))
        };
        println!(
            "{name:<20}{floor:>11.0}{postern:>11.0}{ratio:>7.0}%{:>12.1}{:>12.1}{:>18}{:>18}",
            cpu("floor"),
            cpu("postern"),
            latency("floor"),
            latency("postern"),
        );
        for run in ["/floor/many", "/floor/one", "/postern/many", "/postern/one"] {
            if let Some(error) = both.pointer(&format!("{run}/first_error")).and_then(Value::as_str) {
                println!(
                    "    {run}: {} errors, the first: {error}",
                    number(&format!("{run}/errors")).unwrap_or(0.0)
                );
            }
        }
    }
    println!();
    println!("{:<20}{:>11}{:>11}", "", "floor", "postern");
    let rows = [
        ("start-up, ms", "start_up_ms", 1.0),
        ("memory idle, MiB", "rss_idle_kib", 1024.0),
        ("after load, MiB", "rss_after_load_kib", 1024.0),
        ("at most, MiB", "rss_peak_kib", 1024.0),
    ];
    for (title, member, divisor) in rows {
        let value = |server: &str| {
            report.pointer(&format!("/servers/{server}/{member}")).and_then(Value::as_f64).unwrap_or(0.0)
                / divisor
        };
        println!("{title:<20}{:>11.1}{:>11.1}", value("floor"), value("postern"));
    }
}
