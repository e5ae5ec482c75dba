//! What must hold of whoever is contacted and whoever acts: a machine only reaches whom agreed to it in writing, and nobody acts for a lead
//! whom no licence lets.

use cadence_core::{
    enrollment::{Claim, Effect},
    lead::{Consent, Lead},
};

use crate::simulation::{
    seen::Seen,
    violation::{Held, Invariant, Violation},
};

/// What is claimed is permitted: as the lead stood when it was, and by a licence that its user had at some time.
pub(crate) fn permitted(seen: &Seen, lead: &Lead, claim: &Claim) -> Held {
    let broken =
        |what: String| Err(Violation::of(Invariant::Permitted, format!("{} of {}: {what}", claim.step, lead.id)));
    let agreed = match claim.effect {
        Effect::Sms => lead.consent.sms == Consent::ExpressWritten,
        Effect::AiCall => lead.consent.call == Consent::ExpressWritten,
        Effect::Email => lead.consent.email != Consent::Revoked,
        Effect::Task => true,
    };
    if !agreed {
        return broken(format!("the lead agreed to {:?} only", lead.consent));
    }
    let Some(acts) = claim.user.as_ref().or(lead.owner.as_ref()) else {
        return broken("nobody acts for the lead".to_owned());
    };
    match &lead.state {
        Some(state) if !seen.is_licensed(acts.as_str(), state) => broken(format!("{acts} has no licence in {state}")),
        Some(_) | None => Ok(()),
    }
}
