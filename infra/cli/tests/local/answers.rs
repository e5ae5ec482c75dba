//! What the command makes of AWS's answers, and of none.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use crate::running::Ran;

/// A service that answers every request the same, until the test ends.
fn answering(status: &'static str, body: &'static str) -> String {
    answering_by(move |_| (status, body.to_owned()))
}

/// A service that answers each request as that says of its text, until the test ends.
pub(crate) fn answering_by(answer_to: impl Fn(&str) -> (&'static str, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().for_each(|stream| drop(answer(stream.unwrap(), &answer_to))));
    endpoint
}

fn answer(mut stream: TcpStream, answer_to: &impl Fn(&str) -> (&'static str, String)) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    while !is_whole(&request) {
        let length = stream.read(&mut part)?;
        if length == 0 {
            return Ok(());
        }
        request.extend_from_slice(&part[..length]);
    }
    let (status, body) = answer_to(&String::from_utf8_lossy(&request));
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// Whether a request has all of its body.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

fn refused(args: &[&str], variables: &[(&str, &str)]) -> String {
    let ran = Ran::of(args, variables);
    assert_eq!((ran.code, ran.told.as_str()), (2, ""), "{}", ran.complained);
    assert!(ran.complained.starts_with("error: "), "{}", ran.complained);
    ran.complained
}

#[test]
fn an_error_of_aws_says_what_to_do() {
    for (status, body, words) in [
        (
            "400 Bad Request",
            r#"{"__type": "com.amazon.coral.service#AccessDeniedException", "message": "User: arn:aws:iam::000000000000:user/ops is not authorized to perform: dynamodb:Scan on resource: arn:aws:dynamodb:us-east-1:000000000000:table/config"}"#,
            ["may not dynamodb:Scan on config", "Ask for a role"],
        ),
        (
            "400 Bad Request",
            r#"{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "Requested resource not found"}"#,
            ["there is no table config", "ConfigTableName"],
        ),
        (
            "400 Bad Request",
            r#"{"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "The security token included in the request is expired"}"#,
            ["have expired", "aws sso login"],
        ),
        (
            "400 Bad Request",
            r#"{"__type": "com.amazon.coral.service#UnrecognizedClientException", "message": "The security token included in the request is invalid."}"#,
            ["doesn't know these credentials", "check the profile"],
        ),
        (
            "400 Bad Request",
            r#"{"__type": "com.amazon.coral.service#InvalidSignatureException", "message": "Signature expired: 20261125T000000Z is now earlier than 20261125T100000Z"}"#,
            ["clock is wrong", "Set it"],
        ),
        (
            "400 Bad Request",
            r#"{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "Slow down"}"#,
            ["asked too much", "try again in a minute"],
        ),
        (
            "400 Bad Request",
            r#"{"__type": "com.amazon.coral.validate#ValidationException", "message": "Invalid FilterExpression"}"#,
            ["is it Cadence's config table?", "Invalid FilterExpression"],
        ),
        (
            "500 Internal Server Error",
            r#"{"__type": "InternalServerError", "message": "oops"}"#,
            ["trouble of its own", "try again"],
        ),
    ] {
        let endpoint = answering(status, body);
        let told = refused(&["list", "--endpoint-url", &endpoint], &[]);
        for word in words {
            assert!(told.contains(word), "{word}: {told}");
        }
    }
}

#[test]
fn where_nothing_answers_it_asks_whether_the_local_cloud_runs() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let told = refused(&["list", "--endpoint-url", &format!("http://127.0.0.1:{port}")], &[]);
    assert!(told.contains("is `cadence local` running there?"), "{told}");
    let told = refused(
        &["list", "--endpoint-url", "http://nowhere.invalid", "--table", "config", "--region", "us-east-1"],
        &KEYS,
    );
    assert!(told.contains("http://nowhere.invalid can't be reached"), "{told}");
}

#[test]
fn flags_that_can_t_be_meant_are_refused_with_what_to_write() {
    for (args, words) in [
        (&["--endpoint-url", "notaurl"][..], ["'notaurl' for '--endpoint-url <URL>'", "like http://127.0.0.1:7878"]),
        (&["--endpoint-url", "127.0.0.1:7878"], ["'--endpoint-url <URL>'", "write it whole"]),
        (&["--local", "--stage", "dev"], ["'--local' cannot be used with", "'--stage <STAGE>'"]),
        (
            &["--table", "config", "--region", "us-east-1", "--profile", "nope"],
            ["there are no credentials of a profile nope", "`aws configure list-profiles`"],
        ),
    ] {
        let told = refused(&[&["list"], args].concat(), &KEYS);
        for word in words {
            assert!(told.contains(word), "{word}: {told}");
        }
    }
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "example")];

