//! The emotion network: crops in, distributions over its labels out.
//!
//! `contract` is what a network takes and gives; `sidecar` reads it for networks that were made
//! elsewhere. `calibration` is what was learnt about a network from people's answers.

mod calibration;
mod contract;
mod sidecar;

use std::path::Path;

use ndarray::{Array4, ArrayView1, ArrayView2, ArrayView4, ArrayViewMut3, Axis, s};

use crate::crop::{align, whole};
use crate::detect::{Face, warp_grey, warp_rgb};
use crate::explain::EvidenceMaps;
use crate::exposure::expose_crop;
use crate::frame::Frame;
use crate::geometry::Similarity;
use crate::onnx::{Axes, ModelError, Network, RuntimeOptions};
use crate::smooth::Reading;
pub use calibration::{BIASES, Calibration, LEAST_PROBABILITY, PlaceThreshold, TEMPERATURES};
use contract::{Class, Colour, Contract, Exposure, Layout, Output, evidence_axes, sidecar_path};
use rapport_vocabulary::{DecisionRule, Distribution, Emotion, LabelSet};

/// Faces in one run at most, so that a crowd does not grow the buffers without bound.
const BATCH: usize = 16;

/// A network that reads expressions: one under the contract of `models/emotion.md`, or any other
/// that a sidecar describes (`models/README.md`).
#[derive(Debug)]
pub struct EmotionNet {
    network: Network,
    contract: Contract,
    reading: Reading,
    calibration: Option<Calibration>,
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
        let contract = contract_of(&network)?;
        let (output, one_at_a_time) = contract.check(&network)?;
        let decision = match network.metadata("decision") {
            None => DecisionRule::default(),
            Some(text) => DecisionRule::from_json(&text, &contract.labels).map_err(|reason| {
                let expected = "a decision rule, see models/README.md".to_owned();
                network.contract("metadata entry `decision`", reason, expected)
            })?,
        };
        let reading = Reading { labels: contract.labels.clone(), decision };
        let batch = if one_at_a_time { 1 } else { BATCH };
        let blank = Array4::zeros(contract.input_shape(1));
        let mut net = Self { network, contract, reading, calibration: None, output, batch };
        // A graph can promise shapes that its operators do not give: one run tells.
        net.classify(blank.view())?;
        Ok(net)
    }

    /// The same network, whose distributions are calibrated, and whose labels are sure from where
    /// they are at `place`.
    ///
    /// # Errors
    /// If the calibration is another network's. `path`: its file.
    pub fn with_calibration(
        mut self,
        calibration: Calibration,
        path: &Path,
        place: &str,
    ) -> Result<Self, ModelError> {
        calibration.check(&self.network.identity(), &self.contract.labels).map_err(|reason| {
            ModelError::Calibration(format!("calibration {}: {reason}", path.display()))
        })?;
        if let Some(least) = calibration.min_confidence(place) {
            self.reading.decision = self.reading.decision.with_min_confidence(least);
        }
        self.calibration = Some(calibration);
        Ok(self)
    }

    /// How the network's own distributions were changed, if they were.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// The network, for its metadata and timing.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The labels that the network tells apart.
    pub fn labels(&self) -> &LabelSet {
        &self.contract.labels
    }

    /// How the network's distributions become labels.
    pub fn reading(&self) -> &Reading {
        &self.reading
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

    /// Room for so many crops, in the layout of the network's input.
    pub fn blank_crops(&self, count: usize) -> Array4<f32> {
        Array4::zeros(self.contract.input_shape(count))
    }

    /// Cuts a face out as the network takes it, into one of the crops of [`Self::blank_crops`].
    pub fn crop(&self, frame: &Frame<'_>, face: &Face, out: ArrayViewMut3<'_, f32>) {
        self.cut(frame, &self.crop_to_image(face), self.contract.exposure, out);
    }

    /// Takes a picture that is a face cut out already, as it is, into one of the crops of
    /// [`Self::blank_crops`].
    pub fn crop_whole(&self, frame: &Frame<'_>, out: ArrayViewMut3<'_, f32>) {
        self.cut(frame, &whole(frame, self.side_px()), Exposure::AsIs, out);
    }

    fn cut(
        &self,
        frame: &Frame<'_>,
        to_image: &Similarity,
        exposure: Exposure,
        out: ArrayViewMut3<'_, f32>,
    ) {
        let Contract { layout, colour, scale, shift, .. } = &self.contract;
        // The same memory, seen as [channel, row, column] from here on.
        let mut planes = match layout {
            Layout::Nchw => out,
            Layout::Nhwc => out.permuted_axes([2, 0, 1]),
        };
        match colour {
            Colour::Grey => warp_grey(frame, to_image, planes.index_axis_mut(Axis(0), 0)),
            Colour::Rgb => warp_rgb(frame, to_image, planes.view_mut()),
            Colour::Bgr => warp_rgb(frame, to_image, planes.slice_mut(s![..;-1, .., ..])),
        }
        if exposure == Exposure::Normal {
            // Whatever the order of the channels: red and blue count nearly alike.
            expose_crop(planes.view_mut());
        }
        for ((mut plane, &scale), &shift) in planes.axis_iter_mut(Axis(0)).zip(scale).zip(shift) {
            if (scale, shift) != (1.0, 0.0) {
                plane.mapv_inplace(|value| value * scale + shift);
            }
        }
    }

    /// Classifies crops, as [`Self::crop`] makes them: one distribution for each.
    ///
    /// # Errors
    /// If inference fails or gives numbers that are no distribution.
    pub fn classify(
        &mut self,
        crops: ArrayView4<'_, f32>,
    ) -> Result<Vec<Distribution>, ModelError> {
        let Self { network, contract, calibration, output, batch, .. } = self;
        let mut found = Vec::with_capacity(crops.dim().0);
        for batch in crops.axis_chunks_iter(Axis(0), *batch) {
            let count = batch.dim().0;
            let classes = contract.classes.len();
            let axes = Axes([("face", Some(count)), ("class", Some(classes))]);
            let read = network.run(batch, [output], |[values]| {
                Ok(read_distributions(axes.view(output, values)?, contract))
            })?;
            found.extend(read.map_err(|bad| {
                let expected = match contract.output {
                    Output::Probabilities => {
                        format!("{count} rows of {classes} numbers, 0 to 1, summing to 1")
                    }
                    Output::Logits => format!("{count} rows of {classes} finite numbers"),
                };
                network.contract(&format!("output `{output}`"), bad, expected)
            })?);
        }
        if let Some(calibration) = calibration {
            found.iter_mut().for_each(|seen| *seen = calibration.apply(seen));
        }
        Ok(found)
    }

    /// The evidence maps of one crop.
    ///
    /// # Errors
    /// If the network has none, inference fails or gives no maps.
    pub fn evidence(&mut self, crop: ArrayView4<'_, f32>) -> Result<EvidenceMaps, ModelError> {
        let Some(name) = &self.contract.evidence_name else {
            return Err(self.network.contract(
                "description",
                "a sidecar's, without evidence maps".to_owned(),
                "the contract of models/emotion.md, whose output `saliency` explains".to_owned(),
            ));
        };
        let labels = self.contract.labels.clone();
        let axes = evidence_axes(Some(1), Some(labels.len()));
        let maps = self.network.run(crop, [name], |[maps]| {
            Ok(axes.view(name, maps)?.index_axis(Axis(0), 0).to_owned())
        })?;
        if !maps.iter().all(|value| value.is_finite()) {
            let found = "not finite".to_owned();
            return Err(self.network.contract("output `saliency`", found, "numbers".to_owned()));
        }
        Ok(EvidenceMaps { labels, maps })
    }
}

