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

impl Broken {
    /// Each, what it does wrong, the promise that it breaks, and where.
    pub(crate) fn all() -> Vec<(Self, &'static str, Promise, Scene)> {
        let none = Chances::NONE;
        let twice = Scene::text(Chances { mishaps: 1, ..none });
        let dies = Scene::text(Chances { deaths: 1, ..none });
        let unsure = Scene::text(Chances { refusals: 1, ..none });
        let reported = Scene::text(Chances { reports: 1, ..none });
        let then_text = Scene::two_texts(Chances { reports: 1, ..none });
        let opts_out = Scene::text(Chances { opt_outs: 1, ..none });
        let opts_out_and_ends = Scene::text(Chances { opt_outs: 1, reports: 1, ..none });
        let rests_claimed = Scene::text(Chances { deaths: 1, reports: 1, refusals: 1, ..none });
        let capped = Scene::two_cadences(none);
        let capped_and_unsure = Scene::two_cadences(Chances { refusals: 1, ..none });
        let call = Scene::call(Chances { reports: 1, ..none });
        vec![
            (Self::NoClaim, "nothing is claimed", Promise::OneEffect, twice.clone()),
            (Self::ClaimOverClaim, "a claim doesn't ask that there be none", Promise::OneEffect, twice.clone()),
            (
                Self::ClaimIgnoresGeneration,
                "a claim doesn't ask for what was read",
                Promise::Finished,
                reported.clone(),
            ),
            (
                Self::OptOutReadOutside,
                "a claim doesn't ask for the lead that was read",
                Promise::NotAfterOptOut,
                opts_out.clone(),
            ),
            (Self::OptOutKeepsRevision, "an opt-out doesn't bump the revision", Promise::NotAfterOptOut, opts_out),
            (
                Self::RevisionUnchecked,
                "a claim asks for no opt-out, not for the revision",
                Promise::Caps,
                capped.clone(),
            ),
            (Self::CapPerEnrollment, "touches count for their own enrollment", Promise::Caps, capped),
            (Self::SlotBackWhenUnsure, "a cap's slot comes back when unsure", Promise::Caps, capped_and_unsure),
            (
                Self::LostAnswerIsRefusal,
                "a claim without answer counts as refused",
                Promise::UnsureOnlyIfUnknown,
                twice.clone(),
            ),
            (
                Self::LostAnswerIsClaim,
                "a claim without answer counts as taken",
                Promise::OneEffect,
                Scene::text(Chances { mishaps: 2, ..none }),
            ),
            (Self::SdkRetries, "the vendor's client asks again by itself", Promise::OneEffect, unsure.clone()),
            (Self::UnknownIsLater, "a try without answer is tried again", Promise::OneEffect, unsure),
            (Self::ResendOnLeaseExpiry, "a claim that ran out is tried again", Promise::OneEffect, dies.clone()),
            (Self::ShortLease, "a lease ends while its function may run", Promise::OwnClaim, Scene::text(none)),
            (Self::NoAttemptFirst, "the attempt is recorded last", Promise::TrueRecords, Scene::text(none)),
            (
                Self::SettleByGeneration,
                "settling asks for the generation, not the claim",
                Promise::ComesToAnEnd,
                reported.clone(),
            ),
            (
                Self::SettleIgnoresGeneration,
                "settling moves on whatever the generation",
                Promise::Finished,
                then_text.clone(),
            ),
            (
                Self::CommitsWhatever,
                "a change is written whatever was written meanwhile",
                Promise::OnlyGrows,
                opts_out_and_ends,
            ),
            (Self::StopKeepsGeneration, "a stop doesn't bump the generation", Promise::Finished, then_text),
            (
                Self::OutcomeDropsClaim,
                "an outcome clears the claim that it meets",
                Promise::OneEffect,
                reported.clone(),
            ),
            (Self::RestForgetsClaim, "what rests goes on with what was delivered", Promise::OneEffect, reported),
            (Self::ScheduleIgnoresClearedClaim, "schedule heeds new generations only", Promise::WayForward, call),
            (Self::NoReconcile, "nobody reconciles", Promise::ComesToAnEnd, dies),
            (
                Self::ReconcileLooksOnce,
                "reconcile settles a claim and leaves what rests",
                Promise::ComesToAnEnd,
                rests_claimed,
            ),
        ]
    }
}
