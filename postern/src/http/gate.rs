//! What happens to every request, in order: check, admit, read, route, complete, count.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use ipnet::IpNet;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower::ServiceExt;
use tower::util::MapRequestLayer;
use tracing::{Instrument, Span};
use web::Reader;

use super::access_log::{self, Line};
use super::address_limit::AddressLimit;
use super::client_address::client_address;
use super::idempotency::Repeatable;
use super::limits::{self, Bodies, Limits, Unread};
use super::metrics::{Metrics, Route};
use super::pulse::{Beat, Monitor, Pulse};
use super::refusal::Refusal;
use super::security_headers::{self, Hsts};
use super::trace_id::{self, TraceId};
use super::{finish, hygiene, panic};
use crate::spans::RequestSpan;

/// Everything the gate is told.
pub struct Settings {
    /// Bytes, seconds, connections.
    pub limits: Limits,
    /// Networks whose `X-Forwarded-For` is believed, for the client's address in logs and throttling.
    pub trusted_proxies: Vec<IpNet>,
    /// How many requests one address may send, if that is limited.
    pub address_limit: Option<AddressLimit>,
    /// What `Strict-Transport-Security` says.
    pub hsts: Hsts,
}

/// Answers what lies ready, by method and path, with the template of the route that would have answered. What it does
/// not answer goes to the router.
pub type Prompt = Arc<dyn Fn(&Method, &str) -> Option<(&'static str, Response<Body>)> + Send + Sync>;

/// What stands behind the gate.
pub struct Rooms {
    pub router: Router,
    pub prompt: Option<Prompt>,
    pub repeatable: Option<Repeatable>,
}

impl From<Router> for Rooms {
    fn from(router: Router) -> Self {
        Self { router, prompt: None, repeatable: None }
    }
}

/// The gate before the rooms; shared by all listeners.
pub struct Gate {
    /// Empty until the store is open.
    rooms: OnceLock<Rooms>,
    /// What answers until then.
    meanwhile: Rooms,
    pub(super) settings: Settings,
    pub(super) metrics: Arc<Metrics>,
    pub(super) monitor: Arc<Monitor>,
    pub(super) places: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    bodies: Bodies,
}

/// Filled with the template of the matched route while the request passes the router.
#[derive(Clone, Default)]
struct RouteSlot(Arc<OnceLock<MatchedPath>>);

impl Gate {
    /// Puts the gate before the rooms.
    pub fn new(rooms: impl Into<Rooms>, settings: Settings, metrics: Arc<Metrics>) -> Arc<Self> {
        let gate = Self::waiting(Router::new(), settings, metrics);
        gate.open(rooms);
        gate
    }

    /// A gate whose rooms are not there yet: until [`Gate::open`] what `meanwhile` does not know is refused with 503
    /// and `Retry-After` (RFC 9110 §15.6.4).
    pub fn waiting(meanwhile: Router, settings: Settings, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            rooms: OnceLock::new(),
            meanwhile: noting(meanwhile.into()),
            metrics,
            monitor: Monitor::new(),
            places: Arc::new(Semaphore::new(settings.limits.connections)),
            requests: Arc::new(Semaphore::new(settings.limits.requests)),
            bodies: Bodies::new(&settings.limits),
            settings,
        })
    }

    /// From the next request on, also of connections that are open, these rooms answer. Only the first ones count.
    pub fn open(&self, rooms: impl Into<Rooms>) {
        // An error would mean that rooms are there already.
        let _ = self.rooms.set(noting(rooms.into()));
    }

    /// Waits until no request is being answered, also none whose client has gone.
    pub(super) async fn quiet(&self) {
        let all = u32::try_from(self.settings.limits.requests).unwrap_or(u32::MAX);
        // An error would mean that the semaphore was closed; nothing closes it.
        let _ = self.requests.acquire_many(all).await;
    }

    /// Answers one request as if it were alone on its connection; for tests in one process.
    pub async fn answer_once(self: Arc<Self>, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let watched = self.monitor.watch();
        self.answer(request, peer, Arc::clone(&watched.pulse)).await
    }

    /// Answers one request. Never fails and never panics.
    pub(super) async fn answer<B>(
        self: Arc<Self>,
        request: Request<B>,
        peer: SocketAddr,
        pulse: Arc<Pulse>,
    ) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let started = Instant::now();
        let beat = pulse.begin(&self.monitor);
        let trace_id = TraceId::random();
        let (parts, body) = request.into_parts();
        let client = client_address(peer, &parts.headers, &self.settings.trusted_proxies);
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let reader = Reader::of(&parts.headers);
        let correlation_id = trace_id::correlation_id(&parts.headers).map(ToOwned::to_owned);

        let is_trusted = || self.settings.trusted_proxies.iter().any(|network| network.contains(&peer.ip()));
        let span = RequestSpan::begin(&method, &parts.headers, &trace_id, client.ip(), is_trusted);
        let admitted = hygiene::check(&parts, &self.settings.limits)
            .and_then(|()| self.admit(client.ip(), parts.uri.path()));
        let (route, outcome) = match admitted {
            Ok(()) => match self.prompt(&parts, &body) {
                Some((template, response)) => (Route::Prompt(template), Ok(response)),
                None => self.routed(parts, body, beat, client, &trace_id, span.span()).await,
            },
            Err(refusal) => {
                if !body.is_end_stream() {
                    beat.leave_unread();
                }
                (Route::None, Err(refusal))
            }
        };
        let mut response = outcome.unwrap_or_else(|refusal| refusal.response(&trace_id, reader));
        security_headers::apply(self.settings.hsts, &mut response);
        trace_id.mark(&mut response);

        let (status, took) = (response.status(), started.elapsed());
        trace_id::CURRENT.sync_scope(trace_id, || {
            span.end(route.as_str(), uri.path(), status);
            access_log::write(&Line {
                method: &method,
                path: uri.path(),
                route: route.as_str(),
                client: client.ip(),
                correlation_id: correlation_id.as_deref(),
                status,
                took,
            });
        });
        self.metrics.answered(route, (&method, uri.path()), status, took);
        response
    }

    fn admit(&self, client: IpAddr, path: &str) -> Result<(), Refusal> {
        self.settings.address_limit.as_ref().map_or(Ok(()), |limit| limit.take(client, path))
    }

    /// What lies ready: 11 µs of router, layers and extractors are spared (docs/PERFORMANCE.md).
    fn prompt<B: hyper::body::Body>(
        &self,
        parts: &Parts,
        body: &B,
    ) -> Option<(&'static str, Response<Body>)> {
        let prompt = self.rooms.get()?.prompt.as_ref().filter(|_| body.is_end_stream())?;
        prompt(&parts.method, parts.uri.path())
    }

    /// Through the router, with the template of the route that matched.
    async fn routed<B>(
        &self,
        mut parts: Parts,
        body: B,
        beat: Beat,
        client: SocketAddr,
        trace_id: &TraceId,
        span: Span,
    ) -> (Route, Result<Response<Body>, Refusal>)
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let slot = RouteSlot::default();
        parts.extensions.insert(slot.clone());
        parts.extensions.insert(ConnectInfo(client));
        parts.extensions.insert(engine::Source(client.ip().to_string()));
        let (rooms, is_open) = self.rooms.get().map_or((&self.meanwhile, false), |rooms| (rooms, true));
        let outcome = self.handle(rooms, parts, body, beat, trace_id, span).await;
        match slot.0.get() {
            Some(matched) => (Route::Matched(matched.clone()), outcome),
            None if is_open => (Route::None, outcome),
            None => (Route::None, outcome.and(Err(Refusal::StoreAwaited))),
        }
    }

    async fn handle<B>(
        &self,
        rooms: &Rooms,
        mut parts: Parts,
        body: B,
        mut beat: Beat,
        trace_id: &TraceId,
        span: Span,
    ) -> Result<Response<Body>, Refusal>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let limits = &self.settings.limits;
        let (body, room) = match limits::read_body(&parts.headers, body, limits, &self.bodies).await {
            Ok((body, room)) => (Body::from(body), room),
            Err(Unread { refusal, sending }) => {
                if sending {
                    beat.leave_unread();
                }
                return Err(refusal);
            }
        };
        // Only now: a slow body must not take the place of a request that could be answered.
        let permit = Arc::clone(&self.requests).try_acquire_owned().map_err(|_| Refusal::Overloaded)?;
        beat.handling();
        hygiene::strip(&mut parts.headers);
        parts.extensions.insert(engine::TraceId(trace_id.to_string()));
        let request = Request::from_parts(parts, body);
        let (router, repeatable) = (rooms.router.clone(), rooms.repeatable.clone());
        let call = async move {
            match repeatable {
                Some(repeatable) => repeatable.call(request, router).await,
                None => router.oneshot(request).await,
            }
        };
        let answered = panic::contain(trace_id::CURRENT.scope(trace_id.clone(), call.instrument(span)));
        let outcome = finish::to_the_end(async move {
            let outcome = answered.await;
            drop((permit, room));
            outcome
        });
        match outcome.await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(never)) => match never {},
            Err(panic::Panicked) => {
                self.metrics.panics.inc();
                Err(Refusal::Panicked)
            }
        }
    }
}

fn noting(rooms: Rooms) -> Rooms {
    Rooms { router: rooms.router.layer(MapRequestLayer::new(note_route)), ..rooms }
}

fn note_route(request: Request<Body>) -> Request<Body> {
    let extensions = request.extensions();
    if let (Some(slot), Some(matched)) = (extensions.get::<RouteSlot>(), extensions.get::<MatchedPath>()) {
        // Set twice only if a router layered itself; the first, outermost, template is the one.
        let _ = slot.0.set(matched.clone());
    }
    request
}
