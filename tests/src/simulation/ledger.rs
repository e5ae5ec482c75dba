//! What the world's people were told: which of their words were taken. The checker holds the tables against it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cadence_core::{LeadId, Outcome, StepKey, TaskId, UserId, lead::OptOut};

use super::plan::Post;

/// What the world's people were told. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Told>>);

/// What they were told so far.
#[derive(Default)]
pub(crate) struct Told {
    /// Every answer to a webhook.
    pub(crate) webhooks: Vec<Webhook>,
    /// Every opt-out that was confirmed.
    pub(crate) opt_outs: Vec<Confirmed>,
    /// Every report that was sent, taken or not.
    pub(crate) reports: Vec<Report>,
    /// Every word on a task that was taken.
    pub(crate) completions: Vec<Completion>,
    /// The records that were edited last so that they can't be published.
    pub(crate) broken: BTreeMap<String, bool>,
    /// The people whom one webhook named together, by their numbers.
    pub(crate) named_together: Vec<Vec<usize>>,
}

/// A webhook and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    /// What was posted.
    pub(crate) post: Post,
    /// The answer's status.
    pub(crate) status: u16,
    /// The lead that the answer names.
    pub(crate) lead: Option<LeadId>,
    /// Where the leads table's stream ended when the answer came.
    pub(crate) at: i64,
}

/// An opt-out that was confirmed.
#[derive(Clone, Debug)]
pub(crate) struct Confirmed {
    /// Whose.
    pub(crate) lead: LeadId,
    /// What it closes.
    pub(crate) closes: OptOut,
    /// Where the leads table's stream ended when it was confirmed.
    pub(crate) at: i64,
}

/// A report on a step.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Whose.
    pub(crate) lead: LeadId,
    /// Which step.
    pub(crate) key: StepKey,
    /// What it says.
    pub(crate) outcome: Outcome,
    /// Whether it was taken for certain.
    pub(crate) is_taken: bool,
}

/// A user's word on a task.
#[derive(Clone, Debug)]
pub(crate) struct Completion {
    /// The task.
    pub(crate) task: TaskId,
    /// Whose word.
    pub(crate) user: UserId,
    /// What it says.
    pub(crate) outcome: Outcome,
}

impl Ledger {
    /// What they were told so far.
    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// The webhooks that got no other answer than that they can't be taken now, each once.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = &Webhook> {
        let failed = |webhook: &Webhook| webhook.status >= 500;
        self.webhooks.iter().enumerate().filter_map(move |(index, webhook)| {
            let mut same = self.webhooks.iter().enumerate().filter(|(_, other)| other.post.body == webhook.post.body);
            let is_first = same.clone().next().is_some_and(|(first, _)| first == index);
            (is_first && same.all(|(_, other)| failed(other))).then_some(webhook)
        })
    }

    /// The people who may be one lead with somebody: whoever was named together with them, and so on.
    pub(crate) fn household(&self, person: usize) -> Vec<usize> {
        let mut found = vec![person];
        let mut at = 0;
        while let Some(member) = found.get(at).copied() {
            at += 1;
            for names in self.named_together.iter().filter(|names| names.contains(&member)) {
                for name in names {
                    if !found.contains(name) {
                        found.push(*name);
                    }
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_is_everybody_who_was_named_with_somebody_of_it() {
        let told = Told { named_together: vec![vec![1, 2], vec![3, 4], vec![2, 5]], ..Told::default() };
        assert_eq!(told.household(5), [5, 2, 1]);
        assert_eq!(told.household(3), [3, 4]);
        assert_eq!(told.household(9), [9]);
    }
}
