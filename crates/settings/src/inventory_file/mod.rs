//! The file of `atalaia inventory import`.
