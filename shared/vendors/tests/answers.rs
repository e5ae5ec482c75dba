//! What each vendor is asked over the wire, and what its answers come to.

#![expect(clippy::unwrap_used, reason = "a test that can't go on stops")]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep, TokioSleep};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::{body::SdkBody, timeout::TimeoutConfig};
use cadence_core::{
    StepKey,
    delivery::{AiCall, Delivery, Email, SendMode, Sms},
};
use cadence_vendors::{Ses, Sns, VoiceAgent, VoiceAgentConfig, ses, sns};
use tokio::{io::AsyncReadExt, net::TcpListener};

/// What the vendor does with a request.
#[derive(Clone, Debug)]
enum Vendor {
    Answers(u16, &'static str),
    Refuses,
    Breaks,
}

#[derive(Clone, Debug)]
struct Wire {
    vendor: Vendor,
    asked: Arc<Mutex<Vec<HttpRequest>>>,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.asked.lock().unwrap().push(request);
        let io = |kind: std::io::ErrorKind| ConnectorError::io(std::io::Error::from(kind).into());
        HttpConnectorFuture::ready(match &self.vendor {
            Vendor::Answers(status, body) => Ok(HttpResponse::new((*status).try_into().unwrap(), SdkBody::from(*body))),
            Vendor::Refuses => Err(io(std::io::ErrorKind::ConnectionRefused)),
            Vendor::Breaks => Err(io(std::io::ErrorKind::ConnectionReset)),
        })
    }
}

fn wire(vendor: Vendor) -> (SdkConfig, Arc<Mutex<Vec<HttpRequest>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let connector = SharedHttpConnector::new(Wire { vendor, asked: asked.clone() });
    let client: SharedHttpClient = http_client_fn(move |_, _| connector.clone());
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .http_client(client)
        .build();
    (config, asked)
}

fn key() -> StepKey {
    StepKey { enrollment: "e1".into(), step: "intro-text".into(), round: 1 }
}

fn sms() -> Sms {
    Sms { key: key(), from: "+14155550100".into(), to: "+14155550123".into(), text: "Hello".into() }
}

fn email() -> Email {
    Email {
        key: key(),
        lead: "l1".into(),
        from: "\"Riley Example\" <riley@example.com>".into(),
        to: "john@example.com".into(),
        subject: "Hello".into(),
        text: "Hi".into(),
        html: "<p>Hi</p>".into(),
        unsubscribe_url: Some("https://example.com/u/l1.aa".into()),
    }
}

fn call() -> AiCall {
    AiCall {
        key: key(),
        lead: "l1".into(),
        to: "+14155550123".into(),
        customer_name: "John".into(),
        agent: "first-touch".into(),
        transfer_to: "+14155550101".into(),
        variables: [("city".to_owned(), "Oakland".to_owned())].into(),
    }
}

fn agent() -> VoiceAgentConfig {
    VoiceAgentConfig {
        url: "https://voice.example.com".into(),
        api_key: "secret".into(),
        phone_number_id: "number-1".into(),
        assistants: [("first-touch".to_owned(), "assistant-1".to_owned())].into(),
    }
}

fn voice_agent(config: &SdkConfig, mode: SendMode) -> VoiceAgent {
    VoiceAgent::new(config, mode, agent())
}

const SNS_OK: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";
const SNS_BAD: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>no</Message></Error></ErrorResponse>";
const SNS_SLOW: &str =
    "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>no</Message></Error></ErrorResponse>";
const SNS_FELL: &str = "<ErrorResponse><Error><Type>Receiver</Type><Code>InternalError</Code><Message>no</Message></Error></ErrorResponse>";

fn word(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Accepted { .. } => "accepted",
        Delivery::Rejected { .. } => "rejected",
        Delivery::Later { .. } => "later",
        Delivery::Unknown { .. } => "unknown",
    }
}

#[tokio::test]
async fn each_answer_of_sns_comes_to_one_delivery_after_one_request() {
    for (vendor, expected) in [
        (Vendor::Answers(200, SNS_OK), "accepted"),
        (Vendor::Answers(400, SNS_BAD), "rejected"),
        (Vendor::Answers(400, SNS_SLOW), "later"),
        (Vendor::Answers(500, SNS_FELL), "unknown"),
        (Vendor::Answers(200, "not xml"), "unknown"),
        (Vendor::Refuses, "later"),
        (Vendor::Breaks, "unknown"),
    ] {
        let (config, asked) = wire(vendor.clone());
        let delivery = Sns::new(&config, SendMode::Live).send(&sms()).await;
        assert_eq!(word(&delivery), expected, "{vendor:?}: {delivery:?}");
        assert_eq!(asked.lock().unwrap().len(), 1, "{vendor:?}");
    }
}

