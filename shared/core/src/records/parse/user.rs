//! Reads a user.

use super::{cadence::states, email, fields::Fields, phone};
use crate::{UserId, records::User};

pub(super) fn read(id: UserId, fields: Fields<'_>) -> Option<User> {
    let first_name = fields.required("first_name", "Messages carry the user's name.");
    let last_name = fields.required("last_name", "Messages carry the user's name.");
    if fields.value("email").is_none() {
        fields.missing("email", "Notices go there, and emails come from it.");
    }
    let email = email(&fields, "email");
    if fields.value("phone").is_none() {
        fields.missing("phone", "Calls are transferred to it.");
    }
    let own_phone = phone(&fields, "phone");
    let sms_number = phone(&fields, "sms_number");
    let nmls_id = fields.text("nmls_id");
    let licences = states(&fields, "licences");
    let active = fields.flag("active");
    fields.finish();
    Some(User {
        id,
        first_name: first_name?,
        last_name: last_name?,
        email: email?,
        phone: own_phone?,
        sms_number,
        nmls_id,
        licences,
        active: active.unwrap_or(true),
    })
}
