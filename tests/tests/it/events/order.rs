//! Reports may come twice and in any order.

use cadence_core::{EnrollmentId, LeadId, Outcome};
use cadence_tests::{Tested, World, end_of_call};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A report: how the call ended in the vendor's words, and in what the agent made of the talk.
type Told = (&'static str, Option<Outcome>);

const NO_ANSWER: Told = ("customer-did-not-answer", None);
const CONNECTED: Told = ("customer-ended-call", None);
const BOOKED: Told = ("customer-ended-call", Some(Outcome::AppointmentSet));
const STOP: Told = ("customer-ended-call", Some(Outcome::OptedOut));
const BROKEN: Told = ("call.in-progress.error-pipeline", None);

#[tokio::test]
async fn reports_in_any_order_and_twice_come_to_the_same_end() -> Tested {
    for reports in
        [vec![NO_ANSWER, CONNECTED, BOOKED], vec![BROKEN, NO_ANSWER, STOP], vec![BOOKED, STOP, CONNECTED]]
    {
        let world = World::start().await?;
        let orders = orders(&reports);
        let mut runs = Vec::new();
        for index in 0..orders.len() {
            let phone = format!("415555{:04}", 100 + index);
            world.let_calls_go_on(&format!("+1{phone}"))?;
            runs.push(world.enroll_as("zillow", &world.zillow_lead(&format!("LC-{index}"), &phone)).await?);
        }
        world.pass(TimeDelta::minutes(21)).await?;
        for (run, order) in runs.iter().zip(&orders) {
            for (ended, outcome) in order {
                let body = end_of_call(run, "robot-call", ended, *outcome);
                assert_eq!(world.report(&body).await?.status, 200);
            }
        }
        world.pass(TimeDelta::hours(1)).await?;
        let expected = end_of(&world, &runs[0]).await?;
        for (run, order) in runs.iter().zip(&orders) {
            assert_eq!(end_of(&world, run).await?, expected, "{order:?}");
        }
    }
    Ok(())
}

/// Every order of the reports, each report coming twice: the second time after all others.
fn orders(reports: &[Told]) -> Vec<Vec<Told>> {
    let once = permutations(reports);
    let twice = |order: &Vec<Told>| order.iter().chain(order).copied().collect();
    once.iter().map(twice).collect()
}

fn permutations(reports: &[Told]) -> Vec<Vec<Told>> {
    if reports.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, first) in reports.iter().enumerate() {
        let rest: Vec<Told> = [&reports[..index], &reports[index + 1..]].concat();
        all.extend(permutations(&rest).into_iter().map(|rest| [vec![*first], rest].concat()));
    }
    all
}

/// What a lead's run came to, whatever way it came there.
async fn end_of(world: &World, run: &(LeadId, EnrollmentId)) -> Tested<Value> {
    let (lead, enrollment) = run;
    let items = world.lead_items(&format!("LEAD#{lead}")).await?;
    let sk = |item: &Value| item["sk"].as_str().unwrap_or_default().to_owned();
    let outcome = items.iter().find(|item| sk(item).starts_with("OUTCOME#")).map(|item| item["outcome"].clone());
    let open = items.iter().filter(|item| sk(item).starts_with("TASK#") && item.get("closed").is_none());
    Ok(json!({
        "outcome": outcome,
        "has_ended": world.enrollment(lead, enrollment).await?.has_ended(),
        "opt_outs": world.lead(lead).await?.opt_outs.keys().collect::<Vec<_>>(),
        "open": open.map(|item| item["kind"].clone()).collect::<Vec<_>>(),
    }))
}
