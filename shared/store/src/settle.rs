//! Settle: a claimed try is recorded, its claim cleared, and the enrollment moved on.

use cadence_core::{
    Clock,
    change::Settlement,
    delivery::Delivery,
    enrollment::Claim,
    plan::{Action, StepContext},
    settle::settle_step,
};

use crate::{Committed, Store, StoreError, error::sorted, item, keys};

/// How often a settlement that lost a race is decided again before it is left to `reconcile`, which finds the attempt.
const ROUNDS: u32 = 8;

impl Store {
    /// Settles the try that `claim` was taken for. What happened meanwhile is read and heeded; a claim that is gone was settled already.
    pub async fn settle_claim(
        &self,
        mut context: StepContext,
        claim: &Claim,
        action: &Action,
        delivery: &Delivery,
        clock: &Clock,
    ) -> Result<Committed, StoreError> {
        context.enrollment.claim = Some(claim.clone());
        for _ in 0..ROUNDS {
            let settlement = settle_step(&context, claim, action, delivery.clone(), clock.now());
            if self.settle(&settlement).await? == Committed::Yes {
                return Ok(Committed::Yes);
            }
            context = self.load_step(&context.lead.id, &context.enrollment.id).await?;
            if context.enrollment.claim.as_ref().is_none_or(|held| held.id != claim.id) {
                return Ok(Committed::Yes);
            }
        }
        Ok(Committed::Stale)
    }

    /// Records the attempt, then clears its claim and moves the enrollment on, if that is still as it was read.
    ///
    /// The attempt is written first and by itself, so that whoever finds the claim later knows how it ended.
    pub async fn settle(&self, settlement: &Settlement) -> Result<Committed, StoreError> {
        let attempt = item::attempt(&settlement.attempt)?;
        let put = self.client.put_item().table_name(&self.leads).set_item(Some(attempt));
        put.send().await.map_err(|error| sorted("PutItem", error))?;

        let change = &settlement.change;
        if self.close_surplus(change).await? == Committed::Stale {
            return Ok(Committed::Stale);
        }
        let mut items = self.change_items(change, true)?;
        let returned = settlement.returns_touch.then(|| keys::touch_key(&settlement.attempt.claim));
        if let Some(lead) = self.lead_edit(change, returned)? {
            items.push(lead.item(&self.leads)?);
        }
        self.write(items).await
    }
}
