//! What the documents say of the code holds.

use std::{fs, path::Path};

use cadence_tests::Tested;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn sources(folder: &Path, all: &mut String) -> Tested {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_built = path.file_name().is_some_and(|name| name == "target");
        if path.is_dir() && !is_built {
            sources(&path, all)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The code in backticks of a document, without its fenced blocks.
fn quoted(document: &str) -> Vec<String> {
    let prose: Vec<&str> = document.split("```").step_by(2).collect();
    prose.join("").split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_functions_that_the_walkthroughs_name_exist() -> Tested {
    let mut code = String::new();
    for folder in ["shared", "functions", "infra", "tests"] {
        sources(&Path::new(ROOT).join(folder), &mut code)?;
    }
    let document = fs::read_to_string(format!("{ROOT}/ARCHITECTURE.md"))?;
    let walkthroughs =
        document.split("\n## ").find(|part| part.starts_with("Walkthroughs")).ok_or("no walkthroughs")?;
    let named: Vec<String> = quoted(walkthroughs)
        .into_iter()
        .filter(|code| code.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':'))
        .filter(|code| code.contains("::") || code.contains('_'))
        .collect();
    assert!(named.len() > 20, "the walkthroughs name too little: {named:?}");
    let is_there = |name: &String| {
        let last = name.rsplit("::").next().unwrap_or(name);
        code.contains(&format!("fn {last}(")) || code.contains(&format!("fn {last}<"))
    };
    let missing: Vec<&String> = named.iter().filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "these are named and don't exist: {missing:?}");
    Ok(())
}

#[test]
fn the_paths_that_the_documents_name_exist() -> Tested {
    for document in
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "OPERATIONS.md", "PERFORMANCE.md", "PROMISES.md"]
    {
        let text = fs::read_to_string(format!("{ROOT}/{document}"))?;
        let is_path = |code: &String| {
            let ends = [".rs", ".md", ".yaml", ".toml", ".json", ".txt"].iter().any(|end| code.ends_with(end));
            code.contains('/')
                && !code.contains([' ', '*', ':', '{', '<'])
                && (ends || code.starts_with("shared/") || code.starts_with("infra/"))
        };
        for path in quoted(&text).into_iter().filter(is_path) {
            let found = [ROOT.to_owned(), format!("{ROOT}/shared/core/src")]
                .iter()
                .any(|root| Path::new(root).join(&path).exists());
            assert!(found, "{document} names {path}, which does not exist");
        }
    }
    Ok(())
}
