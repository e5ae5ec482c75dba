//! Whatever record passes the check, whoever the lead is and whatever happens: the simulation ends, and its timeline keeps the law.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "the tests of records use the rest")]
#[path = "record_properties/written.rs"]
mod written;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use cadence_core::{
    CadenceId, Channel, Outcome,
    arrival::Catalogue,
    enrollment::{Act, Effect, State},
    law::{STATE_RULES, State as UsState, StateRule, unknown_zones},
    lead::{Consent, Lead, OptOut, TouchKind},
    plan::Action,
    records::{Format, Known, Problem, Record, Source, check, parse_record},
    simulation::{Arriving, Ending, Event, Published, Script, Simulated, Taken, World, simulate},
    sources,
    timeline::EntryKind,
};
use chrono::{DateTime, TimeDelta, Utc};
use jiff::{Timestamp, Zoned, civil::Weekday, tz::TimeZone};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Value, json};

#[test]
fn any_good_record_runs_to_its_end_for_any_lead_in_order_within_hours_and_under_caps() {
    let seen = RefCell::default();
    let config =
        ProptestConfig { cases: 500, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() };
    let tried = TestRunner::new(config).run(&stories(), |story| {
        let run = story.run();
        if run.ending == Ending::Unending {
            return goes_on_because_of_the_script(&story, &run);
        }
        ends(&run)?;
        in_order(&run)?;
        told_why(&run)?;
        for world in &run.worlds {
            within_hours(world, &run)?;
            as_agreed(world)?;
            once_each(world)?;
        }
        under_caps(&run)?;
        prop_assert!(format!("{:?}", run.events) == format!("{:?}", story.run().events), "not the same every time");
        count(&run, &mut seen.borrow_mut());
        Ok(())
    });
    tried.unwrap_or_else(|failure| panic!("{failure}"));
    assert_all_was_met(&seen.into_inner());
}

/// A cadence that passes the check, a lead, and what happens.
#[derive(Clone, Debug)]
struct Story {
    cadence: Value,
    licences: Vec<&'static str>,
    lead: Value,
    at: DateTime<Utc>,
    script: String,
}

impl Story {
    fn run(&self) -> Simulated {
        let (published, source) = published(&self.cadence, &self.licences);
        let inbound = sources::parse(&Format::Plain, None, self.lead.to_string().as_bytes()).unwrap();
        let takers = published.only(&CadenceId::new("a"));
        let arriving = Arriving { source: &source, inbound: &inbound, takers: &takers, at: self.at };
        let begun = published.arrive(arriving).unwrap();
        simulate(&published, begun, &Script::parse(&self.script).unwrap()).unwrap()
    }
}

fn stories() -> impl Strategy<Value = Story> {
    let heeded = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    (good_cadences(), leads(), instants(), scripts(), heeded).prop_map(
        |((cadence, licences), lead, at, script, heeded)| {
            let named = named(&cadence);
            let heeded = heeded.iter().filter(|_| !named.is_empty()).map(|index| index.get(&named).as_str());
            let script = std::iter::once(script.as_str()).chain(heeded).collect::<Vec<_>>().join("\n");
            Story { cadence, licences, lead, at, script }
        },
    )
}

/// What the cadence says something of, as a script's lines: what leads it elsewhere, and round.
fn named(cadence: &Value) -> Vec<String> {
    let keys = |map: &Value| map.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect::<Vec<_>>();
    let anytime = keys(&cadence["anytime"]);
    let steps = cadence["steps"].as_array().unwrap();
    let of_step = |step: &Value| {
        let outcomes = keys(&step["on"]).into_iter().chain(anytime.clone());
        let said = outcomes.filter(|outcome| !["expired", "failed"].contains(&outcome.as_str()));
        said.map(|outcome| format!("{}={outcome}", step["id"].as_str().unwrap())).collect::<Vec<_>>()
    };
    steps.iter().flat_map(of_step).collect()
}

/// A cadence that the check lets pass beside the other records, and where its users are licensed.
fn good_cadences() -> impl Strategy<Value = (Value, Vec<&'static str>)> {
    let licences = prop_oneof![4 => Just("ZZ"), 1 => Just("M")].prop_map(|before| {
        let states = UsState::all().map(|state| state.code());
        states.filter(|state| *state < before).collect::<Vec<_>>()
    });
    (written::cadences(), licences).prop_filter("the check refuses it", |(cadence, licences)| {
        let mut known = Known::default();
        others(licences).into_iter().for_each(|record| known.insert(record));
        let record = parse_record("CADENCE#a", cadence);
        record.is_ok_and(|record| !check(&record, &known).iter().any(Problem::is_error))
    })
}