#[tokio::test]
async fn each_answer_of_ses_comes_to_one_delivery_after_one_request() {
    for (vendor, expected) in [
        (Vendor::Answers(200, r#"{"MessageId":"m-1"}"#), "accepted"),
        (Vendor::Answers(400, r#"{"__type":"MessageRejected","message":"no"}"#), "rejected"),
        (Vendor::Answers(429, r#"{"__type":"TooManyRequestsException","message":"no"}"#), "later"),
        (Vendor::Answers(400, r#"{"__type":"SendingPausedException","message":"no"}"#), "later"),
        (Vendor::Answers(503, r#"{"__type":"ServiceUnavailable","message":"no"}"#), "unknown"),
        (Vendor::Refuses, "later"),
        (Vendor::Breaks, "unknown"),
    ] {
        let (config, asked) = wire(vendor.clone());
        let delivery = Ses::new(&config, SendMode::Live, None).send(&email()).await;
        assert_eq!(word(&delivery), expected, "{vendor:?}: {delivery:?}");
        assert_eq!(asked.lock().unwrap().len(), 1, "{vendor:?}");
    }
}

#[tokio::test]
async fn each_answer_of_the_voice_agent_comes_to_one_delivery_after_one_request() {
    for (vendor, expected) in [
        (Vendor::Answers(201, r#"{"id":"c-1","status":"queued"}"#), "accepted"),
        (Vendor::Answers(400, "{}"), "rejected"),
        (Vendor::Answers(401, "{}"), "later"),
        (Vendor::Answers(429, "{}"), "later"),
        (Vendor::Answers(502, "bad gateway"), "unknown"),
        (Vendor::Answers(201, "not json"), "unknown"),
        (Vendor::Answers(201, "{}"), "unknown"),
        (Vendor::Refuses, "later"),
        (Vendor::Breaks, "unknown"),
    ] {
        let (config, asked) = wire(vendor.clone());
        let delivery = voice_agent(&config, SendMode::Live).call(&call()).await;
        assert_eq!(word(&delivery), expected, "{vendor:?}: {delivery:?}");
        assert_eq!(asked.lock().unwrap().len(), 1, "{vendor:?}");
    }
}

/// How long requests are waited for, as clients ask for it.
#[derive(Clone, Debug, Default)]
struct Sleeps(Arc<Mutex<Vec<Duration>>>);

impl AsyncSleep for Sleeps {
    fn sleep(&self, duration: Duration) -> Sleep {
        self.0.lock().unwrap().push(duration);
        Sleep::new(std::future::pending())
    }
}

#[tokio::test]
async fn sns_and_ses_have_their_own_time_whatever_the_rest_of_aws_has() {
    let rest = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(4));
    let rest = rest.operation_timeout(Duration::from_secs(5)).build();
    let asked = |answer| {
        let sleeps = Sleeps::default();
        let (config, _) = wire(Vendor::Answers(200, answer));
        let sleep_impl = SharedAsyncSleep::new(sleeps.clone());
        (config.into_builder().timeout_config(rest.clone()).sleep_impl(sleep_impl).build(), sleeps)
    };
    // The SDK looks each tenth of a second whether an answer stalls.
    let waited = |sleeps: Sleeps| -> BTreeSet<Duration> {
        sleeps.0.lock().unwrap().iter().copied().filter(|bound| *bound >= Duration::from_secs(1)).collect()
    };

    let (config, sleeps) = asked(SNS_OK);
    Sns::new(&config, SendMode::Live).send(&sms()).await;
    assert_eq!(waited(sleeps), [sns::TIMEOUT].into());
    let (config, sleeps) = asked("{}");
    Ses::new(&config, SendMode::Live, None).send(&email()).await;
    assert_eq!(waited(sleeps), [ses::TIMEOUT].into());
}

/// What a call comes to at a server that closes each connection: at once, or when it has read the request.
async fn closed(scheme: &str, reads: bool) -> Delivery {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            if reads {
                assert_ne!(connection.read(&mut [0; 4096]).await.unwrap(), 0);
            }
        }
    });
    let (faked, _) = wire(Vendor::Breaks);
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(faked.credentials_provider().unwrap())
        .load()
        .await;
    let agent = VoiceAgentConfig { url, ..agent() };
    let delivery = VoiceAgent::new(&config, SendMode::Live, agent).call(&call()).await;
    server.abort();
    delivery
}

#[tokio::test]
async fn what_never_left_is_told_from_what_may_have_been_heard() {
    assert_eq!(word(&closed("https", false).await), "later", "there was no handshake");
    assert_eq!(word(&closed("http", true).await), "unknown", "the request was read");
}

#[tokio::test]
async fn a_customers_name_is_cut_to_what_the_voice_agent_takes() {
    let (config, asked) = wire(Vendor::Answers(201, r#"{"id":"c-1"}"#));
    let call = AiCall { customer_name: "é".repeat(41), ..call() };
    voice_agent(&config, SendMode::Live).call(&call).await;
    let body: serde_json::Value = serde_json::from_slice(asked.lock().unwrap()[0].body().bytes().unwrap()).unwrap();
    assert_eq!(body["customer"]["name"], "é".repeat(40));
}

#[tokio::test]
async fn a_call_carries_its_step_the_assistant_and_the_key() {
    let (config, asked) = wire(Vendor::Answers(201, r#"{"id":"c-1"}"#));
    let delivery = voice_agent(&config, SendMode::Live).call(&call()).await;
    assert_eq!(delivery, Delivery::Accepted { vendor_id: "c-1".into() });
    let asked = asked.lock().unwrap();
    assert_eq!((asked[0].method(), asked[0].uri()), ("POST", "https://voice.example.com/call"));
    assert_eq!(asked[0].headers().get("authorization"), Some("Bearer secret"));
    let body: serde_json::Value = serde_json::from_slice(asked[0].body().bytes().unwrap()).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "phoneNumberId": "number-1", "assistantId": "assistant-1",
            "assistantOverrides": {"variableValues": {"city": "Oakland", "transfer_to": "+14155550101"}},
            "customer": {"number": "+14155550123", "name": "John"},
            "metadata": {"lead": "l1", "step_key": "e1.intro-text.1"},
        })
    );
}

#[tokio::test]
async fn a_text_goes_from_the_officers_number_and_an_email_can_be_unsubscribed_with_one_post() {
    let (config, asked) = wire(Vendor::Answers(200, SNS_OK));
    Sns::new(&config, SendMode::Live).send(&sms()).await;
    let form = String::from_utf8(asked.lock().unwrap()[0].body().bytes().unwrap().to_vec()).unwrap();
    assert!(form.contains("PhoneNumber=%2B14155550123"), "{form}");
    assert!(form.contains("AWS.MM.SMS.OriginationNumber") && form.contains("%2B14155550100"), "{form}");

    let (config, asked) = wire(Vendor::Answers(200, r#"{"MessageId":"m-1"}"#));
    Ses::new(&config, SendMode::Live, Some("set".into())).send(&email()).await;
    let body: serde_json::Value = serde_json::from_slice(asked.lock().unwrap()[0].body().bytes().unwrap()).unwrap();
    assert_eq!(body["FromEmailAddress"], "\"Riley Example\" <riley@example.com>");
    assert_eq!(body["ConfigurationSetName"], "set");
    assert_eq!(body["Content"]["Simple"]["Headers"][0]["Value"], "<https://example.com/u/l1.aa>");
    assert_eq!(body["EmailTags"][2], serde_json::json!({"Name": "step", "Value": "intro-text"}));
}

#[tokio::test]
async fn a_name_that_is_not_ascii_is_written_in_encoded_words() {
    let long = format!("Zoë {}", "é".repeat(40));
    for (from, expected) in [
        ("\"Zoë Example\" <zoe@example.com>", "=?utf-8?B?Wm/DqyBFeGFtcGxl?= <zoe@example.com>"),
        (
            &format!("\"{long}\" <zoe@example.com>"),
            "=?utf-8?B?Wm/DqyDDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOp?= \
             =?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqQ==?= <zoe@example.com>",
        ),
    ] {
        let (config, asked) = wire(Vendor::Answers(200, r#"{"MessageId":"m-1"}"#));
        let email = Email { from: from.to_owned(), ..email() };
        Ses::new(&config, SendMode::Live, None).send(&email).await;
        let body: serde_json::Value = serde_json::from_slice(asked.lock().unwrap()[0].body().bytes().unwrap()).unwrap();
        assert_eq!(body["FromEmailAddress"], expected);
    }
}

#[tokio::test]
async fn a_dry_run_asks_nobody() {
    let (config, asked) = wire(Vendor::Breaks);
    let dry = Delivery::Accepted { vendor_id: "dry-run".into() };
    assert_eq!(Sns::new(&config, SendMode::DryRun).send(&sms()).await, dry);
    assert_eq!(Ses::new(&config, SendMode::DryRun, None).send(&email()).await, dry);
    assert_eq!(voice_agent(&config, SendMode::DryRun).call(&call()).await, dry);
    assert!(asked.lock().unwrap().is_empty());
}
