//! The commands, run as processes.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{BufRead, BufReader, Read};
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};

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

    /// A running demo. Killed when dropped.
    struct Demo {
        process: Child,
        base: String,
        said: String,
        rest: BufReader<ChildStderr>,
    }

    impl Demo {
        fn start(directory: &Path) -> Self {
            Self::start_on(directory, "127.0.0.1:0")
        }

        fn start_on(directory: &Path, listen: &str) -> Self {
            let mut process = Command::new(env!("CARGO_BIN_EXE_postern"))
                .args(["demo", "--listen", listen, "--data-dir", directory.to_str().unwrap()])
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut rest = BufReader::new(process.stderr.take().unwrap());
            let mut said = String::new();
            while !said.contains("Ctrl-C") {
                assert!(rest.read_line(&mut said).unwrap() > 0, "ended early: {said}");
            }
            let base = said.split_whitespace().find(|word| word.starts_with("https://")).unwrap().to_owned();
            Self { process, base, said, rest }
        }

        /// Asks it to stop and answers how it ended and what it said meanwhile.
        fn stop(mut self) -> (ExitStatus, String) {
            let told = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
            assert!(told.success());
            let mut said = String::new();
            self.rest.read_to_string(&mut said).unwrap();
            (self.process.wait().unwrap(), said)
        }
    }

    impl Drop for Demo {
        fn drop(&mut self) {
            let _ = self.process.kill();
        }
    }

    fn client(data: &Path) -> reqwest::Client {
        let root = fs::read(data.join("root.pem")).unwrap();
        let root = reqwest::Certificate::from_pem(&root).unwrap();
        reqwest::Client::builder().tls_certs_only([root]).build().unwrap()
    }

    #[tokio::test]
    async fn the_demo_starts_says_what_to_open_and_stops_when_asked() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let mut certificates = Vec::new();
        for _ in 0..2 {
            let demo = Demo::start(&data);
            for needed in ["/api/swagger/default", "/default/default/demo", "user / user", "demonstration"] {
                assert!(demo.said.contains(needed), "{}", demo.said);
            }
            let ready = client(&data).get(format!("{}/ready", demo.base)).send().await.unwrap();
            assert_eq!(ready.status(), 200);
            certificates.push(fs::read(data.join("certificate.pem")).unwrap());
            let (status, said) = demo.stop();
            assert!(status.success() && said.trim().is_empty(), "{status}: {said}");
        }
        assert_eq!(certificates[0], certificates[1], "kept between starts");
        assert_eq!(mode(&data), 0o700);
        for private in ["certificate.key", "seal.key", "postern.db"] {
            assert_eq!(mode(&data.join(private)), 0o600, "{private}");
        }
    }

    #[test]
    fn w_05_the_demo_is_loud_beyond_loopback_and_calm_on_it() {
        let directory = tempfile::tempdir().unwrap();
        let open = Demo::start_on(directory.path(), "0.0.0.0:0");
        assert!(open.said.contains("!! WARNING: --listen 0.0.0.0:0 is not loopback"), "{}", open.said);
        assert!(open.base.starts_with("https://localhost:"), "the issuer stays: {}", open.base);
        open.stop();
        let closed = Demo::start(directory.path());
        assert!(!closed.said.contains("WARNING"), "{}", closed.said);
        assert!(closed.said.contains("Only this machine can reach it"), "{}", closed.said);
    }

    #[test]
    fn a_tenant_is_created_once_with_a_random_secret_that_is_not_kept() {
        let installation = Installation::new();
        let created = report(&installation.run(&["create-tenant", "acme"]));
        let secret = created.lines().find_map(|line| line.strip_prefix("Secret ")).unwrap().trim();
        assert_eq!(secret.len(), 43);
        assert!(created.contains("https://localhost:8443/acme/admin/oauth2/token"), "{created}");
        let again = complaint(&installation.run(&["create-tenant", "acme"]));
        assert!(again.contains("tenant acme is there already"), "{again}");
        let odd = complaint(&installation.run(&["create-tenant", "a/b"]));
        assert!(odd.contains("use letters, digits"), "{odd}");
        for file in fs::read_dir(installation.directory.path()).unwrap() {
            let content = fs::read(file.unwrap().path()).unwrap();
            let kept = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!kept, "W-01: only the hash is kept");
        }
    }

    #[test]
    fn the_doctor_reaches_the_running_server() {
        let installation = Installation::new();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let config = installation.config().replace("127.0.0.1:0", &address);
        fs::write(installation.path("postern.toml"), config.replace("8443", &port.to_string())).unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(["serve", "--config", installation.path("postern.toml").to_str().unwrap()])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("\"serving\"") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "ended early");
            serde_json::from_str::<serde_json::Value>(&line).unwrap();
        }
        let well = report(&installation.run(&["doctor"]));
        server.kill().unwrap();
        server.wait().unwrap();
        let stopped = installation.run(&["doctor"]);
        let ill = report(&stopped);
        assert_eq!(stopped.status.code(), Some(1), "documented");
        assert!(well.contains("ok    issuer"), "{well}");
        assert!(ill.contains("FAIL  issuer"), "{ill}");
    }

    #[test]
    fn w_05_serve_refuses_a_database_of_the_demo() {
        let installation = Installation::new();
        Demo::start(installation.directory.path()).stop();
        let files = ["certificate.key", "certificate.pem", "certificate.names", "root.pem"];
        let before = files.map(|name| fs::read(installation.path(name)).unwrap());
        let said = complaint(&installation.run(&["serve"]));
        assert!(said.contains("credentials that everybody knows"), "{said}");
        let after = files.map(|name| fs::read(installation.path(name)).unwrap());
        assert!(before == after, "the certificate was replaced for a server that did not start");
    }

    #[test]
    fn e_18_serve_refuses_a_missing_key_and_another_one() {
        let installation = Installation::new();
        Demo::start(installation.directory.path()).stop();
        let key = installation.path("seal.key");
        fs::write(&key, "A".repeat(43)).unwrap();
        let said = complaint(&installation.run(&["serve"]));
        assert!(said.contains("is not the key that this database was sealed with"), "{said}");
        fs::remove_file(&key).unwrap();
        let said = complaint(&installation.run(&["serve"]));
        assert!(said.contains("key_file: ") && said.contains("restore it from your backup"), "{said}");
        assert!(!key.exists());
    }

    #[tokio::test]
    async fn explain_tells_what_was_expected_and_the_rule() {
        let directory = tempfile::tempdir().unwrap();
        let demo = Demo::start(directory.path());
        let url = format!("{}/default/default/oauth2/authorize?client_id=nobody", demo.base);
        let refused = client(directory.path()).get(url).send().await.unwrap();
        let trace_id = refused.headers()["x-trace-id"].to_str().unwrap().to_owned();
        assert_eq!(refused.status().as_u16() / 100, 4);
        demo.stop();
        let data = directory.path().to_str().unwrap();
        let told = report(&postern(&["explain", &trace_id, "--data-dir", data]));
        for needed in [&format!("Trace id   {trace_id}"), "Request    GET /default/default/", "Rule ", "Fix "]
        {
            assert!(told.contains(needed), "{told}");
        }
    }

    #[test]
    fn explain_knows_nothing_of_a_foreign_id() {
        let directory = tempfile::tempdir().unwrap();
        Demo::start(directory.path()).stop();
        let data = directory.path().to_str().unwrap();
        let said = complaint(&postern(&["explain", "0123", "--data-dir", data]));
        assert!(said.contains("nothing is known about 0123"), "{said}");
    }

    #[test]
    fn the_template_is_printed() {
        let output = postern(&["serve", "--print-config"]);
        assert!(output.status.success());
        assert_eq!(report(&output), include_str!("../../docs/postern.toml"));
    }

    #[test]
    fn w_35_migrate_makes_database_and_key_for_their_owner_alone() {
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
        installation.change("localhost:8443", "localhost:1");
        fs::set_permissions(installation.directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let before = installation.run(&["doctor"]);
        let new = report(&before);
        let database = format!("no database yet at {}", installation.path("postern.db").display());
        assert!(new.contains(&format!("new   store        {database}: `postern serve` makes it")), "{new}");
        assert!(new.contains("new   certificate  will be made"), "{new}");
        assert!(new.contains("new   issuer       nothing answers at https://localhost"), "{new}");
        assert!(before.status.success(), "nothing must be mended: {new}");
        let names: Vec<_> = fs::read_dir(installation.directory.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "only the configuration: {names:?}");

        installation.run(&["migrate"]);
        let well = report(&installation.run(&["doctor"]));
        assert!(well.contains("ok    store        reads and writes, schema version "), "{well}");
        assert!(well.contains("ok    sealing key"), "{well}");
        assert!(well.contains("ok    clock"), "{well}");
        assert!(well.contains("FAIL  issuer"), "{well}");
        assert!(!well.contains("seal.key is its owner's alone\nFAIL"), "{well}");
    }

    #[test]
    fn the_doctor_misses_a_directory_that_no_start_makes() {
        let installation = Installation::new();
        installation.change("postern.db", "nowhere/postern.db");
        let output = installation.run(&["doctor"]);
        let found = report(&output);
        assert_eq!(output.status.code(), Some(1), "{found}");
        assert!(found.contains("FAIL  store        no database yet at"), "{found}");
        let mend = format!("mkdir -m 700 {}", installation.path("nowhere").display());
        assert!(found.contains(&mend), "{found}");
    }

    /// The copy is whole, and of use with the key that belongs to it and with no other.
    #[test]
    fn e_21_a_backup_is_restored_with_its_key_and_no_other() {
        let installation = Installation::new();
        installation.run(&["create-tenant", "acme"]);
        let (copy, database) = (installation.path("copy.db"), installation.path("postern.db"));
        let itself = complaint(&installation.run(&["backup", database.to_str().unwrap()]));
        assert!(itself.contains("is the database itself"), "{itself}");
        let made = report(&installation.run(&["backup", copy.to_str().unwrap()]));
        assert!(made.contains("seal.key"), "{made}");
        assert_eq!(mode(&copy), 0o600);
        for ending in ["", "-wal", "-shm"] {
            let _may_be_gone = fs::remove_file(installation.path(&format!("postern.db{ending}")));
        }
        let nothing = complaint(&installation.run(&["backup", copy.to_str().unwrap()]));
        assert!(nothing.contains("there is no database at"), "{nothing}");
        fs::rename(&copy, &database).unwrap();
        let well = report(&installation.run(&["doctor"]));
        assert!(well.contains("seal.key opens what is sealed"), "{well}");
        let again = complaint(&installation.run(&["create-tenant", "acme"]));
        assert!(again.contains("tenant acme is there already"), "{again}");
        fs::write(installation.path("seal.key"), "A".repeat(43)).unwrap();
        let other = report(&installation.run(&["doctor"]));
        assert!(other.contains("is not the key that this database was sealed with"), "{other}");
    }

    #[test]
    fn the_doctor_finds_what_is_open_to_everybody() {
        let installation = Installation::new();
        installation.run(&["migrate"]);
        fs::set_permissions(installation.path("seal.key"), fs::Permissions::from_mode(0o644)).unwrap();
        let output = installation.run(&["doctor"]);
        assert_eq!(output.status.code(), Some(1), "documented");
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

        installation.change("postern.db", "nowhere/postern.db");
        let said = complaint(&installation.run(&["serve"]));
        assert!(said.contains("store.sqlite.path: "), "{said}");
        assert!(!installation.path("root.pem").exists(), "nothing is left behind");

        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        installation.change("listen = \"127.0.0.1:0\"", &format!("listen = \"{address}\""));
        let said = complaint(&installation.run(&["serve"]));
        assert!(said.contains(&format!("listen: cannot listen on {address}")), "{said}");
    }
}
