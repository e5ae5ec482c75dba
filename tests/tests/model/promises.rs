//! What must hold, whatever happens.

use std::collections::BTreeSet;

use stateright::Model;

use crate::{
    actions::Action,
    protocol::{Protocol, Step},
    world::{Delivery, Enrollment, State, Try, Worker, World},
};

/// One promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Promise {
    /// Invariant 1 of the engine.
    OneEffect,
    /// Every active enrollment has a claim, or an unread stream record, a timer or a message of its generation, unless one was lost.
    WayForward,
    /// A claim that was taken before may still deliver.
    NotAfterOptOut,
    /// In any 24 hours, over all enrollments of a lead.
    Caps,
    /// Also, no change of progress leaves the generation as it is.
    OnlyGrows,
    /// A claim that was taken before the end may still deliver.
    Finished,
    /// Whoever sends holds the claim for just that.
    OwnClaim,
    /// Whoever finds a claim, or looks for it later, learns how it ended.
    TrueRecords,
    /// The declared window: the vendor did not answer, or the function died before it recorded the answer.
    UnsureOnlyIfUnknown,
    /// Every enrollment ends, one run of `reconcile` is enough, and a second changes nothing.
    ComesToAnEnd,
}

impl Promise {
    pub(crate) const ALL: [Self; 10] = [
        Self::OneEffect,
        Self::WayForward,
        Self::NotAfterOptOut,
        Self::Caps,
        Self::OnlyGrows,
        Self::Finished,
        Self::OwnClaim,
        Self::TrueRecords,
        Self::UnsureOnlyIfUnknown,
        Self::ComesToAnEnd,
    ];

    /// The promise in words.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::OneEffect => "a step's round has at most one effect",
            Self::WayForward => "an active enrollment has a way forward",
            Self::NotAfterOptOut => "nothing is claimed or asked after an opt-out",
            Self::Caps => "caps hold over all enrollments",
            Self::OnlyGrows => "generation, round and try only grow",
            Self::Finished => "what has ended claims nothing and stays ended",
            Self::OwnClaim => "what is sent is sent under its own claim",
            Self::TrueRecords => "a claim leaves an attempt that tells the truth",
            Self::UnsureOnlyIfUnknown => "unsure is only what nobody could know",
            Self::ComesToAnEnd => "when all is calm it comes to an end",
        }
    }

    /// Whether it held when one thing happened, and holds after it.
    pub(crate) fn holds(self, protocol: &Protocol, before: &World, after: &World) -> bool {
        match self {
            Self::OneEffect => has_one_effect(after),
            Self::WayForward => has_way_forward(protocol, after),
            Self::NotAfterOptOut => {
                let asks = opens_task(protocol, before, after);
                !before.lead.opted_out || (new_claims(before, after).next().is_none() && !asks)
            }
            Self::Caps => usize::from(after.effects_today) <= protocol.scene.cap,
            Self::OnlyGrows => only_grows(before, after),
            Self::Finished => stays_finished(before, after),
            Self::OwnClaim => is_sent_under_own_claim(before, after),
            Self::TrueRecords => tells_the_truth(protocol, before, after),
            Self::UnsureOnlyIfUnknown => is_rightly_unsure(protocol, before, after),
            Self::ComesToAnEnd => comes_to_an_end(protocol, after),
        }
    }
}

fn has_one_effect(world: &World) -> bool {
    let mut seen = BTreeSet::new();
    world.effects.iter().all(|(tried, times)| *times == 1 && seen.insert(tried.key))
}

fn has_way_forward(protocol: &Protocol, world: &World) -> bool {
    let waits = |enrollment: &&Enrollment| enrollment.progress.state == State::Active && enrollment.claim.is_none();
    let something_was_lost = world.left.losses < protocol.scene.chances.losses;
    something_was_lost || world.enrollments.iter().filter(waits).all(|enrollment| !world.is_overdue(enrollment))
}

fn opens_task(protocol: &Protocol, before: &World, after: &World) -> bool {
    let is_new = |tried: &Try| after.effects.get(tried) != before.effects.get(tried);
    after.effects.keys().any(|tried| protocol.step(tried.key) == Step::Task && is_new(tried))
}

/// The enrollments that were claimed, as they were before.
fn new_claims<'a>(before: &'a World, after: &'a World) -> impl Iterator<Item = &'a Enrollment> {
    let both = before.enrollments.iter().zip(&after.enrollments);
    let claimed = both.filter(|(before, after)| {
        after.claim.is_some_and(|claim| before.claim.is_none_or(|other| other.id != claim.id))
    });
    claimed.map(|(before, _)| before)
}

