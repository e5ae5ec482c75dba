//! Checks where the steps of a cadence lead: whether each is reached, and whether it all comes to an end.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};

use super::{
    Known,
    graph::{self, Graph, Place},
};
use crate::{
    CadenceId, Do, Outcome,
    records::{
        Cadence, OnOverdue, Status, Step, Target,
        problem::{Problem, all_of, one_of, quoted},
    },
};

pub(super) fn check(cadence: &Cadence, graph: &Graph<'_>, known: &Known) -> Vec<Problem> {
    let mut problems = never_so(cadence);
    problems.extend(too_late(cadence, graph));
    problems.extend(rounds(cadence, graph));
    problems.extend(rounds_of_cadences(cadence, graph, known));
    problems.extend(dead_ends(cadence, graph));
    problems.extend(unreached(cadence, graph));
    problems
}

/// Whatever an outcome leads to, with where the record says so.
fn said(cadence: &Cadence) -> impl Iterator<Item = (String, Outcome, &Target)> {
    let anytime = cadence.anytime.iter().map(|(outcome, target)| ("anytime".to_owned(), *outcome, target));
    let own = cadence.steps.iter().enumerate().flat_map(|(index, step)| {
        step.on.iter().map(move |(outcome, target)| (format!("steps[{index}].on"), *outcome, target))
    });
    let overdue = cadence.steps.iter().enumerate().filter_map(|(index, step)| match &step.on_overdue {
        Some(OnOverdue::Go(target)) => Some((format!("steps[{index}].on_overdue"), Outcome::Expired, target)),
        Some(OnOverdue::Assign(_)) | None => None,
    });
    let on = anytime.chain(own).map(|(map, outcome, target)| (format!("{map}.{}", outcome.as_str()), outcome, target));
    on.chain(overdue)
}

/// The cadences that outcomes lead to.
pub(super) fn targets(cadence: &Cadence, known: &Known) -> Vec<Problem> {
    let found = said(cadence).filter_map(|(path, _, target)| {
        let Target::Cadence(to) = target else { return None };
        if *to == cadence.id {
            let sentence = "This outcome leads back to this same cadence, which could go on without end.";
            return Some(Problem::error(path, sentence, "Name another cadence, or a step."));
        }
        match known.cadences.get(to).map(|cadence| cadence.status) {
            None => {
                let otherwise = "Publish that cadence first, or correct the name.";
                let absent = known.absent("CADENCE", to.as_str(), cadence.id.as_str(), otherwise);
                Some(Problem::error(path, absent.what + ".", absent.remedy))
            }
            Some(Status::Off | Status::Archived) => Some(Problem::warning(
                path,
                format!("The cadence {} takes no leads now, so this outcome just ends this one.", quoted(to.as_str())),
                "Set that cadence's status to \"live\", or name another.",
            )),
            Some(Status::Live | Status::Paused) => None,
        }
    });
    found.collect()
}

/// Outcomes that a step's `on` names and that it can't end in.
fn never_so(cadence: &Cadence) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, step) in cadence.steps.iter().enumerate() {
        for outcome in step.on.keys().filter(|outcome| !graph::ends_in(step, **outcome)) {
            let path = format!("steps[{index}].on.{}", outcome.as_str());
            let (sentence, remedy) = match outcome.can_end(step.action) {
                false => (
                    format!("A step that does \"{}\" never ends in \"{}\".", step.action.as_str(), outcome.as_str()),
                    format!("Remove it. It can end in {}.", one_of(endings(step.action))),
                ),
                true => (
                    "The step doesn't wait for its outcome, so it never ends in \"expired\".".to_owned(),
                    "Add \"hold\", which says how long it waits, or remove this.".to_owned(),
                ),
            };
            problems.push(Problem::warning(path, sentence, remedy));
        }
    }
    problems
}

fn endings(action: Do) -> impl Iterator<Item = &'static str> {
    Outcome::BY_STRENGTH.into_iter().filter(move |outcome| outcome.can_end(action)).map(Outcome::as_str)
}

/// Jumps back from a step that doesn't wait for its outcome.
fn too_late(cadence: &Cadence, graph: &Graph<'_>) -> Vec<Problem> {
    // What `anytime` says may come in time from another step.
    let unheeded = graph.too_late.iter().filter(|(said, _)| graph.ways().all(|way| way.said.as_ref() != Some(*said)));
    let found = unheeded.filter_map(|(said, (from, outcome))| {
        let step = cadence.steps.get(*from)?;
        Some(Problem::warning(
            said.path(),
            format!(
                "When \"{}\" ends in \"{}\" the cadence has gone on, and then it may only jump forward, so this does nothing.",
                step.id,
                outcome.as_str()
            ),
            "Name a later step, or add \"hold\" to the step, so that it waits for its outcome.",
        ))
    });
    found.collect()
}

/// Outcomes that lead back to one step, from one `on` or from `anytime`.
struct Back {
    path: String,
    outcomes: BTreeSet<&'static str>,
    round: String,
    goes_by_itself: bool,
}

