//! The hosts that a URL names, and how one of them is chosen: none that says nothing holds up the others.
//!
//! The driver takes one address after the other, and waits as long as it likes for one that took the connection and then
//! says nothing. Here the next is tried as soon as the one before has said no or has been silent for a moment, as RFC 8305
//! §5 does with addresses. All of them go on, each with all of the patience that there is, so that a slow one is as good as
//! ever; the first that lets somebody in is taken.

use crate::connect::{OpenError, is_unprotected};
use std::net::IpAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::config::Host;
use tokio_postgres::{Config, Error};

/// How long one may be silent before the next is tried as well (RFC 8305 §5).
pub(crate) const HEAD_START: Duration = Duration::from_millis(250);
/// PostgreSQL's own.
const PORT: u16 = 5432;

/// One host of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its name, which its certificate bears, or the directory of its socket.
    host: Option<Host>,
    address: Option<IpAddr>,
    port: u16,
}

impl Place {
    /// # Errors
    /// The URL names none, or another number of addresses or ports than of hosts.
    pub(crate) fn all(config: &Config) -> Result<Vec<Self>, OpenError> {
        let mut named = Config::new();
        for host in config.get_hosts() {
            match host {
                // The driver takes `?host=a,b` for one name.
                Host::Tcp(names) => names.split(',').filter(|name| !name.is_empty()).for_each(|name| {
                    named.host(name);
                }),
                Host::Unix(path) => {
                    named.host_path(path);
                }
            }
        }
        let (hosts, addresses, ports) = (named.get_hosts(), config.get_hostaddrs(), config.get_ports());
        let count = hosts.len().max(addresses.len());
        if count == 0 {
            return Err(OpenError::Setting("the URL names no host".to_owned()));
        }
        let one_each = hosts.is_empty() || addresses.is_empty() || hosts.len() == addresses.len();
        if !one_each || ports.len() > 1 && ports.len() != count {
            return Err(OpenError::Setting(format!(
                "the URL names {} hosts, {} addresses and {} ports: give each host one",
                hosts.len(),
                addresses.len(),
                ports.len()
            )));
        }
        let place = |index| Self {
            host: hosts.get(index).cloned(),
            address: addresses.get(index).copied(),
            port: ports.get(index).or(ports.first()).copied().unwrap_or(PORT),
        };
        Ok((0..count).map(place).collect())
    }

    /// Whether it is reached by a socket of this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.address.is_none() && matches!(self.host, Some(Host::Unix(_)))
    }

    /// The same once for each of its addresses.
    pub(crate) async fn resolved(&self) -> Vec<Self> {
        let (Some(Host::Tcp(name)), None) = (&self.host, self.address) else { return vec![self.clone()] };
        let found = tokio::net::lookup_host((name.as_str(), self.port)).await.into_iter().flatten();
        let found: Vec<Self> =
            found.map(|address| Self { address: Some(address.ip()), ..self.clone() }).collect();
        // A name that leads nowhere is left to the driver, which says so.
        if found.is_empty() { vec![self.clone()] } else { found }
    }

    /// The settings with this one as the only host.
    pub(crate) fn only(&self, config: &Config) -> Config {
        let mut only = Config::new();
        match &self.host {
            Some(Host::Tcp(name)) => only.host(name),
            Some(Host::Unix(path)) => only.host_path(path),
            None => &mut only,
        };
        if let Some(address) = self.address {
            only.hostaddr(address);
        }
        only.port(self.port)
            .ssl_mode(config.get_ssl_mode())
            .ssl_negotiation(config.get_ssl_negotiation())
            .keepalives(config.get_keepalives())
            .keepalives_idle(config.get_keepalives_idle())
            .target_session_attrs(config.get_target_session_attrs())
            .channel_binding(config.get_channel_binding());
        if let Some(user) = config.get_user() {
            only.user(user);
        }
        if let Some(password) = config.get_password() {
            only.password(password);
        }
        if let Some(name) = config.get_dbname() {
            only.dbname(name);
        }
        if let Some(options) = config.get_options() {
            only.options(options);
        }
        if let Some(name) = config.get_application_name() {
            only.application_name(name);
        }
        if let Some(limit) = config.get_connect_timeout() {
            only.connect_timeout(*limit);
        }
        if let Some(limit) = config.get_tcp_user_timeout() {
            only.tcp_user_timeout(*limit);
        }
        if let Some(interval) = config.get_keepalives_interval() {
            only.keepalives_interval(interval);
        }
        if let Some(retries) = config.get_keepalives_retries() {
            only.keepalives_retries(retries);
        }
        only
    }
}

