//! One world: a whole deployment on one thread, in virtual time, and what its plan says happens in it.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_config::{Region, SdkConfig};
use cadence_boot::Boot;
use cadence_local::{Cloud, CloudError, Options, Pace, database::Image, deployment, faults::Faults};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;

use super::{
    Bug, Run,
    checker::Checker,
    draws::{duration, one_of},
    fates::Fates,
    hands::Hands,
    ledger::Ledger,
    part::Part,
    plan::{Deed, Plan},
    violation::{Held, Invariant, Violation},
};
use crate::Tested;

/// A world that goes on.
pub(crate) struct World {
    plan: Plan,
    cloud: Cloud,
    fates: Fates,
    hands: Hands,
    checker: Checker,
    deliveries: JoinSet<Result<(), CloudError>>,
    doings: JoinSet<Tested>,
    began: DateTime<Utc>,
    /// The deeds that are still to be done, the next one last.
    deeds: Vec<Deed>,
    done: Vec<Part>,
    polls: u64,
    /// Until then `reconcile` runs each time that it may.
    awake_until: DateTime<Utc>,
    /// What a planted bug breaks: nothing else is looked for.
    sought: Option<Invariant>,
}

/// What a fresh deployment holds. Every world begins with it, so that its records are published once.
static DEPLOYED: OnceLock<Image> = OnceLock::new();
/// When it was deployed: before any world begins.
const DEPLOYED_AT: i64 = 1_795_000_000;
/// Tells the worlds of one process apart.
static WORLDS: AtomicU64 = AtomicU64::new(0);
/// How long after the last fault a world must have come to rest: a cadence may lead back to its first step fifty times.
const RESTS_WITHIN: TimeDelta = TimeDelta::days(3 * 365);
/// How long after it people still answer calls: cadences may lead into each other for as long as they do.
const TIRES_WITHIN: TimeDelta = TimeDelta::days(60);
/// A world that is looked at more often than that goes round in circles.
const MOST_POLLS: u64 = 3_000_000;
/// How often a world is looked at that waits for nothing but people who are to be reopened.
const TICK: TimeDelta = TimeDelta::minutes(5);

impl World {
    /// The world of that plan, with what ops begin with and nothing wrong yet.
    pub(crate) async fn begin(plan: Plan, run: &Run) -> Tested<Self> {
        let fates = Fates::new(plan.draws, plan.climate.clone(), run);
        let image = deployed().await?;
        // What the SDK's clients draw is drawn from this thread's generator: jitter, tokens, ids.
        fastrand::seed(run.seed);
        let cloud = Cloud::open_image(&image, options(plan.start, Some(fates.faults())))?;
        let boot = deployment::boot(&cloud);
        let mut boot = Boot { aws: of_this_world(&boot.aws), ..boot };
        if let Some(bug) = run.planted {
            let cloud = cloud.clone();
            boot.aws = bug.plant(&boot.aws, move || cloud.now())?;
        }
        let users = deployment::deploy_with(&cloud, &boot).await?;
        let ledger = Ledger::default();
        let hands = Hands {
            cloud: cloud.clone(),
            dynamo: aws_sdk_dynamodb::Client::new(&boot.aws),
            users,
            people: plan.people.clone(),
            draws: plan.draws,
            ledger: ledger.clone(),
        };
        for record in &plan.records {
            hands.put(record).await?;
            cloud.run_ready().await?;
        }
        let checker = Checker::new(cloud.clone(), ledger, plan.people.clone());
        let began = cloud.now();
        let deeds = plan.deeds.iter().rev().filter(|deed| run.parts.holds(&Part::Deed(deed.number))).cloned().collect();
        let (deliveries, doings) = (JoinSet::new(), JoinSet::new());
        let (done, awake_until, sought) = (Vec::new(), began, run.planted.map(Bug::breaks));
        let polls = 0;
        Ok(Self {
            plan,
            cloud,
            fates,
            hands,
            checker,
            deliveries,
            doings,
            began,
            deeds,
            done,
            polls,
            awake_until,
            sought,
        })
    }

