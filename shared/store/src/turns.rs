//! The turns of a group. Each member's last is an item of its own, so that two leads who go to two members don't collide.

use aws_sdk_dynamodb::types::TransactWriteItem;
use cadence_core::{
    GroupId, UserId,
    assign::{Turn, Turns},
};
use serde::Deserialize;

use crate::{
    Store, StoreError,
    item::{key, s},
    keys,
    update::{Edit, number},
};

#[derive(Deserialize)]
struct Taken {
    user: UserId,
    number: u64,
}

impl Store {
    pub(crate) async fn turns(&self, group: &GroupId) -> Result<Turns, StoreError> {
        let taken: Vec<Taken> = self.partition(&self.leads, keys::turns_pk(group)).await?;
        let turns = taken.into_iter().map(|taken| (taken.user, taken.number)).collect();
        Ok(Turns::from([(group.clone(), turns)]))
    }

    /// Takes a turn, if the user has had none since it was decided.
    pub(crate) fn taken_turn(&self, turn: &Turn) -> Result<TransactWriteItem, StoreError> {
        let mut edit = Edit::anywhere(key(keys::turns_pk(&turn.group), keys::turn_sk(&turn.user)));
        match turn.last {
            Some(last) => edit.expect(&["number"], number(last)?),
            None => edit.expect_none(&["number"]),
        };
        edit.set(&["user"], s(turn.user.as_str())).set(&["number"], number(turn.number)?);
        edit.item(&self.leads)
    }
}
