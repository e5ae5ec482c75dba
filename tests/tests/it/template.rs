//! What is deployed is what the code expects: template.yaml against the functions, their environment, tables, queues and routes.

mod rights;

use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use aws_sdk_dynamodb::{operation::create_table::CreateTableInput, types::KeySchemaElement};
use cadence_core::EnrollmentId;
use cadence_store::keys;
use serde_yaml_ng::Value;

use crate::layout::{ROOT, packages_in, workspace};

/// The names of the functions, what they read of their environment, and how long they may run, in seconds.
const FUNCTIONS: [(&str, &[&str], u64); 9] = [
    ("ingest", ingest::ENV, 29),
    ("schedule", schedule::ENV, 60),
    ("sms", sms::ENV, 60),
    ("email", email::ENV, 60),
    ("call", call::ENV, 60),
    ("outcomes", outcomes::ENV, 29),
    ("console", console::ENV, 29),
    ("publish", publish::ENV, 60),
    ("reconcile", reconcile::ENV, 300),
];

/// A template, read once for each test.
struct Template(Value);

impl Template {
    fn load() -> Self {
        let text = fs::read_to_string(format!("{ROOT}/template.yaml")).unwrap();
        Self(serde_yaml_ng::from_str(&text).unwrap())
    }

    /// The properties of a resource.
    fn resource(&self, id: &str) -> &Value {
        let resource = &self.0["Resources"][id];
        assert!(!resource.is_null(), "there is no resource {id}");
        &resource["Properties"]
    }

    /// The resources of a type, by logical id.
    fn resources(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let resources = self.0["Resources"].as_mapping().unwrap();
        let of_kind = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        of_kind.map(|(id, resource)| (id.as_str().unwrap(), resource)).collect()
    }

    /// The functions' resources, by the name of the binary that they run.
    fn functions(&self) -> BTreeMap<&str, &Value> {
        let functions = self.resources("AWS::Serverless::Function").into_values();
        functions.map(|function| (text(&function["Metadata"]["BuildProperties"]["Binary"]), function)).collect()
    }

    /// The properties of the function that runs a binary.
    fn function(&self, name: &str) -> &Value {
        &self.functions()[name]["Properties"]
    }

    /// A property that a function has, or else has from `Globals`.
    fn property<'a>(&'a self, function: &'a Value, name: &str) -> &'a Value {
        match &function[name] {
            Value::Null => &self.0["Globals"]["Function"][name],
            own => own,
        }
    }

    /// The events of a function of a type: their properties, by name.
    fn events(&self, function: &str, kind: &str) -> Vec<&Value> {
        let events = self.function(function)["Events"].as_mapping().unwrap().values();
        let of_kind: Vec<_> = events.filter(|event| event["Type"] == kind).map(|event| &event["Properties"]).collect();
        assert!(!of_kind.is_empty(), "{function} has no {kind} event");
        of_kind
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value:?} is not text"))
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Sequence(values) => values.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

/// The argument of an intrinsic function: `!Ref X`, `!GetAtt X.Y`, `!Sub ...`.
fn intrinsic<'a>(value: &'a Value, tag: &str) -> &'a str {
    match value {
        Value::Tagged(tagged) if tagged.tag == tag => text(&tagged.value),
        other => panic!("{other:?} is not !{tag}"),
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.into_iter().collect()
}

#[test]
fn every_function_is_deployed_and_nothing_else_is() {
    let template = Template::load();
    let packages = packages_in(&workspace(), "functions");
    let deployed = template.functions();
    assert_eq!(names(deployed.keys().copied()), names(packages.iter().map(String::as_str)));
    assert_eq!(names(deployed.keys().copied()), names(FUNCTIONS.map(|(name, ..)| name)));

    for (name, resource) in deployed {
        let function = &resource["Properties"];
        assert_eq!(resource["Metadata"]["BuildMethod"], "rust-cargolambda", "{name}");
        assert_eq!(function["CodeUri"], format!("functions/{name}").as_str(), "{name}");
        assert_eq!(intrinsic(&function["FunctionName"], "Sub"), format!("${{AWS::StackName}}-{name}"));
        assert_eq!(template.property(function, "Runtime"), "provided.al2023", "{name}");
        assert_eq!(template.property(function, "Handler"), "bootstrap", "{name}");
        assert_eq!(intrinsic(&template.property(function, "Architectures")[0], "Ref"), "Architecture");
    }
    assert_eq!(template.0["Parameters"]["Architecture"]["Default"], "arm64");
}

