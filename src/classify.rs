//! The emotion network: crops in, distributions over the seven expressions out.

use std::path::Path;

use crate::emotion::{Distribution, Emotion};
use crate::explain::EvidenceMaps;
use crate::onnx::{ModelError, Network, RuntimeOptions};

/// Faces in one run at most, so that a crowd does not grow the buffers without bound.
const BATCH: usize = 16;

/// Sides of the input that are accepted, in pixels.
const SIDES_PX: std::ops::RangeInclusive<i64> = 16..=512;

/// A network under the contract of `models/emotion.md`: input `faces` float32 [N,1,H,H], grey 0 to
/// 255; output `probabilities` [N,7] in the order of [`Emotion::ALL`].
#[derive(Debug)]
pub struct EmotionNet {
    network: Network,
    side_px: usize,
}

impl EmotionNet {
    /// Loads a network and checks it against the contract.
    ///
    /// # Errors
    /// If it does not load, or what of the contract it breaks.
    pub fn load(path: &Path, options: &RuntimeOptions) -> Result<Self, ModelError> {
        let network = Network::load(path, options)?;
        network.expect_input("faces", &[None, Some(1), None, None])?;
        let classes = Some(Emotion::COUNT as i64);
        network.expect_output("probabilities", &[None, classes])?;
        network.expect_output("saliency", &[None, classes, None, None])?;
        let labels = network.metadata("labels").unwrap_or_default();
        let expected = Emotion::ALL.map(Emotion::as_str).join(",");
        if labels != expected {
            return Err(network.contract(
                "metadata entry `labels`",
                format!("`{labels}`"),
                expected,
            ));
        }
        let side_px = match network.input_shape() {
            [_, _, height, width] if height == width && SIDES_PX.contains(height) => {
                *height as usize
            }
            shape => {
                let expected = format!("[N,1,H,H] with H from {SIDES_PX:?}");
                return Err(network.contract("input `faces`", format!("{shape:?}"), expected));
            }
        };
        let mut net = Self { network, side_px };
        // A graph can promise shapes that its operators do not give: one run tells.
        net.classify(&vec![0.0; side_px * side_px])?;
        Ok(net)
    }

    /// Side of the square crops that the network takes, in pixels.
    pub fn side_px(&self) -> usize {
        self.side_px
    }

    /// The network, for its metadata and timing.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Classifies crops that follow each other in `crops`, each [`Self::side_px`] rows of as many
    /// pixels of grey, 0 to 255. One distribution comes out for each whole crop.
    ///
    /// # Errors
    /// If inference fails or gives numbers that are no probabilities.
    pub fn classify(&mut self, crops: &[f32]) -> Result<Vec<Distribution>, ModelError> {
        let crop_len = self.side_px * self.side_px;
        let mut found = Vec::with_capacity(crops.len() / crop_len);
        for batch in crops.chunks(BATCH * crop_len) {
            let count = batch.len() / crop_len;
            let shape = [count, 1, self.side_px, self.side_px];
            let read = self.network.run(
                shape,
                &batch[..count * crop_len],
                &["probabilities"],
                |outputs| read_distributions(outputs[0].data, count),
            )?;
            found.extend(read.map_err(|bad| {
                let expected = format!("{count} rows of 7 numbers, 0 to 1, summing to 1");
                self.network.contract("output `probabilities`", bad, expected)
            })?);
        }
        Ok(found)
    }

    /// The evidence maps of one crop, of [`Self::side_px`] rows of as many pixels of grey, 0 to 255.
    ///
    /// # Errors
    /// If inference fails or gives no maps.
    pub fn evidence(&mut self, crop: &[f32]) -> Result<EvidenceMaps, ModelError> {
        let shape = [1, 1, self.side_px, self.side_px];
        let (shape, values) = self.network.run(shape, crop, &["saliency"], |outputs| {
            (outputs[0].shape.to_vec(), outputs[0].data.to_vec())
        })?;
        match shape[..] {
            [1, classes, rows, columns]
                if classes == Emotion::COUNT as i64 && values.iter().all(|v| v.is_finite()) =>
            {
                Ok(EvidenceMaps { rows: rows as usize, columns: columns as usize, values })
            }
            _ => Err(self.network.contract(
                "output `saliency`",
                format!("{shape:?}"),
                "[1,7,h,w], all finite".to_owned(),
            )),
        }
    }
}

/// Checks the rows of the output; the error says what was found.
fn read_distributions(data: &[f32], count: usize) -> Result<Vec<Distribution>, String> {
    let (rows, rest) = data.as_chunks::<{ Emotion::COUNT }>();
    if rows.len() != count || !rest.is_empty() {
        return Err(format!("{} numbers", data.len()));
    }
    for row in rows {
        let sum: f32 = row.iter().sum();
        if row.iter().any(|p| !(-1e-3..=1.001).contains(p)) || (sum - 1.0).abs() > 1e-2 {
            return Err(format!("{row:?}"));
        }
    }
    Ok(rows.iter().map(|&row| Distribution(row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_no_distribution_are_named() {
        let good = [0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1];
        assert_eq!(read_distributions(&good, 1).unwrap(), [Distribution(good)]);
        assert_eq!(read_distributions(&good, 2).unwrap_err(), "7 numbers");
        let logits = [3.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert!(read_distributions(&logits, 1).unwrap_err().starts_with("[3.0, -1.0"));
        assert!(read_distributions(&[f32::NAN; 7], 1).is_err());
    }
}
