//! Puts back what is overdue, settles what is unsure, releases what is parked.