/// All that a written cadence refers to.
fn others(licences: &[&str]) -> Vec<Record> {
    let user = |first: &str, number: u32, groups: &[&str]| {
        json!({"first_name": first, "last_name": "Example", "email": format!("{first}@example.com"), "phone": format!("+1415555{number:04}"),
            "sms_number": format!("+1415555{:04}", number + 1), "nmls_id": "1", "licences": licences, "groups": groups})
    };
    let text = json!({"text": "{{ lo_first_name }} of {{ company }}. Reply STOP to opt out"});
    let back = json!({"expired": {"cadence": "a"}});
    let records = [
        (
            "CADENCE#b",
            json!({"name": "b", "steps": [{"id": "a", "do": "dial", "wait": "0m", "hold": "1h", "on": back}]}),
        ),
        ("CADENCE#c", json!({"name": "c", "steps": [{"id": "a", "do": "dial", "wait": "0m"}]})),
        ("MESSAGE#email/intro", json!({"subject": "s", "body": "{{ unsubscribe_url }}, {{ postal_address }}"})),
        ("MESSAGE#sms/intro", text.clone()),
        ("MESSAGE#sms/other", text),
        (
            "SETTINGS#company",
            json!({"company": "Example Home Loans", "postal_address": "100 Example Street",
            "notices_from": "notices@example.com", "unsubscribe_url": "https://example.com/unsubscribe"}),
        ),
        ("SOURCE#gizmo", json!({"format": "gizmo"})),
        ("SOURCE#plain", json!({"format": "plain"})),
        ("SOURCE#zillow", json!({"format": "zillow"})),
        ("USER#lo-morgan", user("morgan", 150, &["callers", "closers"])),
        ("USER#lo-riley", user("riley", 140, &["callers"])),
    ];
    records.iter().map(|(pk, content)| read(pk, content)).collect()
}

fn published(cadence: &Value, licences: &[&str]) -> (Published, Source) {
    let (mut cadences, mut users, mut messages) = (Vec::new(), Vec::new(), BTreeMap::new());
    let (mut settings, mut plain) = (None, None);
    for record in std::iter::once(read("CADENCE#a", cadence)).chain(others(licences)) {
        match record {
            Record::Cadence(cadence) => cadences.push((cadence, 1)),
            Record::User(user) => users.push(user),
            Record::Message(message) => drop(messages.insert(message.id.clone(), message)),
            Record::Settings(company) => settings = Some(company),
            Record::Source(source) => plain = plain.or(Some(source).filter(|source| source.id.as_str() == "plain")),
        }
    }
    let catalogue = Catalogue { cadences, users, settings: settings.unwrap() };
    (Published { catalogue, messages }, plain.unwrap())
}

fn read(pk: &str, content: &Value) -> Record {
    parse_record(pk, content).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A webhook in the plain format: from anywhere, with any consent, old or new.
fn leads() -> impl Strategy<Value = Value> {
    let states = select(UsState::all().map(UsState::code).collect::<Vec<_>>());
    let zips = select(vec!["94105", "85001", "86504", "32401", "79901", "96813", "99546", "00901", "10001"]);
    let phones = select(vec!["415-555-0123", "800-555-0123", "212-555-0123", "907-555-0123"]);
    let consent =
        || select(vec!["none", "express", "express_written", "express_written", "express_written", "revoked"]);
    let place =
        (prop::option::weighted(0.8, states), prop::option::weighted(0.3, zips), prop::option::weighted(0.9, phones));
    (place, consent(), consent(), prop::option::weighted(0.9, Just("robin@example.com")), prop::bool::weighted(0.7))
        .prop_map(|((state, zip, phone), call, sms, email, is_hinted)| {
            let email = email.or(phone.is_none().then_some("robin@example.com"));
            json!({"first_name": "Robin", "state": state, "zip": zip, "phone": phone, "email": email,
                "loan_officer_email": is_hinted.then_some("riley@example.com"),
                "consent": {"call": call, "sms": sms, "email": "express", "text": "yes"}})
        })
}

/// Any second of a year and a half, holidays and clock changes among them.
fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    let from = DateTime::parse_from_rfc3339("2026-06-25T00:00:00Z").unwrap().to_utc();
    (0_i64..500 * 86_400).prop_map(move |second| from + TimeDelta::seconds(second))
}

