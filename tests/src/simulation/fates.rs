//! What befalls each request and each delivery of a world, drawn for it alone, and all that did.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadence_core::enrollment::StepDue;
use cadence_local::faults::{Call, Fate, Fault, Faults, Mishap, Parcel};
use chrono::TimeDelta;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    Run,
    climate::Climate,
    crashes::Crashes,
    digest::Digest,
    draws::{Draws, address, duration, happens, soon, weighted},
    operation::{Operation, operation_of, refusals},
    part::{Part, Parts},
    subject::Subjects,
};

/// What befalls the requests and deliveries of one world. Clones are the same.
#[derive(Clone)]
pub(crate) struct Fates(Arc<Mutex<State>>);

struct State {
    draws: Draws,
    climate: Climate,
    parts: Parts,
    began: Instant,
    is_stormy: bool,
    subjects: Subjects,
    /// How often each request or delivery came before, by its address without the count.
    counts: HashMap<u64, u64>,
    befallen: BTreeMap<u64, Befallen>,
    kinds: BTreeMap<String, u64>,
    calls: u64,
    crashes: Crashes,
    /// The addresses of the requests that functions made while things go wrong.
    called: Vec<u64>,
    digest: Option<Digest>,
    quiet_until: Option<Instant>,
    /// How many runs of `reconcile` were not left out.
    ticks: u64,
    /// Whom somebody does something about now.
    stirred: Vec<Stirred>,
    /// What `reconcile` puts back on its queue now.
    requeued: Vec<StepDue>,
}

/// A fault that befell something.
#[derive(Clone, Debug)]
pub(crate) struct Befallen {
    /// How many came before it.
    pub(crate) order: usize,
    /// After the world's start.
    pub(crate) at: Duration,
    /// What befell what: `sms Publish of lead 3 (1st): AnswerLost`.
    pub(crate) words: String,
}

/// Somebody about whom something is done while a step of theirs is under way.
pub(crate) struct Stirred {
    /// What it is drawn for.
    pub(crate) address: u64,
    /// Who, by their number.
    pub(crate) person: usize,
    /// Whether the step is an email.
    pub(crate) is_emailed: bool,
}

/// How often `reconcile` runs: a run that is left out comes at one of the next of these.
const TICK: TimeDelta = TimeDelta::minutes(5);

/// How much more often a request goes wrong by which something is sent: that is where faults hurt most.
const MORE_WHERE_SENT: f64 = 3.0;

impl Fates {
    /// The fates of that world. Nothing goes wrong until it is told to.
    pub(crate) fn new(draws: Draws, climate: Climate, run: &Run) -> Self {
        let crashes = run.scenario.as_ref().map(|(_, crashes)| crashes.clone()).unwrap_or_default();
        Self(Arc::new(Mutex::new(State {
            draws,
            climate,
            parts: run.parts.clone(),
            crashes,
            called: Vec::new(),
            began: Instant::now(),
            is_stormy: false,
            subjects: Subjects::default(),
            counts: HashMap::new(),
            befallen: BTreeMap::new(),
            kinds: BTreeMap::new(),
            calls: 0,
            digest: run.with_digest.then(Digest::default),
            quiet_until: None,
            ticks: 0,
            stirred: Vec::new(),
            requeued: Vec::new(),
        })))
    }

    /// The seams of the local cloud that they come in by.
    pub(crate) fn faults(&self) -> Faults {
        let (calls, deliveries) = (self.clone(), self.clone());
        Faults {
            of_calls: Arc::new(move |call| calls.state().of_call(call)),
            of_deliveries: Arc::new(move |parcel| deliveries.state().of_delivery(parcel)),
        }
    }

    /// From now on things go wrong, or nothing does any more.
    pub(crate) fn storm(&self, is_stormy: bool) {
        let mut state = self.state();
        if is_stormy {
            state.began = Instant::now();
        }
        state.is_stormy = is_stormy;
    }

    /// Leaves out runs of `reconcile` for so long, because they would find nothing.
    pub(crate) fn reconcile_in(&self, time: TimeDelta) {
        self.state().quiet_until = Some(Instant::now() + duration(time));
    }

    /// The people about whom somebody does something while a step of theirs is under way, each once.
    pub(crate) fn stirred(&self) -> Vec<Stirred> {
        std::mem::take(&mut self.state().stirred)
    }

    /// What `reconcile` put back on its queue, each once.
    pub(crate) fn requeued(&self) -> Vec<StepDue> {
        std::mem::take(&mut self.state().requeued)
    }

