//! The records that ship, as they stand in `infra/cadences`.

use serde_json::Value;

/// What ships, in an order in which each record's references come before it.
const SHIPPED: [&str; 14] = [
    include_str!("../../cadences/settings-company.json"),
    include_str!("../../cadences/user-lo-morgan.json"),
    include_str!("../../cadences/user-lo-riley.json"),
    include_str!("../../cadences/source-gizmo.json"),
    include_str!("../../cadences/source-plain.json"),
    include_str!("../../cadences/source-zillow.json"),
    include_str!("../../cadences/message-email-follow-up.json"),
    include_str!("../../cadences/message-email-intro.json"),
    include_str!("../../cadences/message-script-follow-up.json"),
    include_str!("../../cadences/message-script-intro.json"),
    include_str!("../../cadences/message-sms-follow-up.json"),
    include_str!("../../cadences/message-sms-intro.json"),
    include_str!("../../cadences/cadence-new-lead.json"),
    include_str!("../../cadences/cadence-zillow-purchase.json"),
];

/// The records that ship, each as its DynamoDB item reads in plain JSON.
pub fn shipped() -> Result<Vec<Value>, serde_json::Error> {
    SHIPPED.iter().map(|text| serde_json::from_str(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_ships() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../cadences");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        let mut shipped = SHIPPED.map(str::to_owned).to_vec();
        files.sort();
        shipped.sort();
        assert!(files == shipped, "SHIPPED and {folder} differ");
    }
}
