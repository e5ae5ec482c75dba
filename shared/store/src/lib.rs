//! The two DynamoDB tables: keys, items, load, commit, claim.
