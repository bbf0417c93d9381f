//! Several hosts in the URL, some of which are of no use.

use super::proxy::Proxy;
use super::*;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than any wait that is allowed, and shorter than the limits of the store in the tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host at which nobody is let in, and nobody is told so.
pub(super) struct Useless {
    host: String,
    _tasks: JoinSet<()>,
}

impl Useless {
    /// Takes connections and says nothing.
    pub(super) async fn silent() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut taken = Vec::new();
            while let Ok((client, _)) = listener.accept().await {
                taken.push(client);
            }
        });
        Self { host, _tasks: tasks }
    }

    /// Takes no connection: its queue is full, and what asks for more is dropped, as behind a wall.
    async fn full() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(queued) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
            queue.push(queued.unwrap());
        }
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _held = (listener, queue);
            std::future::pending::<()>().await;
        });
        Self { host: address.to_string(), _tasks: tasks }
    }

    /// A URL with this host before those of another.
    pub(super) fn before(&self, url: &str) -> String {
        url.replacen('@', &format!("@{},", self.host), 1)
    }
}

/// Hosts that say nothing, whether or not they take connections, are no reason not to reach the one after them, within
/// the patience for all.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_host_that_says_nothing_holds_up_no_other() {
    let cluster = Cluster::start();
    let proxy = Proxy::start(cluster.socket()).await;
    let (silent, full) = (Useless::silent().await, Useless::full().await);
    let before_each = (0..7).fold(proxy.url(), |url, _| full.before(&url));
    for (number, url) in [silent.before(&proxy.url()), before_each].into_iter().enumerate() {
        let store = PostgresStore::open(&url, &options()).await.unwrap();
        let tenant = tenant_named(&format!("t{number}"));
        store.create_tenant(&tenant).await.unwrap();
        commit(&store, &tenant.id, vec![code("a", "{}")]).await.unwrap();
        assert!(has_code(&store, &tenant.id, "a").await);
    }
}

/// The host that the connections lead to falls silent, another one takes writes. Whoever waits is told, although somebody
/// answers; the store goes on at the other one, and is content with it while the first stays silent.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_04_a_host_that_falls_silent_is_left_for_another() {
    let cluster = Cluster::start();
    let proxies = [Proxy::start(cluster.socket()).await, Proxy::start(cluster.socket()).await];
    let [one, other] = &proxies;
    let url = format!("postgres://postern@{},{}/postgres", one.host(), other.host());
    let forever = Duration::from_secs(3600);
    let silence = Duration::from_millis(300);
    let options = Options { acquire: forever, statement: forever, silence, connections: 2, ..options() };
    other.be_silent(true);
    let store = PostgresStore::open(&url, &options).await.unwrap();
    let tenant = TenantId::new("t1");
    store.create_tenant(&tenant_named("t1")).await.unwrap();
    for (round, (gone, there)) in [(one, other), (other, one)].into_iter().enumerate() {
        gone.be_silent(true);
        there.be_silent(false);
        let told = timeout(PATIENCE, commit(&store, &tenant, vec![code(&round.to_string(), "{}")])).await;
        assert!(matches!(told, Ok(Err(StoreError::Unavailable(_)))), "{told:?}");
        until(async || matches!(timeout(PATIENCE, store.ping()).await, Ok(Ok(())))).await;
        commit(&store, &tenant, vec![code(&format!("after {round}"), "{}")]).await.unwrap();
    }
}
