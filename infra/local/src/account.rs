//! Whose cloud it is: names and ARNs as AWS forms them.

/// The one account and region that the local cloud plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// `us-east-1`
    pub region: String,
    /// Where the cloud is reached over HTTP: `http://127.0.0.1:7878`, without a slash at the end.
    pub endpoint: String,
}

impl Account {
    /// The account that a cloud at that endpoint plays.
    pub fn at(endpoint: impl Into<String>) -> Self {
        Self { id: "000000000000".to_owned(), region: "us-east-1".to_owned(), endpoint: endpoint.into() }
    }

    /// `arn:aws:<service>:<region>:<account>:<resource>`
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }

    /// A queue's URL, as SQS forms it.
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.endpoint, self.id)
    }
}
