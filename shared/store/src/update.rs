//! Update expressions, put together piece by piece.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};

use crate::{
    StoreError,
    item::{Item, attribute},
};

/// An update in the making: attributes to set and remove, and what must hold.
pub(crate) struct Edit {
    key: Item,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Edit {
    /// An edit of an item that must exist: an erased lead has no ghosts.
    pub(crate) fn of(key: Item) -> Self {
        Self {
            key,
            sets: Vec::new(),
            removes: Vec::new(),
            conditions: vec!["attribute_exists(pk)".to_owned()],
            names: HashMap::new(),
            values: HashMap::new(),
        }
    }

    /// An edit of an item that may not exist yet, which makes it.
    pub(crate) fn anywhere(key: Item) -> Self {
        Self { conditions: Vec::new(), ..Self::of(key) }
    }

    /// Sets the attribute at that path.
    pub(crate) fn set(&mut self, path: &[&str], value: AttributeValue) -> &mut Self {
        let (name, value) = (self.name(path), self.value(value));
        self.sets.push(format!("{name} = {value}"));
        self
    }

    /// Sets the attribute at that path unless it is there.
    pub(crate) fn set_once(&mut self, path: &[&str], value: AttributeValue) -> &mut Self {
        let (name, value) = (self.name(path), self.value(value));
        self.sets.push(format!("{name} = if_not_exists({name}, {value})"));
        self
    }

    /// Adds one to the number at that path.
    pub(crate) fn increment(&mut self, path: &[&str]) -> &mut Self {
        let (name, one) = (self.name(path), self.value(AttributeValue::N("1".to_owned())));
        self.sets.push(format!("{name} = {name} + {one}"));
        self
    }

    /// Removes the attribute at that path.
    pub(crate) fn remove(&mut self, path: &[&str]) -> &mut Self {
        let name = self.name(path);
        self.removes.push(name);
        self
    }

    /// Asks that the attribute at that path is this.
    pub(crate) fn expect(&mut self, path: &[&str], value: AttributeValue) -> &mut Self {
        let (name, value) = (self.name(path), self.value(value));
        self.conditions.push(format!("{name} = {value}"));
        self
    }

    /// Asks that there is no attribute at that path.
    pub(crate) fn expect_none(&mut self, path: &[&str]) -> &mut Self {
        let name = self.name(path);
        self.conditions.push(format!("attribute_not_exists({name})"));
        self
    }

    /// Asks that there is no attribute at `path`, or that the number at `until` is at most `now`.
    pub(crate) fn expect_none_or_past(&mut self, path: &[&str], until: &[&str], now: i64) -> &mut Self {
        let (name, until) = (self.name(path), self.name(until));
        let now = self.value(AttributeValue::N(now.to_string()));
        self.conditions.push(format!("(attribute_not_exists({name}) OR {until} <= {now})"));
        self
    }

    /// The edit as a transaction's item; a mere check where it changes nothing.
    pub(crate) fn item(self, table: &str) -> Result<TransactWriteItem, StoreError> {
        let condition = Some(self.conditions.join(" AND ")).filter(|condition| !condition.is_empty());
        let names = Some(self.names).filter(|names| !names.is_empty());
        let values = Some(self.values).filter(|values| !values.is_empty());
        let mut expression = Vec::new();
        if !self.sets.is_empty() {
            expression.push(format!("SET {}", self.sets.join(", ")));
        }
        if !self.removes.is_empty() {
            expression.push(format!("REMOVE {}", self.removes.join(", ")));
        }
        let item = TransactWriteItem::builder();
        if expression.is_empty() {
            let check = ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(self.key))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values);
            return Ok(item.condition_check(built(check.build())?).build());
        }
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(self.key))
            .update_expression(expression.join(" "))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        Ok(item.update(built(update.build())?).build())
    }

    fn name(&mut self, path: &[&str]) -> String {
        let parts: Vec<_> = path
            .iter()
            .map(|part| {
                let known = self.names.iter().find(|(_, name)| name == part).map(|(alias, _)| alias.clone());
                known.unwrap_or_else(|| {
                    let alias = format!("#n{}", self.names.len());
                    self.names.insert(alias.clone(), (*part).to_owned());
                    alias
                })
            })
            .collect();
        parts.join(".")
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let alias = format!(":v{}", self.values.len());
        self.values.insert(alias.clone(), value);
        alias
    }
}

/// An item to write whatever was there.
pub(crate) fn put(table: &str, item: Item) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder().table_name(table).set_item(Some(item));
    Ok(TransactWriteItem::builder().put(built(put.build())?).build())
}

/// An item to delete, if it is there.
pub(crate) fn delete(table: &str, key: Item) -> Result<TransactWriteItem, StoreError> {
    let delete = Delete::builder().table_name(table).set_key(Some(key));
    Ok(TransactWriteItem::builder().delete(built(delete.build())?).build())
}

/// An item to write where there is none.
pub(crate) fn put_new(table: &str, item: Item) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder().table_name(table).set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
    Ok(TransactWriteItem::builder().put(built(put.build())?).build())
}

/// An item to write where the attribute is still what was read.
pub(crate) fn put_over(
    table: &str,
    item: Item,
    name: &str,
    previous: Option<AttributeValue>,
) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder().table_name(table).set_item(Some(item)).expression_attribute_names("#n", name);
    let put = match previous {
        Some(previous) => put.condition_expression("#n = :p").expression_attribute_values(":p", previous),
        None => put.condition_expression("attribute_not_exists(#n)"),
    };
    Ok(TransactWriteItem::builder().put(built(put.build())?).build())
}

/// An item to write where the number attribute is still what was read.
pub(crate) fn put_over_number(
    table: &str,
    item: Item,
    name: &str,
    previous: Option<u32>,
) -> Result<TransactWriteItem, StoreError> {
    put_over(table, item, name, previous.map(|previous| AttributeValue::N(previous.to_string())))
}

/// A number attribute.
pub(crate) fn number(value: u64) -> Result<AttributeValue, StoreError> {
    attribute(&value)
}

fn built<T>(result: Result<T, aws_sdk_dynamodb::error::BuildError>) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Dynamo {
        operation: "build",
        may_work_later: false,
        said: None,
        source: source.into(),
    })
}
