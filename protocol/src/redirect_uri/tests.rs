use super::*;
use proptest::prelude::*;

fn may_register(uri: &str, application_type: &str) -> bool {
    validate_registered_uri(uri, application_type).is_ok()
}

#[test]
fn adm_12_dangerous_and_malformed_uris_cannot_be_registered() {
    let long = format!("https://app.example/{}", "a".repeat(2048));
    for uri in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "VBSCRIPT:x",
        "about:blank",
        "blob:https://app.example/1",
        "filesystem:https://app.example/1",
        "intent:x",
        "view-source:https://app.example/",
        "wss://app.example/",
        "urn:ietf:wg:oauth:2.0:oob",
        "http://app.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.2/cb",
        "http://0.0.0.0/cb",
        "http://LOCALHOST/cb",
        "http://user@localhost/cb",
        "https://user:pw@app.example/cb",
        "https://@app.example/cb",
        "https:///cb",
        "https://",
        "https:",
        "https",
        "",
        "//app.example/cb",
        "/cb",
        "cb",
        ":cb",
        "1a:cb",
        "https://app.example/cb#frag",
        "https://app.example/cb#",
        "https://app.example/c b",
        "https://app.example/cb\n",
        "https://app.example/cb\t",
        "https://app.example/\u{e9}",
        "https://\u{ff41}pp.example/",
        "https://app.example\\@evil.example/",
        "https://app.example/\"x\"",
        "https://app.example/<x>",
        "https://app.example/%zz",
        "https://app.example/%4",
        "https://app%2eexample/",
        "https://*.app.example/",
        "https://app.example/*",
        "https://app.example:/",
        "https://app.example:x/",
        "https://app.example:0/",
        "https://app.example:65536/",
        "https://app.example:443:443/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[x]/",
        "https://.example/",
        "https://app.example/cb?code=1",
        "https://app.example/cb?a=1&iss=x",
        "https://app.example/cb?a=1&%73tate=x",
        "com.example.app:",
        "com.example.app://",
        "com.example.app://user@host/",
        &long,
    ] {
        for application_type in ["web", "native"] {
            assert!(!may_register(uri, application_type), "{uri}");
        }
    }
}

#[test]
fn decisions_11_what_may_be_registered() {
    for uri in [
        "https://app.example/cb",
        "https://app.example",
        "https://app.example:8443/cb?dummy1=lorem&dummy2=ipsum",
        "https://[2001:db8::1]:8443/cb",
        "https://203.0.113.7/cb",
        "http://localhost/cb",
        "http://localhost:3000",
        "http://127.0.0.1:4000/cb?a=%20b",
        "http://[::1]/cb",
        "com.example.app:/cb",
        "com.example.app://host/cb",
    ] {
        for application_type in ["web", "native"] {
            assert!(may_register(uri, application_type), "{uri}");
        }
    }
}

#[test]
fn rfc8252_8_4_a_scheme_without_a_period_only_for_native_clients() {
    assert!(!may_register("cursor://anysphere.cursor-retrieval/oauth/callback", "web"));
    assert!(may_register("cursor://anysphere.cursor-retrieval/oauth/callback", "native"));
}

#[test]
fn rdr_08_the_refusal_names_what_is_wrong() {
    let expected = |uri: &str| Parts::read(uri).unwrap_err().expected.unwrap();
    assert!(expected("https://app.example@evil.example/").contains("user information"));
    assert!(expected("https://app.example/#").contains("fragment"));
    assert!(expected("http://app.example/").contains("loopback"));
}

#[test]
fn origins_are_the_part_up_to_the_port() {
    for (uri, origin) in [
        ("https://app.example", "https://app.example"),
        ("https://app.example?a", "https://app.example"),
        ("https://[2001:db8::1]:8443/cb", "https://[2001:db8::1]:8443"),
        ("com.example.app://host/cb", "com.example.app:"),
    ] {
        assert_eq!(Parts::read(uri).unwrap().origin(), origin);
    }
}

/// One of the words, or something else.
fn one_of(words: &'static [&'static str], other: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![4 => proptest::sample::select(words).prop_map(str::to_owned), 1 => other]
}

/// Text that looks like a redirect URI, and often is one.
fn uri_like() -> impl Strategy<Value = String> {
    let scheme = one_of(&["https", "http", "http", "HTTP", "com.example.app"], "[a-z:.]{0,6}");
    let slashes = one_of(&["://"], ":/{0,3}");
    let host = one_of(&["localhost", "127.0.0.1", "[::1]", "app.example"], "[a-z@.:\\[\\]]{0,8}");
    let port = one_of(&["", ":1", ":4000", ":65536"], ":[0-9a-z]{0,3}");
    let path = one_of(&["", "/", "/cb", "/cb?a=1"], "(/[a-z%#?&=.@ ]{0,6}){0,2}");
    (scheme, slashes, host, port, path)
        .prop_map(|(scheme, slashes, host, port, path)| [scheme, slashes, host, port, path].concat())
}

/// The rule said another way: loopback, and equal once the port is cut out.
fn equal_but_for_the_port(a: &str, b: &str) -> bool {
    let without_port = |uri: &str| {
        let hosts = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
        let host = hosts.into_iter().find(|host| uri.starts_with(host))?;
        let rest = &uri[host.len()..];
        let rest = match rest.strip_prefix(':') {
            Some(port) => port.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => rest,
        };
        (rest.is_empty() || rest.starts_with(['/', '?'])).then(|| format!("{host}|{rest}"))
    };
    without_port(a).is_some() && without_port(a) == without_port(b)
}

proptest! {
    #[test]
    fn rdr_for_web_clients_matching_is_equality(a in uri_like(), b in uri_like()) {
        prop_assert_eq!(matches(&a, &b, false), a == b);
        prop_assert!(matches(&a, &a, false));
    }

    #[test]
    fn rfc8252_7_3_for_native_clients_matching_is_equality_but_for_a_loopback_port(
        a in uri_like(),
        port in one_of(&["", ":1", ":4000"], ":[0-9]{1,6}"),
        b in uri_like(),
    ) {
        let other_port = Parts::read(&a).map(|parts| format!("{}{port}{}", parts.before_port, parts.after_port));
        for sent in other_port.into_iter().chain([b, a.clone()]) {
            if Parts::read(&a).is_ok() && Parts::read(&sent).is_ok() {
                let expected = a == sent || equal_but_for_the_port(&a, &sent);
                prop_assert_eq!(matches(&a, &sent, true), expected, "{} {}", a, sent);
            } else {
                prop_assert_eq!(matches(&a, &sent, true), a == sent, "{} {}", a, sent);
            }
        }
    }

    #[test]
    fn what_is_read_is_what_a_browser_reads(uri in uri_like()) {
        if let Ok(parts) = Parts::read(&uri) {
            let browser = url::Url::parse(&uri);
            prop_assert!(browser.is_ok(), "{}", uri);
            let browser = browser.unwrap();
            prop_assert_eq!(browser.username(), "");
            prop_assert_eq!(browser.password(), None);
            prop_assert_eq!(browser.fragment(), None);
            if let Destination::Loopback { host } = parts.destination {
                prop_assert_eq!(browser.host_str(), Some(host));
                prop_assert_eq!(browser.scheme(), "http");
            }
        }
    }

    #[test]
    fn reading_never_panics(uri in any::<String>()) {
        let _ = validate_registered_uri(&uri, "native");
        let _ = matches(&uri, &uri, true);
    }
}
