//! Where area codes are given out, as data: a weak hint, since people keep their numbers when they move.
//!
//! Sources: the assignments of the North American Numbering Plan as libphonenumber 9.0 lists them, and overlays that
//! state commissions have announced. As of 2026-11-23. Toll-free, personal (5xx), premium and foreign codes tell no
//! zone and are left out.

/// Zones by area code. An overlay lists all the zones of the area that it shares.
const ZONES_BY_AREA_CODE: &[(&str, &str)] = &[
    (
        "America/New_York",
        "201 202 203 207 212 215 216 220 223 227 229 234 239 240 252 267 272 276 283 301 302 304 305 315 321 324 326 329 \
         330 332 336 339 347 351 352 363 380 386 401 404 407 410 412 413 419 434 436 440 443 445 465 470 472 475 478 484 \
         502 508 513 516 518 540 551 561 567 570 571 582 585 603 607 609 610 614 617 624 631 640 645 646 656 667 678 680 \
         681 686 689 703 704 706 716 717 718 724 727 728 732 740 743 754 757 762 770 771 772 774 781 786 802 803 804 813 \
         814 821 826 828 835 838 839 843 845 848 854 856 857 859 860 862 863 864 865 878 904 908 910 912 914 917 919 929 \
         934 937 941 943 948 954 959 973 978 980 984",
    ),
    ("America/Detroit", "231 248 269 313 517 586 616 679 734 810 947 989"),
    ("America/Detroit America/Chicago", "906"),
    ("America/Indiana/Indianapolis", "260 317 463 765"),
    ("America/Indiana/Indianapolis America/Chicago", "219 574 812 930"),
    // The Florida panhandle, western and southern Kentucky, eastern Tennessee.
    ("America/New_York America/Chicago", "850 448 270 364 606 423 729"),
    (
        "America/Chicago",
        "205 210 214 217 218 224 225 228 235 251 254 256 262 274 281 309 312 314 316 318 319 320 325 327 331 334 337 346 \
         353 361 402 405 409 414 417 430 432 447 457 464 469 471 479 483 501 504 507 512 515 531 534 539 557 563 572 573 \
         580 601 608 612 615 618 621 629 630 636 641 651 659 660 662 682 708 712 713 715 726 730 731 737 763 769 773 779 \
         806 815 816 817 830 832 847 861 870 872 901 903 913 918 920 924 931 936 938 940 945 952 956 972 975 979 985",
    ),
    ("America/Chicago America/Denver", "308 605 620 701 785"),
    ("America/Denver", "303 307 385 406 435 505 575 719 720 748 801 915 970 983"),
    ("America/Phoenix", "480 520 602 623"),
    ("America/Phoenix America/Denver", "928"),
    ("America/Boise America/Los_Angeles", "208 986 458 541"),
    ("America/Denver America/Los_Angeles", "775"),
    (
        "America/Los_Angeles",
        "206 209 213 253 279 310 323 341 350 357 360 369 408 415 424 425 442 503 509 510 530 559 562 564 619 626 628 650 \
         657 661 669 702 707 714 725 738 747 760 805 818 820 831 837 840 858 909 916 925 949 951 971",
    ),
    ("America/Anchorage America/Adak", "907"),
    ("Pacific/Honolulu", "808"),
    ("America/Puerto_Rico", "787 939"),
    ("America/St_Thomas", "340"),
    ("Pacific/Guam", "671"),
    ("Pacific/Saipan", "670"),
    ("Pacific/Pago_Pago", "684"),
];

/// The names of the zones in which that E.164 number's area code is given out; `None` where it tells none.
pub(super) fn zones_of_area_code(e164: &str) -> Option<&'static str> {
    let area_code = e164.trim().strip_prefix("+1")?.get(..3)?;
    ZONES_BY_AREA_CODE
        .iter()
        .find(|(_, codes)| codes.split_whitespace().any(|code| code == area_code))
        .map(|(zones, _)| *zones)
}

/// Whether that E.164 number's area code is one of the United States.
pub(crate) fn is_us_area_code(e164: &str) -> bool {
    zones_of_area_code(e164).is_some()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType, Region};

    use super::*;
    use crate::time::Zone;

    fn all_codes() -> Vec<&'static str> {
        ZONES_BY_AREA_CODE.iter().flat_map(|(_, codes)| codes.split_whitespace()).collect()
    }

    #[test]
    fn each_area_code_is_listed_once_and_each_zone_exists() {
        let codes = all_codes();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        for code in codes {
            assert!(code.len() == 3 && code.parse::<u16>().is_ok_and(|code| code >= 200), "{code}");
        }
        for (zones, _) in ZONES_BY_AREA_CODE {
            assert!(zones.split_whitespace().all(|zone| Zone::parse(zone).is_some()), "{zones}");
        }
    }

    #[test]
    fn every_geographic_us_code_that_the_phone_library_knows_tells_a_zone_and_no_other_does() {
        const TERRITORIES: [Region; 5] = [Region::PR, Region::VI, Region::GU, Region::MP, Region::AS];
        for code in 200..1000 {
            let number = PHONE_NUMBER_UTIL.parse(format!("+1{code}2345678"), Some(Region::US)).unwrap();
            let is_geographic = !matches!(
                number.get_type(),
                PhoneNumberType::TollFree | PhoneNumberType::PremiumRate | PhoneNumberType::PersonalNumber
            );
            let Some(region) = number.get_region_code() else {
                continue;
            };
            let is_us = is_geographic && (region == Region::US || TERRITORIES.contains(&region));
            assert_eq!(is_us_area_code(&format!("+1{code}2345678")), is_us, "{code} {region:?}");
        }
    }

    #[test]
    fn numbers_of_no_one_place_tell_no_zone() {
        for phone in [
            "",
            "+1",
            "+18005550123",
            "+15005550123",
            "+19005550123",
            "+16045550123",
            "+18765550123",
            "+442079460018",
            "4155550123",
            "+1\u{e9}",
        ] {
            assert_eq!(zones_of_area_code(phone), None, "{phone}");
        }
    }
}
