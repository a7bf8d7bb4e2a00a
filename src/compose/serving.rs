//! `gannet serve`: the HTTP service with the worker in it, until a signal comes.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio::signal::unix::Signal;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::certificate::{Certificate, key_open_to_others};
use super::notes::Notes;
use super::requested::Requested;
use super::services::ask_to_begin;
use super::signals::Signals;
use super::warnings::warn_of_former_queue_servers;
use super::{Services, service, signals};
use crate::app::{App, Error, ErrorKind, Result, SourceResult};
use crate::config::{Config, Environment, Flags, Identity};
use crate::domain::{Actor, SourceId, Token, TokenState};
use crate::faces::cli::args::{Access, ServeArgs};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::http::{self, Feed, Fetching, Shared, SharedParts};
use crate::worker::{Progress, Selection, Stop, Worker};

/// Passes at the request of somebody that run at once.
const FETCHES_AT_ONCE: usize = 8;
/// Such passes that run or wait.
const MAX_FETCHES: usize = 200;

/// Serves until a signal comes; then requests and attempts in flight have 10 s to finish.
pub(super) async fn serve(
    args: &ServeArgs,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    let access = match ask_to_begin(flags, environment, console)? {
        Some(false) => return Ok(ExitStatus::Done),
        Some(true) => Access::Create,
        None => Access::Change,
    };
    // Before anything is opened: until a listener is in place, a signal ends the process.
    let signals = (Signals::new(), signals::hang_ups());
    let services = Services::open(access, flags, environment, Identity::worker).await?;
    warn_of_former_queue_servers(&services, console).await?;
    let operator = Identity::of(environment).account();
    let socket = open_socket(args, &services.app, operator, console).await?;
    let served = over(&services, socket, !args.no_worker, signals, console);
    let served = Box::pin(served).await;
    services.close().await;
    served.map(|()| ExitStatus::Done)
}

/// Listens where the arguments, the service manager or the configuration say, unless nobody could be let in there.
async fn open_socket(
    args: &ServeArgs,
    app: &App,
    operator: String,
    console: &mut Console<'_>,
) -> Result<Socket> {
    let config = app.config();
    if let Some(why) = &config.unusable {
        // Its defaults would serve plain HTTP, and let everybody read on loopback.
        return Err(Error::invalid(why.clone()));
    }
    let certificate = Certificate::read(&config.http)?;
    if let Some(line) = key_open_to_others(&config.http) {
        console.warn(&line);
    }
    super::threads::allow_connections();
    super::allocator::give_large_pieces_back();
    let listener = match socket_of_manager()? {
        Some(listener) => listener,
        None => listen(args.listen.unwrap_or(config.http.listen)).await?,
    };
    let address = listener.local_addr().unwrap_or(config.http.listen);
    refuse_everybody(address, app).await?;
    Ok(Socket {
        listener,
        certificate,
        operator,
        prints_link: console.is_terminal,
    })
}

/// Returns the socket that a service manager listens on for this process (`systemd.socket(5)`), if there is one.
fn socket_of_manager() -> Result<Option<TcpListener>> {
    let mut sockets = ListenFd::from_env();
    let taken = sockets.take_tcp_listener(0).and_then(|socket| {
        let Some(socket) = socket else {
            return Ok(None);
        };
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket).map(Some)
    });
    taken.map_err(|error| {
        let message = format!("cannot use the socket of the service manager: {error}");
        Error::new(ErrorKind::Unavailable, message)
    })
}

/// Refuses to serve beyond this machine while nobody can sign in.
async fn refuse_everybody(address: SocketAddr, app: &App) -> Result<()> {
    if is_loopback(address.ip()) || app.has_people().await? {
        return Ok(());
    }
    let is_live = |token: &Token| token.state(app.now()) == TokenState::Live;
    if app.tokens().await?.iter().any(is_live) {
        return Ok(());
    }
    let message = format!("cannot serve on {address}: nobody could sign in");
    Err(Error::invalid(message).hint(
        "`gannet user add NAME --role operator` adds a person, `gannet token create NAME --role viewer` a token; or listen on 127.0.0.1",
    ))
}

