//! What happened, in words.

use std::fmt;

use stateright::Path;

use crate::{
    actions::{Action, Answer},
    decisions::Report,
    promises::Promise,
    protocol::Protocol,
    world::{Act, Claimed, Delivery, Due, Key, Next, Progress, State, StepDue, Try, Worker, World},
};

/// The path in words, a line for each thing that happened, and the promise that it breaks.
pub(crate) fn tell(protocol: &Protocol, path: Path<World, Action>) -> Vec<String> {
    let steps = path.into_vec();
    let happened = steps.windows(2).filter_map(|pair| Some(told(&pair[0].0, pair[0].1.as_ref()?, &pair[1].0)));
    let mut lines: Vec<String> = happened.collect();
    let Some((last, _)) = steps.last() else { return lines };
    if last.broken == Some(Promise::ComesToAnEnd) {
        lines.push("nothing more goes wrong:".to_owned());
        lines.extend(protocol.calm(last));
    }
    lines.extend(last.broken.map(|promise| format!("=> not so: {}", promise.as_str())));
    lines
}

impl Protocol {
    /// What happens where nothing more goes wrong, in words, and what two runs of `reconcile` make of it.
    fn calm(&self, world: &World) -> Vec<String> {
        let mut world = world.clone();
        let mut lines = Vec::new();
        while let Some((action, next)) = self.calm_step(&world) {
            lines.push(format!("  {}", told(&world, &action, &next)));
            world = next;
        }
        for _ in 0..2 {
            world = self.drained(self.reconciled(&world));
            let state = world
                .enrollments
                .iter()
                .map(|enrollment| format!("enrollment {} {}", enrollment.id + 1, enrollment.progress));
            lines.push(format!("  reconcile runs: {}", state.collect::<Vec<_>>().join(", ")));
        }
        lines
    }
}

fn told(before: &World, action: &Action, after: &World) -> String {
    match action {
        Action::Call { worker } => call(*worker, before, after),
        Action::CallUnanswered { worker, arrives } => {
            let fate = if *arrives { "which arrives" } else { "which gets lost" };
            let so = match after.workers[*worker] {
                Worker::Deliver(_) => "takes it for its own",
                Worker::Idle if after.queue == before.queue => "takes it for refused",
                _ => "ends in an error",
            };
            format!("{} gets no answer to its claim, {fate}, and {so}", name(*worker))
        }
        Action::Deliver { worker, answer } => {
            let how = match answer {
                Answer::Accepted => "it is accepted",
                Answer::Rejected => "it is rejected",
                Answer::Later => "it is certainly not sent, and may be later",
                Answer::Nothing { was_sent: true } => "it is sent, and nobody says so",
                Answer::Nothing { was_sent: false } => "it is not sent, and nobody says so",
            };
            let Worker::Deliver(Claimed { claim, .. }) = &before.workers[*worker] else { return String::new() };
            format!("{} delivers {}: {how}", name(*worker), claim.tried)
        }
        Action::Die { worker } => format!(
            "{} dies{}",
            name(*worker),
            if after.queue == before.queue { "" } else { ", so its message comes again" }
        ),
        Action::Schedule { again } => {
            let asked = before.stream[0];
            let set = match asked.set {
                Some((says, Due::Now)) => format!("queues {says}"),
                Some((says, Due::Later)) => format!("sets a timer for {says}"),
                Some((says, Due::Tomorrow)) => format!("sets a timer for tomorrow for {says}"),
                None => "needs nothing new".to_owned(),
            };
            format!("schedule {set}{}", twice(*again))
        }
        Action::Fire { timer, again } => format!("the timer fires for {}{}", timer.says, twice(*again)),
        Action::Receive { worker, message, again } => {
            let so = match &after.workers[*worker] {
                Worker::Load { .. } => "reads the enrollment",
                Worker::Record(..) => "finds a claim that ran out",
                _ => "finds nothing to do",
            };
            format!("{} is given the message for {message}{}, and {so}", name(*worker), twice(*again))
        }
        Action::Reconcile { worker, enrollment } => {
            let finds = match &after.workers[*worker] {
                Worker::Record(..) => "a claim that ran out",
                Worker::Commit { .. } => "that it may go on",
                _ => "what is overdue",
            };
            format!("{} reconciles enrollment {}, and finds {finds}", name(*worker), enrollment + 1)
        }
        Action::RunOut { enrollment } => format!("the lease on enrollment {} runs out", enrollment + 1),
        Action::Report { enrollment, report } => {
            let says = match report {
                Report::Ends => "the lead was reached".to_owned(),
                Report::Pauses => "there should be a pause".to_owned(),
                Report::NoAnswer(key) => format!("nobody answered {key}"),
            };
            let becomes = after.enrollment(*enrollment).progress;
            format!("somebody reports that {says}: enrollment {} {becomes}", enrollment + 1)
        }
        Action::OptOut => "the lead opts out".to_owned(),
        Action::LoseRecord => "the stream's record gets lost".to_owned(),
        Action::LoseTimer { timer } => format!("the timer for {} gets lost", timer.says),
        Action::LoseMessage { message } => format!("the message for {message} gets lost"),
    }
}

