//! API Gateway's HTTP API: requests in, the event that a function gets, and its answer as a response.
//!
//! Event format 2.0: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Request, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{function::Function, tokens::Tokens};

/// A route of the API.
#[derive(Clone, Debug)]
pub struct Route {
    /// `POST`
    pub method: String,
    /// `/leads/{source}`
    pub path: String,
    /// Whether a request needs a token.
    pub needs_token: bool,
    /// Who answers.
    pub function: Function,
}

/// The API: its routes, and whose tokens it takes.
#[derive(Clone, Debug)]
pub struct Gateway {
    routes: Vec<Route>,
    tokens: Tokens,
}

/// A function's answer, format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

impl Gateway {
    /// An API of those routes.
    pub fn new(routes: Vec<Route>, tokens: Tokens) -> Self {
        Self { routes, tokens }
    }

    /// Answers a request as API Gateway does: 404 for no route, 401 without a token where one is asked for, 500 where the
    /// function fails.
    pub async fn answer(&self, request: &Request<Bytes>, request_id: &str, now: DateTime<Utc>) -> Response<Bytes> {
        let Some((route, parameters)) = self.route(request) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let claims = match route.needs_token {
            false => None,
            true => match self.tokens.claims(bearer(request), now) {
                Some(claims) => Some(claims),
                None => return message(StatusCode::UNAUTHORIZED, "Unauthorized"),
            },
        };
        let event = event(route, parameters, claims, request, request_id, now);
        match route.function.invoke(event, request_id, now).await {
            Ok(answer) => response(answer),
            Err(error) => {
                tracing::error!(function = route.function.name, %error, "answered 500 for a function that failed");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        }
    }

    fn route(&self, request: &Request<Bytes>) -> Option<(&Route, BTreeMap<String, String>)> {
        let of_method = self.routes.iter().filter(|route| route.method == request.method().as_str());
        of_method.filter_map(|route| Some((route, matched(&route.path, request.uri().path())?))).next()
    }
}

/// What the path's `{names}` stand for; `None` if it is another path.
fn matched(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (wanted, given): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut parameters = BTreeMap::new();
    for (wanted, given) in wanted.into_iter().zip(given) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !given.is_empty() => {
                parameters.insert(name.to_owned(), given.to_owned());
            }
            Some(_) => return None,
            None if wanted == given => {}
            None => return None,
        }
    }
    Some(parameters)
}

fn event(
    route: &Route,
    parameters: BTreeMap<String, String>,
    claims: Option<Value>,
    request: &Request<Bytes>,
    request_id: &str,
    now: DateTime<Utc>,
) -> Value {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let joined = match headers.get(name.as_str()).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value,
        };
        headers.insert(name.as_str().to_owned(), Value::String(joined));
    }
    let (body, is_base64) = match std::str::from_utf8(request.body()) {
        Ok(text) if is_text(headers.get("content-type").and_then(Value::as_str)) => (text.to_owned(), false),
        Ok(_) | Err(_) => (STANDARD.encode(request.body()), true),
    };
    let authorizer = claims.map(|claims| json!({ "jwt": { "claims": claims, "scopes": null } }));
    json!({
        "version": "2.0",
        "routeKey": format!("{} {}", route.method, route.path),
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "pathParameters": parameters,
        "requestContext": {
            "accountId": "000000000000", "apiId": "local", "domainName": "localhost", "domainPrefix": "localhost",
            "authorizer": authorizer,
            "http": { "method": route.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "" },
            "requestId": request_id, "routeKey": format!("{} {}", route.method, route.path), "stage": "$default",
            "time": now.format("%d/%b/%Y:%H:%M:%S +0000").to_string(), "timeEpoch": now.timestamp_millis(),
        },
        "body": body,
        "isBase64Encoded": is_base64,
    })
}

/// Whether a body of that type is handed on as it is; a form, for one, comes as base64.
/// <https://aws.amazon.com/blogs/compute/handling-binary-data-using-amazon-api-gateway-http-apis/>
fn is_text(content_type: Option<&str>) -> bool {
    content_type.is_none_or(|stated| ["text/", "application/json"].iter().any(|text| stated.trim().starts_with(text)))
}

fn response(answer: Value) -> Response<Bytes> {
    let Ok(answer) = serde_json::from_value::<Answer>(answer) else {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    let text = answer.body.unwrap_or_default();
    let body = match answer.is_base64_encoded {
        true => STANDARD.decode(text).unwrap_or_default(),
        false => text.into_bytes(),
    };
    let mut response = Response::builder().status(answer.status_code);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response
        .body(Bytes::from(body))
        .unwrap_or_else(|_| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
}

fn message(status: StatusCode, text: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json!({ "message": text }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

fn bearer(request: &Request<Bytes>) -> &str {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn echo() -> Function {
        Function::new("echo", Duration::from_secs(1), |event, _| {
            Box::pin(
                async move { Ok(json!({ "statusCode": 202, "headers": {"x-a": "b"}, "body": event.to_string() })) },
            )
        })
    }

    fn gateway() -> Gateway {
        let route = |method: &str, path: &str, needs_token| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            needs_token,
            function: echo(),
        };
        Gateway::new(
            vec![route("POST", "/leads/{source}", false), route("GET", "/tasks", true)],
            Tokens::new(b"key".to_vec()),
        )
    }

    async fn ask(method: &str, path: &str, token: Option<&str>) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path).header("x-one", "1").header("x-one", "2");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = gateway().answer(&request.body(Bytes::from_static(b"{}")).unwrap(), "r1", NOW).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    #[tokio::test]
    async fn a_request_becomes_its_routes_event() {
        let (status, event) = ask("POST", "/leads/zillow?x=1", None).await;
        assert_eq!(status, 202);
        assert_eq!(event["routeKey"], "POST /leads/{source}");
        assert_eq!(event["pathParameters"], json!({"source": "zillow"}));
        assert_eq!((&event["rawQueryString"], &event["body"]), (&json!("x=1"), &json!("{}")));
        assert_eq!(event["headers"]["x-one"], "1,2");
    }

    #[tokio::test]
    async fn what_has_no_route_is_not_found() {
        for (method, path) in [("GET", "/leads/zillow"), ("POST", "/leads/"), ("POST", "/leads/a/b/c"), ("POST", "/")] {
            assert_eq!(ask(method, path, None).await.0, 404, "{method} {path}");
        }
    }

    #[tokio::test]
    async fn a_users_route_asks_for_a_token_and_hands_its_subject_on() {
        let tokens = Tokens::new(b"key".to_vec());
        let good = tokens.issue("lo-riley", NOW).unwrap();
        assert_eq!(ask("GET", "/tasks", None).await.0, 401);
        let forged = Tokens::new(b"other".to_vec()).issue("lo-riley", NOW).unwrap();
        assert_eq!(ask("GET", "/tasks", Some(&forged)).await.0, 401);
        let (status, event) = ask("GET", "/tasks", Some(&good)).await;
        assert_eq!(status, 202);
        assert_eq!(event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"], "lo-riley");
    }
}
