//! What every place of storage has to do.