/// Listens on an address.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!("cannot listen on {address}: {error}");
        Error::new(ErrorKind::Unavailable, message)
            .hint("give another address or port with --listen; port 0 takes a free one")
    })
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// What is served on, and who may sign in by the printed link.
pub(super) struct Socket {
    pub(super) listener: TcpListener,
    /// Makes the service speak TLS.
    pub(super) certificate: Option<Certificate>,
    /// The operator at the terminal, such as `joe@host`.
    pub(super) operator: String,
    /// Whether a link is printed that signs its reader in as that operator.
    pub(super) prints_link: bool,
}

impl Socket {
    /// Returns the scheme and the address at which the service is, such as `https://127.0.0.1:8443`.
    fn url(&self) -> Option<String> {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        let address = self.listener.local_addr().ok()?;
        Some(format!("{scheme}://{address}"))
    }
}

/// Serves the services on a socket until a signal comes, with a worker if `works`.
pub(super) async fn over(
    services: &Services,
    socket: Socket,
    works: bool,
    (signals, hang_ups): (Signals, Option<Signal>),
    console: &mut Console<'_>,
) -> Result<()> {
    let fetching = Arc::new(InService::new(services));
    let (stop, worker) = (&fetching.stop, &fetching.worker);
    let feed = Feed::start(&services.app, Arc::clone(&services.committed)).await?;
    let shared = shared(services, &fetching, &feed, &socket).await?;
    print_place(&shared, &services.app.config(), &socket, console)?;
    let known = Known::begin(&services.app, &socket).await;
    let Socket {
        listener,
        certificate,
        ..
    } = socket;
    service::notify_ready("serving");
    let passes = async {
        if works {
            let working = service::work(services, worker, stop, false, console);
            return Box::pin(working).await;
        }
        Ok(())
    };
    let both = async { tokio::try_join!(passes, fetching.serve(listener, shared)).map(drop) };
    let ended = tokio::select! {
        ended = both => ended,
        never = signals.request_stops(stop) => match never {},
        never = feed.run(&services.app) => match never {},
        never = service::beside(services, works.then_some(worker), stop, hang_ups) => match never {},
        never = keep_current(certificate, services) => match never {},
        never = known.stay() => match never {},
    };
    known.end().await;
    ended
}

/// The service as the catalogue knows it, for the links that workers make.
struct Known<'a> {
    app: &'a App,
    address: String,
    /// The address at which verifiers on this machine reach it.
    url: Option<String>,
}

impl<'a> Known<'a> {
    /// The time between two records that the service runs.
    const EVERY: Duration = Duration::from_mins(1);

    async fn begin(app: &'a App, socket: &Socket) -> Self {
        let address = socket.listener.local_addr().ok();
        let is_local = address.is_some_and(|address| is_loopback(address.ip()));
        let known = Self {
            app,
            address: address
                .map(|address| address.to_string())
                .unwrap_or_default(),
            url: socket.url().filter(|_| is_local),
        };
        known.announce().await;
        known
    }

    async fn announce(&self) {
        let announced = self
            .app
            .announce_service(self.address.clone(), self.url.clone());
        if let Err(error) = announced.await {
            tracing::warn!("the catalogue does not know that the service runs: {error}");
        }
    }

    async fn stay(&self) -> Infallible {
        loop {
            tokio::time::sleep(Self::EVERY).await;
            self.announce().await;
        }
    }

    async fn end(&self) {
        if let Err(error) = self.app.end_service(self.address.clone()).await {
            tracing::warn!("the catalogue does not know that the service ended: {error}");
        }
    }
}

/// Returns the state that all requests share.
async fn shared(
    services: &Services,
    fetching: &Arc<InService>,
    feed: &Feed,
    socket: &Socket,
) -> Result<Shared> {
    let address = socket.listener.local_addr();
    Shared::new(SharedParts {
        app: Arc::clone(&services.app),
        feed: feed.clone(),
        fetching: Arc::clone(fetching) as Arc<dyn Fetching>,
        stop: fetching.stop_http.clone(),
        operator: socket.operator.clone(),
        is_local: address.is_ok_and(|address| is_loopback(address.ip())),
        tls: socket.certificate.as_ref().map(|one| Arc::clone(&one.tls)),
    })
    .await
}