/// The contract of a model: its sidecar's where there is one, else that of `models/emotion.md`, whose
/// labels stand in the model's own metadata.
fn contract_of(network: &Network) -> Result<Contract, ModelError> {
    let path = sidecar_path(network.path());
    if path.exists() {
        return sidecar::read(&path).map_err(ModelError::Sidecar);
    }
    match network.metadata("labels") {
        Some(words) => Contract::of_metadata(network, &words),
        None => Err(network.contract(
            "description",
            "missing".to_owned(),
            format!("a file {} (see models/README.md)", path.display()),
        )),
    }
}

/// Reads the rows of the output; the error says what was found.
fn read_distributions(
    rows: ArrayView2<'_, f32>,
    contract: &Contract,
) -> Result<Vec<Distribution>, String> {
    let read = |row: ArrayView1<'_, f32>| {
        let row = &row.to_vec()[..];
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
    rows.rows().into_iter().map(read).collect()
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
            exposure: Exposure::AsIs,
            output,
            labels: LabelSet::new(classes.iter().filter_map(|class| match class {
                Class::Of(emotion) => Some(*emotion),
                Class::Dropped => None,
            }))
            .unwrap(),
            classes,
        }
    }

    fn read(row: &[f32], contract: &Contract) -> Result<Vec<Distribution>, String> {
        let row = ArrayView1::from(row);
        read_distributions(row.insert_axis(Axis(0)), contract)
    }

    #[test]
    fn rows_that_are_no_distribution_are_named() {
        let ours =
            contract(Output::Probabilities, LabelSet::seven().iter().map(Class::Of).collect());
        let good = [0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1];
        let expected = LabelSet::seven().distribution(&good);
        assert_eq!(read(&good, &ours).unwrap(), [expected]);
        let logits = [3.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert!(read(&logits, &ours).unwrap_err().starts_with("[3.0, -1.0"));
        assert!(read(&[f32::NAN; 7], &ours).is_err());
    }

    #[test]
    fn classes_that_are_dropped_leave_their_share_to_the_others() {
        let classes = vec![Class::Of(Emotion::Happy), Class::Dropped, Class::Of(Emotion::Sad)];
        let net = contract(Output::Probabilities, classes.clone());
        let [found] = read(&[0.2, 0.6, 0.2], &net).unwrap()[..] else { panic!() };
        assert_eq!((found.of(Emotion::Happy), found.of(Emotion::Sad)), (0.5, 0.5));
        let [found] = read(&[0.0, 1.0, 0.0], &net).unwrap()[..] else { panic!() };
        assert_eq!((found.of(Emotion::Happy), found.of(Emotion::Sad)), (0.5, 0.5));
        let net = contract(Output::Logits, classes);
        let [found] = read(&[500.0, 0.0, 500.0], &net).unwrap()[..] else { panic!() };
        assert_eq!(found.of(Emotion::Happy), 0.5);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn any_output_is_a_distribution_or_refused(
            data in proptest::collection::vec(proptest::num::f32::ANY, 9),
            logits: bool,
        ) {
            let output = if logits { Output::Logits } else { Output::Probabilities };
            let mut classes: Vec<_> = Emotion::ALL.map(Class::Of).to_vec();
            classes.push(Class::Dropped);
            for row in read(&data, &contract(output, classes)).into_iter().flatten() {
                let sum: f32 = row.0.iter().sum();
                proptest::prop_assert!((sum - 1.0).abs() < 0.02, "{row:?}");
            }
        }
    }
}
