//! Checks the names of AI agents. What agents there are only the voice agent's vendor knows, so what other steps name is all that tells a slip
//! of the pen.

use super::Known;
use crate::records::{
    Cadence, Step,
    problem::{Problem, closest, quoted},
};

/// Agents that no other step names, and whose name nearly is one that others do.
pub(super) fn check(cadence: &Cadence, known: &Known) -> Vec<Problem> {
    let others = known.cadences.values().filter(|other| other.id != cadence.id);
    let all: Vec<&str> = others.chain([cadence]).flat_map(|cadence| &cadence.steps).filter_map(agent).collect();
    let is_alone = |agent: &str| all.iter().filter(|other| **other == agent).count() == 1;
    let odd = cadence.steps.iter().enumerate().filter_map(|(index, step)| {
        let agent = agent(step).filter(|agent| is_alone(agent))?;
        let meant = closest(agent, all.iter().copied().filter(|other| *other != agent && !is_alone(other)))?;
        Some(Problem::warning(
            format!("steps[{index}].agent"),
            format!("No other step names the agent {}.", quoted(agent)),
            format!("Did you mean {}? If it is one of its own, leave it.", quoted(meant)),
        ))
    });
    odd.collect()
}

fn agent(step: &Step) -> Option<&str> {
    step.agent.as_deref()
}
