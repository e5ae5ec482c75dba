//! A lead in the middle of a cadence, with a text due and nothing of it delivered.

use cadence_core::{
    Channel, ClaimId, EnrollmentId, LeadId,
    delivery::Delivery,
    enrollment::StepDue,
    plan::{Plan, StepPlan, StepReport, plan_step},
    task::TaskKind,
};
use cadence_store::{Claimed, Refused, keys};
use cadence_tests::{Moment, Tested, World, local::deployment::LEADS, step};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// What the loan officer got of the call.
pub(crate) const NOTICE: &str = "email riley@example.com";
/// What the lead gets of the text.
pub(crate) const TEXT: &str = "sms +14155550123";
/// What the lead gets of the email that follows after 20 minutes.
pub(crate) const MAIL: &str = "email lc-1@example.com";

/// Long enough for all that follows the text.
pub(crate) const THE_REST: TimeDelta = TimeDelta::minutes(25);

/// What comes of the text when it is sent: it is second in the outbox, after the notice.
pub(crate) fn texted() -> StepReport {
    StepReport::Settled(Delivery::Accepted { vendor_id: "sms-2".to_owned() })
}

/// A lead who is about to be texted, while its loan officer's task to call is open.
pub(crate) struct AboutToText {
    pub(crate) world: World,
    pub(crate) lead: LeadId,
    pub(crate) id: EnrollmentId,
    /// What the queue says of the text.
    pub(crate) due: StepDue,
}

impl AboutToText {
    /// The call's bad number leads to the email, its decline to a rest.
    pub(crate) async fn start() -> Tested<Self> {
        Self::followed_by(step("canned_email", "mail", "20m")).await
    }

    /// The same, with that step, named `mail`, instead of the email.
    pub(crate) async fn followed_by(then: Value) -> Tested<Self> {
        let on = json!({ "bad_number": "mail", "declined": "pause" });
        Self::in_world(World::start().await?, on, then, |_| {}).await
    }

    /// In that world, where the call's outcomes lead there, with a lead that the webhook tells a little differently.
    pub(crate) async fn in_world(
        world: World,
        on: Value,
        then: Value,
        change: impl FnOnce(&mut Value),
    ) -> Tested<Self> {
        let mut call = step("dial", "call", "0m");
        call["on"] = on;
        world.give_steps([call, step("canned_sms", "text", "0m"), then]).await?;
        let mut body = world.zillow_lead("LC-1", "415-555-0123");
        change(&mut body);
        let taken = world.post_lead("zillow", &body).await?.body;
        let id = |name: &str| taken[name].as_str().unwrap_or_default().to_owned();
        let (lead, id) = (LeadId::new(id("lead")), EnrollmentId::new(id("enrollment")));
        let call = world.step_due(&lead, &id).await?;
        assert!(matches!(world.run(Channel::Call, &call).await??, StepReport::Settled(_)));
        let due = world.step_due(&lead, &id).await?;
        Ok(Self { world, lead, id, due })
    }

    pub(crate) async fn plan(&self) -> Tested<Box<StepPlan>> {
        let context = self.world.store.load_step(&self.due.lead, &self.due.enrollment).await?;
        match plan_step(&context, &self.due, self.world.cloud.now()) {
            Plan::Send(plan) => Ok(plan),
            other => Err(format!("the text is not to be sent: {other:?}").into()),
        }
    }

    pub(crate) async fn run(&self) -> Tested<StepReport> {
        Ok(self.world.run(Channel::Sms, &self.due).await??)
    }

    /// Completes the task to call.
    pub(crate) fn calls(&self, outcome: &'static str) -> impl Future<Output = Tested> + Send + 'static {
        let world = self.world.clone();
        async move {
            let task = world.open_tasks().await?.remove(0);
            assert_eq!(world.complete(&task, outcome).await?.status, 200);
            Ok(())
        }
    }

    /// Another webhook about the same person.
    pub(crate) fn tells(&self, mut body: Value) -> impl Future<Output = Tested> + Send + 'static {
        let world = self.world.clone();
        async move {
            body["phone"] = json!("415-555-0123");
            let taken = world.post_lead("plain", &body).await?;
            assert_eq!((taken.status, &taken.body["status"]), (202, &json!("running")), "{taken:?}");
            Ok(())
        }
    }

    /// The claim is refused because of what happens just before it, and so is every later one on the same plan; nothing is sent by it.
    pub(crate) async fn is_refused(
        &self,
        because: Refused,
        happening: impl Future<Output = Tested> + Send + 'static,
    ) -> Tested {
        let plan = self.plan().await?;
        let before = Moment::Before("TransactWriteItems");
        let report = self.world.run_while(Channel::Sms, &self.due, before, happening).await??;
        assert_eq!(report, StepReport::Replan);
        let claimed = self.world.store.claim(&plan, ClaimId::new("later"), self.world.cloud.now()).await?;
        assert!(matches!(claimed, Claimed::Refused(refused) if refused == because), "{claimed:?}");
        Ok(())
    }

    /// Rewrites one of the lead's items, whatever anybody has read of it; one that becomes null is deleted.
    pub(crate) async fn rewrite(&self, sk: &str, change: impl FnOnce(&mut Value)) -> Tested {
        let client = aws_sdk_dynamodb::Client::new(&self.world.aws());
        let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let (pk, sk) = (text(&keys::lead_pk(&self.lead)), text(sk));
        let get = client.get_item().table_name(LEADS).key("pk", pk.clone()).key("sk", sk.clone());
        let mut item: Value = serde_dynamo::from_item(get.send().await?.item.ok_or("there is no such item")?)?;
        change(&mut item);
        match item.is_null() {
            true => drop(client.delete_item().table_name(LEADS).key("pk", pk).key("sk", sk).send().await?),
            false => {
                let put = client.put_item().table_name(LEADS).set_item(Some(serde_dynamo::to_item(item)?));
                put.send().await?;
            }
        }
        Ok(())
    }

    /// Gives the lead a second enrollment that is where the first is, and tells what is due in it.
    pub(crate) async fn twin(&self) -> Tested<StepDue> {
        let twin = EnrollmentId::new("twin");
        let make = |item: &mut Value| {
            item["id"] = json!(twin);
            item["sk"] = json!(keys::enrollment_sk(&twin));
        };
        self.rewrite(&keys::enrollment_sk(&self.id), make).await?;
        self.world.step_due(&self.lead, &twin).await
    }

    pub(crate) async fn touches(&self) -> Tested<usize> {
        Ok(self.world.lead_now(&self.lead).await?.touches.len())
    }

    /// What the timeline says of the text.
    pub(crate) async fn told_of_text(&self) -> Tested<Vec<String>> {
        let told = self.world.told(&self.lead).await?;
        Ok(told.into_iter().filter(|told| told.contains(" text ")).collect())
    }

    /// How many tasks ask a person to look at something.
    pub(crate) async fn review_tasks(&self) -> Tested<usize> {
        Ok(self.world.open_tasks().await?.iter().filter(|task| task.kind == TaskKind::Review).count())
    }

    pub(crate) async fn is_claimed(&self) -> Tested<bool> {
        Ok(self.world.enrollment(&self.lead, &self.id).await?.claim.is_some())
    }
}
