//! Each function may do what its `App` holds, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use cadence_store::keys;
use serde_yaml_ng::Value;

use super::{FUNCTIONS, Template, intrinsic, text, texts};

const WRITE_LOGS: &str = "logs:CreateLogStream logs:PutLogEvents";
/// What `Store::commit` and what it is decided on take.
const COMMIT: &str = "dynamodb:Query dynamodb:PutItem dynamodb:UpdateItem dynamodb:ConditionCheckItem";
/// The same, and looking at one item: at a claim whose answer was lost, at an address, at a task.
const LOOK_AND_COMMIT: &str =
    "dynamodb:GetItem dynamodb:Query dynamodb:PutItem dynamodb:UpdateItem dynamodb:ConditionCheckItem";
/// What `Store::load_step` takes of the config table.
const LOAD_RECORDS: &str = "dynamodb:BatchGetItem dynamodb:Query";
const RECEIVE: &str = "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes";
const READ_STREAM: &str = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams";
const READ_SECRET: (&str, &str) = ("secretsmanager:GetSecretValue", "Secret");
const SEND_EMAIL: (&str, &str) = ("ses:SendEmail", "identity/* configuration-set/${EmailConfiguration}");

/// Actions and what they may be done to, statement by statement.
fn rights(function: &str) -> Vec<(&'static str, &'static str)> {
    match function {
        "ingest" => vec![
            (WRITE_LOGS, "IngestLogs"),
            (LOOK_AND_COMMIT, "LeadsTable"),
            ("dynamodb:GetItem dynamodb:Query", "ConfigTable"),
            READ_SECRET,
        ],
        "schedule" => vec![
            (WRITE_LOGS, "ScheduleLogs"),
            (READ_STREAM, "LeadsTable/stream/*"),
            ("scheduler:CreateSchedule scheduler:DeleteSchedule", "schedule/${TimerGroup}/*"),
            ("iam:PassRole", "TimerRole"),
            ("sqs:SendMessage", "SmsQueue EmailQueue CallQueue ScheduleFailures"),
        ],
        "sms" => vec![
            (WRITE_LOGS, "SmsLogs"),
            (LOOK_AND_COMMIT, "LeadsTable"),
            (LOAD_RECORDS, "ConfigTable"),
            (RECEIVE, "SmsQueue"),
            ("sns:Publish", "*"),
            ("!sns:Publish", "arn:${AWS::Partition}:sns:*:*:*"),
        ],
        "email" => vec![
            (WRITE_LOGS, "EmailLogs"),
            (LOOK_AND_COMMIT, "LeadsTable"),
            (LOAD_RECORDS, "ConfigTable"),
            (RECEIVE, "EmailQueue"),
            SEND_EMAIL,
            READ_SECRET,
        ],
        "call" => vec![
            (WRITE_LOGS, "CallLogs"),
            (LOOK_AND_COMMIT, "LeadsTable"),
            (LOAD_RECORDS, "ConfigTable"),
            (RECEIVE, "CallQueue"),
            SEND_EMAIL,
            READ_SECRET,
        ],
        "outcomes" => vec![
            (WRITE_LOGS, "OutcomesLogs"),
            (LOOK_AND_COMMIT, "LeadsTable"),
            (LOAD_RECORDS, "ConfigTable"),
            READ_SECRET,
        ],
        "console" => vec![
            (WRITE_LOGS, "ConsoleLogs"),
            (LOOK_AND_COMMIT, "LeadsTable"),
            ("dynamodb:Query", "LeadsTable/index/open-tasks"),
            (LOAD_RECORDS, "ConfigTable"),
        ],
        "publish" => vec![
            (WRITE_LOGS, "PublishLogs"),
            (LOOK_AND_COMMIT, "ConfigTable"),
            ("dynamodb:BatchGetItem", "ConfigTable"),
            ("dynamodb:DeleteItem", "ConfigTable"),
            ("dynamodb:Query", "LeadsTable/index/running"),
            (READ_STREAM, "ConfigTable/stream/*"),
            ("sqs:SendMessage", "PublishFailures"),
        ],
        "reconcile" => vec![
            (WRITE_LOGS, "ReconcileLogs"),
            (COMMIT, "LeadsTable"),
            ("dynamodb:Query", "LeadsTable/index/due LeadsTable/index/running"),
            (LOAD_RECORDS, "ConfigTable"),
            ("dynamodb:UpdateItem", "ConfigTable"),
            ("sqs:SendMessage", "SmsQueue EmailQueue CallQueue"),
        ],
        other => panic!("{other} has no rights here"),
    }
}

/// The logical id of a function's own role.
fn role_of<'a>(template: &'a Template, function: &str) -> &'a str {
    let arn = intrinsic(&template.function(function)["Role"], "GetAtt");
    arn.strip_suffix(".Arn").unwrap()
}

/// The statements of all of a role's policies.
fn statements<'a>(template: &'a Template, role: &str) -> Vec<&'a Value> {
    let role = template.resource(role);
    assert!(role["ManagedPolicyArns"].is_null(), "managed policies allow more than is needed");
    let policies = role["Policies"].as_sequence().unwrap().iter();
    policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_sequence().unwrap()).collect()
}

/// Single rights, as `action resource`; what is denied begins with `!`.
fn spread<'a>(actions: impl IntoIterator<Item = &'a str>, resources: &[String]) -> BTreeSet<String> {
    let actions = actions.into_iter();
    actions.flat_map(|action| resources.iter().map(move |resource| format!("{action} {resource}"))).collect()
}

