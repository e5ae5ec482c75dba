//! A running `cadence local`: its process, its log and its pages.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Nothing that a test waits for takes longer, even on a machine that does much else.
const LONGEST: Duration = Duration::from_secs(60);
/// How long to wait for a line of the log before looking again all the same.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A Tuesday, 10:00 in Los Angeles.
pub(crate) const MORNING: &str = "2026-12-01T10:00:00-08:00";

pub(crate) struct Local {
    /// What its clock told first.
    pub(crate) started_at: String,
    address: String,
    process: Child,
    log: Receiver<String>,
}

impl Local {
    /// Starts one on a free port and waits until it serves.
    pub(crate) fn start(data: &Path, speed: &str, at: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cadence"));
        command.args(["local", "--port", "0", "--speed", speed, "--at", at, "--data"]).arg(data);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (line_in, log) = channel();
        let errors = process.stderr.take().unwrap();
        // The thread ends with the process, whose end of the pipe closes then.
        std::thread::spawn(move || {
            BufReader::new(errors).lines().map_while(Result::ok).try_for_each(|line| line_in.send(line))
        });
        let mut welcome = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut welcome).unwrap();
        // Cadence runs at http://127.0.0.1:40123, its clock at 2026-12-01T18:00:00Z.
        let told = welcome.trim_end().strip_prefix("Cadence runs at http://").and_then(|rest| rest.strip_suffix('.'));
        let (address, clock) = told.and_then(|told| told.split_once(", its clock at ")).unwrap_or_else(|| {
            panic!("it did not start: {welcome}{}", log.iter().collect::<Vec<_>>().join("\n"));
        });
        let (address, started_at) = (address.to_owned(), clock.to_owned());
        Self { started_at, address, process, log }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Ends the process as the machine does that loses its power.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Waits until so many lines of the log were written.
    pub(crate) fn let_log(&self, lines: usize) {
        for _ in 0..lines {
            self.log.recv_timeout(LONGEST).unwrap();
        }
    }

    /// Waits until that is so. Whatever happens is logged, so each line is a reason to look.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let give_up = Instant::now() + LONGEST;
        while !is_so() {
            assert!(Instant::now() < give_up, "it never came about that {what}");
            let _ = self.log.recv_timeout(LOOK_AGAIN);
        }
    }

    /// Where it serves.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Posts a Zillow lead and gives its id.
    pub(crate) fn post_lead(&self) -> String {
        let body = json!({
            "id": "LC-1", "created": self.started_at, "type": "longForm",
            "sender": { "firstName": "Jordan", "lastName": "Sample", "emailAddress": "jordan@example.com", "phoneNumber": "415-555-0123" },
            "details": { "loanPurpose": "Purchase", "city": "Oakland", "stateAbbreviation": "CA", "zipCode": "94607" },
        });
        let taken = self.post("/leads/zillow/local-secret", &body);
        assert_eq!(taken["status"], "enrolled", "{taken}");
        taken["lead"].as_str().unwrap().to_owned()
    }

    /// Gets a page as JSON.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask("GET", path, "")
    }

    /// Posts JSON and gives the JSON that it is answered with.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, &body.to_string())
    }

    /// Deletes a record, as somebody in the console does.
    pub(crate) fn delete_record(&self, pk: &str) {
        let key = json!({ "TableName": "config", "Key": { "pk": { "S": pk }, "sk": { "S": "CURRENT" } } });
        self.aws("dynamodb", "DynamoDB_20120810.DeleteItem", "POST", "/", &key);
    }

    /// Asks one of the AWS services, as its SDK does.
    pub(crate) fn aws(&self, service: &str, target: &str, method: &str, path: &str, body: &Value) -> Value {
        let scope = format!("Credential=local/20261201/us-east-1/{service}/aws4_request");
        let head = format!("authorization: AWS4-HMAC-SHA256 {scope}\r\nx-amz-target: {target}\r\n");
        let (status, answer) = self.request(method, path, &head, &body.to_string());
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Posts JSON and gives the status of the answer.
    pub(crate) fn status_of_post(&self, path: &str, body: &Value) -> u16 {
        self.request("POST", path, "", &body.to_string()).0
    }

    /// Posts a form, as HTML does, and gives status and JSON of the answer.
    pub(crate) fn post_form(&self, path: &str, head: &str, body: &str) -> (u16, Value) {
        let head = format!("content-type: application/x-www-form-urlencoded\r\n{head}");
        self.request("POST", path, &head, body)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, answer) = self.request(method, path, "", body);
        assert!((200..=209).contains(&status), "{status} {answer}");
        answer
    }

    fn request(&self, method: &str, path: &str, head: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, length) = (&self.address, body.len());
        let head = format!("host: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{head}");
        write!(stream, "{method} {path} HTTP/1.1\r\n{head}\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }
}

/// Runs the command to its end, which is a failure, and gives what it complains of.
pub(crate) fn complaint(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cadence"));
    let mut process = command.args(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let (said_in, said) = channel();
    let mut errors = process.stderr.take().unwrap();
    std::thread::spawn(move || {
        let mut all = String::new();
        errors.read_to_string(&mut all).map(|_| said_in.send(all))
    });
    let Ok(complaint) = said.recv_timeout(LONGEST) else {
        process.kill().unwrap();
        process.wait().unwrap();
        panic!("{args:?} runs instead of failing");
    };
    assert!(!process.wait().unwrap().success(), "{args:?} worked");
    complaint
}

impl Drop for Local {
    /// Leaves no process behind when a test fails.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What came of a command that runs to its end.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) told: String,
    pub(crate) complained: String,
}

impl Ran {
    /// Runs the command, away from whatever this machine knows of AWS, with those variables besides.
    pub(crate) fn of(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cadence"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        let nowhere = [
            ("AWS_CONFIG_FILE", "/nowhere"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("TZ", "America/Los_Angeles"),
        ];
        let done = command.envs(nowhere).envs(variables.iter().copied()).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: done.status.code().unwrap(), told: text(done.stdout), complained: text(done.stderr) }
    }

    /// What it printed, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.told).unwrap_or_else(|_| panic!("{}{}", self.told, self.complained))
    }
}
