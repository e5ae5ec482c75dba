//! Where an enrollment goes after a step.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    CadenceId, Outcome, StepId, UserId,
    calendar::{Calendar, ceil_to_second},
    enrollment::{Act, Enrollment, Next},
    records::{Cadence, OnOverdue, Step, Target},
    time::Wait,
};

/// How late a step may be claimed before the rest of the cadence counts from the claim: after an outage nothing catches up in a burst.
pub const REBASE_AFTER: TimeDelta = TimeDelta::minutes(2);

/// How often a step may be re-entered; whatever a record says, nobody is contacted by one step more often than this.
pub const MAX_ROUNDS: u32 = 50;

/// Where an enrollment goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onward {
    /// To this.
    Go(Next),
    /// Nowhere until its owner lets it go on.
    Pause,
    /// To the end of the list.
    Complete,
    /// To an end that an outcome asked for.
    End(Outcome),
    /// To another cadence.
    Switch(CadenceId),
}

/// The round of a step that is over, and when it was due and ended.
#[derive(Clone, Copy, Debug)]
pub struct Leg<'a> {
    /// The step.
    pub step: &'a Step,
    /// The round of it.
    pub round: u32,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// When its hold ended, if it had one.
    pub held_until: Option<DateTime<Utc>>,
}

/// Where the enrollment goes after a leg that ended with that outcome; `None` where the step doesn't wait for one.
pub fn onward(
    enrollment: &Enrollment,
    cadence: &Cadence,
    calendar: &Calendar<'_>,
    leg: Leg<'_>,
    outcome: Option<Outcome>,
) -> Onward {
    if let (Some(outcome), Some(every)) = (outcome, &leg.step.every)
        && redials(leg.step, leg.round, outcome)
    {
        return Onward::Go(run_after(calendar, leg.step, leg.round + 1, leg, every));
    }
    let target = outcome.and_then(|outcome| target_of(cadence, leg.step, outcome)).unwrap_or(&Target::Next);
    let step = match target {
        Target::Next => cadence.step_after(&leg.step.id),
        Target::Step(id) => cadence.step(id),
        Target::End => return Onward::End(outcome.unwrap_or(Outcome::Unknown)),
        Target::Pause => return Onward::Pause,
        Target::Cadence(id) => return Onward::Switch(id.clone()),
    };
    match step {
        Some(step) => match next_round(enrollment, &step.id) {
            round if round > MAX_ROUNDS => Onward::Complete,
            round => Onward::Go(run_after(calendar, step, round, leg, &step.wait)),
        },
        None => Onward::Complete,
    }
}

/// Whether a round that ended so is followed by another of the same step, before its `on` counts.
pub(crate) fn redials(step: &Step, round: u32, outcome: Outcome) -> bool {
    outcome.invites_redial() && round < step.attempts
}

/// What an outcome leads to: the step's own `on` beats the cadence's `anytime`. A call that was transferred or booked was connected,
/// so where a record doesn't name the one, what it says of the other holds.
pub fn target_of<'a>(cadence: &'a Cadence, step: &'a Step, outcome: Outcome) -> Option<&'a Target> {
    rule_of(cadence, step, outcome).map(|rule| rule.target)
}

/// What a record says of an outcome, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule<'a> {
    /// Where the outcome leads.
    pub(crate) target: &'a Target,
    /// The outcome that is named there.
    pub(crate) named: Outcome,
    /// The field that says so.
    pub(crate) field: Field,
}

/// The fields that say what an outcome leads to: the first two are a step's, the last is the cadence's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    On,
    OnOverdue,
    Anytime,
}

pub(crate) fn rule_of<'a>(cadence: &'a Cadence, step: &'a Step, outcome: Outcome) -> Option<Rule<'a>> {
    let named = |named| {
        let said = match &step.on_overdue {
            Some(OnOverdue::Go(target)) if named == Outcome::Expired => Some((target, Field::OnOverdue)),
            Some(OnOverdue::Go(_) | OnOverdue::Assign(_)) | None => {
                step.on.get(&named).map(|target| (target, Field::On))
            }
        };
        let said = said.or_else(|| cadence.anytime.get(&named).map(|target| (target, Field::Anytime)));
        said.map(|(target, field)| Rule { target, named, field })
    };
    let was_connected = matches!(outcome, Outcome::Transferred | Outcome::AppointmentSet);
    named(outcome).or_else(|| if was_connected { named(Outcome::Connected) } else { None })
}

