//! The store on ScyllaDB's protocol: the same tables as the embedded engine, over the CQL driver.