    /// Lets everything happen: first with faults, then without until it rests; then nothing must change any more.
    pub(crate) async fn run(&mut self) -> Held {
        self.fates.storm(true);
        let end = self.began + self.plan.lasts;
        self.until(|world| world.deeds.is_empty() && world.cloud.now() >= end).await?;
        self.fates.storm(false);
        self.checker.calm_since = Some(self.cloud.now());
        self.until(|world| world.doings.is_empty()).await?;
        self.hands.posts_what_failed().await?;
        self.hands.reopens().await?;
        // What rested for that is let go on.
        self.awake_until = self.cloud.now() + TICK * 3;
        let tires_at = self.cloud.now() + TIRES_WITHIN;
        self.until(|world| world.is_at_rest() || world.cloud.now() > tires_at).await?;
        self.hands.tire()?;
        let limit = self.cloud.now() + RESTS_WITHIN;
        self.until(|world| world.is_at_rest() || world.cloud.now() > limit).await?;
        if !self.is_at_rest() {
            let running = self.checker.resting_and_running().1;
            return Err(Violation::of(Invariant::Alive, format!("{running} enrollments still run at {limit}")));
        }
        self.until(|world| world.deliveries.is_empty()).await?;
        let at_rest = self.checker.at_rest();
        self.minding(at_rest)?;
        let settled = self.reconcile_twice().await;
        self.minding(settled)
    }

    /// Minds only what is sought, if a bug is.
    fn minding(&self, held: Held) -> Held {
        held.or_else(|broken| match self.sought {
            Some(sought) if broken.invariant != sought => Ok(()),
            Some(_) | None => Err(broken),
        })
    }

    /// What was found of it.
    pub(crate) fn checker(&self) -> &Checker {
        &self.checker
    }

    /// What befell it.
    pub(crate) fn fates(&self) -> &Fates {
        &self.fates
    }

    /// The deeds that were done and the outages that were planned: what else of it can be left out.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let outages = (0..self.plan.climate.outages.len()).map(Part::Outage);
        self.done.iter().copied().chain(outages).collect()
    }

    /// What that part of it is, in words.
    pub(crate) fn words(&self, part: &Part) -> Option<String> {
        match part {
            Part::Deed(number) => {
                let deed = self.plan.deeds.iter().find(|deed| deed.number == *number)?;
                Some(format!("{} {:?}", told(deed.at), deed.what))
            }
            Part::Outage(number) => {
                let outage = self.plan.climate.outages.get(*number)?;
                Some(format!("{} {} is out until {}", told(outage.from), outage.service, told(outage.until)))
            }
            Part::Fault(_) => {
                let befallen = self.fates.befallen();
                let (_, befallen) = befallen.iter().find(|(fault, _)| fault == part)?;
                let at = TimeDelta::from_std(befallen.at).unwrap_or_default();
                Some(format!("{} {}", told(at), befallen.words))
            }
        }
    }

    async fn until(&mut self, is_over: impl Fn(&Self) -> bool) -> Held {
        loop {
            self.start_what_is_ready()?;
            let looked = self.checker.look().and_then(|()| self.checker.requeued(&self.fates.requeued()));
            self.minding(looked)?;
            self.fates.reconcile_in(self.reconcile_in());
            if is_over(self) {
                return Ok(());
            }
            self.wait().await?;
        }
    }

    fn start_what_is_ready(&mut self) -> Held {
        let now = self.cloud.now();
        while let Some(deed) = self.deeds.pop_if(|deed| self.began + deed.at <= now) {
            self.done.push(Part::Deed(deed.number));
            self.doings.spawn(self.hands.clone().does(deed));
        }
        loop {
            let ready = self.cloud.take_ready()?;
            if ready.is_empty() {
                return Ok(());
            }
            for delivery in ready {
                self.deliveries.spawn(delivery);
            }
            // What comes between what a function reads and what it writes comes within some requests of it.
            let within = self.plan.climate.slowest_call * 3;
            for stirred in self.fates.stirred() {
                let rng = self.plan.draws.of("meanwhile", stirred.address);
                self.doings.spawn(self.hands.clone().meanwhile(stirred, within, rng));
            }
        }
    }

    /// Waits until something is over, or is ready.
    async fn wait(&mut self) -> Held {
        let until = self.wakes_in()?;
        tokio::select! {
            biased;
            Some(ended) = self.deliveries.join_next() => match ended {
                Ok(ended) => Ok(ended?),
                Err(error) => Err(Violation::of(Invariant::Alive, format!("a function panicked: {error}"))),
            },
            Some(ended) = self.doings.join_next() => match ended {
                Ok(ended) => Ok(ended?),
                Err(error) => Err(Violation::of(Invariant::Alive, format!("somebody panicked: {error}"))),
            },
            () = pass(until) => Ok(()),
        }
    }

    fn wakes_in(&mut self) -> Result<Duration, Violation> {
        let now = self.cloud.now();
        let deed = self.deeds.last().map(|deed| self.began + deed.at);
        // What is at work makes something ready now and then; how soon that is seen differs, as pollers do.
        let is_at_work = !self.deliveries.is_empty() || !self.doings.is_empty();
        self.polls += 1;
        if self.polls > MOST_POLLS {
            return Err(Violation::of(Invariant::Alive, format!("the world goes on and on; it is {now}")));
        }
        let mut rng = self.plan.draws.of("poll", self.polls);
        let poll = one_of(&mut rng, &[1, 20, 120, 250]).copied().map(TimeDelta::milliseconds).filter(|_| is_at_work);
        let next = [self.cloud.next_due_at()?, deed, poll.map(|poll| now + poll)];
        let next = next.into_iter().flatten().min().unwrap_or(now + TICK);
        Ok(duration(next - now).max(Duration::from_millis(1)))
    }

    /// How long it takes until `reconcile` has something to look at.
    fn reconcile_in(&self) -> TimeDelta {
        let (resting, _) = self.checker.resting_and_running();
        let now = self.cloud.now();
        if now < self.awake_until {
            return TimeDelta::zero();
        }
        let looked_for = self.checker.reconcile_at().map_or(RESTS_WITHIN, |at| (at - now).max(TimeDelta::zero()));
        // What rests is looked at each time; in a simulation four times a day will do.
        if resting > 0 { looked_for.min(TimeDelta::hours(6)) } else { looked_for }
    }

    fn is_at_rest(&self) -> bool {
        let now = self.cloud.now();
        now >= self.awake_until
            && self.checker.resting_and_running().1 == 0
            && self.deliveries.is_empty()
            && self.doings.is_empty()
            // A call may be told of long after its step is over; what that writes must not be taken for what `reconcile` does.
            && self.cloud.reports_due(now + TICK * 6).is_ok_and(|reports| reports == 0)
    }

    /// After all is delivered and `reconcile` has run, a second run changes nothing.
    async fn reconcile_twice(&mut self) -> Held {
        let mut before = self.written_until()?;
        for pass in 1..=2 {
            self.fates.reconcile_in(TimeDelta::zero());
            // One that was left out comes hours later. What a run writes is in the stream a moment after it.
            let mut ends = None;
            let ticks = self.fates.ticks();
            while ends.is_none_or(|ends| self.cloud.now() < ends) || !self.deliveries.is_empty() {
                if self.fates.ticks() > ticks {
                    ends.get_or_insert(self.cloud.now() + TimeDelta::seconds(30));
                }
                self.start_what_is_ready()?;
                self.wait().await?;
            }
            self.checker.look()?;
            let after = self.written_until()?;
            if pass == 2 && before != after {
                let [leads, config] = before;
                let mut written = self.cloud.written(deployment::LEADS, leads)?;
                written.extend(self.cloud.written(deployment::CONFIG, config)?);
                let items: Vec<String> = written.iter().map(|item| format!("{} {}", item.pk, item.sk)).collect();
                return Err(Violation::of(Invariant::Settled, format!("it wrote {}", items.join(", "))));
            }
            before = after;
        }
        Ok(())
    }

    /// The places of the last writes of both tables.
    fn written_until(&self) -> Result<[i64; 2], Violation> {
        Ok([self.cloud.last_written(deployment::LEADS)?, self.cloud.last_written(deployment::CONFIG)?])
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.cloud.close();
    }
}

