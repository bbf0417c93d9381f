use super::*;

const SMALL: &str = r#"
public_url = "https://login.example.com"
key_file = "seal.key"
[tls]
self_signed = true
[store.sqlite]
path = "postern.db"
"#;

fn wrong(text: &str) -> String {
    Config::parse(Path::new("postern.toml"), text).unwrap_err().to_string()
}

/// The small configuration with one line more, in front or under a section of its own.
fn with(section: &str, line: &str) -> String {
    match section {
        "" => format!("{line}\n{SMALL}"),
        section => format!("{SMALL}\n[{section}]\n{line}\n"),
    }
}

/// The template with every commented setting switched on.
fn everything() -> String {
    let lines = TEMPLATE.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_scheme_of_the_url_names_the_database() {
    let store = |text: &str| {
        let text = SMALL.replace("[store.sqlite]\npath = \"postern.db\"", text);
        Config::parse(Path::new("postern.toml"), &text).unwrap().store
    };
    let Store::Sqlite { path } = store("[store]\nurl = \"sqlite:/var/lib/postern/postern.db\"") else {
        panic!("another database");
    };
    assert_eq!(path, Path::new("/var/lib/postern/postern.db"));
    let Store::Postgres(postgres) = store("[store]\nurl = \"postgres://postern@a:5432,b:5432/postern\"")
    else {
        panic!("another database");
    };
    assert!(postgres.tls && postgres.ca_file.is_none() && !postgres.accept_data_loss);
    let everything: toml::Table = everything().parse().unwrap();
    let stated = &everything["store"]["postgres"];
    assert_eq!(stated["connections"].as_integer().unwrap() as usize, postgres.connections);
    assert_eq!(stated["acquire_milliseconds"].as_integer().unwrap() as u128, postgres.acquire.as_millis());
    assert_eq!(stated["statement_seconds"].as_integer().unwrap() as u64, postgres.statement.as_secs());
    assert_eq!(stated["silence_milliseconds"].as_integer().unwrap() as u128, postgres.silence.as_millis());
}

#[test]
fn the_small_configuration_has_the_defaults() {
    let config = Config::parse(Path::new("postern.toml"), SMALL).unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:8443");
    assert_eq!(config.metrics_listen.unwrap().to_string(), "127.0.0.1:9000");
    assert_eq!(config.limits.body_bytes, 256 * 1024);
    assert_eq!(config.key, Secret::File("seal.key".into()));
    assert_eq!(config.directory(), Path::new("."));
    assert!(!config.fetch.allow_loopback);
}

#[test]
fn the_template_is_a_valid_configuration_and_names_the_true_defaults() {
    let plain = Config::parse(Path::new("postern.toml"), TEMPLATE).unwrap();
    let everything: toml::Table = everything().parse().unwrap();
    let limits = everything["limits"].as_table().unwrap();
    let stated = |name: &str| usize::try_from(limits[name].as_integer().unwrap()).unwrap();
    assert_eq!(stated("connections"), plain.limits.connections);
    assert_eq!(stated("requests"), plain.limits.requests);
    assert_eq!(stated("handshake_seconds") as u64, plain.limits.handshake.as_secs());
    assert_eq!(stated("head_seconds") as u64, plain.limits.head.as_secs());
    assert_eq!(stated("body_seconds") as u64, plain.limits.body.as_secs());
    assert_eq!(stated("idle_seconds") as u64, plain.limits.idle.as_secs());
    assert_eq!(stated("stall_seconds") as u64, plain.limits.stall.as_secs());
    assert_eq!(stated("drain_seconds") as u64, plain.limits.drain.as_secs());
    assert_eq!(stated("uri_bytes"), plain.limits.uri_bytes);
    assert_eq!(stated("header_bytes"), plain.limits.header_bytes);
    assert_eq!(stated("body_bytes"), plain.limits.body_bytes);
    assert_eq!(stated("bodies_bytes"), plain.limits.bodies_bytes);
    assert_eq!(stated("streams"), plain.limits.streams as usize);
    let labels = everything["metrics"]["tenant_labels"].as_integer().unwrap();
    assert_eq!(labels as usize, plain.metrics.tenant_labels);
    let days = everything["audit"]["retention_days"].as_integer().unwrap() as u64;
    assert_eq!(plain.audit.retention.unwrap().as_secs(), days * 24 * 3600);
    assert!(plain.audit.file.is_none() && plain.audit.http.is_none());
    assert_eq!(everything["listen"].as_str().unwrap(), plain.listen.to_string());
    assert_eq!(everything["metrics_listen"].as_str().unwrap(), plain.metrics_listen.unwrap().to_string());
}

#[test]
fn the_template_shows_every_setting() {
    let everything: toml::Table = everything().parse().unwrap();
    let sections = [
        "tls",
        "store",
        "store.sqlite",
        "store.postgres",
        "limits",
        "rate_limits",
        "fetch",
        "log",
        "metrics",
        "audit",
        "audit.export",
        "audit.export.file",
        "audit.export.http",
        "otel",
    ];
    for section in [""].into_iter().chain(sections) {
        let known = known_settings(section);
        let mut shown = &everything;
        for name in section.split('.').filter(|name| !name.is_empty()) {
            shown = shown[name].as_table().unwrap();
        }
        for setting in known {
            assert!(shown.contains_key(&setting), "docs/postern.toml does not show {setting} in [{section}]");
        }
    }
}

/// The settings that a section knows, as its own error message lists them.
fn known_settings(section: &str) -> Vec<String> {
    let heading = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
    let problem = wrong(&(heading + "zzz = 1"));
    let listed = problem.split("known here: ").nth(1).unwrap_or_else(|| panic!("{section}: {problem}"));
    listed.split(", ").map(ToOwned::to_owned).collect()
}

#[test]
fn e_23_an_unknown_setting_is_named_with_its_line_and_the_nearest_known_one() {
    assert_eq!(
        wrong(&with("", "lisen = \"x\"")),
        "postern.toml:1: lisen: unknown setting; did you mean listen?"
    );
    assert_eq!(
        wrong(&with("limits", "body_byte = 1")),
        "postern.toml:10: limits.body_byte: unknown setting; did you mean body_bytes?"
    );
    for (section, line, setting) in [
        ("foo", "a = 1", "postern.toml:9: foo: unknown setting"),
        ("audit.export.htp", "a = 1", "audit.export.htp: unknown setting; did you mean http?"),
        ("rate_limits", "address = { rat = 1 }", "rate_limits.address.rat: unknown setting"),
    ] {
        let said = wrong(&with(section, line));
        assert!(said.contains(setting), "{said}");
    }
    assert!(wrong(&with("", "zebra = 1")).contains("zebra: unknown setting; known here: public_url, listen"));
}

#[test]
fn e_23_each_wrong_value_is_one_line_that_names_the_setting() {
    let replaced = |from: &str, to: &str| wrong(&SMALL.replace(from, to));
    let on = |store: &str| wrong(&SMALL.replace("[store.sqlite]\npath = \"postern.db\"", store));
    let postgres = |line: &str| on(&format!("[store]\nurl = \"postgres://a@b/c\"\n[store.postgres]\n{line}"));
    for (problem, setting) in [
        (replaced("https://login", "http://login"), "public_url: must begin with https://"),
        (replaced("example.com", "example.com/x"), "public_url: must be scheme, host and port"),
        (replaced("https://login.example.com", "nonsense"), "public_url: is not a URL"),
        (replaced("key_file = \"seal.key\"", ""), "key_file: is missing"),
        (
            replaced("public_url = \"https://login.example.com\"", ""),
            "postern.toml:1: public_url: is missing",
        ),
        (replaced("self_signed = true", ""), "tls.certificate: is missing"),
        (replaced("self_signed = true", "certificate = \"a\""), "tls.private_key: is missing"),
        (replaced("true", "true\ncertificate = \"a\""), "tls.self_signed: excludes"),
        (replaced("\"postern.db\"", "7"), "store.sqlite.path: invalid type"),
        (replaced("[store.sqlite]\npath = \"postern.db\"", ""), "store: is missing"),
        (on("[store]"), "store: is missing"),
        (on("[store]\nurl = \"mysql://a/b\""), "store.url: must begin with postgres://"),
        (on("[store]\nurl = \"sqlite:\""), "store.url: must be sqlite: and a path"),
        (on("[store]\nurl = \"sqlite:a\"\n[store.sqlite]\npath = \"b\""), "store.sqlite: excludes url"),
        (on("[store.postgres]\ntls = \"off\""), "store.url: is missing"),
        (on("[store]\nurl = \"postgres://a:b@c,d/e\""), "store.url: must not contain a password"),
        (postgres("tls = \"prefer\""), "store.postgres.tls: \"prefer\" is neither"),
        (postgres("tls = \"off\"\nca_file = \"a\""), "store.postgres.ca_file: is of no use"),
        (postgres("connections = 0"), "store.postgres.connections: must be at least 1"),
        (
            postgres("password_file = \"a\"\npassword_env = \"B\""),
            "store.postgres.password_env: give a file or",
        ),
        (wrong(&with("", "key_env = \"K\"")), "key_env: give a file or a variable"),
        (wrong(&with("", "listen = \"8443\"")), "listen: \"8443\" is not an address"),
        (wrong(&with("", "metrics_listen = \"yes\"")), "metrics_listen: \"yes\" is not"),
        (wrong(&with("", "trusted_proxies = [\"a\"]")), "trusted_proxies: \"a\" is not a network"),
        (
            wrong(&with("", "admin_origins = [\"https://a.example/\"]")),
            "admin_origins: \"https://a.example/\"",
        ),
        (wrong(&with("limits", "connections = 0")), "limits.connections: must be at least 1"),
        (wrong(&with("", "default_tenant = \"a/b\"")), "default_tenant: \"a/b\" is not the id"),
        (
            wrong(&with("fetch", "allow_hosts = [\"https://x\"]")),
            "fetch.allow_hosts: \"https://x\" is not a host",
        ),
        (wrong(&with("fetch", "allow_hosts = [\"x/y\"]")), "fetch.allow_hosts: \"x/y\" is not a host"),
        (
            wrong(&with("fetch", "allow_hosts = [\"X:8443\", \"::1\"]")),
            "fetch.allow_hosts: \"::1\" is not a host",
        ),
        (wrong(&with("limits", "streams = 0")), "limits.streams: must be at least 1"),
        (
            wrong(&with("limits", "stall_seconds = 9223372036854775807")),
            "limits.stall_seconds: must be at most",
        ),
        (wrong(&with("limits", "connections = -1")), "limits.connections: invalid value"),
        (wrong(&with("limits", "body_seconds = \"20\"")), "limits.body_seconds: invalid type"),
        (wrong(&with("rate_limits", "address = { rate = 0 }")), "rate_limits.address.rate: is 0; 1 to"),
        (
            wrong(&with("rate_limits", "login = { rate = 1, period = \"2h\" }")),
            "rate_limits.login.period: is 7200s; 1ms",
        ),
        (wrong(&with("rate_limits", "address = { rate = 1, brust = 1 }")), "did you mean burst?"),
        (wrong(&with("rate_limits", "token = { rate = 1 }")), "rate_limits.token: unknown setting"),
        (wrong(&with("log", "level = \"loud\"")), "log.level"),
        (wrong(&with("log", "format = \"xml\"")), "log.format: unknown variant"),
        (wrong(&with("audit", "retention_days = -1")), "audit.retention_days: invalid value"),
        (wrong(&with("audit.export.http", "url = \"x\"")), "audit.export.http.url: is not a URL"),
        (
            wrong(&with("audit.export.http", "url = \"https://a@b/\"")),
            "audit.export.http.url: must not contain",
        ),
        (
            wrong(&with("audit.export.http", "url = \"https://b/\"\ntoken_file = \"a\"\ntoken_env = \"B\"")),
            "audit.export.http.token_env: give a file or",
        ),
        (wrong(&with("otel", "endpoint = \"collector\"")), "otel.endpoint: \"collector\" is not a URL"),
        (wrong(&with("otel", "sample_ratio = 1.5")), "otel.sample_ratio: must be from 0 to 1"),
        (wrong(&with("otel", "timeout_milliseconds = 0")), "otel.timeout_milliseconds: must be"),
        (wrong("public_url = "), "postern.toml:1: public_url"),
    ] {
        assert!(problem.contains(setting), "{problem:?} should name {setting:?}");
        assert!(!problem.contains('\n'), "{problem:?}");
    }
}

#[test]
fn a_missing_file_is_one_line() {
    let problem = Config::read(Path::new("/nonexistent/postern.toml")).unwrap_err().to_string();
    assert!(problem.starts_with("/nonexistent/postern.toml: cannot be read"), "{problem}");
}
