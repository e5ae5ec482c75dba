//! The way from SDK clients to the cloud without a socket, with a seam where faults come in.

use std::{fmt, io};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};

use crate::{
    cloud::Cloud,
    faults::{Call, Fate, Fault, Faults},
    function::Invocation,
    services,
};

/// An HTTP client for SDK clients that asks the cloud in this process.
#[derive(Clone)]
pub(crate) struct Connector {
    cloud: Cloud,
    faults: Option<Faults>,
}

impl Connector {
    /// A way to the cloud.
    pub(crate) fn new(cloud: Cloud, faults: Option<Faults>) -> Self {
        Self { cloud, faults }
    }

    /// As the SDK's configuration takes it.
    pub(crate) fn http_client(self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self);
        http_client_fn(move |_, _| connector.clone())
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let Some(body) = body.bytes().map(Bytes::copy_from_slice) else {
            return Err(ConnectorError::user("a streaming body cannot be sent to the local cloud".into()));
        };
        let request = Request::from_parts(parts, body);
        let invocation = Invocation::that_asks();
        let call = Call { request: &request, invocation: invocation.as_ref() };
        let Fate { takes, fault } = self.faults.as_ref().map(|faults| (faults.of_calls)(&call)).unwrap_or_default();
        travel(takes).await;
        let broken = || Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into()));
        let refused = |refused| answered(services::refusal(&request, refused));
        match fault {
            None => answered(self.cloud.handle(&request)),
            Some(Fault::Lost) => broken(),
            Some(Fault::Refused(why)) => refused(why),
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::KilledBefore) => killed(invocation.as_ref()).await,
            Some(fault) => {
                self.cloud.handle(&request);
                match fault {
                    Fault::DoneButRefused(why) => refused(why),
                    Fault::AnswerHangs => std::future::pending().await,
                    Fault::KilledAfter => killed(invocation.as_ref()).await,
                    _ => broken(),
                }
            }
        }
    }
}

/// A request takes its time on a network, and meanwhile others get their turn: so here, in the same order each time.
#[expect(clippy::disallowed_methods, reason = "a request that takes its time is what is played here")]
async fn travel(takes: std::time::Duration) {
    match takes.is_zero() {
        true => tokio::task::yield_now().await,
        false => tokio::time::sleep(takes).await,
    }
}

/// Ends the process of whoever asks, who then never hears of anything.
async fn killed(invocation: Option<&Invocation>) -> Result<HttpResponse, ConnectorError> {
    if let Some(invocation) = invocation {
        invocation.kill();
    }
    std::future::pending().await
}

fn answered(response: Response<Bytes>) -> Result<HttpResponse, ConnectorError> {
    HttpResponse::try_from(response.map(SdkBody::from)).map_err(|error| ConnectorError::user(error.into()))
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.ask(request).await })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}