/// Rounds that steps can make within the cadence.
fn rounds(cadence: &Cadence, graph: &Graph<'_>) -> Vec<Problem> {
    let reached = graph.reached(|_| true);
    let mut found: BTreeMap<(Option<usize>, usize), Back> = BTreeMap::new();
    for way in graph.ways().filter(|way| reached.contains(&way.from)) {
        let (Place::Step(to), Some(said)) = (&way.to, &way.said) else { continue };
        if *to > way.from {
            continue;
        }
        let by_itself = way.goes_by_itself.then(|| graph.route(*to, way.from, |way| way.goes_by_itself)).flatten();
        let goes_by_itself = by_itself.is_some();
        let Some(route) = by_itself.or_else(|| graph.route(*to, way.from, |_| true)) else { continue };
        let names = route.iter().chain([to]).filter_map(|step| cadence.steps.get(*step)).map(|step| step.id.as_str());
        let round = round(names);
        let back = || Back { path: said.path(), outcomes: BTreeSet::new(), round, goes_by_itself };
        let known = match found.entry((said.step, *to)) {
            Entry::Occupied(worse) if worse.get().goes_by_itself || !goes_by_itself => worse.into_mut(),
            Entry::Occupied(mut milder) => {
                milder.insert(back());
                milder.into_mut()
            }
            Entry::Vacant(none) => none.insert(back()),
        };
        if goes_by_itself == known.goes_by_itself {
            known.outcomes.insert(said.named.as_str());
        }
    }
    found.into_values().map(Back::into_problem).collect()
}

impl Back {
    fn into_problem(self) -> Problem {
        let lead = match self.outcomes.len() {
            0 | 1 => "This leads back",
            _ => &format!("{} lead back", all_of(self.outcomes)),
        };
        match self.goes_by_itself {
            true => Problem::error(
                self.path,
                format!("{lead}, so the cadence could go round without end: {}.", self.round),
                "Lead to a later step or to \"end\" instead; to repeat one step a few times, use \"attempts\" and \"every\".",
            ),
            false => Problem::warning(
                self.path,
                format!("{lead}, so the cadence goes round each time that happens: {}.", self.round),
                "Make sure that this is meant; else lead to a later step or to \"end\".",
            ),
        }
    }
}

/// Rounds that a lead can make over several cadences.
fn rounds_of_cadences(cadence: &Cadence, graph: &Graph<'_>, known: &Known) -> Vec<Problem> {
    let takes_leads = |id: &CadenceId| {
        let other = known.cadences.get(id).filter(|_| *id != cadence.id);
        other.filter(|other| matches!(other.status, Status::Live | Status::Paused))
    };
    let exits = graph::exits(cadence);
    let mut problems = Vec::new();
    for (first, goes_by_itself) in &exits {
        let (Some(path), true) = (path_to(graph, first), takes_leads(first).is_some()) else { continue };
        let back = |only_by_itself: bool| way_back(&cadence.id, first, &takes_leads, only_by_itself);
        let by_itself = if *goes_by_itself { back(true) } else { None };
        let is_error = by_itself.is_some();
        let Some(route) = by_itself.or_else(|| back(false)) else { continue };
        let names = [&cadence.id].into_iter().chain(&route).chain([&cadence.id]).map(CadenceId::as_str);
        let round = round(names);
        problems.push(match is_error {
            true => Problem::error(
                path,
                format!("This cadence and others could hand a lead on to each other without end: {round}."),
                "Let one of them end instead.",
            ),
            false => Problem::warning(
                path,
                format!("A lead can go round between cadences, though not by itself: {round}."),
                "Make sure that this is meant; else let one of them end instead.",
            ),
        });
    }
    problems
}

/// Where the record first leads into that cadence.
fn path_to(graph: &Graph<'_>, to: &CadenceId) -> Option<String> {
    let way = graph.ways().find(|way| way.to == Place::Cadence(to.clone()))?;
    way.said.map(|said| said.path())
}

/// The cadences on the shortest way from one to the cadence that is checked.
fn way_back<'a>(
    home: &CadenceId,
    first: &CadenceId,
    takes_leads: &impl Fn(&CadenceId) -> Option<&'a Cadence>,
    only_by_itself: bool,
) -> Option<Vec<CadenceId>> {
    let mut seen = BTreeSet::from([first.clone()]);
    let mut open = VecDeque::from([vec![first.clone()]]);
    while let Some(route) = open.pop_front() {
        let Some(cadence) = route.last().and_then(takes_leads) else { continue };
        for (to, goes_by_itself) in graph::exits(cadence) {
            if only_by_itself && !goes_by_itself {
                continue;
            }
            if to == *home {
                return Some(route);
            }
            if seen.insert(to.clone()) {
                open.push_back(route.iter().cloned().chain([to]).collect());
            }
        }
    }
    None
}

/// A step that is reached, and from which nothing leads to the end.
fn dead_ends(cadence: &Cadence, graph: &Graph<'_>) -> Option<Problem> {
    let ending = graph.ending();
    let stuck = graph.reached(|_| true).into_iter().find(|step| !ending.contains(step))?;
    let step = cadence.steps.get(stuck)?;
    Some(Problem::error(
        format!("steps[{stuck}]"),
        format!("Once \"{}\" runs, no outcome of any step leads to the end of the cadence any more.", step.id),
        "Let one of the outcomes lead to \"end\", or to a step from which the end is reached.",
    ))
}

fn unreached(cadence: &Cadence, graph: &Graph<'_>) -> Vec<Problem> {
    let reached = graph.reached(|_| true);
    let unreached = cadence.steps.iter().enumerate().filter(|(index, _)| !reached.contains(index));
    let problem = |(index, step): (usize, &Step)| {
        Problem::warning(
            format!("steps[{index}]"),
            format!("Nothing leads to \"{}\": every outcome of the steps before it leads elsewhere.", step.id),
            "Let an outcome lead to it, or remove the step.",
        )
    };
    unreached.map(problem).collect()
}

/// As many names as fit into a sentence.
const SHOWN: usize = 8;

/// `a -> b -> a`.
fn round<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [first @ .., a, b] if names.len() > SHOWN => {
            let first: Vec<&str> = first.iter().take(SHOWN - 2).copied().collect();
            format!("{} -> ... -> {a} -> {b}", first.join(" -> "))
        }
        names => names.join(" -> "),
    }
}
