//! The dependency check: deny.toml against what Cargo resolved, without any tool beside Cargo.
//!
//! Checks bans, licences, sources and native libraries linked twice. When cargo-deny is installed it is asked too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::step::{Log, Outcome};
use crate::{cargo, licence, tools};

/// The parts of deny.toml that are checked here.
#[derive(Deserialize)]
struct Rules {
    graph: Graph,
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

/// A package as `cargo metadata` describes it.
#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    links: Option<String>,
}

impl Package {
    fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// The step `dependencies`.
pub(crate) fn check(log: &mut Log) -> Result<Outcome> {
    let text = fs::read_to_string(cargo::root().join("deny.toml")).context("deny.toml")?;
    let rules: Rules = toml::from_str(&text).context("deny.toml")?;
    let mut problems = BTreeSet::new();
    let mut names = BTreeSet::new();
    for target in &rules.graph.targets {
        let packages = packages(target)?;
        problems.extend(problems_of(&packages, &rules));
        names.extend(
            packages.into_iter().filter(|package| package.source.is_some()).map(|package| package.name),
        );
    }
    for problem in &problems {
        log.line(problem)?;
    }
    if !problems.is_empty() {
        bail!("{} problems with dependencies", problems.len());
    }
    let mut remark = format!("{} crates", names.len());
    if tools::find("cargo-deny").is_some() {
        log.run(cargo::command(&["deny", "--offline", "check", "bans", "licenses", "sources"]))?;
        remark += ", cargo-deny agrees";
    }
    Ok(Outcome::passed(remark))
}

/// The packages that are built on a platform.
fn packages(target: &str) -> Result<Vec<Package>> {
    let built = cargo::built_packages(target)?;
    let metadata = cargo::metadata(target)?;
    let described =
        metadata.get("packages").and_then(Value::as_array).context("cargo metadata shows no packages")?;
    let mut found = Vec::new();
    for package in described {
        let package = Package::deserialize(package)?;
        if built.contains(&package.title()) {
            found.push(package);
        }
    }
    if found.len() != built.len() {
        bail!("cargo tree shows {} packages, cargo metadata {} of them", built.len(), found.len());
    }
    Ok(found)
}

/// Everything that deny.toml forbids, one line each.
fn problems_of(packages: &[Package], rules: &Rules) -> Vec<String> {
    let mut problems = Vec::new();
    let mut links: BTreeMap<&str, &str> = BTreeMap::new();
    let mut registries = BTreeSet::new();
    for package in packages.iter() {
        let title = package.title();
        if let Some(ban) = rules.bans.deny.iter().find(|ban| ban.name == package.name) {
            problems.push(format!("{title} is banned: {}", ban.reason));
        }
        if let Some(other) = package.links.as_deref().and_then(|library| links.insert(library, &package.name))
        {
            problems.push(format!(
                "{title} and {other} both link {}",
                package.links.as_deref().unwrap_or_default()
            ));
        }
        let Some(source) = &package.source else { continue };
        if source.starts_with("registry+") {
            registries.insert(source.as_str());
        } else {
            problems.push(format!("{title} comes from {source}, not from the registry"));
        }
        let licence = package.license.as_deref().unwrap_or("no licence");
        if !licence::is_allowed(licence, &rules.licenses.allow) {
            problems.push(format!("{title} has the licence `{licence}`, which deny.toml does not allow"));
        }
    }
    if registries.len() > 1 {
        problems.push(format!("more than one registry: {registries:?}"));
    }
    problems
}

#[cfg(test)]
fn package(name: &str, license: &str, source: Option<&str>, links: Option<&str>) -> Package {
    Package {
        name: name.into(),
        version: "1.0.0".into(),
        license: Some(license.into()),
        source: source.map(Into::into),
        links: links.map(Into::into),
    }
}

#[test]
fn each_kind_of_problem_is_found() {
    let rules = Rules {
        graph: Graph { targets: vec![] },
        licenses: Licences { allow: vec!["MIT".into()] },
        bans: Bans { deny: vec![Ban { name: "bad".into(), reason: "because".into() }] },
    };
    let registry = Some("registry+one");
    let packages = [
        package("good", "MIT", registry, Some("c")),
        package("ours", "Apache-2.0", None, None),
        package("bad", "MIT", registry, None),
        package("copyleft", "GPL-3.0", registry, None),
        package("forked", "MIT", Some("git+elsewhere"), None),
        package("mirrored", "MIT", Some("registry+two"), None),
        package("twin", "MIT", registry, Some("c")),
    ];
    let problems = problems_of(&packages, &rules).join("\n");
    let expected = [
        "bad 1.0.0 is banned",
        "copyleft 1.0.0",
        "forked 1.0.0",
        "twin 1.0.0 and good",
        "more than one registry",
    ];
    assert!(expected.iter().all(|problem| problems.contains(problem)), "{problems}");
    assert_eq!(problems.lines().count(), expected.len(), "{problems}");
}