/// Keeps the certificate as its files are; never returns.
async fn keep_current(certificate: Option<Certificate>, services: &Services) -> Infallible {
    match certificate {
        Some(certificate) => {
            let hang_ups = signals::hang_ups();
            certificate.keep_current(services, hang_ups).await
        }
        None => std::future::pending().await,
    }
}

/// Prints where the service is, and a link that signs its reader in where there is to be one.
fn print_place(
    shared: &Shared,
    config: &Config,
    socket: &Socket,
    console: &mut Console<'_>,
) -> Result<()> {
    let Some(address) = socket.url() else {
        return Ok(());
    };
    let place = config.catalogue_place();
    console.note(&format!("serving {place} at {address}/"));
    if socket.prints_link {
        let link = shared.sign_in_link()?;
        // Whoever reads this may sit elsewhere.
        let url = config.http.url.as_ref().unwrap_or(&address);
        console.note(&format!(
            "sign in as operator, once within 10 minutes: {url}{link}"
        ));
    }
    Ok(())
}

/// The worker of this process, for requests to fetch.
struct InService {
    app: Arc<App>,
    /// The worker that makes passes of its own, woken when a source may be due.
    worker: Arc<Worker>,
    /// The places of passes at the request of somebody.
    places: Arc<Semaphore>,
    stop: Stop,
    /// Ends every connection that would stay open.
    stop_http: CancellationToken,
    under_way: TaskTracker,
    requested: Arc<Requested>,
    notes: Notes,
}

impl InService {
    fn new(services: &Services) -> Self {
        Self {
            app: Arc::clone(&services.app),
            worker: Arc::new(services.worker()),
            places: Arc::new(Semaphore::new(FETCHES_AT_ONCE)),
            stop: Stop::default(),
            stop_http: CancellationToken::new(),
            under_way: TaskTracker::new(),
            requested: Arc::default(),
            notes: services.notes.clone(),
        }
    }

    /// Serves until a stop is requested, and waits for the fetches under way.
    async fn serve(&self, listener: TcpListener, shared: Shared) -> Result<()> {
        tokio::join!(http::serve(listener, shared), async {
            self.stop.requested().await;
            self.stop_http.cancel();
        });
        self.under_way.close();
        self.under_way.wait().await;
        Ok(())
    }
}

impl Fetching for InService {
    fn fetch(
        &self,
        sources: Vec<SourceId>,
        actor: Actor,
    ) -> BoxFuture<'static, Result<Vec<SourceResult>>> {
        let is_new = |id: &SourceId| self.requested.since(*id).is_none();
        if self.under_way.len() >= MAX_FETCHES && sources.iter().any(is_new) {
            let message = format!("{MAX_FETCHES} fetches wait already");
            return ready(Err(Error::new(ErrorKind::Unavailable, message))).boxed();
        }
        let (waiting, begun) = self.requested.join(&sources, self.app.now());
        if let Some(begun) = begun {
            let worker = Worker::new(Arc::new(self.app.acting_as(actor)));
            let (places, stop) = (Arc::clone(&self.places), self.stop.clone());
            let notes = self.notes.clone();
            self.under_way.spawn(async move {
                let _place = places.acquire().await;
                let selection = Selection::These(begun.sources.clone());
                let report = worker.pass(selection, &stop, &Progress::default()).await;
                if let Some(problem) = &report.rejected {
                    notes.say(problem);
                }
                begun.end(match report.error {
                    Some(error) => Err(error),
                    None => Ok(report.results),
                });
            });
        }
        waiting.results().boxed()
    }

    fn since(&self, source: SourceId) -> Option<DateTime<Utc>> {
        self.requested.since(source)
    }

    fn last_pass(&self) -> Option<(DateTime<Utc>, Option<String>)> {
        self.worker.last_pass()
    }

    fn wake(&self) {
        self.worker.wake();
    }
}
