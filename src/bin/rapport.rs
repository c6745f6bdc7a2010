//! The command line of Rapport.
fn main() {}
