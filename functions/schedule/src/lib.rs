//! Stream records in, timers and queue messages out.