/// The same step for somebody else, because that user didn't do it in time; `None` where nobody else is to be asked, or was before.
pub(crate) fn ask_another(
    enrollment: &Enrollment,
    calendar: &Calendar<'_>,
    step: &Step,
    late: &UserId,
    now: DateTime<Utc>,
) -> Option<Next> {
    let asks_another = matches!(step.on_overdue, Some(OnOverdue::Assign(_))) && enrollment.overdue_for().is_none();
    let round = next_round(enrollment, &step.id);
    (asks_another && round <= MAX_ROUNDS).then(|| {
        let due_at = calendar.opening(step.action, now).from;
        Next { overdue_for: Some(late.clone()), ..Next::run(&step.id, step.action.channel(), round, due_at) }
    })
}

/// The first step's first round.
pub fn first(cadence: &Cadence, calendar: &Calendar<'_>, enrolled_at: DateTime<Utc>) -> Option<Next> {
    let step = cadence.steps.first()?;
    let leg = Leg { step, round: 0, due_at: ceil_to_second(enrolled_at), held_until: None };
    Some(run_after(calendar, step, 1, leg, &step.wait))
}

/// Waiting for the outcome of the step that ran, for at most as long as it says; `None` where it doesn't wait.
pub fn hold(
    running: &Next,
    step: &Step,
    step_due_at: DateTime<Utc>,
    calendar: &Calendar<'_>,
    now: DateTime<Utc>,
) -> Option<Next> {
    let due_at = calendar.after(ceil_to_second(now), &step.hold()?);
    Some(Next { act: Act::ExpireHold, due_at, step_due_at, ..running.clone() })
}

/// The instant that the next step's wait counts from.
pub fn base(step_due_at: DateTime<Utc>, claimed_at: DateTime<Utc>) -> DateTime<Utc> {
    if claimed_at - step_due_at > REBASE_AFTER { ceil_to_second(claimed_at) } else { step_due_at }
}

/// The round in which a step is entered again.
pub(crate) fn next_round(enrollment: &Enrollment, step: &StepId) -> u32 {
    enrollment.progress.rounds.get(step).copied().unwrap_or(0).saturating_add(1)
}

/// When what comes after a leg could run if it had to keep no hours.
pub(crate) fn ready_at(calendar: &Calendar<'_>, leg: Leg<'_>, wait: &Wait) -> DateTime<Utc> {
    let after_wait = calendar.after(leg.due_at, wait);
    leg.held_until.map_or(after_wait, |ended| after_wait.max(ended))
}