async fn deployed() -> Tested<Image> {
    if let Some(image) = DEPLOYED.get() {
        return Ok(image.clone());
    }
    let cloud = Cloud::open(options(DateTime::from_timestamp(DEPLOYED_AT, 0).unwrap_or_default(), None))?;
    deployment::deploy(&cloud).await?;
    let image = cloud.image()?;
    cloud.close();
    Ok(DEPLOYED.get_or_init(|| image).clone())
}

fn options(start: DateTime<Utc>, faults: Option<Faults>) -> Options {
    Options {
        endpoint: "http://127.0.0.1:7878".to_owned(),
        start,
        // The runtime's time is paused: it goes on when everybody waits, to the next instant that somebody waits for.
        pace: Pace::Times(1.0),
        data: None,
        faults,
    }
}

#[expect(clippy::disallowed_methods, reason = "time passes by being waited for")]
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Clients share what retries they have left with all others of their region in the process, so each world is in a region of its own.
fn of_this_world(aws: &SdkConfig) -> SdkConfig {
    let region = format!("world-{}", WORLDS.fetch_add(1, Ordering::Relaxed));
    aws.to_builder().region(Region::new(region)).build()
}

/// A length of time since the start: `1d 02:03:04.005`.
fn told(time: TimeDelta) -> String {
    let (days, seconds) = (time.num_days(), time.num_seconds() % 86_400);
    let millis = time.num_milliseconds() % 1000;
    format!("{days}d {:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
