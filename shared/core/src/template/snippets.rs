//! Snippets: texts of the settings that messages use by their names, `{{ snippets.signature }}`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use minijinja::{Template, Value};

use super::{ENVIRONMENT, TemplateError, Variables, fill, line_of, shortened};
use crate::records::{Settings, problem::closest};

pub(super) const SNIPPETS: &str = "snippets";

/// The snippets that a template uses, each filled for the same lead. Each takes no more steps and no more room than a message may.
pub(super) fn filled(
    name: &dyn fmt::Display,
    used: &BTreeSet<String>,
    source: &str,
    variables: &Variables<'_>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    let misused =
        |why| TemplateError::SnippetMisused { template: name.to_string(), line: line_of(source, SNIPPETS), why };
    let Some(known) = &variables.snippets else {
        return Err(misused("a snippet can't use snippets"));
    };
    let mut filled = BTreeMap::new();
    for used in used {
        if used.is_empty() {
            return Err(misused("snippets are used by their names"));
        }
        let Some(snippet) = known.get(used) else {
            return Err(TemplateError::UnknownSnippet {
                template: name.to_string(),
                line: line_of(source, used),
                guess: closest(used, known.keys().map(String::as_str)).map(str::to_owned),
                name: shortened(used),
            });
        };
        let text = fill(&format_args!("snippet {used}"), snippet, &variables.within_snippet())?;
        filled.insert(used.clone(), Value::from(text));
    }
    Ok(filled)
}

/// Whether a template uses snippets.
pub(crate) fn uses_snippets(source: &str) -> bool {
    ENVIRONMENT.template_from_str(source).is_ok_and(|template| template.undeclared_variables(false).contains(SNIPPETS))
}

/// What a message's template is written in: itself, and the snippets that it uses.
pub(crate) fn sources<'a>(source: &'a str, settings: Option<&'a Settings>) -> impl Iterator<Item = &'a str> {
    let used = ENVIRONMENT.template_from_str(source).map(|template| names(&template)).unwrap_or_default();
    let known = settings.into_iter().flat_map(|settings| &settings.snippets);
    let snippets = known.filter(move |(name, _)| used.contains(*name)).map(|(_, text)| text.as_str());
    std::iter::once(source).chain(snippets)
}

/// The snippets that a template names; an empty name where it uses them otherwise.
pub(super) fn names(template: &Template<'_, '_>) -> BTreeSet<String> {
    let paths = template.undeclared_variables(true);
    let of_snippets = paths.iter().filter(|path| path.split('.').next() == Some(SNIPPETS));
    of_snippets.map(|path| path.split('.').nth(1).unwrap_or_default().to_owned()).collect()
}
