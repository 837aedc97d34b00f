//! The live view: the present state of everything, in memory, told to all who listen.
//!
//! One thread of its own follows the log with one tail; readers take a short lock. It can be deleted at any time: a start
//! builds it again from the compacted topics and the last moments of the fast one.

pub mod alarms;
mod apply;
mod change;
pub mod counts;
mod fast;
mod feed;
mod held;
pub mod items;
mod node;
mod query;
pub mod reading;
mod render;
mod ring;
mod row;
mod sites;
mod state;
mod system;
#[cfg(test)]
mod tests;
mod text;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;

use log::Log;

pub use change::{Change, Visibility, What};
pub use node::Index;
pub use query::Narrow;
pub use ring::{Ring, RingLimits};
pub use row::Sym;
pub use sites::SiteItem;
pub use state::LiveState;
pub use system::{ProbeConfig, SILENT_AFTER_US};
pub use text::wanted;

use crate::{ApiError, Code, ReadyCheck};

/// The live view. Cheap to share; dropping the last handle stops its thread.
pub struct LiveView {
    state: RwLock<LiveState>,
    ring: Ring,
    instance: String,
    ready: AtomicBool,
    /// What keeps a part of it from being current.
    waiting: Mutex<Option<String>>,
    stop: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl LiveView {
    /// Starts the thread that follows the log. `instance` names this process in resume tokens; a nonce is added, since a
    /// new start counts anew.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(log: Arc<dyn Log>, instance: &str, limits: RingLimits) -> std::io::Result<Arc<Self>> {
        let view = Arc::new(Self::detached(instance, limits));
        let feed = feed::Feed::new(log, Arc::downgrade(&view));
        let thread = std::thread::Builder::new()
            .name("live-view".into())
            .spawn(move || feed.run())?;
        *view.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(view)
    }

    fn detached(instance: &str, limits: RingLimits) -> Self {
        Self {
            state: RwLock::default(),
            ring: Ring::new(limits),
            instance: format!("{instance}-{:08x}", rand::random::<u32>()),
            ready: AtomicBool::new(false),
            waiting: Mutex::new(None),
            stop: AtomicBool::new(false),
            thread: Mutex::new(None),
        }
    }

    /// Whether it has caught up with the log once.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// What keeps a part of it from being current, for people; `None` if nothing does. It serves all the same.
    pub fn waiting(&self) -> Option<String> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_waiting(&self, reason: Option<String>) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// This start of this process.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The state, to read; keep it short, the thread waits.
    pub fn read(&self) -> RwLockReadGuard<'_, LiveState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, to answer a request with.
    ///
    /// # Errors
    /// NOT_READY while it is being built.
    pub fn serve(&self) -> Result<RwLockReadGuard<'_, LiveState>, ApiError> {
        if self.is_ready() {
            return Ok(self.read());
        }
        Err(ApiError::new(
            Code::NotReady,
            "the live view is being built from the log, try again in a moment",
        ))
    }

    /// How many alarms stand, over all tenants.
    pub fn standing_alarms(&self) -> usize {
        self.read().standing()
    }

    /// Gives a tenant a number before anything of it was seen, so that it can be waited for.
    pub fn know_tenant(&self, tenant: &str) {
        if self.read().tenant(tenant).is_none() {
            self.state
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .interner
                .intern(tenant);
        }
    }

    /// Tells this tenant of the pipeline itself, and waits for these probes.
    pub fn watch_system(&self, tenant: &str, probe: Option<ProbeConfig>) {
        self.know_tenant(tenant);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.system.watch(tenant, probe, crate::time::now());
    }

    /// The recent changes.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Publishes what has changed.
    fn publish(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !state.has_changes() {
            return;
        }
        let mut changes = state.drain();
        // Under the state's lock: whoever takes a snapshot sees state and numbers that belong together.
        self.ring.push(&mut changes, std::time::Instant::now());
        changes
            .iter()
            .filter(|c| c.what == What::Event)
            .for_each(|event| state.remember(event));
        metrics::gauge!(crate::metrics_names::DEVICES_CONNECTED).set(f64::from(state.online()));
        drop(state);
        self.ring.announce();
    }

    /// Ends the thread and waits for it.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the live view's thread has panicked");
        }
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        self.stop();
    }
}

impl ReadyCheck for LiveView {
    fn name(&self) -> &str {
        "live_view"
    }

    fn check(&self) -> Result<(), String> {
        if self.is_ready() {
            Ok(())
        } else {
            Err("being built from the log".into())
        }
    }
}
