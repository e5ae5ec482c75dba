//! Deploys Cadence to a local cloud: the tables, queues, mappings, routes and environment that `template.yaml` deploys to AWS.

mod functions;

use std::{collections::BTreeSet, sync::Arc};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::{
    operation::create_table::{CreateTableError, CreateTableInput},
    types::GlobalSecondaryIndex,
};
use aws_smithy_async::{rt::sleep::TokioSleep, time::TimeSource};
use aws_smithy_types::retry::RetryConfig;
use cadence_boot::{Boot, BootError, Env};
use cadence_store::{config_table, leads_table};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use self::functions::Functions;
use crate::{
    account::Account,
    cloud::{Cloud, CloudError},
    filter::{Pattern, PatternError},
    function::Function,
    gateway::{Gateway, Route},
    processes::{Processes, ProcessesError},
    queue_mapping::QueueMapping,
    records,
    services::{queues, secrets},
    streams::StreamMapping,
    tokens::{TokenError, Tokens},
};

/// The leads table's name.
pub const LEADS: &str = "leads";
/// The config table's name.
pub const CONFIG: &str = "config";
/// The secret that every source's webhooks carry here.
pub const SOURCE_SECRET: &str = "local-secret";
/// The secret that the voice agent's reports carry here.
pub const VOICE_AGENT_SECRET: &str = "local-voice-agent";

const SECRET: &str = "cadence";
const TOKEN_KEY: &str = "local-token-key";
const CHANNELS: [&str; 3] = ["sms", "email", "call"];

/// What is deployed.
pub(crate) struct Deployed {
    pub(crate) gateway: Gateway,
    pub(crate) streams: Vec<StreamReader>,
    pub(crate) queues: Vec<QueueMapping>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) voice_agent_secret: String,
    pub(crate) processes: Option<Processes>,
}

/// A stream and its function. Whoever has a batch of it in hand has it alone.
pub(crate) struct StreamReader {
    pub(crate) mapping: StreamMapping,
    pub(crate) alone: Arc<Mutex<()>>,
}

/// A function that runs by the clock.
pub(crate) struct Rule {
    pub(crate) function: Function,
    pub(crate) every: TimeDelta,
}

/// A user of the deployment and their token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToken {
    /// The user: `lo-riley`.
    pub user: String,
    /// What they send as `Authorization: Bearer`.
    pub token: String,
}

