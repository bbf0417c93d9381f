//! One fuzzer for every target; the variable `FUZZ_TARGET` names the one that runs.

#![no_main]

#[cfg(feature = "hall")]
#[path = "targets/http_request.rs"]
mod http_request;
mod targets;

use std::sync::LazyLock;

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    #[cfg(feature = "hall")]
    if name == "http_request" {
        return http_request::run;
    }
    let target = targets::TARGETS.iter().find(|(known, _)| *known == name);
    target.unwrap_or_else(|| panic!("FUZZ_TARGET names no target: {name:?}")).1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| RUN(data));