/// Up to six lines, of steps that are there or not.
fn scripts() -> impl Strategy<Value = String> {
    let when = select(vec!["", "", "+5m ", "+3h ", "+1d at 10:15 ", "+2bd ", "09:30 ", "Sun 12:00 "]);
    let round = select(vec!["", "", "#1", "#2"]);
    let said: Vec<&str> = Outcome::BY_STRENGTH
        .iter()
        .filter(|outcome| !matches!(outcome, Outcome::Expired | Outcome::Failed | Outcome::Unknown))
        .map(|outcome| outcome.as_str())
        .chain(["rejected", "later", "later", "unknown"])
        .chain(["no_answer", "voicemail", "busy", "connected", "replied", "delivered", "opted_out"].repeat(3))
        .collect();
    let of_step = (when.clone(), 0_usize..3, round, select(said))
        .prop_map(|(when, step, round, said)| format!("{when}step-{step}{round}={said}"));
    let of_lead = (when, select(vec!["opted_out", "unsubscribed", "replied", "called_back"]))
        .prop_map(|(when, said)| format!("{when}lead={said}"));
    prop::collection::vec(prop_oneof![4 => of_step, 1 => of_lead], 0..6).prop_map(|lines| lines.join("\n"))
}

fn taken(run: &Simulated) -> impl Iterator<Item = &Taken> {
    run.worlds.iter().flat_map(|world| &world.claims)
}

/// Cadences may lead into each other again and again only if somebody does something each time.
fn goes_on_because_of_the_script(story: &Story, run: &Simulated) -> Result<(), TestCaseError> {
    prop_assert!(run.worlds.len() > 1, "one cadence goes on past all bounds");
    let alone = Story { script: String::new(), ..story.clone() }.run();
    prop_assert!(alone.ending != Ending::Unending, "it goes on past all bounds by itself");
    Ok(())
}

/// The lead is through, or rests until a person does something.
fn ends(run: &Simulated) -> Result<(), TestCaseError> {
    let enrollment = &run.worlds.last().unwrap().context.enrollment;
    let is_due = matches!(enrollment.progress.state, State::Active) || enrollment.claim.is_some();
    prop_assert!(!is_due, "something is due after the end");
    Ok(())
}

/// Things happen one after the other, steps only when they are due, and nothing after an end but what is heard.
fn in_order(run: &Simulated) -> Result<(), TestCaseError> {
    let at = |event: &Event| match event {
        Event::Told(entry) => entry.at,
        Event::Waits(waiting) => waiting.at,
        Event::Unheard(unheard) => unheard.at,
    };
    // Waits are told in whole seconds.
    let instants: Vec<i64> = run.events.iter().map(|event| at(event).timestamp()).collect();
    prop_assert!(instants.windows(2).all(|pair| pair[0] <= pair[1] + 1), "{:?}", run.events);
    let claims: Vec<DateTime<Utc>> = taken(run).map(|taken| taken.claim.claimed_at).collect();
    prop_assert!(claims.is_sorted());
    prop_assert!(taken(run).all(|taken| taken.claim.claimed_at >= taken.plan.next.due_at));
    for world in &run.worlds[..run.worlds.len() - 1] {
        prop_assert!(
            matches!(world.context.enrollment.progress.state, State::Ended { .. }),
            "a lead runs in one at a time"
        );
    }
    let steps =
        run.events.iter().skip_while(|event| !matches!(event, Event::Told(entry) if entry.kind == EntryKind::Ended));
    if run.worlds.len() == 1 {
        let sent = |event: &Event| matches!(event, Event::Told(entry) if matches!(entry.kind, EntryKind::Sent | EntryKind::CallPlaced | EntryKind::Skipped));
        prop_assert!(!steps.into_iter().any(sent), "something ran after the end");
    }
    Ok(())
}

/// Every wait is told with reasons that last until it is over, one after the other.
fn told_why(run: &Simulated) -> Result<(), TestCaseError> {
    for event in &run.events {
        let Event::Waits(waiting) = event else { continue };
        if waiting.until <= waiting.at {
            continue;
        }
        let ends: Vec<DateTime<Utc>> = waiting.because.iter().map(|reason| reason.until()).collect();
        prop_assert!(ends.is_sorted(), "{:?}", waiting);
        prop_assert_eq!(ends.last(), Some(&waiting.until), "{:?}", waiting);
        prop_assert!(waiting.ready_at <= waiting.until && waiting.ready_at >= waiting.at, "{:?}", waiting);
    }
    Ok(())
}

