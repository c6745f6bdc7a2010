//! The people in view as REP-155 (ROS4HRI) has them, below `/humans/faces`.
//!
//! Only where `hri_msgs` was installed when the package was built; elsewhere [`Hri::start`] says
//! so. The topics of a face come with it and go with it.
//!
//! Where another node finds the faces, [`Recognizer`] reads their expressions.

#[cfg(has_hri_msgs)]
mod faces;
mod recognizer;

pub use recognizer::{Recognizer, Setup, Source, TRACKED};

#[cfg(has_hri_msgs)]
pub use faces::Hri;

#[cfg(not(has_hri_msgs))]
pub use absent::Hri;

#[cfg(not(has_hri_msgs))]
mod absent {
    use anyhow::bail;
    use r2r::std_msgs::msg::Header;

    use crate::ros::handle::NodeHandle;
    use rapport_perception::Person;
    use rapport_perception::frame::Frame;
    use rapport_perception::track::FaceId;

    /// Stands where the messages are not.
    pub enum Hri {}

    impl Hri {
        /// Says that the option is absent.
        ///
        /// # Errors
        /// Always.
        pub async fn start(_: NodeHandle) -> anyhow::Result<Self> {
            bail!(
                "publish_hri is on, but this build is without it: hri_msgs was not installed when \
                 the package was built; install it (on Ubuntu: apt install ros-{}-hri-msgs) and \
                 build again",
                r2r::ROS_DISTRO
            )
        }

        /// Cannot be called.
        ///
        /// # Errors
        /// None.
        pub fn publish(
            &mut self,
            _: &Header,
            _: &Frame<'_>,
            _: &[Person],
            _: impl Fn(FaceId) -> bool,
        ) -> anyhow::Result<()> {
            match *self {}
        }

        /// Cannot be called.
        ///
        /// # Errors
        /// None.
        pub fn leave(&mut self, _: &Header) -> anyhow::Result<()> {
            match *self {}
        }

        /// Cannot be called.
        ///
        /// # Errors
        /// None.
        pub async fn end(self) -> anyhow::Result<()> {
            match self {}
        }
    }
}
