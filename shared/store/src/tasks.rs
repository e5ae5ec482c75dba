//! Users' tasks.

use cadence_core::{TaskId, UserId, task::Task};

use crate::{
    Store, StoreError,
    error::sorted,
    item::{key, read, s},
    keys,
};

impl Store {
    /// A user's open tasks, the one due first first. Read from an index, so a task that was just opened may be missing for a moment.
    pub async fn load_open_tasks(&self, user: &UserId) -> Result<Vec<Task>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.leads)
            .index_name(keys::OPEN_TASKS_INDEX)
            .key_condition_expression("open_for = :user")
            .expression_attribute_values(":user", s(user.as_str()));
        let mut pages = query.into_paginator().items().send();
        let mut tasks = Vec::new();
        while let Some(item) = pages.next().await {
            tasks.push(read(item.map_err(|error| sorted("Query", error))?)?);
        }
        Ok(tasks)
    }

    /// One task, open or closed.
    pub async fn load_task(&self, id: &TaskId) -> Result<Option<Task>, StoreError> {
        self.get(&self.leads, key(keys::lead_pk(&id.lead), keys::task_sk(id))).await?.map(read).transpose()
    }
}