#[test]
fn each_function_is_given_the_environment_that_it_reads() {
    let template = Template::load();
    for (name, env, _) in FUNCTIONS {
        let given = template.function(name)["Environment"]["Variables"].as_mapping().unwrap();
        let given = names(given.keys().map(text));
        // Every function reads LOG_LEVEL, and every one is given it.
        let read = names(env.iter().copied().filter(|variable| *variable != "LOG_LEVEL"));
        assert_eq!(given, read, "{name}");
    }
    let all = &template.0["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(names(all.as_mapping().unwrap().keys().map(text)), names(["LOG_LEVEL"]));
}

#[test]
fn a_fresh_deployment_reaches_nobody() {
    let template = Template::load();
    let mode = &template.0["Parameters"]["SendMode"];
    assert_eq!(mode["Default"], "dry_run");
    assert_eq!(texts(&mode["AllowedValues"]), ["dry_run", "live"]);
    for name in ["sms", "email", "call"] {
        let given = &template.function(name)["Environment"]["Variables"]["SEND_MODE"];
        assert_eq!(intrinsic(given, "Ref"), "SendMode", "{name}");
    }
    let config = fs::read_to_string(format!("{ROOT}/samconfig.toml")).unwrap();
    assert!(!config.contains("\"SendMode=live"), "samconfig.toml must not make a stage live");
}

#[test]
fn the_functions_time_out_as_the_queues_and_the_api_expect() {
    let template = Template::load();
    for (name, _, seconds) in FUNCTIONS {
        assert_eq!(template.function(name)["Timeout"], seconds, "{name}");
    }
}

#[test]
fn the_tables_are_the_ones_that_the_store_makes() {
    let template = Template::load();
    for (id, made) in [
        ("LeadsTable", cadence_store::leads_table("leads").unwrap()),
        ("ConfigTable", cadence_store::config_table("config").unwrap()),
    ] {
        let table = template.resource(id);
        assert_eq!(key_schema(table), made_key_schema(made.key_schema()), "{id}");
        assert_eq!(indexes(table), made_indexes(&made), "{id}");
        let attributes = table["AttributeDefinitions"].as_sequence().unwrap().iter();
        let attributes: BTreeMap<_, _> = attributes
            .map(|attribute| (text(&attribute["AttributeName"]), text(&attribute["AttributeType"])))
            .collect();
        let made_attributes = made.attribute_definitions().iter();
        let made_attributes: BTreeMap<_, _> = made_attributes
            .map(|attribute| (attribute.attribute_name(), attribute.attribute_type().as_str()))
            .collect();
        assert_eq!(attributes, made_attributes, "{id}");

        let stream = made.stream_specification().and_then(|stream| stream.stream_view_type());
        assert_eq!(table["StreamSpecification"]["StreamViewType"], stream.unwrap().as_str(), "{id}");
        assert_eq!(table["BillingMode"], made.billing_mode().unwrap().as_str(), "{id}");
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{id}");
        assert_eq!(table["SSESpecification"]["SSEEnabled"], true, "{id}");
        let resource = &template.0["Resources"][id];
        assert_eq!(
            (&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]),
            (&"Retain".into(), &"Retain".into())
        );
    }
    let expiring = &template.resource("LeadsTable")["TimeToLiveSpecification"];
    assert_eq!(expiring["AttributeName"], keys::EXPIRES_AT);
    assert_eq!(expiring["Enabled"], true);
}

fn key_schema(of: &Value) -> Vec<(&str, &str)> {
    let keys = of["KeySchema"].as_sequence().unwrap().iter();
    keys.map(|key| (text(&key["AttributeName"]), text(&key["KeyType"]))).collect()
}

fn made_key_schema(keys: &[KeySchemaElement]) -> Vec<(&str, &str)> {
    keys.iter().map(|key| (key.attribute_name(), key.key_type().as_str())).collect()
}

/// An index: its keys and what it projects.
type Index<'a> = (Vec<(&'a str, &'a str)>, &'a str);

fn indexes(table: &Value) -> BTreeMap<&str, Index<'_>> {
    let indexes = table["GlobalSecondaryIndexes"].as_sequence().into_iter().flatten();
    indexes
        .map(|index| {
            let projects = text(&index["Projection"]["ProjectionType"]);
            (text(&index["IndexName"]), (key_schema(index), projects))
        })
        .collect()
}

fn made_indexes(table: &CreateTableInput) -> BTreeMap<&str, Index<'_>> {
    let indexes = table.global_secondary_indexes().iter();
    indexes
        .map(|index| {
            let projects = index.projection().and_then(|projection| projection.projection_type());
            (index.index_name(), (made_key_schema(index.key_schema()), projects.unwrap().as_str()))
        })
        .collect()
}

#[test]
fn a_channel_s_queue_feeds_its_function_one_message_at_a_time() {
    let template = Template::load();
    for (name, queue_id, dead_id) in [
        ("sms", "SmsQueue", "SmsDeadLetters"),
        ("email", "EmailQueue", "EmailDeadLetters"),
        ("call", "CallQueue", "CallDeadLetters"),
    ] {
        let [event] = template.events(name, "SQS")[..] else {
            panic!("{name} must have one queue");
        };
        assert_eq!(intrinsic(&event["Queue"], "GetAtt"), format!("{queue_id}.Arn"));
        assert_eq!(event["BatchSize"], 1, "{name}");
        assert_eq!(texts(&event["FunctionResponseTypes"]), ["ReportBatchItemFailures"], "{name}");
        assert!(event["ScalingConfig"]["MaximumConcurrency"].as_u64() >= Some(2), "{name}");

        let queue = template.resource(queue_id);
        assert_eq!(queue["VisibilityTimeout"], 360, "{name}");
        assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"], 5, "{name}");
        let dead = intrinsic(&queue["RedrivePolicy"]["deadLetterTargetArn"], "GetAtt");
        assert_eq!(dead, format!("{dead_id}.Arn"));
        assert_eq!(template.resource(dead_id)["MessageRetentionPeriod"], 1_209_600, "{name}");
    }
    for (id, queue) in template.resources("AWS::SQS::Queue") {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{id}");
    }
}

