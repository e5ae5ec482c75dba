//! What happens while a function is at work: between two of its requests, in the same order every time.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
    result::ConnectorError,
};

use crate::{Tested, is_to};

/// A moment in a function's work, told by its first request to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The request is about to leave.
    Before(&'static str),
    /// The service has done it; its answer is about to arrive.
    After(&'static str),
}

/// What happens at a moment.
pub(crate) type Happening = Pin<Box<dyn Future<Output = Tested> + Send>>;

/// Something that happens once, at its moment.
#[derive(Clone)]
pub(crate) struct Interruption {
    moment: Moment,
    waiting: Arc<Mutex<Option<Happening>>>,
    ended: Arc<Mutex<Option<Tested>>>,
}

impl Interruption {
    /// Lets that happen at that moment.
    pub(crate) fn at(moment: Moment, happening: Happening) -> Self {
        Self { moment, waiting: Arc::new(Mutex::new(Some(happening))), ended: Arc::default() }
    }

    /// The configuration whose clients are interrupted.
    pub(crate) fn of(&self, aws: &SdkConfig) -> Tested<SdkConfig> {
        let client = aws.http_client().ok_or("the configuration has no HTTP client")?;
        Ok(aws.to_builder().http_client(self.wrapped(client)).build())
    }

    /// How what happened ended; an error where its moment never came.
    pub(crate) fn ended(&self) -> Tested {
        let ended = self.ended.lock().ok().and_then(|mut ended| ended.take());
        ended.unwrap_or_else(|| Err(format!("the function never came to {:?}", self.moment).into()))
    }

    fn wrapped(&self, client: SharedHttpClient) -> SharedHttpClient {
        let interruption = self.clone();
        http_client_fn(move |settings, components| {
            let inner = client.http_connector(settings, components);
            SharedHttpConnector::new(Interrupted { inner, interruption: interruption.clone() })
        })
    }

    async fn happen(&self) {
        let waiting = self.waiting.lock().ok().and_then(|mut waiting| waiting.take());
        if let Some(happening) = waiting {
            let end = happening.await;
            if let Ok(mut ended) = self.ended.lock() {
                *ended = Some(end);
            }
        }
    }
}

struct Interrupted {
    inner: SharedHttpConnector,
    interruption: Interruption,
}

impl HttpConnector for Interrupted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, interruption) = (self.inner.clone(), self.interruption.clone());
        HttpConnectorFuture::new(async move {
            let (Moment::Before(operation) | Moment::After(operation)) = interruption.moment;
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let is_it = is_to(operation, request.uri().path(), request.headers(), request.body().bytes());
            let request = HttpRequest::try_from(request).map_err(|error| ConnectorError::user(error.into()))?;
            if is_it && matches!(interruption.moment, Moment::Before(_)) {
                interruption.happen().await;
            }
            let answer = inner.call(request).await;
            if is_it && matches!(interruption.moment, Moment::After(_)) {
                interruption.happen().await;
            }
            answer
        })
    }
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupted").field("moment", &self.interruption.moment).finish_non_exhaustive()
    }
}
