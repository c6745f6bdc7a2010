//! The emotion network: crops in, distributions over the seven expressions out.
//!
//! `contract` is what a network takes and gives; `sidecar` reads it for networks that were made
//! elsewhere.

mod contract;
mod sidecar;

use std::path::Path;

use crate::crop::{align, whole};
use crate::detect::{Face, warp_grey, warp_rgb};
use crate::explain::EvidenceMaps;
use crate::frame::Frame;
use crate::geometry::Similarity;
use crate::onnx::{ModelError, Network, RuntimeOptions};
use contract::{Class, Colour, Contract, Layout, Output};
use rapport_vocabulary::{Distribution, Emotion, LabelSet};

/// Faces in one run at most, so that a crowd does not grow the buffers without bound.
const BATCH: usize = 16;

/// A network that reads expressions: one under the contract of `models/emotion.md`, or any other
/// that a sidecar describes (`models/README.md`).
#[derive(Debug)]
pub struct EmotionNet {
    network: Network,
    contract: Contract,
    output: String,
    /// Faces in one run at most.
    batch: usize,
}

impl EmotionNet {
    /// Loads a network and checks it against its contract.
    ///
    /// # Errors
    /// If it does not load, or what of the contract it breaks.
    pub fn load(path: &Path, options: &RuntimeOptions) -> Result<Self, ModelError> {
        let network = Network::load(path, options)?;
        let contract = Contract::of(&network)?;
        let (output, one_at_a_time) = contract.check(&network)?;
        let batch = if one_at_a_time { 1 } else { BATCH };
        let blank = vec![0.0; contract.crop_len()];
        let mut net = Self { network, contract, output, batch };
        // A graph can promise shapes that its operators do not give: one run tells.
        net.classify(&blank)?;
        Ok(net)
    }

    /// The network, for its metadata and timing.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The labels that the network tells apart.
    pub fn labels(&self) -> &LabelSet {
        &self.contract.labels
    }

    /// Side of the square crops that the network takes, in pixels.
    pub fn side_px(&self) -> usize {
        self.contract.side_px
    }

    /// Maps a crop onto the image it is cut from: the face level, its landmarks where the training
    /// images of `emotion.onnx` have them, and as much around it as the contract asks.
    pub fn crop_to_image(&self, face: &Face) -> Similarity {
        let side_px = self.side_px();
        align(face, side_px).zoomed(self.contract.margin, side_px)
    }

    /// Appends a face to `crops` as the network takes it.
    pub fn crop(&self, frame: &Frame<'_>, face: &Face, crops: &mut Vec<f32>) {
        self.cut(frame, &self.crop_to_image(face), crops);
    }

    /// Appends a picture that is a face cut out already.
    pub fn crop_whole(&self, frame: &Frame<'_>, crops: &mut Vec<f32>) {
        self.cut(frame, &whole(frame, self.side_px()), crops);
    }

    fn cut(&self, frame: &Frame<'_>, to_image: &Similarity, crops: &mut Vec<f32>) {
        let Contract { layout, colour, scale, shift, side_px, .. } = &self.contract;
        let start = crops.len();
        match colour {
            Colour::Grey => warp_grey(frame, to_image, *side_px, crops),
            Colour::Rgb | Colour::Bgr => warp_rgb(frame, to_image, *side_px, crops),
        }
        let plane = side_px * side_px;
        let planes = &mut crops[start..];
        if *colour == Colour::Bgr {
            let (first, rest) = planes.split_at_mut(plane);
            first.swap_with_slice(&mut rest[plane..]);
        }
        for ((plane, &scale), &shift) in planes.chunks_exact_mut(plane).zip(scale).zip(shift) {
            if (scale, shift) != (1.0, 0.0) {
                plane.iter_mut().for_each(|value| *value = *value * scale + shift);
            }
        }
        if *layout == Layout::Nhwc && colour.channels() > 1 {
            let channels = colour.channels();
            let planar = planes.to_vec();
            for (i, value) in planes.iter_mut().enumerate() {
                *value = planar[i % channels * plane + i / channels];
            }
        }
    }

    /// Classifies crops that follow each other in `crops`, as [`Self::crop`] makes them. One
    /// distribution comes out for each whole crop.
    ///
    /// # Errors
    /// If inference fails or gives numbers that are no distribution.
    pub fn classify(&mut self, crops: &[f32]) -> Result<Vec<Distribution>, ModelError> {
        let Self { network, contract, output, batch } = self;
        let crop_len = contract.crop_len();
        let mut found = Vec::with_capacity(crops.len() / crop_len);
        for batch in crops.chunks(*batch * crop_len) {
            let count = batch.len() / crop_len;
            let input = &batch[..count * crop_len];
            let read = network.run(contract.input_shape(count), input, &[output], |outputs| {
                read_distributions(outputs[0].data, count, contract)
            })?;
            found.extend(read.map_err(|bad| {
                let classes = contract.classes.len();
                let expected = match contract.output {
                    Output::Probabilities => {
                        format!("{count} rows of {classes} numbers, 0 to 1, summing to 1")
                    }
                    Output::Logits => format!("{count} rows of {classes} finite numbers"),
                };
                network.contract(&format!("output `{output}`"), bad, expected)
            })?);
        }
        Ok(found)
    }

