//! What goes wrong on purpose: on the way of a request to a service, and of a delivery to its function.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::TimeDelta;
use http::Request;

use crate::function::Invocation;

/// Decides what befalls a request.
pub type OfCalls = Arc<dyn Fn(&Call<'_>) -> Fate + Send + Sync>;
/// Decides what befalls a delivery.
pub type OfDeliveries = Arc<dyn Fn(&Parcel<'_>) -> Option<Mishap> + Send + Sync>;

/// Decides what goes wrong.
#[derive(Clone)]
pub struct Faults {
    /// What befalls a request.
    pub of_calls: OfCalls,
    /// What befalls a delivery.
    pub of_deliveries: OfDeliveries,
}

/// A request on its way to a service.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The request.
    pub request: &'a Request<Bytes>,
    /// Who makes it; `None` for whoever is no function.
    pub invocation: Option<&'a Invocation>,
}

/// What befalls a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// How long it is on its way to the service.
    pub takes: Duration,
    /// What goes wrong, if anything does.
    pub fault: Option<Fault>,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the service has it.
    Lost,
    /// The service does it, and the connection breaks before the answer.
    AnswerLost,
    /// The service refuses it and does nothing.
    Refused(Refused),
    /// The service does it, and answers as if it had not.
    DoneButRefused(Refused),
    /// It never arrives, and the connection stays open.
    Hangs,
    /// The service does it, and the answer never arrives.
    AnswerHangs,
    /// The function's process ends before the service has it.
    KilledBefore,
    /// The function's process ends when the service has done it.
    KilledAfter,
}

/// A service's refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The service's own code: `ThrottlingException`.
    pub code: &'static str,
}

/// Something that is about to be delivered.
#[derive(Clone, Copy, Debug)]
pub enum Parcel<'a> {
    /// A timer that is due.
    Timer {
        /// Its name.
        name: &'a str,
    },
    /// A queue's message.
    Message {
        /// The queue.
        queue: &'a str,
        /// What it says.
        body: &'a str,
        /// How often it was received before.
        receives: u32,
    },
    /// Records of a stream.
    Records {
        /// Who gets them.
        function: &'a str,
        /// The first one's sequence number.
        first: &'a str,
        /// How often they were tried before.
        failures: u32,
    },
    /// The run of a function that runs by the clock.
    Tick {
        /// The function.
        function: &'a str,
    },
    /// The voice agent's report of a call's end.
    Report {
        /// The call's metadata, as JSON.
        metadata: &'a str,
    },
}

/// What befalls a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It comes that much later. What comes later than what was sent after it is out of order.
    Late(TimeDelta),
    /// It comes, and after that long once more.
    Twice(TimeDelta),
    /// It never comes: it is given up, as after its last retry.
    Expired,
}

impl Faults {
    /// Faults of requests alone.
    pub fn of_calls(of_calls: impl Fn(&Call<'_>) -> Fate + Send + Sync + 'static) -> Self {
        Self { of_calls: Arc::new(of_calls), of_deliveries: Arc::new(|_| None) }
    }
}

impl From<Option<Fault>> for Fate {
    fn from(fault: Option<Fault>) -> Self {
        Self { fault, ..Self::default() }
    }
}