#[test]
fn without_credentials_it_says_how_to_get_some() {
    let told = refused(&["list", "--table", "config", "--region", "us-east-1"], &[]);
    assert!(told.contains("there are no AWS credentials: give --profile NAME, sign in"), "{told}");
    let told = refused(&["list", "--table", "config", "--region", "us-east-1", "--profile", "ops"], &[]);
    assert!(told.contains("aws sso login --profile ops"), "{told}");
    // Keys of another account that happen to be set don't stand in for the profile that was named.
    let told = refused(&["list", "--table", "config", "--region", "us-east-1", "--profile", "ops"], &KEYS);
    assert!(told.contains("aws sso login --profile ops"), "{told}");
    let told = refused(&["list", "--table", "config"], &KEYS);
    assert!(told.contains("no region is known: give --region"), "{told}");
}

#[test]
fn a_sign_in_that_has_run_out_is_to_be_renewed() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");
    let profile = "[profile ops]\nsso_session = main\nsso_account_id = 000000000000\nsso_role_name = ops\nregion = us-east-1\n\n\
                   [sso-session main]\nsso_start_url = https://example.com/start\nsso_region = us-east-1\n";
    fs::write(&config, profile).unwrap();
    let cache = home.path().join(".aws/sso/cache");
    fs::create_dir_all(&cache).unwrap();
    let token = r#"{"accessToken": "x", "expiresAt": "2020-01-01T00:00:00Z", "region": "us-east-1", "startUrl": "https://example.com/start"}"#;
    // Named by the SHA-1 of the session's name.
    fs::write(cache.join("b28b7af69320201d1cf206ebf28373980add1451.json"), token).unwrap();
    let variables = [("AWS_CONFIG_FILE", config.to_str().unwrap()), ("HOME", home.path().to_str().unwrap())];
    let told = refused(&["list", "--table", "config", "--profile", "ops"], &variables);
    assert!(told.contains("aws sso login --profile ops") && told.contains("expired"), "{told}");
}

#[test]
fn a_stage_s_table_is_found_by_its_stack_s_name() {
    let tables = r#"{"TableNames": ["cadence-dev-ConfigTable-1ABC", "cadence-dev-LeadsTable-1ABC", "other"]}"#;
    let endpoint = answering("200 OK", tables);
    let told = refused(&["list", "--endpoint-url", &endpoint, "--stage", "prod"], &[]);
    assert!(
        told.contains("there is no stack cadence-prod") && told.contains("there are the stacks cadence-dev"),
        "{told}"
    );
    // What is no answer to a scan holds no records.
    let ran = Ran::of(&["list", "--endpoint-url", &endpoint, "--stage", "dev"], &[]);
    assert!(
        ran.code == 0 && ran.told.contains("0 records in cadence-dev-ConfigTable-1ABC"),
        "{}{}",
        ran.told,
        ran.complained
    );
}

#[test]
fn it_asks_where_the_records_are() {
    let told = refused(&["list"], &[]);
    assert!(told.contains("--local") && told.contains("--stage"), "{told}");
    let told = refused(&["list", "--endpoint-url", "https://dynamodb.example.com"], &[("AWS_REGION", "us-east-1")]);
    assert!(told.contains("name the config table"), "{told}");
}
