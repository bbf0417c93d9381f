//! One fuzzer for every target; the variable `FUZZ_TARGET` names the one that runs.

#![no_main]

#[path = "targets/http_request.rs"]
mod http_request;
mod targets;

use std::sync::LazyLock;

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let all = targets::TARGETS.iter().copied().chain([("http_request", http_request::run as fn(&[u8]))]);
    let Some((_, run)) = all.into_iter().find(|(known, _)| *known == name) else {
        eprintln!("FUZZ_TARGET names no target: {name:?}");
        std::process::exit(1);
    };
    run
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| RUN(data));
