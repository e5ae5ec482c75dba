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
    let (sentence, name) = match compared(source)? {
        Compared::AsSent(name) => (
            format!(
                "This compares {name} as it is sent: as text, or not sent at all, it counts as more than any number, and equals none."
            ),
            name,
        ),
        Compared::WithText(name) => {
            (format!("This compares the amount of {name} with text, which is more than any number."), name)
        }
    };
    let remedy = format!(
        "Write {name} and {name} | {AMOUNT} > 300000, with your own sign and number: \"{AMOUNT}\" reads \"$350,000\" as 350000, and as 0 what is no amount."
    );
    Some(Problem::warning(path, sentence, remedy))
}

/// What is wrong with a comparison of an attribute, which is named.
#[derive(Debug, PartialEq, Eq)]
enum Compared<'a> {
    /// It is not made an amount first.
    AsSent(&'a str),
    /// Its amount is held against text.
    WithText(&'a str),
}

fn compared(source: &str) -> Option<Compared<'_>> {
    let within = |open: &'static str, close: &'static str| {
        source.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
    };
    within("{%", "%}").chain(within("{{", "}}")).flat_map(clauses).find_map(in_clause)
}

/// What stands between the words that join conditions, those in brackets aside.
fn clauses(tag: &str) -> Vec<&str> {
    let (mut clauses, mut begins, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in tag.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                let rest = tag.get(at..).unwrap_or_default();
                let joins = [" and ", " or ", " if ", " else "].iter().any(|word| rest.starts_with(word));
                if joins {
                    clauses.extend(tag.get(begins..at));
                    begins = at + 1;
                }
            }
            _ => {}
        }
    }
    clauses.extend(tag.get(begins..));
    clauses
}

/// In a condition by itself.
fn in_clause(clause: &str) -> Option<Compared<'_>> {
    let numbers = |text: &str| text.trim_matches([' ', '=', '(', ')']).parse::<f64>().is_ok();
    let is_ordered = clause.contains(['<', '>']);
    let equals_number = ["==", "!="].iter().any(|sign| clause.split(sign).any(numbers) && clause.contains(sign));
    if !is_ordered && !equals_number {
        return None;
    }
    let (at, _) = clause.match_indices("attributes").next()?;
    let named = clause.get(at..)?;
    let of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '\'' | '"');
    let name = named.get(..named.find(|c| !of_name(c)).unwrap_or(named.len()))?;
    let after = named.get(name.len()..)?.trim_start();
    let filter = after.strip_prefix('|').map(str::trim_start);
    if filter.is_none_or(|filter| !filter.starts_with(AMOUNT)) {
        return Some(Compared::AsSent(name));
    }
    // What an attribute is named by in brackets is no text that it is held against.
    let rest = clause.replace(name, "");
    (is_ordered && rest.contains(['\'', '"'])).then_some(Compared::WithText(name))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LOAN: &str = "attributes.loan_amount";

    #[rstest]
    #[case::above("{% if attributes.loan_amount > 300000 %}", Some(Compared::AsSent(LOAN)))]
    #[case::at_most(
        "{% if city and attributes['loan_amount']<=3 %}",
        Some(Compared::AsSent("attributes['loan_amount']"))
    )]
    #[case::turned_round("{{ 'big' if 300000 <= attributes.loan_amount }}", Some(Compared::AsSent(LOAN)))]
    #[case::with_a_stand_in("{% if (attributes.loan_amount or 0) > 300000 %}", Some(Compared::AsSent(LOAN)))]
    #[case::with_a_default("{% if attributes.loan_amount | default(0) > 3 %}", Some(Compared::AsSent(LOAN)))]
    #[case::a_number("{% if attributes.loan_amount == 350000 %}", Some(Compared::AsSent(LOAN)))]
    #[case::with_text("{% if attributes.loan_amount | amount > '300000' %}", Some(Compared::WithText(LOAN)))]
    #[case::as_an_amount("{% if attributes.loan_amount|amount > 3 or 3 < attributes['rate'] | amount %}", None)]
    #[case::where_it_is_known("{% if attributes.loan_amount and attributes.loan_amount | amount < 620 %}", None)]
    #[case::beside_text("{% if attributes.loan_type == 'FHA' and attributes.loan_amount | amount > 3 %}", None)]
    #[case::the_same("{% if attributes.loan_type == 'FHA' %}", None)]
    #[case::words("<b>{{ attributes.loan_amount }} > attributes.rate", None)]
    fn an_amount_that_is_compared_as_it_comes_is_found(#[case] source: &str, #[case] expected: Option<Compared<'_>>) {
        assert_eq!(compared(source), expected);
    }
}
