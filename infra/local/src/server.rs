//! The cloud over real HTTP: the API, the AWS endpoints and the pages, on one port.

use std::{io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::StatusCode,
    response::IntoResponse,
};
use http::{Request, Response};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    cloud::{self, Cloud, CloudError},
    pages,
};

/// No request to AWS that the functions make is longer.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// How long to wait for nothing in particular while the clock only jumps.
const IDLE: Duration = Duration::from_secs(3600);

/// Binds a port on this machine only; port 0 takes any that is free.
pub async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await
}

/// Serves requests until the listener fails.
pub async fn serve(cloud: Cloud, listener: TcpListener) -> io::Result<()> {
    axum::serve(listener, Router::new().fallback(answer).with_state(cloud)).await
}

/// Delivers what is ready, side by side, each time something is, until the cloud fails.
pub async fn deliver(cloud: &Cloud) -> Result<(), CloudError> {
    let mut deliveries = JoinSet::new();
    loop {
        for delivery in cloud.take_ready()? {
            deliveries.spawn(delivery);
        }
        let next = cloud.next_due_at()?.and_then(|at| cloud.real_time_until(at));
        tokio::select! {
            biased;
            Some(ended) = deliveries.join_next() => match ended {
                Ok(ended) => ended?,
                Err(error) => tracing::error!(%error, "a delivery broke off; what it delivered comes again"),
            },
            // A request may make something ready before that.
            _ = tokio::time::timeout(next.unwrap_or(IDLE), cloud.changed()) => {}
        }
    }
}

/// A request with all of its body, or the answer to one whose body is too long.
pub(crate) async fn whole(request: Request<Body>) -> Result<Request<Bytes>, Response<Body>> {
    let (parts, body) = request.into_parts();
    match axum::body::to_bytes(body, MAX_BODY).await {
        Ok(body) => Ok(Request::from_parts(parts, body)),
        Err(_) => Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too long").into_response()),
    }
}

async fn answer(State(cloud): State<Cloud>, request: Request<Body>) -> Response<Body> {
    let request = match whole(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    if let Some(page) = pages::answer(&cloud, &request).await {
        return page.map(Body::from);
    }
    let response = match cloud::service(&request) {
        Some(_) => cloud.handle(&request),
        None => cloud.answer(&request).await,
    };
    response.map(Body::from)
}
