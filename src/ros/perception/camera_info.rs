//! The camera's calibration: `camera_info` beside the images.

use std::ffi::OsString;

use futures::StreamExt;
use r2r::sensor_msgs::msg::CameraInfo;
use r2r::{Node, QosProfile};
use tokio::sync::watch;

use crate::ros::image_topic::ImageTopic;
use crate::ros::raw::resolve_topic;
use rapport_perception::pose::{Camera, CameraError, Lens};

/// The name that is remapped.
const NAME: &str = "camera_info";

/// Where the calibration is published: `camera_info` in the namespace of the images, unless it is
/// remapped.
///
/// # Errors
/// If the remapping of the process is wrong.
pub fn topic(
    node: &Node,
    images: &ImageTopic,
    ros_arguments: &[OsString],
) -> anyhow::Result<String> {
    let (own, namespace) = (node.name()?, node.namespace()?);
    let resolved = resolve_topic(NAME, &own, &namespace, ros_arguments)?;
    let is_remapped = resolved != format!("{}/{NAME}", namespace.trim_end_matches('/'));
    if is_remapped {
        return Ok(resolved);
    }
    let parent = images.base().rsplit_once('/').map_or("", |(parent, _)| parent);
    Ok(format!("{parent}/{NAME}"))
}

/// Subscribes it. The task hands on each calibration that differs from the one before; nothing stands
/// for a camera that is not calibrated.
///
/// # Errors
/// If the node cannot subscribe.
pub fn start(
    node: &mut Node,
    topic: String,
    images: &ImageTopic,
) -> r2r::Result<(watch::Receiver<Option<Camera>>, impl Future<Output = ()> + Send + use<>)> {
    let (cameras, latest) = watch::channel(None);
    let is_rectified = is_rectified(images.base());
    let mut messages =
        node.subscribe::<CameraInfo>(&topic, QosProfile::sensor_data().keep_last(1))?;
    let task = async move {
        let mut last: Option<Result<Camera, CameraError>> = None;
        while let Some(message) = messages.next().await {
            let read = camera(&message, is_rectified);
            if last.as_ref() == Some(&read) {
                continue;
            }
            match &read {
                Ok(camera) => tracing::info!("{}", shown(&topic, camera)),
                Err(error) => tracing::warn!("{topic}: {error}; distances are unknown by it"),
            }
            // Who looks at it may have ended.
            let _ = cameras.send(read.as_ref().ok().cloned());
            last = Some(read);
        }
    };
    Ok((latest, task))
}

fn shown(topic: &str, camera: &Camera) -> String {
    let half = f64::from(camera.width_px) / 2.0 / camera.focal_px[0];
    let lens = match camera.lens {
        Lens::Straight => "no distortion",
        Lens::Polynomial(_) | Lens::Equidistant(_) => "distortion undone",
    };
    format!(
        "{topic}: {}x{} px, {:.1} degrees wide, {lens}",
        camera.width_px,
        camera.height_px,
        2.0 * half.atan().to_degrees()
    )
}

/// Whether images of this topic are rectified, as image_proc names them.
fn is_rectified(images: &str) -> bool {
    images.rsplit('/').next().is_some_and(|name| name.contains("rect"))
}

/// The camera of a message.
fn camera(message: &CameraInfo, is_rectified: bool) -> Result<Camera, CameraError> {
    let number = |numbers: &[f64], index: usize| numbers.get(index).copied().unwrap_or(0.0);
    let (k, p) = (&message.k[..], &message.p[..]);
    let (focal, center) = match is_rectified {
        true => ([number(p, 0), number(p, 5)], [number(p, 2), number(p, 6)]),
        false => ([number(k, 0), number(k, 4)], [number(k, 2), number(k, 5)]),
    };
    let lens = match is_rectified {
        true => Lens::Straight,
        false => Lens::named(&message.distortion_model, &message.d)?,
    };
    // The numbers are those of the whole sensor; the image is a part of it, with pixels put together.
    let roi = &message.roi;
    let (width, height) = match (roi.width, roi.height) {
        (0, _) | (_, 0) => (message.width, message.height),
        part => part,
    };
    let binning = [message.binning_x, message.binning_y].map(|binning| f64::from(binning.max(1)));
    let offset = [f64::from(roi.x_offset), f64::from(roi.y_offset)];
    let size = [width, height];
    let [width, height] = [0, 1].map(|i| (f64::from(size[i]) / binning[i]).round() as u32);
    Camera::new(
        (width, height),
        [0, 1].map(|i| focal[i] / binning[i]),
        [0, 1].map(|i| (center[i] - offset[i] + 0.5) / binning[i] - 0.5),
        lens,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> CameraInfo {
        let mut message = CameraInfo {
            width: 640,
            height: 480,
            distortion_model: "plumb_bob".to_owned(),
            d: vec![-0.2, 0.05, 0.0, 0.0, 0.0],
            ..CameraInfo::default()
        };
        message.k = vec![500.0, 0.0, 320.0, 0.0, 505.0, 240.0, 0.0, 0.0, 1.0];
        message.p = vec![450.0, 0.0, 310.0, 0.0, 0.0, 451.0, 230.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        message
    }

    #[test]
    fn raw_images_have_k_and_d_and_rectified_ones_p() {
        let raw = camera(&message(), false).unwrap();
        assert_eq!((raw.focal_px, raw.center_px), ([500.0, 505.0], [320.0, 240.0]));
        assert!(matches!(raw.lens, Lens::Polynomial(_)));
        let rectified = camera(&message(), true).unwrap();
        assert_eq!((rectified.focal_px, rectified.center_px), ([450.0, 451.0], [310.0, 230.0]));
        assert_eq!(rectified.lens, Lens::Straight);
        assert!(is_rectified("/camera/image_rect_color") && !is_rectified("/rect/image_raw"));
    }

    #[test]
    fn a_part_of_the_sensor_with_pixels_put_together_is_one_camera() {
        let mut message = message();
        (message.binning_x, message.binning_y) = (2, 2);
        message.roi.width = 320;
        message.roi.height = 240;
        message.roi.x_offset = 160;
        let camera = camera(&message, false).unwrap();
        assert_eq!((camera.width_px, camera.height_px), (160, 120));
        assert_eq!(camera.focal_px, [250.0, 252.5]);
        assert_eq!(camera.center_px, [79.75, 119.75]);
    }

    #[test]
    fn an_uncalibrated_camera_is_none() {
        assert!(camera(&CameraInfo::default(), false).is_err());
    }
}
