//! How many parts a text is sent in. Each part is paid for and may come late, and one odd character more than halves what a part holds.
//!
//! Source: 3GPP TS 23.038, 6.2.1 (the GSM 7-bit alphabet), and TS 23.040, 9.2.3.24.1 (texts in parts).

use crate::records::problem::{Problem, capitalized};

/// The alphabet in which a part holds 160 characters.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Characters of it that take the room of two.
const GSM_TWICE: &str = "\u{c}^{}\\[~]|€";

/// What phones and word processors write by themselves, and what says the same in the alphabet.
const PLAINER: [(char, &str); 12] = [
    ('\u{2018}', "'"),
    ('\u{2019}', "'"),
    ('\u{201c}', "\""),
    ('\u{201d}', "\""),
    ('\u{2013}', "-"),
    ('\u{2014}', "-"),
    ('\u{2011}', "-"),
    ('\u{2026}', "..."),
    ('\u{2022}', "-"),
    ('\u{a0}', " "),
    ('\u{202f}', " "),
    ('`', "'"),
];

/// A text as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    /// How many parts.
    pub(super) parts: usize,
    /// How many characters one part of several holds.
    pub(super) part_holds: usize,
    /// How many characters there are, as they are counted: some count twice.
    pub(super) characters: usize,
    /// The characters, each once, that are not in the alphabet.
    pub(super) odd: Vec<char>,
}

/// Measures a text.
pub(super) fn measure(text: &str) -> Measured {
    let mut odd: Vec<char> = Vec::new();
    for character in text.chars().filter(|character| room(*character).is_none()) {
        if !odd.contains(&character) {
            odd.push(character);
        }
    }
    let is_gsm = odd.is_empty();
    let (alone, part_holds) = if is_gsm { (160, 153) } else { (70, 67) };
    let room = |character: char| if is_gsm { room(character).unwrap_or(1) } else { character.len_utf16() };
    let characters = text.chars().map(room).sum();
    let mut parts = 1;
    if characters > alone {
        let mut used = 0;
        // A character that takes the room of two is never cut in two.
        for room in text.chars().map(room) {
            if used + room > part_holds {
                parts += 1;
                used = 0;
            }
            used += room;
        }
    }
    Measured { parts, part_holds, characters, odd }
}

/// Characters that are not in the alphabet, and what to write instead; `None` if there are none.
pub(super) fn odd_problem(path: &str, subject: &str, odd: &[char]) -> Option<Problem> {
    let first = odd.get(..odd.len().min(MOST_SHOWN)).filter(|first| !first.is_empty())?;
    let named: Vec<String> = first.iter().map(|odd| format!("{odd} (U+{:04X})", u32::from(*odd))).collect();
    let more = if odd.len() > first.len() { " and others" } else { "" };
    let instead: Vec<String> = first.iter().map(|odd| instead(*odd)).collect();
    Some(Problem::warning(
        path,
        format!(
            "{subject} has {}{more}, with which a part of a text holds 70 characters instead of 160.",
            named.join(", ")
        ),
        format!("{}.", capitalized(&instead.join(", "))),
    ))
}

/// As many characters as are named.
const MOST_SHOWN: usize = 6;

fn instead(odd: char) -> String {
    match PLAINER.iter().find(|(character, _)| *character == odd) {
        Some((_, " ")) => "write a plain space there".to_owned(),
        Some((_, plainer)) => format!("write {plainer} for {odd}"),
        None => format!("leave out {odd}"),
    }
}

fn room(character: char) -> Option<usize> {
    match GSM.contains(character) {
        true => Some(1),
        false => GSM_TWICE.contains(character).then_some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_as_many_parts_as_the_standard_says() {
        for (text, parts, characters) in [
            (String::new(), 1, 0),
            ("a".repeat(160), 1, 160),
            ("a".repeat(161), 2, 161),
            ("a".repeat(306), 2, 306),
            ("a".repeat(307), 3, 307),
            ("€".repeat(80), 1, 160),
            ("€".repeat(81), 2, 162),
            // 153 and 153 would fit, but none of these is cut in two.
            ("€".repeat(153), 3, 306),
            ("ñ".repeat(160), 1, 160),
            ("’".repeat(70), 1, 70),
            ("’".repeat(71), 2, 71),
            ("’".repeat(135), 3, 135),
            // Outside the plane of 16 bits a character counts twice.
            ("🏡".repeat(35), 1, 70),
            ("🏡".repeat(36), 2, 72),
            ("🏡".repeat(67), 3, 134),
        ] {
            let measured = measure(&text);
            assert_eq!((measured.parts, measured.characters), (parts, characters), "{text}");
        }
    }

    #[test]
    fn the_characters_that_cost_are_named_once_and_what_to_write_instead_costs_nothing() {
        assert_eq!(measure("It’s late — don’t call").odd, ['’', '—']);
        assert_eq!(measure("Ça va, José? 5 €").odd, ['\u{0}'; 0]);
        for (odd, plainer) in PLAINER {
            assert_eq!(measure(&odd.to_string()).odd, [odd]);
            assert!(measure(plainer).odd.is_empty());
        }
    }

    #[test]
    fn the_alphabet_has_the_standards_127_characters_and_ten_more() {
        // The 128th is the escape to those that count twice.
        assert_eq!((GSM.chars().count(), GSM_TWICE.chars().count()), (127, 10));
        let all: std::collections::BTreeSet<char> = GSM.chars().chain(GSM_TWICE.chars()).collect();
        assert_eq!(all.len(), 137);
    }
}
