//! Lead webhooks in, leads and enrollments out.
