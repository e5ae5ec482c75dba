//! Real SDK clients, over real sockets, against each endpoint of the local cloud.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_scheduler::types::{FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use cadence_local::{Cloud, Options, Pace, deployment, server};
use cadence_tests::{Tested, tuesday_morning};
use serde_json::json;

/// A cloud that serves on a port of its own, and a configuration with the SDK's own HTTP client.
async fn served() -> Tested<(Cloud, SdkConfig)> {
    let listener = server::bind(0).await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let cloud = Cloud::open(Options {
        endpoint: endpoint.clone(),
        start: tuesday_morning(),
        pace: Pace::Jumps,
        data: None,
        faults: None,
    })?;
    deployment::deploy(&cloud).await?;
    tokio::spawn(server::serve(cloud.clone(), listener));
    let credentials = Credentials::new("local", "local", None, None, "test");
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .load()
        .await;
    Ok((cloud, aws))
}

#[tokio::test]
async fn tables_and_secrets_answer_over_http() -> Tested {
    let (_, aws) = served().await?;
    let tables = aws_sdk_dynamodb::Client::new(&aws).list_tables().send().await?;
    assert_eq!(tables.table_names(), ["config", "leads"]);
    let missing = aws_sdk_dynamodb::Client::new(&aws).get_item().table_name("none");
    let missing = missing.key("pk", aws_sdk_dynamodb::types::AttributeValue::S("x".into())).send().await;
    let error = missing.err().ok_or("a table that isn't there answered")?.into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");

    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let secret = secrets.get_secret_value().secret_id("cadence").send().await?;
    assert!(secret.secret_string().is_some_and(|secret| secret.contains("voice_agent_api_key")));
    let missing = secrets.get_secret_value().secret_id("none").send().await;
    assert!(missing.is_err_and(|error| error.into_service_error().is_resource_not_found_exception()));
    Ok(())
}

#[tokio::test]
async fn a_queue_gives_a_message_until_it_is_deleted() -> Tested {
    let (_, aws) = served().await?;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let url = sqs.get_queue_url().queue_name("sms-dlq").send().await?.queue_url.ok_or("no url")?;
    sqs.send_message().queue_url(&url).message_body("hello").send().await?;
    let received = sqs.receive_message().queue_url(&url).visibility_timeout(0).send().await?;
    let message = received.messages().first().ok_or("no message")?;
    assert_eq!(message.body(), Some("hello"));
    let again = sqs.receive_message().queue_url(&url).send().await?;
    let message = again.messages().first().ok_or("no message the second time")?;
    sqs.delete_message().queue_url(&url).set_receipt_handle(message.receipt_handle.clone()).send().await?;
    assert!(sqs.receive_message().queue_url(&url).send().await?.messages().is_empty());
    let missing = sqs.get_queue_url().queue_name("none").send().await;
    assert!(missing.is_err_and(|error| error.into_service_error().is_queue_does_not_exist()));
    Ok(())
}

#[tokio::test]
async fn a_timer_puts_its_message_on_its_queue_when_it_is_due_and_is_gone() -> Tested {
    let (cloud, aws) = served().await?;
    let scheduler = aws_sdk_scheduler::Client::new(&aws);
    let create = |name: &str| {
        let target =
            Target::builder().arn("arn:aws:sqs:us-east-1:000000000000:sms-dlq").role_arn("arn:role").input("{\"n\":1}");
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let create =
            scheduler.create_schedule().group_name("cadence").name(name).schedule_expression("at(2026-12-01T18:05:00)");
        Ok::<_, aws_sdk_scheduler::error::BuildError>(create.target(target.build()?).flexible_time_window(window?))
    };
    create("one")?.send().await?;
    let twice = create("one")?.send().await;
    assert!(twice.is_err_and(|error| error.into_service_error().is_conflict_exception()));
    let found = scheduler.get_schedule().group_name("cadence").name("one").send().await?;
    assert_eq!(found.schedule_expression(), Some("at(2026-12-01T18:05:00)"));

    let due = chrono::DateTime::parse_from_rfc3339("2026-12-01T18:05:00Z")?.to_utc();
    cloud.advance_to(due - chrono::TimeDelta::seconds(1));
    cloud.run_ready().await?;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let url = sqs.get_queue_url().queue_name("sms-dlq").send().await?.queue_url.ok_or("no url")?;
    assert!(sqs.receive_message().queue_url(&url).send().await?.messages().is_empty(), "a second early");
    cloud.advance_to(due);
    cloud.run_ready().await?;
    let received = sqs.receive_message().queue_url(&url).send().await?;
    assert_eq!(received.messages().first().and_then(|message| message.body()), Some("{\"n\":1}"));
    let gone = scheduler.delete_schedule().group_name("cadence").name("one").send().await;
    assert!(gone.is_err_and(|error| error.into_service_error().is_resource_not_found_exception()));
    Ok(())
}

#[tokio::test]
async fn texts_and_emails_land_in_the_outbox() -> Tested {
    let (cloud, aws) = served().await?;
    let sns = aws_sdk_sns::Client::new(&aws);
    sns.publish().phone_number("+14155550123").message("a & b <c>").send().await?;
    let wrong = sns.publish().phone_number("415").message("x").send().await;
    assert!(wrong.is_err_and(|error| error.into_service_error().is_invalid_parameter_exception()));
    let content = |text: &str| Content::builder().data(text).build();
    let message =
        Message::builder().subject(content("Hello")?).body(Body::builder().text(content("Hi")?).build()).build();
    let send = aws_sdk_sesv2::Client::new(&aws).send_email().from_email_address("riley@example.com");
    let send = send.destination(Destination::builder().to_addresses("john@example.com").build());
    send.content(EmailContent::builder().simple(message).build()).send().await?;
    let sent: Vec<_> =
        cloud.outbox(0)?.into_iter().map(|sent| json!([sent.kind, sent.to, sent.subject, sent.text])).collect();
    assert_eq!(
        sent,
        [json!(["sms", "+14155550123", null, "a & b <c>"]), json!(["email", "john@example.com", "Hello", "Hi"])]
    );
    Ok(())
}
