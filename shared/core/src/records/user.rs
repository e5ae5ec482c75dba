//! A user: who calls, writes, and lends their name and number to what is sent.

use serde::{Deserialize, Serialize};

use crate::UserId;

/// One published user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The subject of the user's token: `lo-riley`.
    pub id: UserId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Where notices go, and the address that emails come from.
    pub email: String,
    /// The user's own phone, E.164: gets notices and transferred calls.
    pub phone: String,
    /// The number that texts and AI calls come from, E.164.
    pub sms_number: Option<String>,
    /// NMLS id.
    pub nmls_id: Option<String>,
    /// USPS codes of the states that license the user.
    pub licences: Vec<String>,
    /// False while the user takes no leads.
    pub active: bool,
}

impl User {
    /// Whether the user may act for a lead in that state.
    pub fn is_licensed_in(&self, state: &str) -> bool {
        self.licences.iter().any(|licence| licence == state)
    }

    /// First and last name.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}