#[test]
fn streams_feed_schedule_and_publish_and_give_up_into_a_queue() {
    let template = Template::load();
    let enrollments = keys::enrollment_sk(&EnrollmentId::new(""));
    let by_sort_key = |test| json!({ "dynamodb": { "Keys": { "sk": { "S": [test] } } } });
    for (name, table, batch, failures, expected) in [
        ("schedule", "LeadsTable", 100, "ScheduleFailures", vec![by_sort_key(json!({ "prefix": enrollments }))]),
        ("publish", "ConfigTable", 10, "PublishFailures", vec![]),
    ] {
        let [event] = template.events(name, "DynamoDB")[..] else {
            panic!("{name} must have one stream");
        };
        assert_eq!(intrinsic(&event["Stream"], "GetAtt"), format!("{table}.StreamArn"));
        assert_eq!(event["StartingPosition"], "TRIM_HORIZON", "{name}");
        assert_eq!(event["BatchSize"], batch, "{name}");
        assert_eq!(event["BisectBatchOnFunctionError"], true, "{name}");
        assert_eq!(event["MaximumRetryAttempts"], 10, "{name}");
        assert_eq!(texts(&event["FunctionResponseTypes"]), ["ReportBatchItemFailures"], "{name}");
        let failed = &event["DestinationConfig"]["OnFailure"];
        assert_eq!(failed["Type"], "SQS", "{name}");
        assert_eq!(intrinsic(&failed["Destination"], "GetAtt"), format!("{failures}.Arn"));

        let filters = event["FilterCriteria"]["Filters"].as_sequence();
        let filters: Vec<serde_json::Value> = filters
            .into_iter()
            .flatten()
            .map(|filter| serde_json::from_str(text(&filter["Pattern"])).unwrap())
            .collect();
        assert_eq!(filters, expected, "{name}");
    }
}

#[test]
fn reconcile_runs_every_five_minutes_and_never_twice_at_once() {
    let template = Template::load();
    let [event] = template.events("reconcile", "Schedule")[..] else {
        panic!("reconcile must have one schedule");
    };
    assert_eq!(event["Schedule"], "rate(5 minutes)");
    assert_eq!(template.function("reconcile")["ReservedConcurrentExecutions"], 1);
}

#[test]
fn the_api_s_routes_are_the_ones_that_the_functions_serve() {
    let template = Template::load();
    for (name, served) in [("ingest", ingest::ROUTES), ("outcomes", outcomes::ROUTES), ("console", console::ROUTES)] {
        let events = template.events(name, "HttpApi");
        let routes: BTreeSet<_> = events.iter().map(|event| (text(&event["Method"]), text(&event["Path"]))).collect();
        assert_eq!(routes, served.iter().copied().collect(), "{name}");
        for event in events {
            assert_eq!(intrinsic(&event["ApiId"], "Ref"), "Api");
            assert_eq!(event["PayloadFormatVersion"], "2.0", "{name}");
            // Only users have tokens; vendors and providers show secrets that the functions compare.
            let authorizer = (name == "console").then_some("Users");
            assert_eq!(event["Auth"]["Authorizer"].as_str(), authorizer, "{name} {}", text(&event["Path"]));
        }
    }
    let auth = &template.resource("Api")["Auth"];
    assert!(auth["DefaultAuthorizer"].is_null(), "vendors and providers have no tokens");
    let jwt = &auth["Authorizers"]["Users"]["JwtConfiguration"];
    assert_eq!(intrinsic(&jwt["issuer"], "Ref"), "JwtIssuer");
    assert_eq!(intrinsic(&jwt["audience"][0], "Ref"), "JwtAudience");
}

#[test]
fn the_api_s_log_holds_no_path_and_no_address_of_a_caller() {
    let template = Template::load();
    let format = text(&template.resource("Api")["AccessLogSettings"]["Format"]);
    let format: BTreeMap<String, String> = serde_json::from_str(format).unwrap();
    for (field, variable) in format {
        for private in ["path", "identity", "claims", "domainName"] {
            assert!(!variable.to_lowercase().contains(&private.to_lowercase()), "{field} is {variable}");
        }
    }
}

#[test]
fn the_template_holds_no_secret() {
    let template = Template::load();
    let secret = template.resource("Secret");
    assert!(secret["SecretString"].is_null());
    assert_eq!(secret["GenerateSecretString"]["SecretStringTemplate"], "{}");
    assert_eq!(template.resources("AWS::SecretsManager::Secret").len(), 1);
}
