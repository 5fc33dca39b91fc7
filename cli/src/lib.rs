//! Map of the shell.
