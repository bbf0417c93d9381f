//! Browsers that do anything in any order: open, log in, go back, send old forms, wait, log out, lose cookies.
//! Wherever a walk leads, nobody sees a 5xx, no code is good twice, and a person who starts again arrives.

use std::collections::BTreeSet;
use std::time::Duration;

use testkit::{Answer, Browser, RelyingParty, TestServer};

const STEPS: usize = 60;

/// Small and good enough to choose steps (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

struct Walk {
    seed: u64,
    dice: Dice,
    server: TestServer,
    parties: Vec<RelyingParty>,
    browser: Browser,
    /// Every page that was ever seen; any may be used again.
    pages: Vec<Answer>,
    codes: Vec<(usize, String)>,
    redeemed: BTreeSet<String>,
    history: Vec<String>,
}

impl Walk {
    async fn new(seed: u64) -> Self {
        let server = TestServer::start().await;
        let parties = vec![server.party("app"), server.party("client"), server.party("other-app")];
        let browser = server.browser();
        let dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let (pages, codes, redeemed, history) = (Vec::new(), Vec::new(), BTreeSet::new(), Vec::new());
        Self { seed, dice, server, parties, browser, pages, codes, redeemed, history }
    }

    /// Looks at an answer as a person and as an auditor.
    fn arrive(&mut self, what: &str, answer: Answer) {
        self.history.push(format!("{what} → {} {:.70}", answer.status, answer.asked));
        let told = || format!("seed {}:\n  {}\n{}", self.seed, self.history.join("\n  "), answer.text());
        assert!(answer.status.as_u16() < 500, "{}", told());
        if !answer.is_redirect() {
            let forms = ["login-form", "consent-form", "select-account-form", "logout-form"];
            let goes_on = forms.iter().any(|id| answer.has_form(id));
            let ends = answer.element("logged-out").is_some() || answer.element("error-code").is_some();
            assert!(goes_on || ends, "a dead end: {}", told());
            self.pages.push(answer);
            return;
        }
        let location = answer.location();
        assert_eq!(location.host_str(), Some("example.com"), "{}", told());
        if let Some(code) = answer.response_parameter("code") {
            let party = location.query_pairs().find(|(n, _)| n == "state").map(|(_, v)| v.into_owned());
            let party = party.and_then(|state| state.parse().ok()).expect("our own state");
            assert!(!self.codes.iter().any(|(_, known)| *known == code), "{}", told());
            self.codes.push((party, code));
        }
    }

    async fn start_again(&mut self) {
        let party = self.dice.roll(self.parties.len());
        let prompts = ["", "", "login", "consent", "none", "select_account"];
        let prompt = prompts[self.dice.roll(prompts.len())];
        let state = party.to_string();
        let url = self.parties[party].authorize_url(&[("state", &state), ("prompt", prompt)]);
        let answer = self.browser.open(&url).await;
        self.arrive(&format!("open {prompt}"), answer);
    }

    async fn use_a_page(&mut self) {
        if self.pages.is_empty() {
            return;
        }
        // Mostly one of the last pages, sometimes any.
        let back = if self.dice.roll(3) == 0 { self.pages.len() } else { self.pages.len().min(3) };
        let page = self.pages[self.pages.len() - 1 - self.dice.roll(back)].clone();
        if self.dice.roll(4) == 0 {
            let answer = self.browser.open(&page.asked).await;
            return self.arrive("reload", answer);
        }
        let (what, form) = if page.has_form("login-form") {
            let password = if self.dice.roll(5) == 0 { "wrong" } else { "user" };
            ("log in", page.form("login-form").with("username", "user").with("password", password))
        } else if page.has_form("consent-form") {
            let decision = if self.dice.roll(5) == 0 { "deny" } else { "allow" };
            ("decide", page.form("consent-form").with("decision", decision))
        } else if page.has_form("select-account-form") {
            ("choose", page.form("select-account-form").with("account", "current"))
        } else if page.has_form("logout-form") {
            ("log out", page.form("logout-form").with("decision", "confirm"))
        } else {
            return;
        };
        let answer = self.browser.submit(&form).await;
        self.arrive(what, answer);
    }

    async fn redeem(&mut self) {
        if self.codes.is_empty() {
            return;
        }
        let (party, code) = self.codes[self.dice.roll(self.codes.len())].clone();
        let answer = self.parties[party].redeem(&code).await;
        let told = || format!("seed {}: {}", self.seed, answer.text());
        assert!(matches!(answer.status.as_u16(), 200 | 400), "{}", told());
        assert!(answer.status != 200 || self.redeemed.insert(code), "a code twice: {}", told());
    }

    async fn step(&mut self) {
        match self.dice.roll(16) {
            0..=3 => self.start_again().await,
            4..=10 => self.use_a_page().await,
            11 | 12 => self.redeem().await,
            13 => {
                let path = self.parties[0].path("/logout");
                let answer = self.browser.open(&path).await;
                self.arrive("logout page", answer);
            }
            14 => {
                let seconds = [1, 60, 700, 3_700, 50_000][self.dice.roll(5)];
                self.server.clock().advance(Duration::from_secs(seconds));
                self.server.store().sweep(self.server.engine().now(), 10_000).await.unwrap();
                self.history.push(format!("wait {seconds} s"));
            }
            _ => {
                let names = self.browser.cookie_names();
                if !names.is_empty() {
                    let name = &names[self.dice.roll(names.len())];
                    self.browser.forget_cookie(name);
                    self.history.push(format!("lose {name}"));
                }
            }
        }
    }
}

async fn walk(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut walk = Walk::new(seed).await;
        for _ in 0..STEPS {
            walk.step().await;
        }
        // Whatever happened: who starts again at the client arrives, after the pause that failed logins may cost.
        walk.server.clock().advance(Duration::from_secs(3_600));
        let party = walk.parties[0].clone();
        let answer = walk.browser.authorize(&party.authorize_url(&[("prompt", "login")])).await;
        let code = answer.is_redirect().then(|| answer.response_parameter("code")).flatten();
        let code = code.unwrap_or_else(|| panic!("seed {seed}: {} {}", answer.status, answer.text()));
        party.redeem(&code).await.expect(200);
    }
}

#[tokio::test]
async fn random_walks_one() {
    walk(1..8).await;
}

#[tokio::test]
async fn random_walks_two() {
    walk(8..15).await;
}

#[tokio::test]
async fn random_walks_three() {
    walk(15..22).await;
}
