//! The binaries that are killed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::Tested;

/// Builds the workspace's binaries as this program was built, and gives their folder.
///
/// `cargo test` builds the binaries of no package but those that have integration tests, and a package can't depend on another's binary. Cargo
/// has let go of its lock once tests run, so they are built then. Every dependency has the features that `cargo test --workspace` built it
/// with (infra/cli/Cargo.toml says how): nothing but the binaries themselves is left to do.
pub fn built() -> Tested<PathBuf> {
    let profile = profile()?;
    let mut build = Command::new(env!("CARGO"));
    build.args([
        "build",
        "--workspace",
        "--bins",
        "--profile",
        &profile,
        "--message-format",
        "json-render-diagnostics",
    ]);
    build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let built = build.stderr(Stdio::inherit()).output()?;
    if !built.status.success() {
        return Err("the binaries could not be built".into());
    }
    let messages = String::from_utf8(built.stdout)?;
    let mut folders = messages.lines().filter_map(folder_of_a_function);
    folders.next_back().ok_or_else(|| "cargo built no function".into())
}

/// Where a message of Cargo's says that it put the binary of `sms`.
fn folder_of_a_function(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_it = message.pointer("/target/name")? == "sms" && message.pointer("/target/kind/0")? == "bin";
    let binary = message.get("executable").filter(|_| is_it)?.as_str()?;
    Path::new(binary).parent().map(Path::to_owned)
}

/// The profile whose folder this program lies in: `target/debug/deps/kills-0123`, `target/release/kills`.
fn profile() -> Tested<String> {
    let program = std::env::current_exe()?;
    let folder = program.parent().map(|folder| if folder.ends_with("deps") { folder.parent() } else { Some(folder) });
    let name = folder.flatten().and_then(Path::file_name).and_then(|name| name.to_str());
    match name.ok_or("this program lies in no folder")? {
        "debug" => Ok("dev".to_owned()),
        other => Ok(other.to_owned()),
    }
}
