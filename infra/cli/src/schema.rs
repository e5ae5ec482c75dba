//! `cadence schema`: what editors complete and explain the fields of records by.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use cadence_core::records::SCHEMAS;
use serde_json::{Map, Value, json};

use crate::told::print;

/// Prints the JSON Schema of records, by which editors complete and explain their fields
#[derive(clap::Args)]
#[command(after_help = "\
In VS Code, for files that are named as `cadence pull` names them: write the schemas into a folder, and put what that prints into
.vscode/settings.json. Schemas know fields and words; `cadence check` also knows what records refer to.

Examples:

  cadence schema cadence
  cadence schema --into my-records/schema")]
pub(crate) struct Args {
    /// Only this kind: cadence, message, user, source or settings
    #[arg(value_name = "KIND", ignore_case = true, value_parser = ["cadence", "message", "user", "source", "settings"])]
    kind: Option<String>,
    /// Write each into a file of this folder, and print how editors find them
    #[arg(long, value_name = "DIR", conflicts_with = "kind")]
    into: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match (&args.kind, &args.into) {
        (Some(kind), _) => {
            let schema = SCHEMAS.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind)).map(|(_, schema)| *schema);
            print(schema.unwrap_or_default().trim_end());
        }
        (None, Some(folder)) => {
            fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
            let mut found = Vec::new();
            for (kind, schema) in SCHEMAS {
                let path = folder.join(format!("{kind}.schema.json"));
                fs::write(&path, schema).with_context(|| format!("{} can't be written", path.display()))?;
                found.push(json!({ "fileMatch": [format!("{kind}-*.json")], "url": url_of(&path) }));
            }
            print(&serde_json::to_string_pretty(&json!({ "json.schemas": found }))?);
        }
        (None, None) => {
            let mut all = Map::new();
            for (kind, schema) in SCHEMAS {
                all.insert(kind.to_owned(), serde_json::from_str(schema)?);
            }
            print(&serde_json::to_string_pretty(&Value::Object(all))?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How editors are told where a file is: from the folder that they have open, or anywhere.
fn url_of(path: &Path) -> String {
    let shown = path.display().to_string().replace(' ', "%20");
    match path.is_absolute() {
        true => format!("file://{shown}"),
        false => format!("./{shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_found_wherever_it_was_written() {
        for (path, url) in [
            ("schema/user.schema.json", "./schema/user.schema.json"),
            ("../schema/user.schema.json", "./../schema/user.schema.json"),
            ("/home/ops/my records/user.schema.json", "file:///home/ops/my%20records/user.schema.json"),
        ] {
            assert_eq!(url_of(Path::new(path)), url);
        }
    }
}
