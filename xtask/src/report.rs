//! One calm line per step, and a count at the end.

use std::io::Write;
use std::time::Duration;

/// How many checks passed and failed.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub(crate) struct Counts {
    pub passed: usize,
    pub failed: usize,
}

impl Counts {
    /// Adds up the `test result: ok. 3 passed; 0 failed; …` lines of an output.
    /// An output without such a line counts as one check that passed.
    pub(crate) fn of_output(output: &str) -> Self {
        let mut counts = Self::default();
        let results = output.lines().filter_map(|line| line.trim().strip_prefix("test result: "));
        let mut any = false;
        for result in results {
            any = true;
            counts.passed += number_before(result, " passed");
            counts.failed += number_before(result, " failed");
        }
        if any { counts } else { Self { passed: 1, failed: 0 } }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

fn number_before(text: &str, label: &str) -> usize {
    let before = text.split(label).next().unwrap_or_default();
    before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Announces a step; `finish` ends its line, or writes another one after streamed output.
pub(crate) fn begin(name: &str, streamed: bool) {
    if streamed {
        println!("── {name}");
    } else {
        print!("{name:<14}");
    }
    let _ = std::io::stdout().flush();
}

/// How a step ended.
pub(crate) struct Ended {
    pub name: &'static str,
    pub result: &'static str,
    pub time: Duration,
    pub remark: String,
}

impl Ended {
    /// Result, time, remark.
    fn line(&self) -> String {
        let line = format!("{:<8}{:>7.1} s   {}", self.result, self.time.as_secs_f64(), self.remark);
        line.trim_end().to_owned()
    }

    /// Ends the step's line.
    pub(crate) fn show(&self, streamed: bool) {
        if streamed {
            print!("{:<14}", self.name);
        }
        println!("{}", self.line());
    }
}

/// All steps once more, under what they printed, and how long everything took.
pub(crate) fn table(steps: &[Ended]) -> String {
    let rows: String = steps.iter().map(|step| format!("{:<14}{}\n", step.name, step.line())).collect();
    let all: Duration = steps.iter().map(|step| step.time).sum();
    format!("\n{rows}{:<22}{:>7.1} s", "all", all.as_secs_f64())
}

#[test]
fn results_are_added_up() {
    let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\n\
                  test result: FAILED. 10 passed; 3 failed; 0 ignored";
    assert_eq!(Counts::of_output(output), Counts { passed: 12, failed: 3 });
    assert_eq!(Counts::of_output("Finished"), Counts { passed: 1, failed: 0 });
}

#[test]
fn the_table_has_each_step_and_the_sum() {
    let step = |name, seconds| Ended {
        name,
        result: "ok",
        time: Duration::from_secs(seconds),
        remark: String::new(),
    };
    let expected =
        "\nlints         ok         90.0 s\ntests         ok        210.0 s\nall                     300.0 s";
    assert_eq!(table(&[step("lints", 90), step("tests", 210)]), expected);
}
