//! What goes wrong on purpose goes wrong as it is told to, once, and nothing else does.

#![cfg(test)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use cadence_local::{
    Cloud, Options, Pace,
    deployment::{self, SOURCE_SECRET},
    faults::{Call, Fate, Fault, Faults, Mishap, Parcel, Refused},
};
use chrono::{DateTime, TimeDelta, Utc};
use http::Request;
use serde_json::{Value, json};

type Tested<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A Tuesday, 10:00 in Los Angeles.
const START: i64 = 1_796_148_000;

/// A world in which one thing goes wrong, the first time that it can.
struct World {
    cloud: Cloud,
    befallen: Arc<Mutex<Vec<String>>>,
}

impl World {
    async fn start(
        mishap: impl Fn(&Parcel<'_>) -> Option<Mishap> + Send + Sync + 'static,
        fault: impl Fn(&Call<'_>) -> Option<Fault> + Send + Sync + 'static,
    ) -> Tested<Self> {
        let befallen: Arc<Mutex<Vec<String>>> = Arc::default();
        let is_first = {
            let befallen = befallen.clone();
            move |what: String| {
                let mut befallen = befallen.lock().unwrap();
                let is_first = befallen.is_empty();
                befallen.push(what);
                is_first
            }
        };
        let also = is_first.clone();
        let faults = Faults {
            of_calls: Arc::new(move |call| {
                let asks = |call: &Call<'_>| call.invocation.map_or("nobody".to_owned(), |by| by.function.to_string());
                Fate::from(fault(call).filter(|_| also(asks(call))))
            }),
            of_deliveries: Arc::new(move |parcel| mishap(parcel).filter(|_| is_first(format!("{parcel:?}")))),
        };
        let cloud = Cloud::open(Options {
            endpoint: "http://127.0.0.1:7878".to_owned(),
            start: DateTime::from_timestamp(START, 0).unwrap(),
            pace: Pace::Jumps,
            data: None,
            faults: Some(faults),
        })?;
        deployment::deploy(&cloud).await?;
        Ok(Self { cloud, befallen })
    }

    async fn with_mishap(mishap: impl Fn(&Parcel<'_>) -> Option<Mishap> + Send + Sync + 'static) -> Tested<Self> {
        Self::start(mishap, |_| None).await
    }

    /// A lead whose first text is due now and whose AI call is due in twenty minutes.
    async fn post_lead(&self) -> Tested<Value> {
        let body = json!({
            "id": "LC-1", "created": self.cloud.now().to_rfc3339(),
            "sender": { "firstName": "Jordan", "lastName": "Sample", "emailAddress": "jordan@example.com", "phoneNumber": "415-555-0123" },
            "details": { "loanPurpose": "Purchase", "city": "Oakland", "stateAbbreviation": "CA", "zipCode": "94607" },
        });
        let request = Request::post("/leads/zillow").header("x-cadence-secret", SOURCE_SECRET);
        let answer = self.cloud.answer(&request.body(body.to_string().into())?).await;
        Ok(json!({ "status": answer.status().as_u16() }))
    }

    async fn pass(&self, time: TimeDelta) -> Tested {
        let end = self.cloud.now() + time;
        self.cloud.run_ready().await?;
        while let Some(at) = self.cloud.next_due_at()?.filter(|at| *at <= end) {
            self.cloud.advance_to(at);
            self.cloud.run_ready().await?;
        }
        self.cloud.advance_to(end);
        Ok(())
    }

    /// What was sent to the lead: kind, and seconds after the start.
    fn sent(&self) -> Tested<Vec<(String, i64)>> {
        let sent = self.cloud.outbox(0)?.into_iter().filter(|sent| !sent.to.contains("riley"));
        Ok(sent.map(|sent| (sent.kind, sent.at.timestamp() - START)).collect())
    }
}

fn texts(sent: &[(String, i64)]) -> Vec<i64> {
    sent.iter().filter(|(kind, _)| kind == "sms").map(|(_, at)| *at).collect()
}

#[tokio::test]
async fn a_message_comes_late_or_twice_or_never_and_what_is_sent_is_sent_once() -> Tested {
    for (mishap, sent_at) in [
        (Mishap::Late(TimeDelta::seconds(40)), vec![40]),
        (Mishap::Twice(TimeDelta::seconds(3)), vec![0]),
        // Fifteen minutes later `reconcile` finds that it is overdue.
        (Mishap::Expired, vec![600]),
    ] {
        let is_text = |parcel: &Parcel<'_>| matches!(parcel, Parcel::Message { queue: "sms", .. });
        let world = World::with_mishap(move |parcel| is_text(parcel).then_some(mishap)).await?;
        world.post_lead().await?;
        world.pass(TimeDelta::minutes(15)).await?;
        assert_eq!(texts(&world.sent()?), sent_at, "{mishap:?}");
        let given_up = world.cloud.messages()?.iter().filter(|message| message.queue == "sms-dlq").count();
        assert_eq!(given_up, usize::from(mishap == Mishap::Expired));
    }
    Ok(())
}

#[tokio::test]
async fn a_timer_fires_late_or_twice_or_into_its_dead_letter_queue() -> Tested {
    for (mishap, called_at, given_up) in [
        (Mishap::Late(TimeDelta::seconds(50)), 1250, 0),
        (Mishap::Twice(TimeDelta::seconds(90)), 1200, 0),
        (Mishap::Expired, 1800, 1),
    ] {
        let world = World::with_mishap(move |parcel| matches!(parcel, Parcel::Timer { .. }).then_some(mishap)).await?;
        world.post_lead().await?;
        world.pass(TimeDelta::minutes(35)).await?;
        let calls: Vec<_> = world.sent()?.into_iter().filter(|(kind, _)| kind == "ai_call").collect();
        assert_eq!(calls, [("ai_call".to_owned(), called_at)], "{mishap:?}");
        let queued = world.cloud.messages()?.iter().filter(|message| message.queue == "timers-dlq").count();
        assert_eq!(queued, given_up, "{mishap:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_streams_records_come_late_or_twice_or_are_given_up() -> Tested {
    for (mishap, sent_at, given_up) in [
        (Mishap::Late(TimeDelta::seconds(20)), 20, 0),
        // What comes after them in the stream waits until they came again.
        (Mishap::Twice(TimeDelta::seconds(2)), 2, 0),
        (Mishap::Expired, 600, 1),
    ] {
        let is_one = |parcel: &Parcel<'_>| matches!(parcel, Parcel::Records { function: "schedule", .. });
        let world = World::with_mishap(move |parcel| is_one(parcel).then_some(mishap)).await?;
        world.post_lead().await?;
        world.pass(TimeDelta::minutes(15)).await?;
        assert_eq!(texts(&world.sent()?), [sent_at], "{mishap:?}");
        let told = world.cloud.messages()?.iter().filter(|message| message.queue == "schedule-failures").count();
        assert_eq!(told, given_up, "{mishap:?}");
        assert_eq!(world.cloud.read_until("leads")?, world.cloud.written("leads", 0)?.last().unwrap().number);
    }
    Ok(())
}

#[tokio::test]
async fn a_report_comes_late_or_twice_or_never() -> Tested {
    for mishap in [Mishap::Late(TimeDelta::minutes(2)), Mishap::Twice(TimeDelta::minutes(1)), Mishap::Expired] {
        let world = World::with_mishap(move |parcel| matches!(parcel, Parcel::Report { .. }).then_some(mishap)).await?;
        world.post_lead().await?;
        world.pass(TimeDelta::minutes(30)).await?;
        let told = world.cloud.written("leads", 0)?.into_iter().filter(|written| written.sk.starts_with("OUTCOME#"));
        let outcomes = told.filter(|written| written.sk.contains("robot-call")).count();
        assert_eq!(outcomes, usize::from(mishap != Mishap::Expired), "{mishap:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_run_by_the_clock_comes_late_or_twice_or_is_left_out() -> Tested {
    let every = 300;
    for (mishap, expected) in [
        (Mishap::Late(TimeDelta::seconds(60)), vec![360, 660]),
        (Mishap::Twice(TimeDelta::seconds(60)), vec![300, 360, 660]),
        (Mishap::Expired, vec![600]),
    ] {
        let ran: Arc<Mutex<Vec<i64>>> = Arc::default();
        let noted = ran.clone();
        let at = Arc::new(Mutex::new(0_i64));
        let told = at.clone();
        let world = World::start(
            move |parcel| matches!(parcel, Parcel::Tick { .. }).then_some(mishap),
            move |call| {
                if call.invocation.is_some_and(|by| &*by.function == "reconcile") {
                    noted.lock().unwrap().push(*told.lock().unwrap());
                }
                None
            },
        )
        .await?;
        let end = 2 * every + 60;
        while let Some(due) = world.cloud.next_due_at()?.filter(|due| due.timestamp() - START <= end) {
            world.cloud.advance_to(due);
            *at.lock().unwrap() = due.timestamp() - START;
            world.cloud.run_ready().await?;
        }
        let mut ran = ran.lock().unwrap().clone();
        ran.dedup();
        assert_eq!(ran, expected, "{mishap:?}");
    }
    Ok(())
}

/// How many texts were sent, and what the function's first attempt to send came to, where one thing befalls it.
async fn texted(fault: Fault) -> Tested<(usize, Vec<String>)> {
    let is_publish = |call: &Call<'_>| call.request.body().starts_with(b"Action=Publish");
    let world = World::start(|_| None, move |call| is_publish(call).then_some(fault)).await?;
    world.post_lead().await?;
    // The clock stands while the client waits for its timeout.
    world.cloud.run_ready().await?;
    let asked = world.befallen.lock().unwrap().clone();
    Ok((texts(&world.sent()?).len(), asked))
}

#[tokio::test(start_paused = true)]
async fn a_request_meets_what_befalls_it() -> Tested {
    let refused = Refused { status: 500, code: "InternalError" };
    for (fault, sent) in [
        (Fault::Lost, 0),
        (Fault::AnswerLost, 1),
        (Fault::Refused(refused), 0),
        (Fault::DoneButRefused(refused), 1),
        (Fault::Hangs, 0),
        (Fault::AnswerHangs, 1),
        (Fault::KilledBefore, 0),
        (Fault::KilledAfter, 1),
    ] {
        assert_eq!(texted(fault).await?, (sent, vec!["sms".to_owned()]), "{fault:?}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_request_takes_its_time() -> Tested {
    let faults = Faults::of_calls(|_| Fate { takes: Duration::from_millis(30), fault: None });
    let cloud = Cloud::open(Options {
        endpoint: "http://127.0.0.1:7878".to_owned(),
        start: DateTime::from_timestamp(START, 0).unwrap(),
        pace: Pace::Times(1.0),
        data: None,
        faults: Some(faults),
    })?;
    let before: DateTime<Utc> = cloud.now();
    aws_sdk_dynamodb::Client::new(&deployment::sdk_config(&cloud)).list_tables().send().await?;
    assert_eq!(cloud.now() - before, TimeDelta::milliseconds(30));
    Ok(())
}

#[tokio::test]
async fn deliveries_run_side_by_side_but_a_streams_batches_one_after_the_other() -> Tested {
    let world = World::with_mishap(|_| None).await?;
    world.post_lead().await?;
    let first = world.cloud.take_ready()?;
    assert_eq!(first.len(), 1, "the stream's batch");
    world.cloud.advance_to(world.cloud.now() + TimeDelta::minutes(5));
    assert_eq!(world.cloud.take_ready()?.len(), 1, "only the clock's run: the stream's batch is in hand");
    drop(first);
    assert_eq!(world.cloud.take_ready()?.len(), 1, "it was dropped, so it comes again");
    Ok(())
}