/// Everything lies within the record's hours, calls and texts within the law's, in every zone that the lead may be in.
fn within_hours(world: &World, run: &Simulated) -> Result<(), TestCaseError> {
    let lead = &run.worlds.last().unwrap().context.lead;
    let cadence = &world.context.cadence;
    let unknown = unknown_zones();
    let zones = lead.zones.as_ref().unwrap_or(&unknown);
    for taken in &world.claims {
        let channel = taken.plan.next.channel;
        let stated = match channel {
            Channel::Call => &cadence.hours.call,
            Channel::Sms => &cadence.hours.sms,
            Channel::Email => &cadence.hours.email,
        };
        for local in zones.iter().map(|zone| local(taken.claim.claimed_at, zone.as_str())) {
            let step = &taken.claim.step;
            let is_stated = stated.as_ref().is_none_or(|hours| is_open(&String::from(hours.clone()), &local));
            prop_assert!(is_stated, "{step} at {local}, outside the record's hours");
            if channel == Channel::Email {
                continue;
            }
            prop_assert!(may_contact(lead, &local), "{step} at {local}, outside the law's hours");
            let is_skipped = cadence.skip_holidays == Some(true) && is_holiday(&local);
            prop_assert!(!is_skipped, "{step} at {local}, a holiday");
        }
    }
    Ok(())
}

/// The law's floor, read from its data by other means than the gate's.
fn may_contact(lead: &Lead, local: &Zoned) -> bool {
    let rule = STATE_RULES.iter().find(|rule| lead.state.as_deref() == Some(rule.state));
    let is_shut = |rule: &StateRule| rule.no_holidays && is_holiday(local) || !is_open(rule.hours, local);
    is_open("daily 08:00-21:00", local)
        && !rule.is_some_and(is_shut)
        && (lead.zones.is_some() || is_open("daily 12:00-20:00", local))
}

/// Whether weekly hours as people write them are open then, read by other means than the engine's.
fn is_open(hours: &str, local: &Zoned) -> bool {
    hours == "any time"
        || hours.split(", ").any(|part| {
            let (days, hours) = part.split_once(' ').unwrap();
            let (from, until) = hours.split_once('-').unwrap();
            let is_day = match days {
                "daily" => true,
                "Mon-Sat" => local.weekday() != Weekday::Sunday,
                "Mon-Fri" | "weekdays" => !matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday),
                "Sat" => local.weekday() == Weekday::Saturday,
                "Sun" => local.weekday() == Weekday::Sunday,
                other => panic!("{other}"),
            };
            let now = local.strftime("%H:%M").to_string();
            is_day && from <= now.as_str() && now.as_str() < until
        })
}

fn is_holiday(local: &Zoned) -> bool {
    HOLIDAYS.contains(&local.date().to_string().as_str())
}

/// The federal holidays and the days on which they are observed, as the Office of Personnel Management lists them.
const HOLIDAYS: [&str; 20] = [
    "2026-07-03",
    "2026-07-04",
    "2026-09-07",
    "2026-10-12",
    "2026-11-11",
    "2026-11-26",
    "2026-12-25",
    "2027-01-01",
    "2027-01-18",
    "2027-02-15",
    "2027-05-31",
    "2027-06-18",
    "2027-06-19",
    "2027-07-04",
    "2027-07-05",
    "2027-09-06",
    "2027-10-11",
    "2027-11-11",
    "2027-11-25",
    "2027-12-24",
];

fn local(at: DateTime<Utc>, zone: &str) -> Zoned {
    Timestamp::from_second(at.timestamp()).unwrap().to_zoned(TimeZone::get(zone).unwrap())
}

/// Machines text and call only who agreed in writing, and nobody does what the lead closed.
fn as_agreed(world: &World) -> Result<(), TestCaseError> {
    let lead = &world.context.lead;
    for taken in &world.claims {
        let (at, channel) = (taken.claim.claimed_at, taken.plan.next.channel);
        let closes = if channel == Channel::Email { OptOut::Email } else { OptOut::Phone };
        prop_assert!(
            lead.opt_outs.get(&closes).is_none_or(|closed| at <= *closed),
            "{} after an opt-out",
            taken.claim.step
        );
        let agreed = match (&taken.plan.action, taken.claim.effect) {
            (Action::Sms(_), _) => lead.consent.sms == Consent::ExpressWritten,
            (Action::AiCall(_), _) => lead.consent.call == Consent::ExpressWritten,
            (Action::Email(_) | Action::Task(_), Effect::Email | Effect::Task) => true,
            (Action::Email(_) | Action::Task(_), Effect::Sms | Effect::AiCall) => false,
        };
        prop_assert!(agreed, "{} without consent", taken.claim.step);
    }
    Ok(())
}

