//! The way from SDK clients to the cloud without a socket, with a seam where faults come in.

use std::{fmt, io, sync::Arc};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};

/// What befalls a request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the service has it.
    Lost,
    /// The service does it, and the connection breaks before the answer.
    AnswerLost,
}

/// Answers a request.
pub type Service = Arc<dyn Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync>;
/// Decides what befalls a request.
pub type Faults = Arc<dyn Fn(&Request<Bytes>) -> Option<Fault> + Send + Sync>;

/// An HTTP client for SDK clients that asks the service in this process.
#[derive(Clone)]
pub struct Connector {
    service: Service,
    faults: Option<Faults>,
}

impl Connector {
    /// A way to the service.
    pub fn new(service: Service, faults: Option<Faults>) -> Self {
        Self { service, faults }
    }

    /// As the SDK's configuration takes it.
    pub fn http_client(self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self);
        http_client_fn(move |_, _| connector.clone())
    }

    fn ask(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let Some(body) = body.bytes().map(Bytes::copy_from_slice) else {
            return Err(ConnectorError::user("a streaming body cannot be sent to the local cloud".into()));
        };
        let request = Request::from_parts(parts, body);
        let fault = self.faults.as_ref().and_then(|faults| faults(&request));
        let broken = || ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into());
        if matches!(fault, Some(Fault::Lost)) {
            return Err(broken());
        }
        let response = (self.service)(request);
        match fault {
            Some(Fault::AnswerLost) => Err(broken()),
            _ => {
                HttpResponse::try_from(response.map(SdkBody::from)).map_err(|error| ConnectorError::user(error.into()))
            }
        }
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            // A request takes its time on a network, and meanwhile others get their turn: so here, in the same order each time.
            tokio::task::yield_now().await;
            connector.ask(request)
        })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}
