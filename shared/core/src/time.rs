//! Civil time: zones, waits, windows. The only module that knows jiff.
