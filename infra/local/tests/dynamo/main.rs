//! The embedded DynamoDB and its streams, seen by the real client and by the functions that read them.

#[cfg(test)]
mod api;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;
