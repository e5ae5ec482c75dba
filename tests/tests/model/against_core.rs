//! The model decides as the code does: all that it ever decides on within some bounds is put to `cadence-core` too.

use std::collections::{BTreeMap, BTreeSet};

use cadence_core::{
    Outcome, StepKey,
    apply::{Applied, apply_outcome},
    attempt, delivery, enrollment,
    lead::{OptOut, Touch, TouchKind},
    overdue, plan,
    records::{self, settings::Caps},
    scheduling, settle,
    task::TaskKind,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use stateright::Model;

use crate::{
    decisions::{MAX_TRIES, Plan, ROUNDS, Remedy, Report},
    fixtures,
    protocol::{Chances, Protocol, Scene, Step},
    world::{
        Act, Claim, Delivery, Due, Enrollment, Key, Lead, Next, Progress, Scheduling, State, StepDue, Try, Worker,
        World,
    },
};

#[test]
fn what_the_model_decides_the_code_decides() {
    let chances = Chances { deaths: 1, reports: 1, ..Chances::NONE };
    for scene in [
        Scene::text(Chances { refusals: 2, opt_outs: 1, ..chances }),
        Scene::text(Chances { reports: 2, ..chances }),
        Scene::two_texts(chances),
        Scene::call(chances),
        Scene::task_and_text(Chances { opt_outs: 1, ..chances }),
        Scene::two_cadences(Chances { reports: 0, ..chances }),
    ] {
        let protocol = Protocol::right(scene);
        let decided = Decided::by(&protocol);
        let code = Code::of(&protocol);
        for (enrollment, attempt, lead, message) in &decided.plans {
            let ours = protocol.plan(enrollment, *attempt, lead, *message);
            assert_eq!(ours, code.plan(enrollment, *attempt, lead, *message), "{enrollment:?} {lead:?} {message:?}");
        }
        for (enrollment, claim, delivery) in &decided.settlements {
            let ours = protocol.settle(enrollment.progress, claim, *delivery);
            assert_eq!(ours, code.settle(enrollment, claim, *delivery), "{enrollment:?} {delivery:?}");
        }
        for (enrollment, report) in &decided.reports {
            assert_eq!(
                protocol.apply(enrollment, *report),
                code.apply(enrollment, *report),
                "{enrollment:?} {report:?}"
            );
        }
        for (old, new) in &decided.changes {
            let ours = protocol.scheduling(old.as_ref(), new);
            assert_eq!(ours, code.scheduling(old.as_ref(), new), "{old:?} {new:?}");
        }
        for (enrollment, attempt, lead, is_overdue) in &decided.remedies {
            let ours = protocol.remedy(enrollment, *attempt, lead, *is_overdue);
            let code = code.remedy(enrollment, *attempt, lead, *is_overdue);
            assert_eq!(ours, code, "{enrollment:?} {attempt:?} {lead:?} {is_overdue}");
        }
        let counts = [
            decided.plans.len(),
            decided.settlements.len(),
            decided.reports.len(),
            decided.changes.len(),
            decided.remedies.len(),
        ];
        println!("{:?}: {counts:?} plans, settlements, reports, changes, remedies", protocol.scene.cadence);
    }
}

/// What the model decides on.
#[derive(Default)]
struct Decided {
    plans: BTreeSet<(Enrollment, Option<Delivery>, Lead, StepDue)>,
    settlements: BTreeSet<(Enrollment, Claim, Delivery)>,
    reports: BTreeSet<(Enrollment, Report)>,
    changes: BTreeSet<(Option<Enrollment>, Enrollment)>,
    remedies: BTreeSet<(Enrollment, Option<Delivery>, Lead, bool)>,
}

impl Decided {
    fn by(protocol: &Protocol) -> Self {
        let mut decided = Self::default();
        let mut known = BTreeSet::new();
        let mut waiting = protocol.init_states();
        while let Some(world) = waiting.pop() {
            if known.insert(world.sorted().fingerprint()) {
                let next = protocol.next_states(&world);
                decided.note(protocol, &world, &next);
                waiting.extend(next);
            }
        }
        decided
    }

    fn note(&mut self, protocol: &Protocol, world: &World, next: &[World]) {
        for enrollment in &world.enrollments {
            let attempt = world.attempt_of(enrollment);
            let messages = world.queue.iter().filter(|message| message.enrollment == enrollment.id);
            self.plans.extend(messages.map(|message| (enrollment.clone(), attempt, world.lead.clone(), *message)));
            let lead = Lead { touches: BTreeMap::new(), ..world.lead.clone() };
            self.remedies.insert((enrollment.clone(), attempt, lead, world.is_overdue(enrollment)));
            let reports = protocol.reports(world, enrollment.id).into_iter();
            self.reports.extend(reports.map(|report| (enrollment.clone(), report)));
            let written = next.iter().map(|next| next.enrollment(enrollment.id)).filter(|new| *new != enrollment);
            self.changes.extend(written.map(|new| (Some(enrollment.clone()), new.clone())));
        }
        for worker in &world.workers {
            if let Worker::Load { message, enrollment } = worker {
                self.plans.insert((enrollment.clone(), None, world.lead.clone(), *message));
            }
            if let Worker::Settle(claimed, delivery) = worker {
                self.settlements.insert((claimed.enrollment.clone(), claimed.claim, *delivery));
            }
        }
    }
}

/// The code, asked in the model's words.
struct Code {
    cadence: records::Cadence,
    steps: &'static [Step],
    cap: usize,
}

/// When it is asked.
fn now() -> DateTime<Utc> {
    fixtures::tuesday()
}

impl Code {
    fn of(protocol: &Protocol) -> Self {
        let steps = protocol.scene.cadence;
        let record = |(place, step): (usize, &Step)| match step {
            Step::Text => json!({"id": place.to_string(), "do": "canned_sms", "wait": "0m", "message": "sms/intro"}),
            Step::Task => json!({"id": place.to_string(), "do": "dial", "wait": "0m"}),
            Step::Call => {
                json!({"id": place.to_string(), "do": "ai_dial", "wait": "0m", "agent": "x", "attempts": ROUNDS, "every": "0m"})
            }
        };
        let cadence = fixtures::cadence(json!({
            "steps": steps.iter().enumerate().map(record).collect::<Vec<_>>(),
            "anytime": {"connected": "end", "declined": "pause"},
        }));
        Self { cadence, steps, cap: protocol.scene.cap }
    }

    fn plan(&self, enrollment: &Enrollment, attempt: Option<Delivery>, lead: &Lead, message: StepDue) -> Plan {
        let mut context = self.context(enrollment, attempt, now());
        let touches = lead.touches.keys().map(|claim| (id(*claim), Touch { at: now(), kind: TouchKind::Sms }));
        context.lead.touches = touches.collect();
        context.lead.opt_outs = lead.opted_out.then_some((OptOut::Phone, now())).into_iter().collect();
        if let Some(next) = &mut context.enrollment.progress.next {
            next.due_at = now();
        }
        let due = enrollment::StepDue { generation: message.generation.into(), ..context.enrollment.step_due() };
        match plan::plan_step(&context, &due, now()) {
            plan::Plan::Send(plan) => Plan::Send(self.tried(enrollment.id, &plan.next)),
            plan::Plan::Change(change) => Plan::Change(self.progress(enrollment.id, &change.progress.unwrap())),
            plan::Plan::Settle(settlement) => Plan::Settle(ours(&settlement.attempt.delivery)),
            plan::Plan::Skip(_) => Plan::Skip,
            plan::Plan::Busy => Plan::Busy,
        }
    }

    fn settle(&self, enrollment: &Enrollment, claim: &Claim, delivery: Delivery) -> Option<Progress> {
        let context = self.context(enrollment, None, now());
        let claimed = self.claim(claim, now());
        let settled = settle::settle_step(&context, &claimed, &plan::Action::Task(None), theirs(delivery), now());
        assert_eq!(settled.returns_touch, matches!(delivery, Delivery::Rejected | Delivery::Later));
        let change = settled.change;
        let opened = change.open.iter().filter(|task| task.kind == TaskKind::Dial).count();
        let leads_on = change.progress.is_some();
        let opens = leads_on && self.step(claim.tried.key) == Step::Task && delivery == Delivery::Accepted;
        assert_eq!(opened, usize::from(opens), "{claim:?} {delivery:?}");
        change.progress.map(|progress| self.progress(enrollment.id, &progress))
    }

    fn apply(&self, enrollment: &Enrollment, report: Report) -> Option<Progress> {
        let context = self.context(enrollment, None, now());
        let elsewhere = StepKey { enrollment: context.enrollment.id.clone(), step: "elsewhere".into(), round: 1 };
        let (key, outcome) = match report {
            Report::Ends => (elsewhere, Outcome::Connected),
            Report::Pauses => (elsewhere, Outcome::Declined),
            Report::NoAnswer(key) => (context.enrollment.key(&place(key), key.round.into()), Outcome::NoAnswer),
        };
        let report = delivery::Report { lead: context.lead.id.clone(), key, outcome, note: None, at: now() };
        match apply_outcome(&context, &report, now()) {
            Applied::Change(change) => change.progress.map(|progress| self.progress(enrollment.id, &progress)),
            Applied::Known => None,
        }
    }

    fn scheduling(&self, old: Option<&Enrollment>, new: &Enrollment) -> Scheduling {
        let theirs = |ours: &Enrollment| self.enrollment(ours, now());
        let asked = scheduling::scheduling(old.map(theirs).as_ref(), Some(&theirs(new)), now());
        let says = |due: enrollment::StepDue| StepDue {
            enrollment: new.id,
            generation: u8::try_from(due.generation).unwrap(),
        };
        let set = asked.set.map(|set| match set {
            scheduling::Set::Message { due, .. } => (says(due), Due::Now),
            scheduling::Set::Timer { due, next } => (says(due), due_of(next.due_at)),
        });
        Scheduling { set, retire: asked.retire.map(says) }
    }

    fn remedy(&self, enrollment: &Enrollment, attempt: Option<Delivery>, lead: &Lead, is_overdue: bool) -> Remedy {
        let mut context = self.context(enrollment, attempt, now());
        context.lead.opt_outs = lead.opted_out.then_some((OptOut::Phone, now())).into_iter().collect();
        if let (true, Some(next)) = (is_overdue, &mut context.enrollment.progress.next) {
            next.due_at = now() - overdue::OVERDUE_AFTER;
        }
        match overdue::remedy(&context, now()) {
            overdue::Remedy::Requeue => Remedy::Requeue,
            overdue::Remedy::Settle(settlement) => Remedy::Settle(ours(&settlement.attempt.delivery)),
            overdue::Remedy::Release(change) => {
                Remedy::Release(self.progress(enrollment.id, &change.progress.unwrap()))
            }
            overdue::Remedy::Leave => Remedy::Leave,
        }
    }
}

/// From the model's words into the code's.
impl Code {
    fn context(&self, ours: &Enrollment, attempt: Option<Delivery>, at: DateTime<Utc>) -> plan::StepContext {
        let mut context = fixtures::context(self.cadence.clone(), at);
        context.enrollment = self.enrollment(ours, at);
        let cap = u32::try_from(self.cap).unwrap();
        context.settings.caps = Caps {
            contacts_per_day: cap,
            contacts_per_week: 99,
            ai_calls_per_day: 99,
            sms_per_day: 99,
            emails_per_day: 99,
        };
        context.attempt = attempt.zip(ours.claim).map(|(delivery, claim)| {
            let claim = self.claim(&claim, at);
            attempt::Attempt {
                lead: context.lead.id.clone(),
                key: context.enrollment.key(&claim.step, claim.round),
                try_number: claim.try_number,
                effect: claim.effect,
                message: None,
                claim: claim.id,
                at,
                delivery: theirs(delivery),
            }
        });
        context
    }

    fn enrollment(&self, ours: &Enrollment, at: DateTime<Utc>) -> enrollment::Enrollment {
        let Progress { state, generation, next } = ours.progress;
        let begun = fixtures::begun(&self.cadence, at);
        let progress = enrollment::Progress {
            state: match state {
                State::Active => enrollment::State::Active,
                State::Parked => enrollment::State::Parked { why: enrollment::Park::CadencePaused },
                State::Ended => enrollment::State::Ended { why: enrollment::End::Completed },
            },
            generation: generation.into(),
            next: next.map(|next| enrollment::Next {
                act: match next.act {
                    Act::Run => enrollment::Act::Run,
                    Act::ExpireHold => enrollment::Act::ExpireHold,
                },
                step: place(next.tried.key),
                round: next.tried.key.round.into(),
                try_number: try_number(next.tried),
                due_at: at
                    + match next.due {
                        Due::Now => TimeDelta::zero(),
                        Due::Later => TimeDelta::minutes(15),
                        Due::Tomorrow => TimeDelta::days(1),
                    },
                step_due_at: at,
                channel: self.cadence.step(&place(next.tried.key)).unwrap().action.channel(),
                overdue_for: None,
            }),
            ..begun.progress
        };
        // Of such an id that the jitter of a release is more than a minute.
        let id = format!("{:032x}", 0xabc + u32::from(ours.id)).as_str().into();
        enrollment::Enrollment { id, progress, claim: ours.claim.map(|claim| self.claim(&claim, at)), ..begun }
    }

    fn claim(&self, ours: &Claim, at: DateTime<Utc>) -> enrollment::Claim {
        let claimed_at = if ours.has_run_out { at - enrollment::LEASE } else { at };
        enrollment::Claim {
            id: id(ours.id),
            step: place(ours.tried.key),
            round: ours.tried.key.round.into(),
            try_number: try_number(ours.tried),
            claimed_at,
            lease_until: claimed_at + enrollment::LEASE,
            step_due_at: at,
            version: 1,
            generation: ours.generation.into(),
            effect: match self.step(ours.tried.key) {
                Step::Text => enrollment::Effect::Sms,
                Step::Call => enrollment::Effect::AiCall,
                Step::Task => enrollment::Effect::Task,
            },
            user: None,
        }
    }

    fn step(&self, key: Key) -> Step {
        self.steps[usize::from(key.step)]
    }
}

fn id(ours: u8) -> cadence_core::ClaimId {
    ours.to_string().as_str().into()
}

fn place(key: Key) -> cadence_core::StepId {
    key.step.to_string().as_str().into()
}

/// The model's last try is the code's last, and the one before it the one before.
fn try_number(tried: Try) -> u32 {
    settle::MAX_TRIES - u32::from(MAX_TRIES - tried.number)
}

fn theirs(delivery: Delivery) -> delivery::Delivery {
    match delivery {
        Delivery::Accepted => fixtures::accepted(),
        Delivery::Rejected => fixtures::rejected(),
        Delivery::Later => fixtures::later(),
        Delivery::Unknown => fixtures::unknown(),
    }
}

/// From the code's words into the model's.
fn ours(delivery: &delivery::Delivery) -> Delivery {
    match delivery {
        delivery::Delivery::Accepted { .. } => Delivery::Accepted,
        delivery::Delivery::Rejected { .. } => Delivery::Rejected,
        delivery::Delivery::Later { .. } => Delivery::Later,
        delivery::Delivery::Unknown { .. } => Delivery::Unknown,
    }
}

/// How it would be brought up.
fn due_of(at: DateTime<Utc>) -> Due {
    match at - now() {
        ahead if ahead <= TimeDelta::minutes(1) => Due::Now,
        ahead if ahead < TimeDelta::days(1) => Due::Later,
        _ => Due::Tomorrow,
    }
}

impl Code {
    fn progress(&self, enrollment: u8, theirs: &enrollment::Progress) -> Progress {
        Progress {
            state: match theirs.state {
                enrollment::State::Active => State::Active,
                enrollment::State::Parked { .. } => State::Parked,
                enrollment::State::Ended { .. } => State::Ended,
            },
            generation: u8::try_from(theirs.generation).unwrap(),
            next: theirs.next.as_ref().map(|next| Next {
                act: match next.act {
                    enrollment::Act::Run => Act::Run,
                    enrollment::Act::ExpireHold => Act::ExpireHold,
                },
                tried: self.tried(enrollment, next),
                due: due_of(next.due_at),
            }),
        }
    }

    fn tried(&self, enrollment: u8, theirs: &enrollment::Next) -> Try {
        let step = theirs.step.as_str().parse().unwrap();
        let round = u8::try_from(theirs.round).unwrap();
        let number = if theirs.try_number == settle::MAX_TRIES { MAX_TRIES } else { 1 };
        Try { key: Key { enrollment, step, round }, number }
    }
}