    /// All faults that befell something, in the order in which they did.
    pub(crate) fn befallen(&self) -> Vec<(Part, Befallen)> {
        let state = self.state();
        let mut befallen: Vec<_> = state.befallen.iter().map(|(at, what)| (Part::Fault(*at), what.clone())).collect();
        befallen.sort_by_key(|(_, what)| what.order);
        befallen
    }

    /// How often each kind of fault befell something.
    pub(crate) fn kinds(&self) -> BTreeMap<String, u64> {
        self.state().kinds.clone()
    }

    /// How many requests were made.
    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How often `reconcile` was run, or would have been if nothing had befallen its delivery.
    pub(crate) fn ticks(&self) -> u64 {
        self.state().ticks
    }

    /// The addresses of the requests that functions made while things went wrong, in order.
    pub(crate) fn called(&self) -> Vec<u64> {
        self.state().called.clone()
    }

    /// What all requests so far come to.
    pub(crate) fn digest(&self) -> Option<String> {
        self.state().digest.as_ref().map(Digest::told)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of_call(&mut self, call: &Call<'_>) -> Fate {
        self.calls += 1;
        let operation = operation_of(call.request);
        if let Some(digest) = &mut self.digest {
            digest.add(call.request);
        }
        if call.invocation.is_some_and(|invocation| &*invocation.function == "reconcile")
            && operation.name == "SendMessage"
        {
            self.requeued.extend(due_in(call.request.body()));
        }
        let Some(invocation) = call.invocation.filter(|_| self.is_stormy) else { return Fate::default() };
        let subject = self.subjects.of(&invocation.request_id, call.request);
        let what = format!("{} {} of {subject}", invocation.function, operation.name);
        let address = self.numbered(&what);
        self.called.push(address);
        if let Some(crash) = self.crashes.0.get(&address) {
            let fault = crash.fault(operation);
            self.befalls(address, &what, &format!("{fault:?}"));
            return Fate::from(Some(fault));
        }
        let mut rng = self.draws.of("call", address);
        let slowest = u64::try_from(self.climate.slowest_call.as_millis()).unwrap_or(1);
        let takes = Duration::from_millis(rng.u64(1..=slowest));
        let is_out = self.is_out(operation.service);
        let sends = matches!(operation.service, "sns" | "ses" | "voice-agent");
        let chance = self.climate.call_faults * if sends { MORE_WHERE_SENT } else { 1.0 };
        if !is_out && !happens(&mut rng, chance) {
            return Fate { takes, fault: None };
        }
        let fault = if is_out { outage(operation) } else { drawn(operation, self.climate.kills, &mut rng) };
        // An outage is a part of its own: what it does to single requests is not left out one by one.
        if !is_out && !self.befalls(address, &what, &format!("{fault:?}")) {
            return Fate { takes, fault: None };
        }
        self.count(kind(fault, is_out));
        Fate { takes, fault: Some(fault) }
    }

    fn of_delivery(&mut self, parcel: &Parcel<'_>) -> Option<Mishap> {
        if let Parcel::Tick { .. } = parcel {
            if let Some(quiet) = self.quiet() {
                return Some(Mishap::Late(quiet));
            }
            self.ticks += 1;
        }
        if !self.is_stormy {
            return None;
        }
        let what = self.subjects.of_parcel(parcel);
        let address = self.numbered(&what);
        if let Parcel::Message { .. } = parcel {
            self.stir(&what, address);
        }
        let mut rng = self.draws.of("delivery", address);
        if !happens(&mut rng, self.climate.mishaps) {
            return None;
        }
        let mishap = match weighted(&mut rng, &[(4, 'l'), (1, 'L'), (5, 't'), (1, 'T'), (1, 'x')])? {
            'l' => Mishap::Late(soon(&mut rng, TimeDelta::seconds(90))),
            'L' => Mishap::Late(soon(&mut rng, TimeDelta::minutes(25))),
            't' => Mishap::Twice(soon(&mut rng, TimeDelta::seconds(5))),
            'T' => Mishap::Twice(soon(&mut rng, TimeDelta::minutes(10))),
            _ => Mishap::Expired,
        };
        if !self.befalls(address, &what, &format!("{mishap:?}")) {
            return None;
        }
        self.count(match mishap {
            Mishap::Late(_) => "delivered late",
            Mishap::Twice(_) => "delivered twice",
            Mishap::Expired => "delivery expired",
        });
        Some(mishap)
    }

    /// While a step is under way somebody may do something about its lead.
    fn stir(&mut self, what: &str, message: u64) {
        let Some(person) = what.rsplit_once("lead ").and_then(|(_, number)| number.parse().ok()) else { return };
        let address = address(&["meanwhile", &message.to_string()]);
        // Who gets an email may unsubscribe at any time; only from their second one on they can.
        let is_emailed = what.starts_with("email ");
        let chance = self.climate.meddling * if is_emailed { 3.0 } else { 1.0 };
        let happens = happens(&mut self.draws.of("stir", address), chance);
        if happens && self.befalls(address, what, "meanwhile somebody does something about the lead") {
            self.stirred.push(Stirred { address, person, is_emailed });
            self.count("done about a lead meanwhile");
        }
    }

    /// How much later a run of `reconcile` comes that would find nothing: at its first turn at which it finds something. While things
    /// go wrong, what it has to find may come up meanwhile, so then it is not left out for long.
    fn quiet(&self) -> Option<TimeDelta> {
        let left = TimeDelta::from_std(self.quiet_until?.saturating_duration_since(Instant::now())).ok()?;
        let ticks = (left.num_milliseconds() + TICK.num_milliseconds() - 1).div_euclid(TICK.num_milliseconds());
        let ticks = if self.is_stormy { ticks.min(6) } else { ticks };
        (ticks > 0).then(|| TICK * i32::try_from(ticks).unwrap_or(i32::MAX))
    }

    fn is_out(&self, service: &str) -> bool {
        let now = self.began.elapsed();
        let outages = self.climate.outages.iter().enumerate();
        outages.filter(|(number, _)| self.parts.holds(&Part::Outage(*number))).any(|(_, outage)| {
            outage.service == service && (duration(outage.from)..duration(outage.until)).contains(&now)
        })
    }

    /// The address of the next request or delivery that is described so.
    fn numbered(&mut self, what: &str) -> u64 {
        let bare = address(&[what]);
        let count = self.counts.entry(bare).or_insert(0);
        *count += 1;
        address(&[what, &count.to_string()])
    }

    /// Notes that a fault befalls something, unless it is left out.
    fn befalls(&mut self, address: u64, what: &str, fault: &str) -> bool {
        if !self.parts.holds(&Part::Fault(address)) {
            return false;
        }
        let words = format!("{what}: {fault}");
        let befallen = Befallen { order: self.befallen.len(), at: self.began.elapsed(), words };
        self.befallen.insert(address, befallen);
        true
    }

    fn count(&mut self, kind: &str) {
        *self.kinds.entry(kind.to_owned()).or_insert(0) += 1;
    }
}

/// The step that a message puts on its queue.
fn due_in(body: &[u8]) -> Option<StepDue> {
    let sent: Value = serde_json::from_slice(body).ok()?;
    serde_json::from_str(sent.get("MessageBody")?.as_str()?).ok()
}

/// What an outage does to a request.
fn outage(operation: Operation) -> Fault {
    refusals(operation.service).iter().find(|refused| refused.status >= 500).map_or(Fault::Lost, |r| Fault::Refused(*r))
}

/// What goes wrong with a request that something befalls.
fn drawn(operation: Operation, kills: f64, rng: &mut fastrand::Rng) -> Fault {
    if happens(rng, kills) {
        return if rng.bool() { Fault::KilledBefore } else { Fault::KilledAfter };
    }
    let refused = super::draws::one_of(rng, refusals(operation.service)).copied();
    let (refuses, fails) = (refused.map(Fault::Refused), refused.filter(|refused| refused.status >= 500));
    let kinds = [
        (4, refuses),
        (2, fails.map(Fault::DoneButRefused)),
        (2, Some(Fault::Lost)),
        (2, Some(Fault::AnswerLost)),
        (1, Some(Fault::Hangs)),
        (1, Some(Fault::AnswerHangs)),
    ];
    weighted(rng, &kinds).flatten().unwrap_or(Fault::AnswerLost)
}

fn kind(fault: Fault, is_out: bool) -> &'static str {
    match fault {
        _ if is_out => "out of service",
        Fault::Refused(refused) if refused.status == 429 || refused.code.contains("hrottl") => "throttled",
        Fault::Refused(_) => "refused",
        Fault::DoneButRefused(_) => "done but reported as failed",
        Fault::Lost => "request lost",
        Fault::AnswerLost => "answer lost",
        Fault::Hangs => "hung",
        Fault::AnswerHangs => "done but hung",
        Fault::KilledBefore => "killed before",
        Fault::KilledAfter => "killed after",
    }
}
