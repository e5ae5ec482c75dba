//! Phone numbers and email addresses, each in the one form that is stored, hashed and sent to.

use std::str::FromStr;

use email_address::EmailAddress;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

use crate::law;

/// The longest address that SMTP carries (RFC 5321, as corrected by erratum 1690).
const EMAIL_MAX_CHARS: usize = 254;
/// Longer than any number with its extension; keeps hostile input from the parser.
const PHONE_MAX_CHARS: usize = 60;

/// Reads a phone number, a US one where no country is given, as E.164 without its extension.
///
/// `None` for what can't be dialled, and for premium-rate numbers: a lead must not make us call those.
pub fn normalize_phone(text: &str) -> Option<String> {
    let text = text.trim();
    if text.chars().count() > PHONE_MAX_CHARS {
        return None;
    }
    let number = PHONE_NUMBER_UTIL.parse(text, Some(Region::US)).ok()?;
    let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
    let is_premium = number.get_type() == PhoneNumberType::PremiumRate;
    (!is_premium && can_be_dialled(&number, &e164)).then_some(e164)
}

/// The library learns of a new area code only once numbers of it are in use; the law's table may know it earlier.
fn can_be_dialled(number: &PhoneNumber, e164: &str) -> bool {
    number.is_valid() || (is_nanp_shaped(e164) && law::is_us_area_code(e164))
}

/// `+1`, an area code and an exchange that begin with 2 to 9, and four digits.
fn is_nanp_shaped(e164: &str) -> bool {
    let Some(digits) = e164.strip_prefix("+1") else {
        return false;
    };
    digits.len() == 10
        && digits.bytes().enumerate().all(|(place, digit)| match place {
            0 | 3 => (b'2'..=b'9').contains(&digit),
            _ => digit.is_ascii_digit(),
        })
}

/// Reads a plain email address, in lower case; `None` for anything else.
pub fn normalize_email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (_, domain) = email.rsplit_once('@')?;
    let is_usable = email.chars().count() <= EMAIL_MAX_CHARS
        && domain.contains('.')
        && !domain.starts_with('[')
        && !email.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'))
        && EmailAddress::from_str(&email).is_ok();
    is_usable.then_some(email)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_has_one_form_however_it_is_written() {
        for text in [
            "415-555-0123",
            "(415) 555-0123",
            "+1 415 555 0123",
            "1 415 555 0123",
            "4155550123",
            "4155550123 x12",
            " 415.555.0123 ext. 7 ",
            "tel:+1-415-555-0123",
            "+14155550123",
        ] {
            assert_eq!(normalize_phone(text).as_deref(), Some("+14155550123"), "{text}");
        }
    }

    #[test]
    fn numbers_of_other_countries_and_new_area_codes_are_numbers() {
        for (text, expected) in [
            ("+44 20 7946 0018", "+442079460018"),
            ("+1 604 555 0123", "+16045550123"),
            ("800-555-0123", "+18005550123"),
            // An area code that the library does not know.
            ("471-555-0123", "+14715550123"),
        ] {
            assert_eq!(normalize_phone(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_dialled_is_no_number() {
        for text in [
            "",
            "n/a",
            "555-0123",
            "555-765-4321",
            "415-155-0123",
            "115-555-0123",
            "415555012",
            "41555501234",
            "+999 1234567",
            "900-555-0123",
            "0000000000",
            &"4".repeat(500),
        ] {
            assert_eq!(normalize_phone(text), None, "{text}");
        }
    }

    #[test]
    fn an_email_address_is_trimmed_and_lower_case() {
        for (text, expected) in [
            (" Robin.Example@Example.COM ", "robin.example@example.com"),
            ("robin+zillow@mail.example.com", "robin+zillow@mail.example.com"),
        ] {
            assert_eq!(normalize_email(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_address_is_no_email() {
        for text in [
            "",
            "robin",
            "robin@",
            "@example.com",
            "robin@localhost",
            "robin@example.com, sam@example.com",
            "Robin <robin@example.com>",
            "robin@example..com",
            "robin@[127.0.0.1]",
            "robin@exa mple.com",
            "\"robin hood\"@example.com",
            "robin@example.com\r\nBcc: sam@example.com",
            &format!("robin@{}.com", "example.".repeat(40)),
        ] {
            assert_eq!(normalize_email(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(
            phone in r"(\+?1[ -]?)?\(?[2-9][0-9]{2}\)?[ .-]?[2-9][0-9]{2}[ .-]?[0-9]{4}( x[0-9]{1,3})?"
        ) {
            if let Some(once) = normalize_phone(&phone) {
                prop_assert!(once.len() == 12 && once.starts_with("+1"));
                prop_assert_eq!(normalize_phone(&once), Some(once.clone()));
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic_and_to_a_fixed_point(text in "\\PC{0,80}") {
            if let Some(phone) = normalize_phone(&text) {
                prop_assert_eq!(normalize_phone(&phone), Some(phone.clone()));
            }
            if let Some(email) = normalize_email(&text) {
                prop_assert_eq!(normalize_email(&email), Some(email.clone()));
            }
        }
    }
}
