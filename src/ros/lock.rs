//! Locks of values that no panic leaves half changed.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a value, also where a thread that held it has panicked: those who use this leave their
/// values whole between two statements.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
