//! The deployed binaries, killed at random instants while leads flow: what is lost, and what happens twice?
//!
//! Everything is as it is deployed: each function a process that is served the Lambda Runtime API, real SDK clients over HTTP, state on
//! disk. SIGKILL falls on functions, most often in the middle of an invocation, and on the whole cloud. Time runs fast, so that leases,
//! visibilities and `reconcile` come round.

mod binaries;
mod flow;
mod report;
mod site;
mod verdict;

use std::{cell::Cell, collections::BTreeMap, path::PathBuf, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

pub use self::{binaries::built, report::Report, site::Pass, verdict::Verdict};
use self::{
    flow::{Taken, Vendor},
    site::Site,
};
use crate::Tested;

/// What is done, and with what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many processes are killed.
    pub kills: u32,
    /// What the instants and victims are drawn from.
    pub seed: u64,
    /// The folder of the functions' binaries, and of `cadence` itself.
    pub binaries: PathBuf,
    /// Where the state lies, and the log.
    pub data: PathBuf,
    /// How long to wait between two leads, in real time.
    pub lead_every: Duration,
}

/// How many times as fast as real time the clock runs: functions have three seconds, and `reconcile` comes every fifteen.
const SPEED: f64 = 20.0;
/// How long everything is down in the end: longer than what is lost is left alone.
const DOWN: TimeDelta = TimeDelta::minutes(15);
/// One kill in so many takes the whole cloud.
const CLOUD_ONE_IN: u32 = 8;
/// The longest wait between two kills.
const LONGEST_PAUSE: Duration = Duration::from_millis(1500);
/// How long after the morning work ends for the day, and how long everything is down then: leads are called until 19:30 in California, so that
/// what began before has come to its end.
const EVENING: TimeDelta = TimeDelta::hours(8);
const NIGHT: TimeDelta = TimeDelta::hours(16);
/// A Tuesday, 09:30 in Los Angeles.
const MORNING: &str = "2026-12-01T17:30:00Z";
/// No cadence takes longer to end by itself.
const LONGEST_CADENCE: TimeDelta = TimeDelta::hours(2);
/// How many passes may do something.
pub const PASSES: usize = 2;

/// Does it all, telling what is done.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Tested<Report> {
    let start: DateTime<Utc> = MORNING.parse()?;
    let site = Site::start(plan, start).await?;
    site.shorten_waits().await?;
    let vendor = Vendor::new(plan.seed, plan.lead_every);
    let over = Cell::new(false);
    tell(&format!("seed {}: leads flow, {} kills follow", plan.seed, plan.kills));
    let (killed, taken, told) = tokio::join!(
        async {
            let killed = kill_all(plan, &site, tell).await;
            over.set(true);
            killed
        },
        vendor.send(&site, &over),
        flow::users_act(plan.seed, &site, &over),
    );
    let (functions_killed, clouds_killed) = killed?;
    let (taken, told) = (taken?, told?);

    let down = if site.worked() > EVENING { NIGHT } else { DOWN };
    tell(&format!("the last kill takes everything down for {} minutes", down.num_minutes()));
    site.kill_cloud().await?;
    let before = site.passes().len();
    site.start_again(down).await?;
    let verdict = converge(&site, before, &taken, &told).await?;
    Ok(Report {
        functions_killed,
        invocations_killed: site.invocations_killed(),
        clouds_killed: clouds_killed + 1,
        passes: site.passes().split_off(before),
        verdict,
    })
}

/// Kills processes at random instants, and gives the functions whose processes they were and how often it was the whole cloud.
async fn kill_all(plan: &Plan, site: &Site, tell: &dyn Fn(&str)) -> Tested<(BTreeMap<String, u32>, u32)> {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let (mut functions, mut clouds, mut killed) = (BTreeMap::new(), 0, 0);
    while killed < plan.kills {
        pause(LONGEST_PAUSE.mul_f64(random.f64())).await;
        if random.u32(..CLOUD_ONE_IN) == 0 {
            site.kill_cloud().await?;
            let down = if site.worked() > EVENING { NIGHT } else { TimeDelta::seconds(random.i64(0..600)) };
            site.start_again(down).await?;
            clouds += 1;
        } else if let Some(function) = site.kill_function(&mut random).await? {
            *functions.entry(function).or_default() += 1;
        } else {
            continue;
        }
        killed += 1;
        if killed % 50 == 0 {
            tell(&format!("{killed} kills, the clock at {}", site.now()?.format("%Y-%m-%dT%H:%M:%SZ")));
        }
    }
    Ok((functions, clouds))
}

/// Waits for the passes that may do something and for every cadence's end, and looks at what there is.
async fn converge(site: &Site, before: usize, taken: &Taken, told: &[flow::Told]) -> Tested<Verdict> {
    let give_up = site.now()? + LONGEST_CADENCE;
    loop {
        pause(Duration::from_secs(1)).await;
        let passes = site.passes().len() - before;
        if passes > PASSES && verdict::all_ended(site).await? {
            // One more pass, over what is at its end.
            while site.passes().len() - before == passes {
                pause(Duration::from_secs(1)).await;
            }
            return Verdict::of(site, taken, told).await;
        }
        if site.now()? > give_up {
            let verdict = Verdict::of(site, taken, told).await?;
            return Err(format!("not everything has come to an end: {verdict}").into());
        }
    }
}

/// Lets real time pass: processes work in it, and are killed in it.
#[expect(clippy::disallowed_methods, reason = "processes that are killed run in real time")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