fn call(worker: usize, before: &World, after: &World) -> String {
    let then = &after.workers[worker];
    let does = match &before.workers[worker] {
        Worker::Load { .. } => match then {
            Worker::Claim { tried, .. } => format!("reads the lead: {tried} may be sent"),
            Worker::Commit { progress, .. } => format!("reads the lead: the enrollment {progress}"),
            _ => "reads the lead".to_owned(),
        },
        Worker::Claim { tried, .. } => match then {
            Worker::Deliver(_) => format!("claims {tried}"),
            _ => "is refused its claim, and reads again".to_owned(),
        },
        Worker::Record(claimed, delivery) => format!("records {} as {delivery}", claimed.claim.tried),
        Worker::Settle(claimed, delivery) => {
            let id = claimed.enrollment.id;
            let stored = after.enrollment(id);
            match before.enrollment(id) == stored {
                true => "can't settle its claim: the enrollment moved on".to_owned(),
                false => format!("settles the claim as {delivery}: enrollment {} {}", id + 1, stored.progress),
            }
        }
        Worker::Commit { enrollment, .. } => {
            let id = enrollment.id;
            match before.enrollment(id) == after.enrollment(id) {
                true => "can't write it, since it was decided on what no longer holds".to_owned(),
                false => format!("writes it: enrollment {} {}", id + 1, after.enrollment(id).progress),
            }
        }
        Worker::Requeue(message) => format!("queues {message} again"),
        Worker::Idle | Worker::Deliver(_) => String::new(),
    };
    format!("{} {does}", name(worker))
}

fn name(worker: usize) -> &'static str {
    ["A", "B"][worker]
}

fn twice(again: bool) -> &'static str {
    if again { " (and will again)" } else { "" }
}

impl fmt::Display for StepDue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generation {} of enrollment {}", self.generation, self.enrollment + 1)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}", self.step + 1)?;
        if self.round > 1 { write!(f, ", round {}", self.round) } else { Ok(()) }
    }
}

impl fmt::Display for Try {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        if self.number > 1 { write!(f, ", try {}", self.number) } else { Ok(()) }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Later => "not sent",
            Self::Unknown => "unsure",
        })
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = self.generation;
        match (self.state, self.next) {
            (State::Ended, _) | (_, None) => write!(f, "has ended (generation {generation})"),
            (state, Some(Next { act, tried, .. })) => {
                let is_next = match (state, act) {
                    (State::Parked, Act::Run) => "rests before",
                    (State::Parked, Act::ExpireHold) => "rests while it holds for",
                    (_, Act::Run) => "goes on to",
                    (_, Act::ExpireHold) => "holds for",
                };
                write!(f, "{is_next} {tried} (generation {generation})")
            }
        }
    }
}
