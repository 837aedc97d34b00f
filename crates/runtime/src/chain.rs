//! A chain of steps over one partition: one record runs through all of them breadth-first.
//!
//! All events of a step, its due timers before them, are taken in the order of their state keys before the next step
//! begins; so the ids of what a record causes rise. An event goes to every later step that names keys for it.

use model::Offset;
use schemas::AnyRecord;
use topology::{Delivery, GROUPS, Group, StepSpec};

use crate::link::{Fused, Link};
use crate::mutation::Mutation;
use crate::outcome::DeadReason;
use crate::round::{Refused, Round, TimerRef};
use crate::slot::{self, SlotError};
use crate::{Step, StepDescription};

/// Turns a record of the input into the event the first steps see; the text is the record's key (its root).
///
/// # Errors
/// When the record has no place in this chain's input: it goes to `dead-letters` with this reason.
pub type Decode<E> = fn(AnyRecord, &str) -> Result<E, DeadReason>;

/// The steps of one task with their state. Built by a factory once a restored partition.
pub struct Chain<E> {
    decode: Decode<E>,
    links: Vec<Box<dyn Link<E>>>,
    in_topology: bool,
    pub(crate) mutation: Mutation,
}

impl<E: Send + 'static> Chain<E> {
    /// An empty chain whose steps are those of a group in `topology`.
    pub fn new(decode: Decode<E>) -> Self {
        Self {
            decode,
            links: Vec::new(),
            in_topology: true,
            mutation: Mutation::None,
        }
    }

    /// An empty chain for tests of the engine: its steps are not compared with `topology`.
    pub fn outside_topology(decode: Decode<E>) -> Self {
        Self {
            in_topology: false,
            ..Self::new(decode)
        }
    }

    /// Adds the next step.
    ///
    /// # Panics
    /// When its number does not rise, it writes what a step cannot write, or `topology` says otherwise of it: bugs of
    /// whoever put the chain together.
    #[must_use]
    pub fn step<S: Step<Event = E>>(mut self, step: S) -> Self {
        let description = step.describe();
        let before = self.links.last().map_or(0, |link| link.description().number);
        assert!(
            description.number > before,
            "step `{}`: numbers begin at 1 and rise",
            description.name
        );
        for topic in description.writes {
            let by_steps = topic.spec().delivery != Delivery::Plain && !topic.spec().records.is_empty();
            assert!(
                by_steps,
                "step `{}` cannot write {topic}: nothing fast or exact",
                description.name
            );
        }
        if self.in_topology {
            let specs = || GROUPS.iter().flat_map(|group| group.steps);
            let agrees = |spec: &StepSpec| {
                (spec.number, spec.name, spec.key, spec.writes)
                    == (
                        description.number,
                        description.name,
                        description.key,
                        description.writes,
                    )
            };
            assert!(
                specs().any(agrees),
                "step `{}` differs from `topology`: {description:?}",
                description.name
            );
        }
        self.links.push(Box::new(Fused::new(step)));
        self
    }

    /// What each step says of itself, in order: documentation is made of it.
    pub fn describe(&self) -> Vec<StepDescription> {
        self.links.iter().map(|link| link.description()).collect()
    }

    /// Whether these are all the steps that a group has in `topology`.
    pub fn is_complete_for(&self, group: Group) -> bool {
        let names = self.describe().into_iter().map(|d| d.name);
        !self.in_topology || names.eq(group.spec().steps.iter().map(|s| s.name))
    }

    #[doc(hidden)]
    #[must_use]
    pub fn with_mutation(mut self, mutation: Mutation) -> Self {
        self.mutation = mutation;
        self
    }

    pub(crate) fn decode(&self, record: AnyRecord, root_key: &str) -> Result<E, DeadReason> {
        (self.decode)(record, root_key)
    }

    /// Runs one record (or, without an event, the due timers alone) through all steps.
    pub(crate) fn run(&mut self, round: &mut Round<E>) -> Result<(), Refused> {
        self.links.iter_mut().try_for_each(|link| link.run(round))
    }

    /// The record stands.
    pub(crate) fn settle(&mut self) {
        self.links.iter_mut().for_each(|link| link.settle());
    }

    /// Takes back what the last record changed.
    pub(crate) fn roll_back(&mut self) {
        self.links.iter_mut().for_each(|link| link.roll_back());
    }

    /// Cancels a timer whose call was refused or panicked: it would do so with every record from now on.
    pub(crate) fn cancel(&mut self, timer: &TimerRef, offset: Offset) {
        if let Some(link) = self.link(timer.step) {
            link.cancel(timer, offset);
        }
    }

    /// Slots changed since the last cut.
    pub(crate) fn changed(&self) -> usize {
        self.links.iter().map(|link| link.changed()).sum()
    }

    /// Live slots of all steps.
    pub(crate) fn slots(&self) -> usize {
        self.links.iter().map(|link| link.slots()).sum()
    }

    pub(crate) fn applied_max(&self) -> Option<Offset> {
        self.links.iter().filter_map(|link| link.applied_max()).max()
    }

    pub(crate) fn forget_applied(&mut self) {
        self.links.iter_mut().for_each(|link| link.forget_applied());
    }

    /// The changed slots, as the changelog has them.
    pub(crate) fn cut(&mut self, out: &mut dyn FnMut(bytes::Bytes, Option<bytes::Bytes>)) {
        self.links.iter_mut().for_each(|link| link.cut(out));
    }

    /// Every slot, as the changelog has it.
    pub(crate) fn each_slot(&self, out: &mut dyn FnMut(bytes::Bytes, bytes::Bytes)) {
        self.links.iter().for_each(|link| link.each_slot(out));
    }

    /// Takes one record of the changelog that is not the marker.
    pub(crate) fn restore(&mut self, changelog_key: &[u8], value: Option<&[u8]>) -> Result<(), SlotError> {
        let (&number, key) = changelog_key.split_first().ok_or(SlotError::Key)?;
        let key = std::str::from_utf8(key).map_err(|_| SlotError::Key)?;
        let link = self.link(number).ok_or(SlotError::UnknownStep(number))?;
        match value {
            None => {
                link.forget(key);
                Ok(())
            }
            Some(bytes) => {
                let (head, state) = slot::decode_head(bytes)?;
                link.restore(key, head, state)
            }
        }
    }

    /// To be called once when all of the changelog is there.
    pub(crate) fn restored(&mut self) {
        self.links.iter_mut().for_each(|link| link.restored());
    }

    fn link(&mut self, number: u8) -> Option<&mut Box<dyn Link<E>>> {
        self.links.iter_mut().find(|link| link.description().number == number)
    }
}
