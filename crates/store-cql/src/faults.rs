//! A proxy that fails when told to.
