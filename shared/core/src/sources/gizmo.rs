//! Gizmo-compatible ingest: a flat lead, as CRMs push it.

use super::{FieldProblem, Inbound, fields::Fields};

const PLACED: [&str; 8] = ["crmId", "firstName", "lastName", "email", "phone", "city", "state", "zip"];

pub(super) fn read(top: &Fields<'_>) -> Result<Inbound, Vec<FieldProblem>> {
    let mut inbound = Inbound {
        vendor_event_id: top.text("crmId"),
        first_name: top.text("firstName").unwrap_or_default(),
        last_name: top.text("lastName").unwrap_or_default(),
        attributes: top.attributes_but(&PLACED),
        ..Inbound::default()
    };
    inbound.reach((top, "phone"), (top, "email"))?;
    inbound.place(top, "city", "state", "zip");
    Ok(inbound)
}

#[cfg(test)]
mod tests {
    use crate::{records::Format, sources};

    #[test]
    fn a_gizmo_lead_reads_as_a_lead() {
        let body = r#"{"crmId":"12345","firstName":"John","lastName":"Doe","email":"john@example.com","phone":"+14155550123",
            "streetAddress":null,"city":"Oakland","state":"ca","zip":"94607","leadProviderSlug":"zillow"}"#;
        let inbound = sources::parse(&Format::Gizmo, None, body.as_bytes()).unwrap();
        assert_eq!(inbound.vendor_event_id.as_deref(), Some("12345"));
        assert_eq!((inbound.state.as_deref(), inbound.city.as_deref()), (Some("CA"), Some("Oakland")));
        assert_eq!(inbound.attributes["lead_provider_slug"], "zillow");
    }

    #[test]
    fn a_state_that_is_not_given_is_told_by_the_zip_code() {
        let body = br#"{"crmId":1,"phone":"+14155550123","zip":"94607"}"#;
        assert_eq!(sources::parse(&Format::Gizmo, None, body).unwrap().state.as_deref(), Some("CA"));
    }
}
