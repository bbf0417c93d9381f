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

/// Ends a step's line: result, time, remark.
pub(crate) fn finish(name: &str, streamed: bool, result: &str, time: Duration, remark: &str) {
    if streamed {
        print!("{name:<14}");
    }
    println!("{}", format!("{result:<8}{:>7.1} s   {remark}", time.as_secs_f64()).trim_end());
}

#[test]
fn results_are_added_up() {
    let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\n\
                  test result: FAILED. 10 passed; 3 failed; 0 ignored";
    assert_eq!(Counts::of_output(output), Counts { passed: 12, failed: 3 });
    assert_eq!(Counts::of_output("Finished"), Counts { passed: 1, failed: 0 });
}
