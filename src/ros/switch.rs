//! Whether the perception node wants images.

/// Both who may stop the images: the lifecycle and the service `enable`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Switch {
    /// The lifecycle state is active.
    pub active: bool,
    /// The service `enable` has not turned it off.
    pub enabled: bool,
}

impl Switch {
    /// Whether images are wanted.
    pub fn is_on(&self) -> bool {
        self.active && self.enabled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_wanted_where_the_node_is_active_and_enabled() {
        let is_on = |active, enabled| Switch { active, enabled }.is_on();
        assert!(is_on(true, true));
        assert!(!is_on(true, false) && !is_on(false, true) && !is_on(false, false));
    }
}
