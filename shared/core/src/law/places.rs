//! Where ZIP codes lie and which clocks hold there, as data: prefixes of five or three digits, alone or `first-last`.
//!
//! Sources: the prefixes that USPS assigns; the zone boundaries of 49 CFR 71 as the tz database's map draws them.
//! As of 2026-11-23.
//! A place near a boundary, or one whose prefix spans it, lists both sides.

/// States by ZIP codes that don't lie in the state of their prefix, and where a prefix serves several.
pub(super) const STATES_BY_ZIP5: &[(&str, &str)] = &[
    ("NY", "06390"),
    ("MD", "20588"),
    ("VA", "20598"),
    ("TX", "73960"),
    ("WY", "83414"),
    ("AS", "96799"),
    ("GU", "96910-96932"),
    ("PW", "96939-96940"),
    ("FM", "96941-96944"),
    ("MP", "96950-96952"),
    ("MH", "96960-96970"),
];

/// States by ZIP prefix. Military addresses (090-098, 340, 962-966) are in no state.
pub(super) const STATES_BY_ZIP3: &[(&str, &str)] = &[
    ("AK", "995-999"),
    ("AL", "350-369"),
    ("AR", "716-729"),
    ("AZ", "850-865"),
    ("CA", "900-961"),
    ("CO", "800-816"),
    ("CT", "060-069"),
    ("DC", "200 202-205 569 888"),
    ("DE", "197-199"),
    ("FL", "320-339 341-349"),
    ("FM GU MH MP PW", "969"),
    ("GA", "300-319 398-399"),
    ("HI", "967-968"),
    ("IA", "500-528"),
    ("ID", "832-838"),
    ("IL", "600-629"),
    ("IN", "460-479"),
    ("KS", "660-679"),
    ("KY", "400-427"),
    ("LA", "700-714"),
    ("MA", "010-027 055"),
    ("MD", "206-219"),
    ("ME", "039-049"),
    ("MI", "480-499"),
    ("MN", "550-567"),
    ("MO", "630-658"),
    ("MS", "386-397"),
    ("MT", "590-599"),
    ("NC", "270-289"),
    ("ND", "580-588"),
    ("NE", "680-693"),
    ("NH", "030-038"),
    ("NJ", "070-089"),
    ("NM", "870-884"),
    ("NV", "889-898"),
    ("NY", "005 100-149"),
    ("OH", "430-459"),
    ("OK", "730-732 734-749"),
    ("OR", "970-979"),
    ("PA", "150-196"),
    ("PR", "006-007 009"),
    ("RI", "028-029"),
    ("SC", "290-299"),
    ("SD", "570-577"),
    ("TN", "370-385"),
    ("TX", "733 750-799 885"),
    ("UT", "840-847"),
    ("VA", "201 220-246"),
    ("VI", "008"),
    ("VT", "050-054 056-059"),
    ("WA", "980-994"),
    ("WI", "530-549"),
    ("WV", "247-268"),
    ("WY", "820-831"),
];

/// Zones by state: every zone of which some of the state keeps the time.
pub(super) const ZONES_BY_STATE: &[(&str, &str)] = &[
    ("America/New_York", "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV"),
    ("America/New_York America/Chicago", "FL KY TN"),
    ("America/Detroit America/Chicago", "MI"),
    ("America/Indiana/Indianapolis America/Chicago", "IN"),
    ("America/Chicago", "AL AR IA IL LA MN MO MS OK WI"),
    ("America/Chicago America/Denver", "KS ND NE SD TX"),
    ("America/Denver", "CO MT NM UT WY"),
    ("America/Phoenix America/Denver", "AZ"),
    ("America/Boise America/Los_Angeles", "ID OR"),
    ("America/Denver America/Los_Angeles", "NV"),
    ("America/Los_Angeles", "CA WA"),
    ("America/Anchorage America/Adak", "AK"),
    ("Pacific/Honolulu", "HI"),
    ("America/Puerto_Rico", "PR"),
    ("America/St_Thomas", "VI"),
    ("Pacific/Pago_Pago", "AS"),
    ("Pacific/Guam", "GU"),
    ("Pacific/Saipan", "MP"),
    ("Pacific/Palau", "PW"),
    ("Pacific/Majuro", "MH"),
    ("Pacific/Chuuk Pacific/Pohnpei Pacific/Kosrae", "FM"),
];

/// Zones by ZIP prefix, in states of several zones, where all that the prefix serves keeps the same time.
pub(super) const ZONES_BY_ZIP3: &[(&str, &str)] = &[
    ("America/New_York", "320-323 326-339 341-349"), // FL; 324 is mixed
    ("America/Chicago", "325"),                      // FL
    ("America/New_York", "400 402-418 425"),         // KY; 401, 426 and 427 are mixed
    ("America/Chicago", "420-424"),                  // KY
    ("America/New_York", "374 376 378-379"),         // TN; 373 and 377 are mixed
    ("America/Chicago", "370-372 375 380-385"),      // TN
    ("America/Detroit", "480-497"),                  // MI; 498 and 499 are mixed
    ("America/Indiana/Indianapolis", "460-462 466-468 470-474 478"), // IN; 465, 469, 475 and 479 are mixed
    ("America/Chicago", "463-464 476-477"),          // IN
    ("America/Chicago", "660-676 679"),              // KS; 677 and 678 are mixed
    ("America/Chicago", "580-584 587"),              // ND; 585, 586 and 588 are mixed
    ("America/Chicago", "680-689"),                  // NE; 690 to 692 are mixed
    ("America/Denver", "693"),                       // NE
    ("America/Chicago", "570-574"),                  // SD; 575 and 576 are mixed
    ("America/Denver", "577"),                       // SD
    ("America/Chicago", "733 750-797"),              // TX; 798 is mixed
    ("America/Denver", "799 885"),                   // TX
    ("America/Phoenix", "850-859 863-864"),          // AZ; 860 and 865 hold Navajo land, which changes its clocks
    ("America/Boise", "832-834 836-837"),            // ID; 835 is mixed
    ("America/Los_Angeles", "838"),                  // ID
    ("America/Los_Angeles", "970-978"),              // OR; 979 is mixed
    ("America/Los_Angeles", "889-897"),              // NV; 898 holds West Wendover, on Utah's time
    ("America/Anchorage", "996-999"),                // AK; 995 holds the western Aleutians
];
