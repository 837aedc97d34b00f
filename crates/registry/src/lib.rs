//! Schema ids from a Confluent-compatible registry: registering, fetching, compatibility, and living without it.
