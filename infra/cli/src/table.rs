//! Where the records are: the config table of a stage on AWS, or of the local cloud.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig, profile::ProfileFileCredentialsProvider};
use aws_credential_types::Credentials;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use cadence_core::records::closest;
use cadence_local::deployment::LEADS;
use cadence_store::{AtWork, Committed, Edited, Kept, Store, StoreError, list_tables};
use serde_json::Value;

use crate::{aws, records::Records, stage::Stage};

/// Where `cadence local` serves, unless it is told otherwise.
const LOCAL: &str = "http://127.0.0.1:7878";
/// What the local cloud names its config table.
const LOCAL_TABLE: &str = "config";
/// What the template calls the config table; CloudFormation names it `<stack>-ConfigTable-<something>`.
const LOGICAL_ID: &str = "ConfigTable";
/// What it calls the leads table.
const LEADS_LOGICAL_ID: &str = "LeadsTable";

/// The flags that name a table.
pub(crate) const PLACES: [&str; 5] = ["local", "endpoint_url", "stage", "stack", "table"];

/// Where the records are.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Where the records are")]
#[group(skip)]
pub(crate) struct Args {
    /// In the local cloud, as `cadence local` runs it: the same as --endpoint-url http://127.0.0.1:7878
    #[arg(long, conflicts_with_all = ["endpoint_url", "profile", "stage", "stack"])]
    local: bool,
    /// Where DynamoDB answers, if not at AWS; on this machine no credentials are needed
    #[arg(long, value_name = "URL", value_parser = url)]
    endpoint_url: Option<String>,
    /// The stage: its stack is named cadence-STAGE, as samconfig.toml has it
    #[arg(long, value_name = "STAGE", conflicts_with_all = ["stack", "table"])]
    stage: Option<String>,
    /// The stack, where it has another name
    #[arg(long, value_name = "NAME", conflicts_with = "table")]
    stack: Option<String>,
    /// The config table itself: the stack's output ConfigTableName
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// The profile of the AWS CLI to use
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The region
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

/// A config table.
pub(crate) struct Table {
    store: Store,
    place: Place,
}

/// How a table is spoken of.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its name; empty while it isn't known yet.
    pub(crate) table: String,
    /// Where DynamoDB answers, if not at AWS.
    pub(crate) endpoint: Option<String>,
    /// The region.
    pub(crate) region: String,
    /// The profile that was named.
    pub(crate) profile: Option<String>,
    /// The flags by which all of it was named, for commands to be told that work there too.
    pub(crate) flags: String,
}

impl Args {
    /// Whether a table is meant at all.
    pub(crate) fn is_given(&self) -> bool {
        self.local || [&self.endpoint_url, &self.stage, &self.stack, &self.table].iter().any(|given| given.is_some())
    }

    /// The flags as they were given, to be told again.
    pub(crate) fn flags(&self) -> String {
        let local = self.local.then(|| " --local".to_owned());
        let named = [
            ("endpoint-url", &self.endpoint_url),
            ("stage", &self.stage),
            ("stack", &self.stack),
            ("table", &self.table),
            ("profile", &self.profile),
            ("region", &self.region),
        ];
        let named = named.iter().filter_map(|(flag, value)| Some(format!(" --{flag} {}", value.as_ref()?)));
        local.into_iter().chain(named).collect()
    }

    /// The table, if one is meant.
    pub(crate) async fn open_if_given(&self) -> anyhow::Result<Option<Table>> {
        match self.is_given() {
            true => self.open().await.map(Some),
            false => Ok(None),
        }
    }

    /// The table. Nothing but a stage's name is looked up yet.
    pub(crate) async fn open(&self) -> anyhow::Result<Table> {
        let (aws, mut place) = self.reach().await?;
        place.table = match (&self.table, self.stack()) {
            (Some(table), _) => table.clone(),
            (None, Some(stack)) => table_of(&aws, &stack, LOGICAL_ID, &place).await?,
            (None, None) if place.is_on_this_machine() => LOCAL_TABLE.to_owned(),
            (None, None) => bail!("name the config table: --table NAME, or --stage dev"),
        };
        // What is counted of leads stands on the records: nothing is asked of the other table.
        Ok(Table { store: Store::new(&aws, "", place.table.clone()), place })
    }

    /// The whole stage that the table is of.
    pub(crate) async fn open_stage(&self) -> anyhow::Result<Stage> {
        let (aws, mut place) = self.reach().await?;
        let named_by_table = || Some(self.table.as_ref()?.split_once(&format!("-{LOGICAL_ID}-"))?.0.to_owned());
        let stack = self.stack().or_else(named_by_table);
        let (leads, config) = match &stack {
            Some(stack) => {
                let config = table_of(&aws, stack, LOGICAL_ID, &place).await?;
                (table_of(&aws, stack, LEADS_LOGICAL_ID, &place).await?, config)
            }
            None if place.is_on_this_machine() => (LEADS.to_owned(), LOCAL_TABLE.to_owned()),
            None => bail!("say which stage it is: --stage dev, or --stack NAME"),
        };
        place.table = format!("{leads} and {config}");
        Ok(Stage { store: Store::new(&aws, leads, config), place, aws, stack })
    }

    /// The way to AWS, or to the local cloud.
    async fn reach(&self) -> anyhow::Result<(SdkConfig, Place)> {
        if !self.is_given() {
            bail!("say where the records are: --local while `cadence local` runs, --stage dev, or --table NAME");
        }
        let endpoint = self.endpoint_url.clone().or_else(|| self.local.then(|| LOCAL.to_owned()));
        let aws = self.aws(endpoint.as_deref()).await;
        let region = aws.region().context("no region is known: give --region us-east-1, or set AWS_REGION")?;
        let place = Place {
            table: String::new(),
            endpoint,
            region: region.to_string(),
            profile: self.profile.clone(),
            flags: self.flags(),
        };
        Ok((aws, place))
    }

