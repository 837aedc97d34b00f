//! What others may look at while a listener's thread runs.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use connector_kit::{DropReason, SpoolState, now};
use model::Micros;
use schemas::LedgerRow;

use crate::account::{Account, Counted, Counts, Slot};
use crate::kernel::KernelDrops;

/// A listener's name and place, and its counts as they stand: every look sees whole batches.
#[derive(Debug)]
pub(crate) struct Shared {
    pub name: String,
    pub bound: SocketAddr,
    pub receive_buffer_bytes: usize,
    pub writer: String,
    account: Mutex<Account>,
    kernel: Mutex<KernelDrops>,
    spool: Mutex<SpoolState>,
}

impl Shared {
    /// `recovered`: records that an earlier run left in the spool.
    pub fn new(
        name: &str,
        bound: SocketAddr,
        receive_buffer_bytes: usize,
        writer: &str,
        inode: u64,
        recovered: u64,
    ) -> Self {
        Self {
            name: name.to_owned(),
            bound,
            receive_buffer_bytes,
            writer: writer.to_owned(),
            account: Mutex::new(Account::new(name, recovered)),
            kernel: Mutex::new(KernelDrops::new(inode)),
            spool: Mutex::default(),
        }
    }

    /// Counts of the listener and of each sender, and the kernel's drops, all now.
    pub fn counts(&self) -> (Counts, Vec<(String, Counts)>, u64) {
        let drops = self.kernel_drops();
        let account = self.account();
        let senders = account
            .senders()
            .map(|(name, counts)| (name.to_owned(), counts.clone()))
            .collect();
        (account.total().clone(), senders, drops)
    }

    /// Ledger rows as they stand.
    pub fn rows(&self, at: Micros) -> Vec<LedgerRow> {
        let drops = self.kernel_drops();
        self.account().rows(&self.writer, drops, at)
    }

    /// How the spool stood when the thread last looked after it.
    pub fn spool(&self) -> SpoolState {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn show_spool(&self, state: SpoolState) {
        *self.spool.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub fn slot(&self, source: std::net::IpAddr) -> Slot {
        self.account().slot(source)
    }

    /// Counts a batch, all at once; tells of those whose refusal a person should hear of.
    pub fn count(&self, batch: &mut Vec<Counted>, mut remarkable: impl FnMut(&Counted)) {
        let at = now();
        let mut account = self.account();
        for counted in batch.drain(..) {
            if account.count(counted.outcome, counted.slot, counted.root.as_ref(), at) {
                remarkable(&counted);
            }
        }
    }

    /// Counts fates, all at once.
    pub fn settle(&self, fates: &mut Vec<(Slot, Result<(), DropReason>)>) {
        if fates.is_empty() {
            return;
        }
        let at = now();
        let mut account = self.account();
        for (slot, fate) in fates.drain(..) {
            account.settle(slot, fate, at);
        }
    }

    /// The kernel's count of drops, as a datagram carried it.
    pub fn note_kernel_drops(&self, count: u32) {
        let mut kernel = self.kernel.lock().unwrap_or_else(PoisonError::into_inner);
        let more = kernel.note(count);
        self.say_dropped(more);
    }

    fn kernel_drops(&self) -> u64 {
        let mut kernel = self.kernel.lock().unwrap_or_else(PoisonError::into_inner);
        let more = kernel.read();
        self.say_dropped(more);
        kernel.total()
    }

    fn say_dropped(&self, more: u64) {
        if more > 0 && self.account().kernel_dropped(more, now()) {
            tracing::warn!(listener = %self.name, dropped = more, "the kernel drops datagrams: its receive buffer was full");
        }
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