/// A round of a step reaches the lead at most once.
fn once_each(world: &World) -> Result<(), TestCaseError> {
    let mut seen = BTreeSet::new();
    for taken in world.claims.iter().filter(|taken| taken.reached()) {
        prop_assert!(seen.insert((taken.claim.step.clone(), taken.claim.round)), "{} twice", taken.claim.step);
    }
    Ok(())
}

/// No 24 hours and no 7 days hold more than the law's caps, over all the lead's cadences.
fn under_caps(run: &Simulated) -> Result<(), TestCaseError> {
    let lead = &run.worlds.last().unwrap().context.lead;
    let rule = STATE_RULES.iter().find(|rule| lead.state.as_deref() == Some(rule.state));
    let a_day = rule.and_then(|rule| rule.contacts_per_day).map_or(3, |cap| usize::try_from(cap).unwrap());
    let touches: Vec<(DateTime<Utc>, TouchKind)> = taken(run)
        .filter(|taken| taken.reached())
        .filter_map(|taken| {
            Some(match taken.plan.action {
                Action::Sms(_) => (taken.claim.claimed_at, TouchKind::Sms),
                Action::Email(_) => (taken.claim.claimed_at, TouchKind::Email),
                Action::AiCall(_) => (taken.claim.claimed_at, TouchKind::AiCall),
                Action::Task(_) if taken.plan.next.channel == Channel::Call => {
                    (taken.claim.claimed_at, TouchKind::Dial)
                }
                Action::Task(_) => return None,
            })
        })
        .collect();
    for (from, _) in &touches {
        let within = |hours: i64, kinds: &[TouchKind]| {
            let until = *from + TimeDelta::hours(hours);
            touches.iter().filter(|(at, kind)| at >= from && *at < until && kinds.contains(kind)).count()
        };
        let contacts = [TouchKind::Dial, TouchKind::AiCall, TouchKind::Sms];
        prop_assert!(within(24, &contacts) <= a_day && within(7 * 24, &contacts) <= 8, "{:?}", touches);
        prop_assert!(within(24, &[TouchKind::AiCall]) <= 1 && within(24, &[TouchKind::Sms]) <= 2, "{:?}", touches);
        prop_assert!(within(24, &[TouchKind::Email]) <= 1, "{:?}", touches);
    }
    Ok(())
}

/// Properties of runs in which nothing is sent, shifted, deferred or stopped would hold of anything.
fn count(run: &Simulated, seen: &mut BTreeMap<&str, usize>) {
    let mut count = |what, how_many: usize| *seen.entry(what).or_default() += how_many;
    count("reached", taken(run).filter(|taken| taken.reached()).count());
    count("texts", taken(run).filter(|taken| matches!(taken.plan.action, Action::Sms(_))).count());
    count("AI calls", taken(run).filter(|taken| matches!(taken.plan.action, Action::AiCall(_))).count());
    count("over", usize::from(matches!(run.ending, Ending::Over(_))));
    count("resting", usize::from(matches!(run.ending, Ending::Rests(_))));
    count("moved", run.worlds.len() - 1);
    count("of no zone", usize::from(run.worlds[0].context.lead.zones.is_none()));
    count(
        "in several zones",
        usize::from(run.worlds[0].context.lead.zones.as_ref().is_some_and(|zones| zones.iter().count() > 1)),
    );
    for event in &run.events {
        match event {
            Event::Waits(waiting) => {
                count("shifted", usize::from(waiting.act == Act::Run && waiting.until > waiting.ready_at))
            }
            Event::Unheard(_) => count("unheard", 400),
            Event::Told(entry) => match entry.kind {
                EntryKind::Deferred => count("deferred", 8),
                EntryKind::Retried => count("retried", 2),
                EntryKind::OptedOut => count("opted out", 30),
                EntryKind::Outcome => count("heard", 400),
                _ => {}
            },
        }
    }
}

fn assert_all_was_met(seen: &BTreeMap<&str, usize>) {
    for (what, at_least) in [
        ("reached", 400),
        ("texts", 40),
        ("AI calls", 60),
        ("over", 200),
        ("resting", 60),
        ("moved", 3),
        ("of no zone", 5),
        ("in several zones", 100),
        ("shifted", 200),
        ("unheard", 400),
        ("deferred", 8),
        ("retried", 2),
        ("opted out", 30),
        ("heard", 400),
    ] {
        assert!(seen.get(what).copied().unwrap_or(0) >= at_least, "{what}: {seen:?}");
    }
}
