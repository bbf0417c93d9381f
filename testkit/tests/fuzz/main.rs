//! The kept inputs of the fuzzers, each through its target once more. `cargo xtask fuzz` looks for new ones.

#[cfg(test)]
#[path = "../../../fuzz/targets/http_request.rs"]
mod http_request;
#[cfg(test)]
#[path = "../../../fuzz/targets/mod.rs"]
mod targets;

#[cfg(test)]
mod replay {
    use super::{http_request, targets};
    use std::path::{Path, PathBuf};

    fn corpus() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
    }

    fn targets() -> impl Iterator<Item = targets::Target> {
        targets::TARGETS.iter().copied().chain([("http_request", http_request::run as fn(&[u8]))])
    }

    #[test]
    fn every_kept_input_passes() {
        for (name, run) in targets() {
            let entries =
                std::fs::read_dir(corpus().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
            let mut inputs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
            inputs.sort();
            assert!(!inputs.is_empty(), "{name} has no input");
            for input in inputs {
                // Names the input if the target panics.
                eprintln!("{}", input.display());
                run(&std::fs::read(&input).unwrap());
            }
        }
    }

    #[test]
    fn every_corpus_belongs_to_a_target() {
        for entry in std::fs::read_dir(corpus()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(targets().any(|(known, _)| known == name), "{name} is no target");
        }
    }
}