fn only_grows(before: &World, after: &World) -> bool {
    let grows = |(before, after): (&Enrollment, &Enrollment)| {
        let (was, is) = (before.progress, after.progress);
        let has_moved = (was.state, was.next) != (is.state, is.next);
        let went_back = was.next.zip(is.next).is_some_and(|(was, is)| is.tried < was.tried);
        !went_back && is.generation >= was.generation && (!has_moved || is.generation > was.generation)
    };
    before.lead.revision <= after.lead.revision && before.enrollments.iter().zip(&after.enrollments).all(grows)
}

fn stays_finished(before: &World, after: &World) -> bool {
    let has_ended = |enrollment: &Enrollment| enrollment.progress.state == State::Ended;
    let mut both = before.enrollments.iter().zip(&after.enrollments);
    both.all(|(before, after)| !has_ended(before) || has_ended(after))
        && new_claims(before, after).all(|enrollment| !has_ended(enrollment))
}

fn is_sent_under_own_claim(before: &World, after: &World) -> bool {
    let mut sent = after.effects.iter().filter(|(tried, times)| **times != before.effects_of(tried));
    sent.all(|(tried, _)| before.enrollment(tried.key.enrollment).claim.is_some_and(|claim| claim.tried == *tried))
}

fn tells_the_truth(protocol: &Protocol, before: &World, after: &World) -> bool {
    let had = before.enrollments.iter().filter_map(|enrollment| enrollment.claim);
    let mut gone = had.filter(|claim| after.enrollment(claim.tried.key.enrollment).claim.is_none());
    let mut attempts = after.attempts.iter().filter(|(tried, _)| protocol.step(tried.key) != Step::Task);
    gone.all(|claim| after.attempts.contains_key(&claim.tried))
        && attempts.all(|(tried, delivery)| match delivery {
            Delivery::Accepted => after.effects_of(tried) == 1,
            Delivery::Rejected | Delivery::Later => after.effects_of(tried) == 0,
            Delivery::Unknown => true,
        })
}

fn is_rightly_unsure(protocol: &Protocol, before: &World, after: &World) -> bool {
    let unsure = |world: &World| world.attempts.values().filter(|delivery| **delivery == Delivery::Unknown).count();
    let has_own = |worker: &Worker| matches!(worker, Worker::Record(claimed, _) if claimed.is_own);
    let vendor_was_silent = before.workers.iter().any(has_own);
    let somebody_died = after.left.deaths < protocol.scene.chances.deaths;
    unsure(after) <= unsure(before) || vendor_was_silent || somebody_died
}

/// More things than happen on any way to the end.
const LONGEST: usize = 400;

/// Follows one way on which nothing more goes wrong. That there is one from every world means that the end is reached for certain wherever
/// each thing that stays possible happens at some time.
fn comes_to_an_end(protocol: &Protocol, world: &World) -> bool {
    let mut on_the_way = Vec::new();
    let mut world = world.clone();
    while on_the_way.len() < LONGEST {
        let fingerprint = world.fingerprint();
        if protocol.is_known_to_end(fingerprint) {
            protocol.remember(on_the_way);
            return true;
        }
        on_the_way.push(fingerprint);
        match protocol.calm_step(&world) {
            Some((_, next)) => world = next,
            None => {
                let once = protocol.drained(protocol.reconciled(&world));
                let is_over = |enrollment: &Enrollment| enrollment.progress.state == State::Ended;
                let ends = once.enrollments.iter().all(is_over) && protocol.reconciled(&once) == once;
                if ends {
                    protocol.remember(on_the_way);
                }
                return ends;
            }
        }
    }
    false
}

impl Protocol {
    /// The next thing that happens where nothing more goes wrong, and `reconcile` does not run.
    pub(crate) fn calm_step(&self, world: &World) -> Option<(Action, World)> {
        let mut actions = Vec::new();
        self.actions(world, &mut actions);
        let mut calm = actions.into_iter().filter(Action::is_calm);
        calm.find_map(|action| Some((action, self.happens(world, action)?)))
    }

    /// The world once all that is under way has come to rest.
    pub(crate) fn drained(&self, mut world: World) -> World {
        for _ in 0..LONGEST {
            match self.calm_step(&world) {
                Some((_, next)) => world = next,
                None => break,
            }
        }
        world
    }

    /// The world after one run of `reconcile`, while nothing else happens.
    pub(crate) fn reconciled(&self, world: &World) -> World {
        let mut world = world.clone();
        for enrollment in 0..self.scene.enrollments {
            self.look_at(&mut world, 0, enrollment);
            while world.workers[0] != Worker::Idle {
                self.call(&mut world, 0);
            }
        }
        world
    }
}
