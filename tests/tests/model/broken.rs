//! What the protocol would be without one of its parts, and the promise that it would break.

use crate::{
    promises::Promise,
    protocol::{Chances, Scene},
};

/// One thing done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    NoClaim,
    ClaimOverClaim,
    ClaimIgnoresGeneration,
    OptOutReadOutside,
    OptOutKeepsRevision,
    TaskWhateverTheLead,
    RevisionUnchecked,
    CapPerEnrollment,
    SlotBackWhenUnsure,
    LostAnswerIsRefusal,
    LostAnswerIsClaim,
    SdkRetries,
    UnknownIsLater,
    ResendOnLeaseExpiry,
    ShortLease,
    NoAttemptFirst,
    SettleByGeneration,
    SettleIgnoresGeneration,
    CommitsWhatever,
    StopKeepsGeneration,
    OutcomeDropsClaim,
    RestForgetsClaim,
    ScheduleIgnoresClearedClaim,
    NoReconcile,
    ReconcileLooksOnce,
}

/// One thing done wrong, in words, the promise that it breaks, and where.
type Variant = (Broken, &'static str, Promise, Scene);

const NONE: Chances = Chances::NONE;

impl Broken {
    pub(crate) fn all() -> Vec<Variant> {
        [claims(), leads(), deliveries(), settlements(), changes(), recoveries()].concat()
    }
}

fn claims() -> Vec<Variant> {
    let twice = Scene::text(Chances { mishaps: 1, ..NONE });
    let both = Scene::text(Chances { mishaps: 2, ..NONE });
    let reported = Scene::text(Chances { reports: 1, ..NONE });
    let unsure = Promise::UnsureOnlyIfUnknown;
    vec![
        (Broken::NoClaim, "nothing is claimed", Promise::OneEffect, twice.clone()),
        (Broken::ClaimOverClaim, "a claim doesn't ask that there be none", Promise::OneEffect, twice.clone()),
        (Broken::ClaimIgnoresGeneration, "a claim doesn't ask for what was read", Promise::Finished, reported),
        (Broken::LostAnswerIsRefusal, "a claim without answer counts as refused", unsure, twice),
        (Broken::LostAnswerIsClaim, "a claim without answer counts as taken", Promise::OneEffect, both),
    ]
}

fn leads() -> Vec<Variant> {
    let opts_out = Scene::text(Chances { opt_outs: 1, ..NONE });
    let capped = Scene::two_cadences(NONE);
    let unsure = Scene::two_cadences(Chances { refusals: 1, ..NONE });
    let asks = Scene::task_and_text(Chances { opt_outs: 1, ..NONE });
    let stop = Promise::NotAfterOptOut;
    vec![
        (Broken::OptOutReadOutside, "a claim doesn't ask for the lead that was read", stop, opts_out.clone()),
        (Broken::OptOutKeepsRevision, "an opt-out doesn't bump the revision", stop, opts_out),
        (Broken::TaskWhateverTheLead, "a task is opened whatever the lead closed since", stop, asks),
        (Broken::RevisionUnchecked, "a claim asks for no opt-out, not for the revision", Promise::Caps, capped.clone()),
        (Broken::CapPerEnrollment, "touches count for their own enrollment", Promise::Caps, capped),
        (Broken::SlotBackWhenUnsure, "a cap's slot comes back when unsure", Promise::Caps, unsure),
    ]
}

fn deliveries() -> Vec<Variant> {
    let unsure = Scene::text(Chances { refusals: 1, ..NONE });
    let dies = Scene::text(Chances { deaths: 1, ..NONE });
    let text = Scene::text(NONE);
    vec![
        (Broken::SdkRetries, "the vendor's client asks again by itself", Promise::OneEffect, unsure.clone()),
        (Broken::UnknownIsLater, "a try without answer is tried again", Promise::OneEffect, unsure),
        (Broken::ResendOnLeaseExpiry, "a claim that ran out is tried again", Promise::OneEffect, dies),
        (Broken::ShortLease, "a lease ends while its function may run", Promise::OwnClaim, text.clone()),
        (Broken::NoAttemptFirst, "the attempt is recorded last", Promise::TrueRecords, text),
    ]
}

fn settlements() -> Vec<Variant> {
    let reported = Scene::text(Chances { reports: 1, ..NONE });
    let then_text = Scene::two_texts(Chances { reports: 1, ..NONE });
    let ends = Promise::ComesToAnEnd;
    vec![
        (Broken::SettleByGeneration, "settling asks for the generation, not the claim", ends, reported.clone()),
        (Broken::SettleIgnoresGeneration, "settling moves on whatever the generation", Promise::Finished, then_text),
        (Broken::RestForgetsClaim, "what rests goes on with what was delivered", Promise::OneEffect, reported),
    ]
}

fn changes() -> Vec<Variant> {
    let reported = Scene::text(Chances { reports: 1, ..NONE });
    let opts_out = Scene::text(Chances { opt_outs: 1, reports: 1, ..NONE });
    let then_text = Scene::two_texts(Chances { reports: 1, ..NONE });
    let grows = Promise::OnlyGrows;
    vec![
        (Broken::CommitsWhatever, "a change is written whatever was written meanwhile", grows, opts_out),
        (Broken::StopKeepsGeneration, "a stop doesn't bump the generation", Promise::Finished, then_text),
        (Broken::OutcomeDropsClaim, "an outcome clears the claim that it meets", Promise::OneEffect, reported),
    ]
}

fn recoveries() -> Vec<Variant> {
    let call = Scene::call(Chances { reports: 1, ..NONE });
    let dies = Scene::text(Chances { deaths: 1, ..NONE });
    let rests = Scene::text(Chances { deaths: 1, reports: 1, refusals: 1, ..NONE });
    let ends = Promise::ComesToAnEnd;
    vec![
        (Broken::ScheduleIgnoresClearedClaim, "schedule heeds new generations only", Promise::WayForward, call),
        (Broken::NoReconcile, "nobody reconciles", ends, dies),
        (Broken::ReconcileLooksOnce, "reconcile settles a claim and leaves what rests", ends, rests),
    ]
}
