//! AWS Secrets Manager, as AWS JSON 1.1.

use bytes::Bytes;
use http::{Request, Response};
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use super::{
    Scope,
    wire::{self, Outcome, Refusal},
};

pub(crate) fn handle(scope: &Scope<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let outcome = wire::body(request).and_then(|body| answer(scope, wire::operation(request), &body));
    wire::json_answer(outcome, "com.amazonaws.secretsmanager")
}

fn answer(scope: &Scope<'_>, operation: &str, body: &Value) -> Outcome {
    match operation {
        "GetSecretValue" => {
            let name = name(wire::text(body, "SecretId")?);
            let sql = "SELECT value FROM secrets WHERE name = ?1";
            let value: Option<String> =
                scope.conn.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?;
            let value = value.ok_or_else(no_such)?;
            Ok(
                json!({ "ARN": scope.account.arn("secretsmanager", &format!("secret:{name}")), "Name": name, "SecretString": value }),
            )
        }
        "CreateSecret" => {
            let name = wire::text(body, "Name")?;
            put(scope, name, wire::text(body, "SecretString")?)?;
            Ok(json!({ "ARN": scope.account.arn("secretsmanager", &format!("secret:{name}")), "Name": name }))
        }
        "PutSecretValue" => {
            let name = name(wire::text(body, "SecretId")?);
            let sql = "UPDATE secrets SET value = ?2 WHERE name = ?1";
            match scope.conn.execute(sql, params![name, wire::text(body, "SecretString")?])? {
                0 => Err(no_such()),
                _ => Ok(json!({ "Name": name })),
            }
        }
        other => Err(Refusal::unknown_operation(other)),
    }
}

/// Keeps a secret under a name, over what is there.
pub(crate) fn put(scope: &Scope<'_>, name: &str, value: &str) -> rusqlite::Result<()> {
    scope.conn.execute("INSERT OR REPLACE INTO secrets (name, value) VALUES (?1, ?2)", params![name, value])?;
    Ok(())
}

/// A secret's name, be it given as such or as an ARN.
fn name(id: &str) -> &str {
    id.rsplit(":secret:").next().unwrap_or(id)
}

fn no_such() -> Refusal {
    Refusal::of("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}
