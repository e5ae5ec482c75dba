//! Items of the config table that nothing reads, because of their keys.

use super::{
    parse::kind_and_id,
    problem::{Problem, quoted},
};

/// The sort key of a record as ops edit it.
const CURRENT: &str = "CURRENT";

/// Why nothing reads an item of that key, which is none of a record that ops edit, and what to do about it.
pub fn unread_because(pk: &str, sk: &str) -> Vec<Problem> {
    let remedy = if sk.trim().eq_ignore_ascii_case(CURRENT) {
        "Did you mean \"CURRENT\"? A key can't be edited: duplicate the item with that sort key, and delete this one."
    } else if sk.starts_with("VERSION#") {
        "Versions are written by the system alone: edit the item whose sort key is CURRENT, and delete this one."
    } else {
        "Only items whose sort key is CURRENT are records: duplicate this one with that sort key, and delete this one."
    };
    let sentence = format!("The sort key is {}, so nothing reads this item.", quoted(sk));
    std::iter::once(Problem::error("sk", sentence, remedy)).chain(kind_and_id(pk).err()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_each_key_is_said() {
        for (pk, sk, words) in [
            ("CADENCE#a", "Current", &["Did you mean \"CURRENT\"?"][..]),
            ("CADENCE#a", " CURRENT ", &["\" CURRENT \"", "Did you mean \"CURRENT\"?"]),
            ("CADENCE#a", "VERSION#0009", &["written by the system alone"]),
            ("CADENCE#a", "DRAFT", &["Only items whose sort key is CURRENT"]),
            ("CADENSE#a", "current", &["Did you mean \"CURRENT\"?", "Did you mean \"CADENCE\"?"]),
        ] {
            let told: Vec<String> = unread_because(pk, sk).iter().map(ToString::to_string).collect();
            assert!(words.iter().all(|word| told.concat().contains(word)), "{pk} {sk}: {told:?}");
        }
    }
}
