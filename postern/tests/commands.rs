//! The commands, run as processes.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};

    use tempfile::TempDir;

    /// An installation that was never started.
    struct Installation {
        directory: TempDir,
    }

    impl Installation {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let installation = Self { directory };
            fs::write(installation.path("postern.toml"), installation.config()).unwrap();
            installation
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        fn config(&self) -> String {
            let directory = self.directory.path().display();
            format!(
                "public_url = \"https://localhost:8443\"\nlisten = \"127.0.0.1:0\"\nmetrics_listen = \"off\"\n\
                 key_file = \"{directory}/seal.key\"\n[tls]\nself_signed = true\n\
                 [store.sqlite]\npath = \"{directory}/postern.db\"\n"
            )
        }

        fn change(&self, from: &str, to: &str) {
            let changed = self.config().replace(from, to);
            assert_ne!(changed, self.config());
            fs::write(self.path("postern.toml"), changed).unwrap();
        }

        fn run(&self, command: &[&str]) -> Output {
            postern(&[command, &["--config", self.path("postern.toml").to_str().unwrap()]].concat())
        }
    }

    fn postern(arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_postern")).args(arguments).output().unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// What a failed command says: one line, and the exit status is not 0.
    #[track_caller]
    fn complaint(output: &Output) -> String {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        said
    }

    fn report(output: &Output) -> String {
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn the_template_is_printed() {
        let output = postern(&["serve", "--print-config"]);
        assert!(output.status.success());
        assert_eq!(report(&output), include_str!("../../docs/postern.toml"));
    }

    #[test]
    fn migrate_makes_database_and_key_for_their_owner_alone() {
        let installation = Installation::new();
        let plan = installation.run(&["migrate", "--plan"]);
        assert!(report(&plan).contains("Would apply 0001 initial"), "{plan:?}");
        assert!(!installation.path("postern.db").exists(), "a plan changes nothing");
        let applied = installation.run(&["migrate"]);
        assert!(report(&applied).contains("The schema has version "), "{applied:?}");
        assert_eq!(mode(&installation.path("postern.db")), 0o600);
        assert_eq!(mode(&installation.path("seal.key")), 0o600);
        let key = fs::read(installation.path("seal.key")).unwrap();
        let again = installation.run(&["migrate"]);
        assert!(report(&again).contains("up to date"), "{again:?}");
        assert_eq!(fs::read(installation.path("seal.key")).unwrap(), key);
    }

    #[test]
    fn the_doctor_looks_and_changes_nothing() {
        let installation = Installation::new();
        let new = report(&installation.run(&["doctor"]));
        assert!(new.contains("warn  store        1 migrations are missing"), "{new}");
        assert!(new.contains("ok    certificate  will be made"), "{new}");
        let names: Vec<_> = fs::read_dir(installation.directory.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "only the configuration: {names:?}");

        installation.run(&["migrate"]);
        let well = report(&installation.run(&["doctor"]));
        assert!(well.contains("ok    store        reads and writes, schema version "), "{well}");
        assert!(well.contains("ok    sealing key"), "{well}");
        assert!(well.contains("ok    clock"), "{well}");
        assert!(!well.contains("seal.key is its owner's alone\nFAIL"), "{well}");
    }

    #[test]
    fn the_doctor_finds_what_is_open_to_everybody() {
        let installation = Installation::new();
        installation.run(&["migrate"]);
        fs::set_permissions(installation.path("seal.key"), fs::Permissions::from_mode(0o644)).unwrap();
        let output = installation.run(&["doctor"]);
        let found = report(&output);
        assert!(found.contains("FAIL  permissions  everybody on this machine can use"), "{found}");
        assert!(found.contains("chmod 600"), "{found}");
        assert!(complaint(&output).contains("checks failed"));
    }

    #[test]
    fn e_23_what_cannot_be_opened_is_named_in_one_line() {
        let installation = Installation::new();
        let no_file = postern(&["serve", "--config", "/nonexistent.toml"]);
        assert!(complaint(&no_file).contains("/nonexistent.toml: cannot be read"));

        installation.change("[tls]", "[tsl]");
        let said = complaint(&installation.run(&["serve"]));
        assert!(said.contains("postern.toml:5: tsl: unknown setting; did you mean tls?"), "{said}");

        installation.change("self_signed = true", "certificate = \"/no.pem\"\nprivate_key = \"/no.key\"");
        let said = complaint(&installation.run(&["serve"]));
        assert!(said.contains("tls.certificate: /no.pem"), "{said}");

        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        installation.change("listen = \"127.0.0.1:0\"", &format!("listen = \"{address}\""));
        let said = complaint(&installation.run(&["serve"]));
        assert!(said.contains(&format!("listen: cannot listen on {address}")), "{said}");
    }
}
