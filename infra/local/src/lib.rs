//! The local cloud: embedded DynamoDB, timers that fire, queues, outbox.
