//! Dependencies point one way, and each thing lies where the layout says.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, TargetKind};

/// The folder that the workspace is in.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The workspace's packages, as their manifests say.
pub(crate) fn workspace() -> Metadata {
    MetadataCommand::new().manifest_path(format!("{ROOT}/Cargo.toml")).no_deps().exec().unwrap()
}

/// The packages in a folder of the workspace, by name.
pub(crate) fn packages_in(workspace: &Metadata, folder: &str) -> BTreeSet<String> {
    let folder = workspace.workspace_root.join(folder);
    let packages = workspace.packages.iter();
    packages
        .filter(|package| package.manifest_path.starts_with(&folder))
        .map(|package| package.name.to_string())
        .collect()
}

/// The packages of the workspace that a package is built from; tests may use what they like.
fn built_from(workspace: &Metadata, name: &str) -> BTreeSet<String> {
    let ours: BTreeSet<_> = workspace.packages.iter().map(|package| package.name.to_string()).collect();
    let dependencies = package(workspace, name).dependencies.iter();
    dependencies
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.clone())
        .filter(|name| ours.contains(name))
        .collect()
}

fn package<'a>(workspace: &'a Metadata, name: &str) -> &'a Package {
    workspace.packages.iter().find(|package| package.name == name).unwrap()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn dependencies_point_one_way() {
    let workspace = workspace();
    let functions = packages_in(&workspace, "functions");
    let shared = set(["cadence-core", "cadence-store", "cadence-vendors", "cadence-boot"]);
    let beneath_infra = &functions | &shared;

    let mut may_use = vec![
        ("cadence-core", BTreeSet::new()),
        ("cadence-store", set(["cadence-core"])),
        ("cadence-vendors", set(["cadence-core"])),
        ("cadence-boot", set(["cadence-core"])),
        ("cadence-local", beneath_infra.clone()),
        ("cadence", &beneath_infra | &set(["cadence-local"])),
        ("cadence-tests", &beneath_infra | &set(["cadence-local", "cadence"])),
    ];
    may_use.extend(functions.iter().map(|name| (name.as_str(), shared.clone())));
    assert_eq!(may_use.len(), workspace.packages.len(), "each package has its rule");

    for (name, allowed) in may_use {
        let used = built_from(&workspace, name);
        let wrong: Vec<_> = used.difference(&allowed).collect();
        assert!(wrong.is_empty(), "{name} must not be built from {wrong:?}");
    }
}

#[test]
fn core_is_built_from_nothing_that_waits_or_reaches_out() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package=cadence-core",
            "--edges=normal",
            "--prefix=none",
            "--format={lib}",
            "--locked",
            "--offline",
        ])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let built_from: BTreeSet<_> = tree.split_whitespace().collect();
    assert!(built_from.contains("cadence_core") && built_from.contains("jiff"), "{built_from:?}");

    let reaches_out = |name: &&&str| {
        let starts = ["aws_", "tokio", "futures", "lambda_", "hyper", "reqwest", "rusqlite", "dynoxide"];
        starts.iter().any(|start| name.starts_with(start))
    };
    let wrong: Vec<_> = built_from.iter().filter(reaches_out).collect();
    assert!(wrong.is_empty(), "cadence-core must not be built from {wrong:?}");
}

#[test]
fn a_function_is_a_library_under_a_thin_main_of_the_same_name() {
    let workspace = workspace();
    for name in packages_in(&workspace, "functions") {
        let package = package(&workspace, &name);
        let folder = package.manifest_path.parent().and_then(|folder| folder.file_name());
        assert_eq!(folder, Some(name.as_str()), "the folder is named as the package");

        let has = |kind: TargetKind| {
            let mut targets = package.targets.iter();
            targets.any(|target| target.kind.contains(&kind) && target.name == name)
        };
        assert!(has(TargetKind::Bin) && has(TargetKind::Lib), "{name} has a bin and a lib of its name");

        let main = Path::new(ROOT).join("functions").join(&name).join("src/main.rs");
        let lines = fs::read_to_string(main).unwrap().lines().count();
        assert!(lines <= 40, "{name}'s main.rs has {lines} lines; what it does belongs in its lib.rs");
    }
}

#[test]
fn a_panic_unwinds_into_an_error_that_the_runtime_reports() -> Result<(), Box<dyn std::error::Error>> {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))?;
    let profile =
        manifest.split("[profile.release]").nth(1).and_then(|rest| rest.split("\n[").next()).ok_or("no profile")?;
    assert!(
        profile.contains("panic = \"unwind\""),
        "cargo-lambda makes panics abort unless the profile says otherwise"
    );
    Ok(())
}