    fn stack(&self) -> Option<String> {
        self.stack.clone().or_else(|| self.stage.as_ref().map(|stage| format!("cadence-{stage}")))
    }

    async fn aws(&self, endpoint: Option<&str>) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(15))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts);
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(profile) = &self.profile {
            // A profile that is named goes before AWS_ACCESS_KEY_ID, as it does for the AWS CLI: it says which account is written to.
            let credentials = ProfileFileCredentialsProvider::builder().profile_name(profile).build();
            loader = loader.profile_name(profile).credentials_provider(credentials);
        }
        let is_here = endpoint.is_some_and(is_on_this_machine);
        if is_here {
            loader = loader.credentials_provider(Credentials::new("local", "local", None, None, "local"));
        }
        match (&self.region, is_here) {
            (Some(region), _) => loader = loader.region(Region::new(region.clone())),
            (None, true) => loader = loader.region(Region::from_static("us-east-1")),
            (None, false) => {}
        }
        loader.load().await
    }
}

/// A table of a stack, by the name that CloudFormation gave it.
async fn table_of(aws: &SdkConfig, stack: &str, logical_id: &str, place: &Place) -> anyhow::Result<String> {
    let tables = list_tables(aws).await.map_err(|error| aws::explained(error, place))?;
    let prefix = format!("{stack}-{logical_id}-");
    let mut found = tables.iter().filter(|name| name.starts_with(&prefix));
    match (found.next(), found.next()) {
        (Some(table), None) => Ok(table.clone()),
        (Some(_), Some(_)) => {
            bail!("the stack {stack} has several tables that begin with {prefix}: give the right one with --table")
        }
        (None, _) => {
            let suffix = |name: &String| name.split_once(&format!("-{logical_id}-")).map(|(stack, _)| stack.to_owned());
            let stacks: Vec<String> = tables.iter().filter_map(suffix).collect();
            let there = match stacks.as_slice() {
                [] => "there is no other stack of Cadence either".to_owned(),
                stacks => match closest(stack, stacks.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("there are the stacks {}", stacks.join(", ")),
                },
            };
            bail!("there is no stack {stack} in {place}: {there}. Check --region and --profile, or give --table NAME")
        }
    }
}

impl Table {
    /// How the table is spoken of.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Every record as it stands.
    pub(crate) async fn edited(&self) -> anyhow::Result<Vec<Edited>> {
        self.store.load_edited_all().await.map_err(|error| self.explained(error))
    }

    /// Every record as it stands, to be worked with as files are.
    pub(crate) async fn records(&self) -> anyhow::Result<Records> {
        Ok(self.records_as_edited(self.edited().await?))
    }

    /// The same of what was read.
    pub(crate) fn records_as_edited(&self, edited: Vec<Edited>) -> Records {
        let mut records = Records::default();
        for edited in edited {
            records.insert(edited.pk, edited.content, &self.place.to_string());
        }
        records
    }

    /// What is at work of each record, whatever edit of it stands there.
    pub(crate) async fn at_work(&self) -> anyhow::Result<BTreeMap<String, AtWork>> {
        self.store.load_at_work_all().await.map_err(|error| self.explained(error))
    }

    /// The same, to be worked with as files are.
    pub(crate) async fn records_at_work(&self) -> anyhow::Result<Records> {
        Ok(self.records_of(self.at_work().await?))
    }

    /// The same of what was read.
    pub(crate) fn records_of(&self, at_work: BTreeMap<String, AtWork>) -> Records {
        let mut records = Records::default();
        for (pk, AtWork { version, content, is_deleted }) in at_work {
            let place = format!("version {version} in {}", self.place);
            match is_deleted {
                false => records.insert(pk, content, &place),
                true => records.insert_deleted(pk, content, &place),
            }
        }
        records
    }

    /// One record as it stands.
    pub(crate) async fn load(&self, pk: &str) -> anyhow::Result<Option<Edited>> {
        self.store.load_edited(pk).await.map_err(|error| self.explained(error))
    }

    /// The keys of records that are no longer there and can be brought back.
    pub(crate) async fn deleted(&self) -> anyhow::Result<BTreeSet<String>> {
        self.store.load_deleted().await.map_err(|error| self.explained(error))
    }

    /// A record's versions, the newest first.
    pub(crate) async fn versions(&self, pk: &str) -> anyhow::Result<Vec<Kept>> {
        self.store.load_versions(pk).await.map_err(|error| self.explained(error))
    }

    /// Writes a record, if it still is what was read.
    pub(crate) async fn save(&self, pk: &str, content: &Value, read: Option<&Edited>) -> anyhow::Result<Committed> {
        self.store.save(pk, content, read).await.map_err(|error| self.explained(error))
    }

    fn explained(&self, error: StoreError) -> anyhow::Error {
        aws::explained(error, &self.place)
    }
}

impl Place {
    /// Whether DynamoDB answers on this machine: the local cloud, most likely.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        self.endpoint.as_deref().is_some_and(is_on_this_machine)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.endpoint.as_deref().unwrap_or(&self.region);
        match self.table.as_str() {
            "" => f.write_str(at),
            table => write!(f, "{table} at {at}"),
        }
    }
}

/// What can be asked over HTTP.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let is_one = text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    match is_one {
        true => Ok(text.to_owned()),
        false => Err("write it whole, like http://127.0.0.1:7878".to_owned()),
    }
}

fn is_on_this_machine(endpoint: &str) -> bool {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|here| host.strip_prefix(here).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])))
}
