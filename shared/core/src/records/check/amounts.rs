//! Amounts that a template compares as they were sent: text is above every number, and so is what wasn't sent at all.

use crate::{
    records::{Message, problem::Problem},
    template::AMOUNT,
};

/// The first such comparison of each part of a message.
pub(super) fn check(message: &Message) -> Vec<Problem> {
    message.copy.named_parts().filter_map(|(field, source)| of(field, source)).collect()
}

/// The first in a template.
pub(super) fn of(path: &str, source: &str) -> Option<Problem> {
    let name = compared(source)?;
    let sentence =
        format!("This compares {name} as it is sent: as text, or not sent at all, it counts as more than any number.");
    let remedy = format!("Write {name} | {AMOUNT}, which reads \"$350,000\" as 350000, and as 0 what is no amount.");
    Some(Problem::warning(path, sentence, remedy))
}

/// The attribute that is held against something else in a tag, with nothing done to it first.
fn compared(source: &str) -> Option<&str> {
    let within = |open: &'static str, close: &'static str| {
        source.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
    };
    within("{%", "%}").chain(within("{{", "}}")).find_map(compared_in)
}

fn compared_in(tag: &str) -> Option<&str> {
    tag.match_indices("attributes").find_map(|(at, _)| {
        let (before, named) = tag.split_at_checked(at)?;
        let of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '\'' | '"');
        let name = named.get(..named.find(|c| !of_name(c)).unwrap_or(named.len()))?;
        let after = named.get(name.len()..)?.trim_start();
        let is_second = before.trim_end().trim_end_matches('=').ends_with(['<', '>']) && !after.starts_with('|');
        (after.starts_with(['<', '>']) || is_second).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::above("{% if attributes.loan_amount > 300000 %}", Some("attributes.loan_amount"))]
    #[case::at_most("{% if city and attributes['loan_amount']<=3 %}", Some("attributes['loan_amount']"))]
    #[case::turned_round("{{ 'big' if 300000 <= attributes.loan_amount }}", Some("attributes.loan_amount"))]
    #[case::as_an_amount("{% if attributes.loan_amount|amount > 3 or 3 < attributes.rate | amount %}", None)]
    #[case::the_same("{% if attributes.loan_type == 'FHA' %}", None)]
    #[case::words("<b>{{ attributes.loan_amount }} > attributes.rate", None)]
    fn an_amount_that_is_compared_as_it_comes_is_found(#[case] source: &str, #[case] expected: Option<&str>) {
        assert_eq!(compared(source), expected);
    }
}
