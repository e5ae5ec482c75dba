//! Placeholders as other software writes them: here they would be sent as they stand.

use crate::{
    records::{Message, problem::Problem},
    template,
};

/// A form of placeholder.
struct Form {
    open: &'static str,
    close: &'static str,
    /// Whether people write such marks for nothing else.
    is_sure: bool,
}

const FORMS: [Form; 4] = [
    Form { open: "{", close: "}", is_sure: true },
    Form { open: "[", close: "]", is_sure: false },
    Form { open: "<<", close: ">>", is_sure: false },
    Form { open: "%", close: "%", is_sure: false },
];

/// The first placeholder of each part of a message that is none.
pub(super) fn check(message: &Message) -> Vec<Problem> {
    let parts = message.copy.named_parts();
    parts.filter_map(|(field, source)| Some((field, of(&without_tags(source))?))).map(warning).collect()
}

fn warning((field, Placeholder { written, meant }): (&str, Placeholder)) -> Problem {
    let remedy = match meant {
        Some(meant) => format!("Write {{{{ {meant} }}}} if that is meant."),
        None => "Write variables like {{ lead_first_name }}.".to_owned(),
    };
    Problem::warning(field, format!("{written} is no variable, and would be sent as it stands."), remedy)
}

struct Placeholder {
    written: String,
    meant: Option<&'static str>,
}

fn of(text: &str) -> Option<Placeholder> {
    FORMS.iter().find_map(|form| {
        text.match_indices(form.open).find_map(|(at, _)| {
            let rest = text.get(at + form.open.len()..)?;
            let name = rest.get(..rest.find(form.close)?)?;
            let meant = template::meant_by(&spelled(name)?);
            let is_one = form.is_sure || meant.is_some();
            is_one.then(|| Placeholder { written: format!("{}{name}{}", form.open, form.close), meant })
        })
    })
}

/// What stands in a placeholder, as variables are spelled; `None` if it is no name.
fn spelled(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.len() <= 40;
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.');
    (is_name && name.chars().all(of_name)).then(|| name.replace([' ', '-', '.'], "_"))
}

/// A template without what it does.
fn without_tags(source: &str) -> String {
    let mut text = String::new();
    let mut rest = source;
    while let Some((at, close)) = next_tag(rest) {
        let (before, tag) = rest.split_at(at);
        text.push_str(before);
        text.push(' ');
        rest = tag.find(close).and_then(|end| tag.get(end + close.len()..)).unwrap_or_default();
    }
    text + rest
}

fn next_tag(text: &str) -> Option<(usize, &'static str)> {
    let tags = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];
    tags.into_iter().filter_map(|(open, close)| Some((text.find(open)?, close))).min()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::variables(
        "Hi {{ lead_first_name or 'there' }}{% if company %} of {{ company }}{% endif %}{# {note} #}",
        None
    )]
    #[case::one_brace("Hi {lead_first_name},", Some("{lead_first_name}: lead_first_name"))]
    #[case::spaced("Hi { { lead_first_name } },", Some("{ lead_first_name }: lead_first_name"))]
    #[case::dollar("Hi ${first_name},", Some("{first_name}: lead_first_name"))]
    #[case::unknown("Hi {whoever},", Some("{whoever}: -"))]
    #[case::brackets("Hi [First Name],", Some("[First Name]: lead_first_name"))]
    #[case::angles("Hi <<company>>,", Some("<<company>>: company"))]
    #[case::percents("Hi %company%,", Some("%company%: company"))]
    #[case::words("Save 5% now, or 10% later [limited offer]. Is 3 << 4?", None)]
    #[case::a_smile("See you {:", None)]
    fn a_placeholder_of_other_software_is_told_from_what_people_write(
        #[case] source: &str,
        #[case] expected: Option<&str>,
    ) {
        let found = of(&without_tags(source));
        let told = found.map(|found| format!("{}: {}", found.written, found.meant.unwrap_or("-")));
        assert_eq!(told.as_deref(), expected);
    }
}
