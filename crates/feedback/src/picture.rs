//! A cropped face as a PNG file in memory.

use crate::error::FeedbackError;

/// A cropped face, as PNG; never on the disk as it is. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture(Vec<u8>);

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} bytes)", self.0.len())
    }
}

impl Picture {
    /// Encodes packed RGB rows, without loss: a reviewer and a network see what was read.
    ///
    /// # Errors
    /// If the rows do not have that size.
    pub fn of_rgb(rgb: &[u8], width_px: u32, height_px: u32) -> Result<Self, FeedbackError> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width_px, height_px);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let write = |encoder: png::Encoder<'_, &mut Vec<u8>>| {
            let mut writer = encoder.write_header()?;
            writer.write_image_data(rgb)?;
            writer.finish()
        };
        write(encoder).map_err(|error| {
            let (bytes, reason) = (rgb.len(), error.to_string());
            FeedbackError::Picture { width_px, height_px, bytes, reason }
        })?;
        Ok(Self(file))
    }

    /// The PNG file.
    pub fn png(&self) -> &[u8] {
        &self.0
    }
}