/// Why Cadence could not be deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The cloud failed.
    #[error("the local cloud failed")]
    Cloud(#[from] CloudError),
    /// A function could not start.
    #[error("a function could not start")]
    Boot(#[from] BootError),
    /// A function can't run as a process.
    #[error(transparent)]
    Processes(#[from] ProcessesError),
    /// A table could not be made.
    #[error("a table could not be made")]
    Table(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A table is there that was made by an earlier version.
    #[error(
        "the table {0} is as an earlier version of cadence made it: begin anew, in another folder or with this one removed"
    )]
    Outdated(String),
    /// A record could not be written.
    #[error("a record could not be read or written")]
    Record(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A record that ships was refused.
    #[error("the record {pk} was not published: {check}")]
    Refused {
        /// Which.
        pk: String,
        /// What its check says.
        check: String,
    },
    /// A stream's filter is none.
    #[error("a stream's filter can't be read")]
    Filter(#[from] PatternError),
    /// A user's token could not be signed.
    #[error("a user's token could not be signed")]
    Token(#[from] TokenError),
}

impl Deployed {
    pub(crate) fn queue_names(&self) -> Vec<&str> {
        self.queues.iter().map(|mapping| mapping.queue.as_str()).collect()
    }

    /// How many streams have a batch in somebody's hands.
    pub(crate) fn busy_streams(&self) -> usize {
        self.streams.iter().filter(|reader| reader.alone.try_lock().is_err()).count()
    }
}

/// Deploys everything, with the functions in this process, and publishes the records that ship, where they are not there yet;
/// gives each user a token.
pub async fn deploy(cloud: &Cloud) -> Result<Vec<UserToken>, DeployError> {
    deploy_with(cloud, &boot(cloud)).await
}

/// Deploys everything, with functions that start with that.
pub async fn deploy_with(cloud: &Cloud, boot: &Boot) -> Result<Vec<UserToken>, DeployError> {
    // Functions read the secret as they start.
    make_resources(cloud, &boot.aws).await?;
    begin(cloud, &boot.aws, Functions::in_process(boot).await?, None).await
}

/// Deploys everything, with each function as a process of its own.
pub async fn deploy_processes(cloud: &Cloud, processes: &Processes) -> Result<Vec<UserToken>, DeployError> {
    let (aws, functions) = (sdk_config(cloud), Functions::as_processes(cloud, processes)?);
    make_resources(cloud, &aws).await?;
    begin(cloud, &aws, functions, Some(processes)).await
}

async fn begin(
    cloud: &Cloud,
    aws: &SdkConfig,
    functions: Functions,
    processes: Option<&Processes>,
) -> Result<Vec<UserToken>, DeployError> {
    let tokens = Tokens::new(token_key(cloud)?);
    cloud.deploy(Deployed { processes: processes.cloned(), ..functions.deployed(&tokens)? })?;
    let users = publish_records(cloud, aws).await?;
    let now = cloud.now();
    users.into_iter().map(|user| Ok(UserToken { token: tokens.issue(&user, now)?, user })).collect()
}

/// What functions on this cloud start with: the template's environment, real SDK clients and the cloud's clock.
pub fn boot(cloud: &Cloud) -> Boot {
    Boot { env: environment(cloud.account()), aws: sdk_config(cloud), clock: cloud.clock() }
}

/// What SDK clients of this cloud are made with: the real clients, with production's retries and timeouts.
pub fn sdk_config(cloud: &Cloud) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(cloud.account().region.clone()))
        .endpoint_url(&cloud.account().endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(cadence_boot::timeouts())
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(aws_smithy_async::time::SharedTimeSource::new(CloudTime(cloud.clone())))
        .http_client(cloud.connector().http_client())
        .build()
}

#[derive(Debug)]
struct CloudTime(Cloud);

impl TimeSource for CloudTime {
    fn now(&self) -> std::time::SystemTime {
        self.0.now().into()
    }
}

/// What functions are told that reach the cloud at that account's endpoint.
fn environment(account: &Account) -> Env {
    let queue = |name: &str| (account.queue_url(name), account.arn("sqs", name));
    let ((sms_url, sms), (email_url, email), (call_url, call)) = (queue("sms"), queue("email"), queue("call"));
    Env::of([
        ("LEADS_TABLE", LEADS.to_owned()),
        ("CONFIG_TABLE", CONFIG.to_owned()),
        ("SECRET_ID", SECRET.to_owned()),
        ("SEND_MODE", "live".to_owned()),
        ("SES_CONFIGURATION_SET", "local".to_owned()),
        ("VOICE_AGENT_URL", format!("{}/voice-agent", account.endpoint)),
        ("VOICE_AGENT_PHONE_NUMBER_ID", "local-number".to_owned()),
        ("SMS_QUEUE_URL", sms_url),
        ("SMS_QUEUE_ARN", sms),
        ("EMAIL_QUEUE_URL", email_url),
        ("EMAIL_QUEUE_ARN", email),
        ("CALL_QUEUE_URL", call_url),
        ("CALL_QUEUE_ARN", call),
        ("SCHEDULE_GROUP", "cadence".to_owned()),
        ("TIMER_ROLE_ARN", "arn:aws:iam::000000000000:role/timers".to_owned()),
        ("TIMER_DLQ_ARN", account.arn("sqs", "timers-dlq")),
    ])
}

async fn make_resources(cloud: &Cloud, aws: &SdkConfig) -> Result<(), DeployError> {
    let client = aws_sdk_dynamodb::Client::new(aws);
    for table in [leads_table(LEADS), config_table(CONFIG)] {
        make_table(&client, table.map_err(|error| DeployError::Table(error.into()))?).await?;
    }
    let plain =
        |name: &str| queues::Queue { name: name.to_owned(), visibility: TimeDelta::seconds(360), redrive: None };
    let secret = json!({
        "key": "local-key", "voice_agent_api_key": "local-voice-agent-key",
        "voice_agent_webhook_secret": VOICE_AGENT_SECRET,
        "sources": { "zillow": SOURCE_SECRET, "gizmo": SOURCE_SECRET, "plain": SOURCE_SECRET },
    });
    cloud
        .with(|scope| {
            for name in ["timers-dlq", "schedule-failures", "publish-failures"] {
                queues::create(scope.conn, &plain(name))?;
            }
            for channel in CHANNELS {
                let dlq = format!("{channel}-dlq");
                queues::create(scope.conn, &plain(&dlq))?;
                queues::create(scope.conn, &queues::Queue { redrive: Some((5, dlq)), ..plain(channel) })?;
            }
            scope.conn.execute("INSERT OR IGNORE INTO schedule_groups (name) VALUES ('cadence')", [])?;
            secrets::put(scope, SECRET, &secret.to_string())
        })
        .map_err(CloudError::from)?;
    Ok(())
}

async fn make_table(client: &aws_sdk_dynamodb::Client, table: CreateTableInput) -> Result<(), DeployError> {
    let (name, indexes) = (table.table_name.clone().unwrap_or_default(), index_names(table.global_secondary_indexes()));
    let made = client
        .create_table()
        .set_table_name(table.table_name)
        .set_billing_mode(table.billing_mode)
        .set_attribute_definitions(table.attribute_definitions)
        .set_key_schema(table.key_schema)
        .set_global_secondary_indexes(table.global_secondary_indexes)
        .set_stream_specification(table.stream_specification)
        .send()
        .await;
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => {
            let there = client.describe_table().table_name(&name).send().await;
            let there = there.map_err(|error| DeployError::Table(error.into()))?.table;
            let there = there.map(|table| table.global_secondary_indexes.unwrap_or_default()).unwrap_or_default();
            let names: BTreeSet<String> = there.into_iter().filter_map(|index| index.index_name).collect();
            if names == indexes { Ok(()) } else { Err(DeployError::Outdated(name)) }
        }
        Err(error) => Err(DeployError::Table(error.into())),
    }
}

fn index_names(indexes: &[GlobalSecondaryIndex]) -> BTreeSet<String> {
    indexes.iter().map(|index| index.index_name().to_owned()).collect()
}

/// The key that this cloud's tokens are signed with, made the first time.
fn token_key(cloud: &Cloud) -> Result<Vec<u8>, CloudError> {
    let fresh = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let key: String = cloud.with(|scope| {
        let sql = "INSERT OR IGNORE INTO secrets (name, value) VALUES (?1, ?2)";
        scope.conn.execute(sql, [TOKEN_KEY, fresh.as_str()])?;
        scope.conn.query_row("SELECT value FROM secrets WHERE name = ?1", [TOKEN_KEY], |row| row.get(0))
    })?;
    Ok(key.into_bytes())
}

impl Functions {
    /// What is mapped to what, as the template says.
    fn deployed(self, tokens: &Tokens) -> Result<Deployed, DeployError> {
        let stream = |(table, batch_size): (&str, usize), function: Function, failures: &str, filters: &[Value]| {
            let mapping = StreamMapping {
                table: table.to_owned(),
                function,
                batch_size,
                filters: filters.iter().map(Pattern::parse).collect::<Result<_, _>>()?,
                bisect: true,
                max_retries: 10,
                report_batch_item_failures: true,
                on_failure_queue: Some(failures.to_owned()),
            };
            Ok::<_, DeployError>(StreamReader { mapping, alone: Arc::default() })
        };
        let enrollments = json!({ "dynamodb": { "Keys": { "sk": { "S": [{ "prefix": "ENROLLMENT#" }] } } } });
        let queue = |name: &str, function: Function| QueueMapping { queue: name.to_owned(), function, batch_size: 1 };
        let routes = |function: &Function, routes: &[(&str, &str)], needs_token: bool| -> Vec<Route> {
            let route = |(method, path): &(&str, &str)| Route {
                method: (*method).to_owned(),
                path: (*path).to_owned(),
                needs_token,
                function: function.clone(),
            };
            routes.iter().map(route).collect()
        };
        let mut all_routes = routes(&self.ingest, ingest::ROUTES, false);
        all_routes.extend(routes(&self.outcomes, outcomes::ROUTES, false));
        all_routes.extend(routes(&self.console, console::ROUTES, true));
        Ok(Deployed {
            gateway: Gateway::new(all_routes, tokens.clone()),
            streams: vec![
                stream((LEADS, 100), self.schedule, "schedule-failures", &[enrollments])?,
                stream((CONFIG, 10), self.publish, "publish-failures", &[])?,
            ],
            queues: vec![queue("sms", self.sms), queue("email", self.email), queue("call", self.call)],
            rules: vec![Rule { function: self.reconcile, every: TimeDelta::minutes(5) }],
            voice_agent_secret: VOICE_AGENT_SECRET.to_owned(),
            processes: None,
        })
    }
}

/// Writes the shipped records that are not there, as ops would, and waits for each to be published. Gives the users' ids.
async fn publish_records(cloud: &Cloud, aws: &SdkConfig) -> Result<Vec<String>, DeployError> {
    let client = aws_sdk_dynamodb::Client::new(aws);
    let records = records::shipped().map_err(|error| DeployError::Record(error.into()))?;
    let mut users = Vec::new();
    for record in records {
        let pk = record.get("pk").and_then(Value::as_str).unwrap_or_default().to_owned();
        let item = serde_dynamo::to_item(&record).map_err(|error| DeployError::Record(error.into()))?;
        let put =
            client.put_item().table_name(CONFIG).set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
        match put.send().await {
            Ok(_) => published(cloud, &client, &pk).await?,
            // It is there, as ops left it.
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {}
            Err(error) => return Err(DeployError::Record(error.into())),
        }
        users.extend(pk.strip_prefix("USER#").map(str::to_owned));
    }
    Ok(users)
}

async fn published(cloud: &Cloud, client: &aws_sdk_dynamodb::Client, pk: &str) -> Result<(), DeployError> {
    cloud.run_ready().await?;
    let key = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let get = client.get_item().table_name(CONFIG).key("pk", key(pk)).key("sk", key("CURRENT")).consistent_read(true);
    let item = get.send().await.map_err(|error| DeployError::Record(error.into()))?.item.unwrap_or_default();
    let record: Value = serde_dynamo::from_item(item).map_err(|error| DeployError::Record(error.into()))?;
    let check = record.get("check").and_then(Value::as_str).unwrap_or("it was not checked");
    match check.starts_with("ok") {
        true => Ok(()),
        false => {
            let problems = record.get("problems").map(ToString::to_string).unwrap_or_default();
            Err(DeployError::Refused { pk: pk.to_owned(), check: format!("{check} {problems}") })
        }
    }
}