/// The outcome of the first attempt that succeeds. The next is begun when one has failed or nothing was heard for
/// [`HEAD_START`]; what is under way when one succeeds is dropped.
///
/// When all fail, the error of one that was answered says more than that of one that was not. Nothing without attempts.
pub(crate) async fn first_of<T: Send + 'static>(
    attempts: Vec<impl Future<Output = Result<T, Error>> + Send + 'static>,
) -> Option<Result<T, Error>> {
    let mut waiting = attempts.into_iter();
    let mut running = JoinSet::new();
    let mut failed: Option<Error> = None;
    loop {
        if let Some(attempt) = waiting.next() {
            running.spawn(attempt);
        }
        tokio::select! {
            Some(ended) = running.join_next() => match ended {
                Ok(Ok(found)) => return Some(Ok(found)),
                Ok(Err(error)) if failed.is_none() || was_answered(&error) => failed = Some(error),
                Ok(Err(_)) | Err(_) => {}
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {}
            else => return failed.map(Err),
        }
    }
}

/// Whether a server was found to be there, though it let nobody in.
fn was_answered(error: &Error) -> bool {
    error.code().is_some() || is_unprotected(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> Config {
        url.parse().unwrap()
    }

    fn places(url: &str) -> Vec<Place> {
        Place::all(&config(url)).unwrap()
    }

    #[test]
    fn each_host_has_its_name_its_address_and_its_port() {
        let place = |host: &str, address: Option<&str>, port| Place {
            host: Some(Host::Tcp(host.to_owned())),
            address: address.map(|address| address.parse().unwrap()),
            port,
        };
        assert_eq!(places("postgres://u@a/db"), [place("a", None, 5432)]);
        let two = [place("a", None, 5432), place("b", None, 6432)];
        assert_eq!(places("postgres://u@a,b:6432/db"), two);
        assert_eq!(places("postgres://u@/db?host=a,b&port=5432,6432"), two);
        let two = [place("a", Some("10.0.0.1"), 6432), place("b", Some("10.0.0.2"), 6432)];
        assert_eq!(places("postgres://u@/db?host=a,b&hostaddr=10.0.0.1,10.0.0.2&port=6432"), two);
    }

    #[test]
    fn what_fits_no_host_is_no_setting() {
        for url in [
            "postgres:///db",
            "postgres://u@/db?host=a,b&port=1,2,3",
            "postgres://u@/db?host=a,b&hostaddr=10.0.0.1",
        ] {
            assert!(matches!(Place::all(&config(url)), Err(OpenError::Setting(_))), "{url}");
        }
    }

    /// An address is no socket: what goes there is protected.
    #[test]
    fn only_a_socket_is_local() {
        assert!(places("postgres:///db?host=/run/postgresql").iter().all(Place::is_local));
        for url in ["postgres://u@a/db", "postgres://u@/db?hostaddr=10.0.0.1"] {
            assert!(!places(url).iter().any(Place::is_local), "{url}");
        }
    }

    #[test]
    fn one_host_alone_keeps_every_setting() {
        let rest = "u@h:6432/db?options=-c%20a%3Db&application_name=n&connect_timeout=7&tcp_user_timeout=9\
                    &keepalives_idle=3&keepalives_interval=2&keepalives_retries=5&channel_binding=require\
                    &target_session_attrs=read-write&sslmode=require&sslnegotiation=direct";
        let mut config = config(&format!("postgres://{rest}"));
        config.password("secret");
        let [place] = &places(&format!("postgres://{rest}"))[..] else { panic!("one host") };
        assert_eq!(place.only(&config), config);
        let socket = self::config("postgres://u@%2Frun%2Fpostgresql/db");
        let [place] = &Place::all(&socket).unwrap()[..] else { panic!("one host") };
        assert_eq!(place.only(&socket), socket);
    }

    #[tokio::test]
    async fn a_name_stands_for_its_addresses_and_one_that_leads_nowhere_for_itself() {
        let [place] = &places("postgres://u@127.0.0.1:6432/db")[..] else { panic!("one host") };
        let resolved = place.resolved().await;
        assert_eq!(resolved, [Place { address: Some("127.0.0.1".parse().unwrap()), ..place.clone() }]);
        let [nowhere] = &places("postgres://u@nobody.invalid/db")[..] else { panic!("one host") };
        assert_eq!(nowhere.resolved().await, std::slice::from_ref(nowhere));
    }
}