    /// The evidence maps of one crop.
    ///
    /// # Errors
    /// If the network has none, inference fails or gives no maps.
    pub fn evidence(&mut self, crop: &[f32]) -> Result<EvidenceMaps, ModelError> {
        let Some(name) = &self.contract.evidence_name else {
            return Err(self.network.contract(
                "description",
                "a sidecar's, without evidence maps".to_owned(),
                "the contract of models/emotion.md, whose output `saliency` explains".to_owned(),
            ));
        };
        let shape = self.contract.input_shape(1);
        let (shape, values) = self.network.run(shape, crop, &[name], |outputs| {
            (outputs[0].shape.to_vec(), outputs[0].data.to_vec())
        })?;
        match shape[..] {
            [1, classes, rows, columns]
                if classes == self.labels().len() as i64
                    && values.iter().all(|v| v.is_finite()) =>
            {
                let labels = self.labels().clone();
                Ok(EvidenceMaps { labels, rows: rows as usize, columns: columns as usize, values })
            }
            _ => Err(self.network.contract(
                "output `saliency`",
                format!("{shape:?}"),
                format!("[1,{},h,w], all finite", self.labels().len()),
            )),
        }
    }
}

/// Reads the rows of the output; the error says what was found.
fn read_distributions(
    data: &[f32],
    count: usize,
    contract: &Contract,
) -> Result<Vec<Distribution>, String> {
    let classes = contract.classes.len();
    if classes == 0 || data.len() != count * classes {
        return Err(format!("{} numbers", data.len()));
    }
    let read = |row: &[f32]| {
        let sum: f32 = row.iter().sum();
        let is_distribution =
            row.iter().all(|p| (-1e-3..=1.001).contains(p)) && (sum - 1.0).abs() <= 1e-2;
        match contract.output {
            Output::Probabilities if is_distribution => Ok(distribution(row, contract)),
            Output::Logits if row.iter().all(|value| value.is_finite()) => {
                Ok(distribution(&softmax(row), contract))
            }
            _ => Err(format!("{row:?}")),
        }
    };
    data.chunks_exact(classes).map(read).collect()
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = logits.iter().map(|logit| (logit - greatest).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// The labels' shares among the classes that are kept; equal shares where nothing of these is left.
fn distribution(row: &[f32], contract: &Contract) -> Distribution {
    let mut shares = [0.0; Emotion::COUNT];
    for (class, &probability) in contract.classes.iter().zip(row) {
        if let Class::Of(emotion) = class {
            shares[*emotion as usize] = probability;
        }
    }
    if contract.classes.contains(&Class::Dropped) {
        let kept: f32 = shares.iter().sum();
        shares = match kept > 1e-6 {
            true => shares.map(|share| share / kept),
            false => {
                contract
                    .labels
                    .distribution(&vec![1.0 / contract.labels.len() as f32; contract.labels.len()])
                    .0
            }
        };
    }
    Distribution(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(output: Output, classes: Vec<Class>) -> Contract {
        Contract {
            input_name: None,
            output_name: None,
            evidence_name: None,
            side_px: 48,
            layout: Layout::Nchw,
            colour: Colour::Grey,
            scale: [1.0; 3],
            shift: [0.0; 3],
            margin: 1.0,
            output,
            labels: LabelSet::new(classes.iter().filter_map(|class| match class {
                Class::Of(emotion) => Some(*emotion),
                Class::Dropped => None,
            }))
            .unwrap(),
            classes,
        }
    }

    #[test]
    fn rows_that_are_no_distribution_are_named() {
        let ours =
            contract(Output::Probabilities, LabelSet::seven().iter().map(Class::Of).collect());
        let good = [0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1];
        let expected = LabelSet::seven().distribution(&good);
        assert_eq!(read_distributions(&good, 1, &ours).unwrap(), [expected]);
        assert_eq!(read_distributions(&good, 2, &ours).unwrap_err(), "7 numbers");
        let logits = [3.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert!(read_distributions(&logits, 1, &ours).unwrap_err().starts_with("[3.0, -1.0"));
        assert!(read_distributions(&[f32::NAN; 7], 1, &ours).is_err());
        assert!(read_distributions(&[], 1, &ours).is_err());
    }

    #[test]
    fn classes_that_are_dropped_leave_their_share_to_the_others() {
        let classes = vec![Class::Of(Emotion::Happy), Class::Dropped, Class::Of(Emotion::Sad)];
        let net = contract(Output::Probabilities, classes.clone());
        let [found] = read_distributions(&[0.2, 0.6, 0.2], 1, &net).unwrap()[..] else { panic!() };
        assert_eq!((found.of(Emotion::Happy), found.of(Emotion::Sad)), (0.5, 0.5));
        let [found] = read_distributions(&[0.0, 1.0, 0.0], 1, &net).unwrap()[..] else { panic!() };
        assert_eq!((found.of(Emotion::Happy), found.of(Emotion::Sad)), (0.5, 0.5));
        let net = contract(Output::Logits, classes);
        let [found] = read_distributions(&[500.0, 0.0, 500.0], 1, &net).unwrap()[..] else {
            panic!()
        };
        assert_eq!(found.of(Emotion::Happy), 0.5);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn any_output_is_a_distribution_or_refused(
            data in proptest::collection::vec(proptest::num::f32::ANY, 0..24),
            count in 0usize..4,
            logits: bool,
        ) {
            let output = if logits { Output::Logits } else { Output::Probabilities };
            let mut classes: Vec<_> = Emotion::ALL.map(Class::Of).to_vec();
            classes.push(Class::Dropped);
            for row in read_distributions(&data, count, &contract(output, classes)).into_iter().flatten() {
                let sum: f32 = row.0.iter().sum();
                proptest::prop_assert!((sum - 1.0).abs() < 0.02, "{row:?}");
            }
        }
    }
}
