//! A cadence as a graph: where each way that a step can end leads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    CadenceId, Outcome,
    course::{self, Field, Rule},
    records::{Cadence, Step, Target},
};

/// Where a way leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// To the step at that place in the list.
    Step(usize),
    /// To the end.
    End,
    /// Into another cadence.
    Cadence(CadenceId),
}

/// One way from a step.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The step that it leads from.
    pub(super) from: usize,
    /// Where it leads.
    pub(super) to: Place,
    /// Where the record says so; `None` where it says nothing, and the next step follows.
    pub(super) said: Option<Said>,
    /// Whether it may be taken again and again though neither lead nor user does anything about it.
    pub(super) goes_by_itself: bool,
}

/// Where a record says what an outcome leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    /// The step that says so itself; `None` where the cadence does.
    pub(super) step: Option<usize>,
    field: Field,
    /// The outcome that is named there.
    pub(super) named: Outcome,
}

impl Said {
    fn of(step: usize, rule: Rule<'_>) -> Self {
        Self { step: (rule.field != Field::Anytime).then_some(step), field: rule.field, named: rule.named }
    }

    pub(super) fn path(self) -> String {
        match self.step {
            Some(step) if self.field == Field::OnOverdue => format!("steps[{step}].on_overdue"),
            Some(step) => format!("steps[{step}].on.{}", self.named.as_str()),
            None => format!("anytime.{}", self.named.as_str()),
        }
    }
}

/// Where each way that a step can end leads.
pub(super) struct Graph<'a> {
    cadence: &'a Cadence,
    ways: Vec<Vec<Way>>,
    /// Jumps back that come too late to be heeded: where the record asks for them.
    pub(super) too_late: BTreeMap<Said, (usize, Outcome)>,
}

impl<'a> Graph<'a> {
    pub(super) fn of(cadence: &'a Cadence) -> Self {
        let mut graph = Self { cadence, ways: Vec::new(), too_late: BTreeMap::new() };
        for (from, step) in cadence.steps.iter().enumerate() {
            let ways = graph.ways_of(from, step);
            graph.ways.push(ways);
        }
        graph
    }

    fn ways_of(&mut self, from: usize, step: &Step) -> Vec<Way> {
        let next = self.after(from);
        let holds = step.hold().is_some();
        let mut ways = Vec::new();
        if !holds {
            ways.push(Way { from, to: next.clone(), said: None, goes_by_itself: true });
        }
        for outcome in Outcome::BY_STRENGTH.into_iter().filter(|outcome| ends_in(step, *outcome)) {
            // Whether the enrollment still stands at the step when it ends so. A later outcome may only jump forward.
            let is_current = holds || matches!(outcome, Outcome::Skipped | Outcome::Failed | Outcome::Unknown);
            let rule = course::rule_of(self.cadence, step, outcome);
            let said = rule.map(|rule| Said::of(from, rule));
            let (to, needs_person) = match rule.map(|rule| rule.target) {
                None | Some(Target::Next) if is_current => (next.clone(), false),
                None | Some(Target::Next) => continue,
                Some(Target::End) => (Place::End, false),
                // Somebody resumes it, with the step after.
                Some(Target::Pause) => (next.clone(), true),
                Some(Target::Cadence(id)) => (Place::Cadence(id.clone()), false),
                Some(Target::Step(id)) => match self.cadence.position(id) {
                    Some(to) if is_current || to > from => (Place::Step(to), false),
                    Some(_) => {
                        self.too_late.extend(said.map(|said| (said, (from, outcome))));
                        continue;
                    }
                    None => continue,
                },
            };
            let goes_by_itself = !needs_person && !outcome.is_leads_doing();
            ways.push(Way { from, to, said, goes_by_itself });
        }
        ways
    }

    fn after(&self, step: usize) -> Place {
        match step + 1 < self.cadence.steps.len() {
            true => Place::Step(step + 1),
            false => Place::End,
        }
    }

    /// Every way.
    pub(super) fn ways(&self) -> impl Iterator<Item = &Way> {
        self.ways.iter().flatten()
    }

    /// The steps that are reached from the first, on ways of that kind.
    pub(super) fn reached(&self, kind: fn(&Way) -> bool) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut open = vec![0];
        while let Some(step) = open.pop() {
            if reached.insert(step) {
                open.extend(self.onward(step, kind));
            }
        }
        reached
    }

    /// The steps of a kind that may be the first of that kind to run.
    pub(super) fn firsts(&self, is_one: impl Fn(&Step) -> bool) -> BTreeSet<usize> {
        let is_one = |step: &usize| self.cadence.steps.get(*step).is_some_and(&is_one);
        let mut seen = BTreeSet::new();
        let mut open = vec![0];
        while let Some(step) = open.pop() {
            if seen.insert(step) && !is_one(&step) {
                open.extend(self.onward(step, |_| true));
            }
        }
        seen.retain(is_one);
        seen
    }

    /// The steps from which the end, or another cadence, is reached.
    pub(super) fn ending(&self) -> BTreeSet<usize> {
        let mut ending = BTreeSet::new();
        loop {
            let known = ending.len();
            // From the last on, since most ways lead forward.
            for way in self.ways.iter().rev().flatten() {
                let leads_there = match &way.to {
                    Place::Step(to) => ending.contains(to),
                    Place::End | Place::Cadence(_) => true,
                };
                if leads_there {
                    ending.insert(way.from);
                }
            }
            if ending.len() == known {
                return ending;
            }
        }
    }

    /// The shortest way from one step to another, both named, on ways of that kind.
    pub(super) fn route(&self, from: usize, to: usize, kind: fn(&Way) -> bool) -> Option<Vec<usize>> {
        let mut came_from = BTreeMap::from([(from, from)]);
        let mut open = VecDeque::from([from]);
        while let Some(step) = open.pop_front() {
            if step == to {
                let mut route = vec![to];
                let mut step = to;
                while step != from {
                    step = *came_from.get(&step)?;
                    route.push(step);
                }
                route.reverse();
                return Some(route);
            }
            for next in self.onward(step, kind) {
                came_from.entry(next).or_insert_with(|| {
                    open.push_back(next);
                    step
                });
            }
        }
        None
    }

    fn onward(&self, step: usize, kind: fn(&Way) -> bool) -> impl Iterator<Item = usize> {
        let ways = self.ways.get(step).into_iter().flatten();
        ways.filter(move |way| kind(way)).filter_map(|way| match way.to {
            Place::Step(to) => Some(to),
            Place::End | Place::Cadence(_) => None,
        })
    }
}

/// The other cadences that a lead may come into from this one; true where that may go by itself.
pub(super) fn exits(cadence: &Cadence) -> BTreeMap<CadenceId, bool> {
    let graph = Graph::of(cadence);
    let (by_itself, at_all) = (graph.reached(|way| way.goes_by_itself), graph.reached(|_| true));
    let mut exits = BTreeMap::new();
    for way in graph.ways().filter(|way| at_all.contains(&way.from)) {
        if let Place::Cadence(to) = &way.to {
            *exits.entry(to.clone()).or_insert(false) |= way.goes_by_itself && by_itself.contains(&way.from);
        }
    }
    exits
}

/// Whether a step can end so.
pub(super) fn ends_in(step: &Step, outcome: Outcome) -> bool {
    outcome.can_end(step.action) && (outcome != Outcome::Expired || step.hold().is_some())
}