fn run_after(calendar: &Calendar<'_>, step: &Step, round: u32, leg: Leg<'_>, wait: &Wait) -> Next {
    let due_at = calendar.opening(step.action, ready_at(calendar, leg, wait)).from;
    Next::run(&step.id, step.action.channel(), round, due_at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        fixtures::{World, lead, settings},
        fixtures::{accepted, at, begun, clock, context, later, minutes, reference, steps, tuesday},
    };

    /// Where a round of a step leads that was due on Tuesday at 10:00 and ended so.
    fn leads(cadence: &Cadence, step: &str, round: u32, outcome: Option<Outcome>) -> String {
        leads_from(&begun(cadence, tuesday()), cadence, (step, round, None), outcome)
    }

    fn leads_from(
        enrollment: &Enrollment,
        cadence: &Cadence,
        (step, round, held_until): (&str, u32, Option<DateTime<Utc>>),
        outcome: Option<Outcome>,
    ) -> String {
        let (lead, settings) = (lead(), settings());
        let calendar = Calendar::new(&lead, cadence, &settings);
        let leg = Leg { step: cadence.step(&step.into()).unwrap(), round, due_at: tuesday(), held_until };
        match onward(enrollment, cadence, &calendar, leg, outcome) {
            Onward::Go(next) => {
                assert_eq!((next.act, next.try_number, next.step_due_at), (Act::Run, 1, next.due_at));
                format!("{} {} at {}", next.step, next.round, clock(next.due_at))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn waits_count_from_due_instants_so_delays_do_not_drift() {
        let mut world = World::new(reference(), tuesday());
        let mut seen = vec![world.next()];
        // Each is claimed late, but less than two minutes.
        for late in [TimeDelta::seconds(50), TimeDelta::seconds(119), minutes(2)] {
            let now = world.due_at() + late;
            world.run(accepted(), now);
            if world.next().starts_with("ExpireHold") {
                let now = world.due_at();
                world.run(accepted(), now);
            }
            seen.push(world.next());
        }
        assert_eq!(
            seen,
            [
                "Run first-call 1 at Tue 10:00:00",
                "Run intro-text 1 at Tue 10:00:00",
                "Run robot-call 1 at Tue 10:20:00",
                "Run intro-email 1 at Tue 10:40:00"
            ]
        );
    }

    #[test]
    fn a_step_claimed_over_two_minutes_late_is_what_the_rest_counts_from() {
        for (late, expected) in [(120, "Tue 10:20:00"), (121, "Tue 10:22:01"), (3600, "Tue 11:20:00")] {
            let mut world = World::new(reference(), tuesday());
            world.run(accepted(), tuesday());
            world.run(accepted(), tuesday() + TimeDelta::seconds(late));
            assert_eq!(world.next(), format!("Run robot-call 1 at {expected}"), "{late} s");
        }
        let late = tuesday() + TimeDelta::milliseconds(150_500);
        assert_eq!(base(tuesday(), late), tuesday() + TimeDelta::seconds(151), "whole seconds");
    }

    #[test]
    fn after_an_outage_nothing_catches_up_in_a_burst() {
        let emails = json!([
            {"id": "a", "do": "canned_sms", "wait": "0m", "message": "sms/intro"},
            {"id": "b", "do": "canned_sms", "wait": "20m", "message": "sms/intro"},
            {"id": "c", "do": "canned_email", "wait": "20m", "message": "sms/intro"}]);
        let mut world = World::new(steps(emails), tuesday());
        let after = tuesday() + minutes(180);
        world.run(accepted(), after);
        assert_eq!(world.next(), "Run b 1 at Tue 13:20:00");
        assert!(!world.run(accepted(), after), "not due yet");
    }

    #[test]
    fn tries_that_were_not_sent_count_as_lateness() {
        let mut world = World::new(reference(), tuesday());
        world.run(accepted(), tuesday());
        world.run(later(), tuesday());
        assert_eq!(world.next(), "Run intro-text 1 at Tue 10:01:00");
        world.run(later(), tuesday() + minutes(1));
        world.run(accepted(), tuesday() + minutes(6));
        assert_eq!(world.next(), "Run robot-call 1 at Tue 10:26:00");
    }

    #[test]
    fn the_end_of_a_hold_is_the_earliest_the_next_step_may_be_due() {
        let cadence = reference();
        let enrollment = begun(&cadence, tuesday());
        for (held, expected) in [(5, "10:20:00"), (20, "10:20:00"), (35, "10:35:00")] {
            let held_until = Some(tuesday() + minutes(held));
            let leads = leads_from(&enrollment, &cadence, ("robot-call", 1, held_until), Some(Outcome::NoAnswer));
            assert_eq!(leads, format!("intro-email 1 at Tue {expected}"), "held {held} minutes");
        }
    }

    #[test]
    fn an_ai_call_holds_15_minutes_and_other_steps_only_if_they_say_so() {
        let all = steps(json!([
            {"id": "ai", "do": "ai_dial", "wait": "0m", "agent": "x"},
            {"id": "ai-long", "do": "ai_dial", "wait": "0m", "agent": "x", "hold": "1h"},
            {"id": "dial", "do": "dial", "wait": "0m"},
            {"id": "dial-held", "do": "dial", "wait": "0m", "hold": "30m"},
            {"id": "dial-again", "do": "dial", "wait": "0m", "attempts": 2, "every": "2h"},
            {"id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/intro"}]));
        let (lead, settings) = (lead(), settings());
        let calendar = Calendar::new(&lead, &all, &settings);
        for (id, expected) in [
            ("ai", Some(15)),
            ("ai-long", Some(60)),
            ("dial", None),
            ("dial-held", Some(30)),
            ("dial-again", Some(480)),
            ("text", None),
        ] {
            let step = all.step(&id.into()).unwrap();
            let running = Next::run(&step.id, step.action.channel(), 3, tuesday());
            let now = tuesday() + TimeDelta::milliseconds(5_500);
            let held = hold(&running, step, tuesday(), &calendar, now);
            let due_at = expected.map(|length| tuesday() + TimeDelta::seconds(6) + minutes(length));
            assert_eq!(held.as_ref().map(|held| held.due_at), due_at, "{id}");
            if let Some(held) = held {
                assert_eq!((held.act, held.round, held.step_due_at), (Act::ExpireHold, 3, tuesday()), "{id}");
            }
        }
    }

    #[test]
    fn attempts_redial_every_so_long_after_the_round_before_until_somebody_answers() {
        let cadence = steps(json!([
            {"id": "call", "do": "dial", "wait": "0m", "attempts": 3, "every": "2h", "on": {"busy": "end", "voicemail": "mail"}},
            {"id": "text", "do": "canned_sms", "wait": "20m", "message": "sms/intro"},
            {"id": "mail", "do": "canned_email", "wait": "1h", "message": "sms/intro"}]));
        for (round, outcome, expected) in [
            (1, Outcome::NoAnswer, "call 2 at Tue 12:00:00"),
            (1, Outcome::Busy, "call 2 at Tue 12:00:00"),
            (2, Outcome::Voicemail, "call 3 at Tue 12:00:00"),
            (1, Outcome::BadNumber, "text 1 at Tue 10:20:00"),
            (1, Outcome::Expired, "text 1 at Tue 10:20:00"),
            // What `on` says of them counts after the last round, and the next wait from the last round's due instant.
            (3, Outcome::NoAnswer, "text 1 at Tue 10:20:00"),
            (3, Outcome::Busy, "End(Busy)"),
            (3, Outcome::Voicemail, "mail 1 at Tue 11:00:00"),
        ] {
            assert_eq!(leads(&cadence, "call", round, Some(outcome)), expected, "{round} {outcome:?}");
        }
    }

    #[test]
    fn a_steps_own_word_beats_anytime_and_what_neither_names_goes_on() {
        let record = json!({
            "anytime": {"replied": "end", "connected": "end", "declined": "pause", "failed": {"cadence": "other"}},
            "steps": [
                {"id": "a", "do": "canned_email", "wait": "0m", "message": "sms/intro",
                    "on": {"replied": "next", "connected": "c", "busy": "a"}},
                {"id": "b", "do": "canned_email", "wait": "1h", "message": "sms/intro"},
                {"id": "c", "do": "canned_email", "wait": "2h", "message": "sms/intro"}]});
        let cadence = crate::fixtures::cadence(record);
        for (step, outcome, expected) in [
            ("a", None, "b 1 at Tue 11:00:00"),
            ("a", Some(Outcome::Delivered), "b 1 at Tue 11:00:00"),
            ("a", Some(Outcome::Replied), "b 1 at Tue 11:00:00"),
            ("a", Some(Outcome::Connected), "c 1 at Tue 12:00:00"),
            ("a", Some(Outcome::Busy), "a 2 at Tue 10:00:00"),
            ("a", Some(Outcome::Declined), "Pause"),
            ("a", Some(Outcome::Failed), "Switch(CadenceId(\"other\"))"),
            ("b", Some(Outcome::Replied), "End(Replied)"),
            ("b", Some(Outcome::Connected), "End(Connected)"),
            ("c", None, "Complete"),
            ("c", Some(Outcome::Delivered), "Complete"),
        ] {
            assert_eq!(leads(&cadence, step, 1, outcome), expected, "{step} {outcome:?}");
        }
    }

    #[test]
    fn a_step_is_re_entered_in_a_new_round_and_not_without_end() {
        let cadence = steps(json!([
            {"id": "a", "do": "canned_email", "wait": "1h", "message": "sms/intro", "on": {"bounced": "a"}},
            {"id": "b", "do": "canned_email", "wait": "1h", "message": "sms/intro"}]));
        let mut enrollment = begun(&cadence, tuesday());
        for (reached, expected) in
            [(1, "a 2 at Tue 11:00:00"), (MAX_ROUNDS - 1, "a 50 at Tue 11:00:00"), (MAX_ROUNDS, "Complete")]
        {
            enrollment.progress.rounds.insert("a".into(), reached);
            let bounced = Some(Outcome::Bounced);
            assert_eq!(leads_from(&enrollment, &cadence, ("a", reached, None), bounced), expected, "{reached}");
        }
    }

    #[test]
    fn the_first_step_waits_for_its_own_wait_and_the_hours() {
        for (wait, enrolled_at, expected) in [
            ("0m", "2026-12-01T10:00:00.2-08:00", "Tue 10:00:01"),
            ("20m", "2026-12-01T10:00:00-08:00", "Tue 10:20:00"),
            ("0m", "2026-12-01T23:50:00-08:00", "Wed 09:00:00"),
            ("2h", "2026-12-01T19:00:00-08:00", "Wed 09:00:00"),
            ("1d at 10:15", "2026-12-01T10:00:00-08:00", "Wed 10:15:00"),
        ] {
            let cadence = steps(json!([{"id": "a", "do": "dial", "wait": wait}]));
            let context = context(cadence, at(enrolled_at));
            let next = context.enrollment.progress.next.unwrap();
            assert_eq!(clock(next.due_at), expected, "{wait} after {enrolled_at}");
            assert_eq!((next.round, next.try_number, next.act), (1, 1, Act::Run));
        }
    }
}
