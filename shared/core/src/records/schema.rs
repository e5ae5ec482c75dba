//! JSON Schema for each kind of record, so that editors complete and explain fields.
//!
//! They say how records are best written; `parse` forgives more. The tests hold them to what `parse` asks for.

/// The kinds of record, each with its schema (draft 2020-12).
pub const SCHEMAS: [(&str, &str); 5] = [
    ("cadence", include_str!("schema/cadence.schema.json")),
    ("message", include_str!("schema/message.schema.json")),
    ("user", include_str!("schema/user.schema.json")),
    ("source", include_str!("schema/source.schema.json")),
    ("settings", include_str!("schema/settings.schema.json")),
];

#[cfg(test)]
mod tests;