fn given(template: &Template, role: &str) -> BTreeSet<String> {
    let given = statements(template, role).into_iter().flat_map(|statement| {
        let deny = if statement["Effect"] == "Deny" { "!" } else { "" };
        let actions: Vec<_> = texts(&statement["Action"]).iter().map(|action| format!("{deny}{action}")).collect();
        let resources: Vec<_> = match &statement["Resource"] {
            Value::Sequence(resources) => resources.iter().map(resource).collect(),
            one => vec![resource(one)],
        };
        spread(actions.iter().map(String::as_str), &resources)
    });
    given.collect()
}

/// A resource by its logical id, or by the part of its ARN that says something.
fn resource(value: &Value) -> String {
    let Value::Tagged(tagged) = value else {
        return text(value).to_owned();
    };
    let named = text(&tagged.value);
    let own_account = [
        "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:",
        "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:",
    ];
    let named = own_account.iter().find_map(|prefix| named.strip_prefix(prefix)).unwrap_or(named);
    match named.strip_prefix("${").and_then(|named| named.split_once(".Arn}")) {
        Some((id, rest)) => format!("{id}{rest}"),
        None => named.strip_suffix(".Arn").unwrap_or(named).to_owned(),
    }
}

#[test]
fn each_function_has_the_rights_that_it_needs_and_no_others() {
    let template = Template::load();
    for (name, ..) in FUNCTIONS {
        let needed = rights(name).into_iter().flat_map(|(actions, resources)| {
            let resources: Vec<_> = resources.split(' ').map(str::to_owned).collect();
            spread(actions.split(' '), &resources)
        });
        assert_eq!(given(&template, role_of(&template, name)), needed.collect(), "{name}");
    }
}

#[test]
fn each_function_has_a_role_of_its_own() {
    let template = Template::load();
    let roles: BTreeMap<_, _> = FUNCTIONS.iter().map(|(name, ..)| (role_of(&template, name), name)).collect();
    assert_eq!(roles.len(), FUNCTIONS.len(), "{roles:?}");
    for role in roles.keys() {
        let assumed = &template.resource(role)["AssumeRolePolicyDocument"]["Statement"][0];
        assert_eq!(assumed["Principal"]["Service"], "lambda.amazonaws.com", "{role}");
    }
    // Besides these there is the timers' role.
    assert_eq!(template.resources("AWS::IAM::Role").len(), FUNCTIONS.len() + 1);
}

#[test]
fn no_right_is_given_by_a_pattern_of_actions_and_only_texting_on_everything() {
    let template = Template::load();
    for role in template.resources("AWS::IAM::Role").keys() {
        for right in given(&template, role) {
            let (action, resource) = right.split_once(' ').unwrap();
            assert!(!action.contains('*'), "{role}: {right}");
            assert!(resource != "*" || right == "sns:Publish *", "{role}: {right}");
        }
    }
}

#[test]
fn only_schedule_sets_timers_and_timers_only_reach_the_queues() {
    let template = Template::load();
    for role in template.resources("AWS::IAM::Role").keys() {
        let sets_timers = given(&template, role).iter().any(|right| right.starts_with("scheduler:"));
        assert_eq!(sets_timers, *role == role_of(&template, "schedule"), "{role}");
    }
    let queues = ["SmsQueue", "EmailQueue", "CallQueue", "TimerDeadLetters"].map(str::to_owned);
    assert_eq!(given(&template, "TimerRole"), spread(["sqs:SendMessage"], &queues));

    let trust = &template.resource("TimerRole")["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Principal"]["Service"], "scheduler.amazonaws.com");
    let condition = &trust["Condition"]["StringEquals"];
    assert_eq!(intrinsic(&condition["aws:SourceAccount"], "Ref"), "AWS::AccountId");
    assert_eq!(intrinsic(&condition["aws:SourceArn"], "GetAtt"), "TimerGroup.Arn");

    let mut passing = statements(&template, role_of(&template, "schedule")).into_iter();
    let passing = passing.find(|statement| statement["Action"] == "iam:PassRole").unwrap();
    assert_eq!(passing["Condition"]["StringEquals"]["iam:PassedToService"], "scheduler.amazonaws.com");
}

#[test]
fn what_people_write_is_not_deleted_and_reconcile_only_writes_on_cadences() {
    let template = Template::load();
    for (name, action, partitions) in [
        ("publish", "dynamodb:DeleteItem", vec![keys::unpublished_pk("*"), keys::published_pk("*")]),
        ("reconcile", "dynamodb:UpdateItem", vec!["CADENCE#*".to_owned()]),
    ] {
        let mut all = statements(&template, role_of(&template, name)).into_iter();
        let on_config = |statement: &&Value| {
            texts(&statement["Action"]).contains(&action) && resource(&statement["Resource"]) == "ConfigTable"
        };
        let statement = all.find(on_config).unwrap();
        let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        assert_eq!(texts(keys), partitions, "{name}");
    }
}

#[test]
fn emails_are_sent_from_our_domain_only() {
    let template = Template::load();
    for name in ["email", "call"] {
        let mut sending = statements(&template, role_of(&template, name)).into_iter();
        let sending = sending.find(|statement| statement["Action"] == "ses:SendEmail").unwrap();
        let from = intrinsic(&sending["Condition"]["StringLike"]["ses:FromAddress"], "Sub");
        assert_eq!(from, "*@${SenderDomain}", "{name}");
    }
}
