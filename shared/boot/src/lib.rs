//! What every function needs before its first event: tracing, typed environment, SDK configuration, diagnostics.
