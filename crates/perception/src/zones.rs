//! Parts of the image that are never looked at: the counter where staff works, a screen that shows
//! faces.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::geometry::Point;

/// Corners of a zone at most, so that a mistake does not cost time in every image.
const MOST_CORNERS: usize = 64;

/// A polygon in shares of the image: x and y from 0, its left and top edge, to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    corners: Vec<[f32; 2]>,
}

/// Zones that are never looked at. Clones share them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Zones(Arc<[Zone]>);

/// Why a text describes no zone.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ZoneError {
    /// A corner that is none.
    #[error("corner {number} of zone `{text}` is `{corner}`, expected X,Y, each 0 to 1")]
    Corner {
        /// The zone.
        text: String,
        /// Which corner, from 1.
        number: usize,
        /// What stands there.
        corner: String,
    },
    /// Too few or too many corners.
    #[error("zone `{text}` has {found} corners, expected 3 to {MOST_CORNERS}")]
    Count {
        /// The zone.
        text: String,
        /// How many it has.
        found: usize,
    },
    /// All corners on one line.
    #[error("zone `{0}` has no area, expected corners that do not lie on one line")]
    Area(String),
}

impl FromStr for Zone {
    type Err = ZoneError;

    /// Reads `X,Y X,Y X,Y`: the corners in their order around the zone, in shares of the image's width
    /// and height.
    fn from_str(text: &str) -> Result<Self, ZoneError> {
        let share = |text: &str| text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        let corner = |(index, corner): (usize, &str)| {
            let numbers = corner.split_once(',').and_then(|(x, y)| Some([share(x)?, share(y)?]));
            numbers.ok_or_else(|| ZoneError::Corner {
                text: text.to_owned(),
                number: index + 1,
                corner: corner.to_owned(),
            })
        };
        let corners =
            text.split_whitespace().enumerate().map(corner).collect::<Result<Vec<_>, _>>()?;
        if !(3..=MOST_CORNERS).contains(&corners.len()) {
            return Err(ZoneError::Count { text: text.to_owned(), found: corners.len() });
        }
        let zone = Self { corners };
        let has_area = zone.area() > 1e-6;
        has_area.then_some(zone).ok_or_else(|| ZoneError::Area(text.to_owned()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, [x, y]) in self.corners.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{x},{y}")?;
        }
        Ok(())
    }
}

impl Zone {
    /// The lines around it.
    fn edges(&self) -> impl Iterator<Item = ([f32; 2], [f32; 2])> {
        let next = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(next.copied())
    }

    /// A share of the image's area; of a polygon that crosses itself, less.
    fn area(&self) -> f32 {
        self.edges().map(|([x, y], [next_x, next_y])| x * next_y - next_x * y).sum::<f32>().abs()
            / 2.0
    }

    /// Where the row at this share of the height crosses the edges, from left to right.
    fn crossings(&self, y: f32) -> Vec<f32> {
        let crosses = |([x0, y0], [x1, y1]): ([f32; 2], [f32; 2])| {
            // Each corner belongs to one of its two edges.
            ((y0 <= y) != (y1 <= y)).then(|| x0 + (y - y0) / (y1 - y0) * (x1 - x0))
        };
        let mut crossings: Vec<f32> = self.edges().filter_map(crosses).collect();
        crossings.sort_by(f32::total_cmp);
        crossings
    }

    /// Whether a point, in shares of the image, lies inside.
    fn contains(&self, x: f32, y: f32) -> bool {
        self.crossings(y).iter().filter(|&&crossing| crossing > x).count() % 2 == 1
    }
}

impl Zones {
    /// The zones of these texts, each as [`Zone`] is read.
    ///
    /// # Errors
    /// If one is none.
    pub fn read<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, ZoneError> {
        texts.into_iter().map(str::parse).collect::<Result<Vec<Zone>, _>>().map(Self::from)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a point of an image of this size lies in one.
    pub fn contains(&self, point: Point, width_px: u32, height_px: u32) -> bool {
        let (x, y) = (point.x / width_px as f32, point.y / height_px as f32);
        self.0.iter().any(|zone| zone.contains(x, y))
    }

    /// Calls `blank` for each stretch of a row that lies in a zone: its row, and the columns from the
    /// first to before the last, in an image of this size.
    pub fn stretches(
        &self,
        width: usize,
        height: usize,
        mut blank: impl FnMut(usize, std::ops::Range<usize>),
    ) {
        for zone in self.0.iter() {
            for row in 0..height {
                let crossings = zone.crossings((row as f32 + 0.5) / height as f32);
                for pair in crossings.chunks_exact(2) {
                    // Every pixel that the zone touches: it is better to blank too much.
                    let from = (pair[0] * width as f32).floor().max(0.0) as usize;
                    let to = (pair[1] * width as f32).ceil().max(0.0) as usize;
                    blank(row, from.min(width)..to.min(width));
                }
            }
        }
    }

    /// Makes the zones black in packed RGB rows.
    pub fn blank_rgb(&self, rgb: &mut [u8], width_px: u32, height_px: u32) {
        let (width, height) = (width_px as usize, height_px as usize);
        self.stretches(width, height, |row, columns| {
            let (from, to) = (3 * (row * width + columns.start), 3 * (row * width + columns.end));
            if let Some(pixels) = rgb.get_mut(from..to) {
                pixels.fill(0);
            }
        });
    }
}

impl From<Vec<Zone>> for Zones {
    fn from(zones: Vec<Zone>) -> Self {
        Self(zones.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zones(texts: &[&str]) -> Zones {
        Zones::read(texts.iter().copied()).unwrap()
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| text.parse::<Zone>().unwrap_err().to_string();
        assert_eq!(
            error("0,0 1.5,0 1,1"),
            "corner 2 of zone `0,0 1.5,0 1,1` is `1.5,0`, expected X,Y, each 0 to 1"
        );
        assert!(error("0,0 1,NaN 1,1").contains("corner 2"));
        assert!(error("0,0 1,0").contains("has 2 corners, expected 3 to 64"));
        assert!(error("").contains("has 0 corners"));
        assert!(error("0,0 0.5,0.5 1,1").contains("has no area"));
        let zone = "0.1,0.2 0.5,0.2 0.3,0.9";
        assert_eq!(zone.parse::<Zone>().unwrap().to_string(), zone);
    }

    #[test]
    fn a_point_lies_in_a_zone_that_bends_inwards_or_not() {
        // An L: its upper right quarter is missing.
        let zones = zones(&["0,0 0.5,0 0.5,0.5 1,0.5 1,1 0,1"]);
        let inside = |x, y| zones.contains(Point { x, y }, 100, 200);
        assert!(inside(25.0, 50.0) && inside(75.0, 150.0) && inside(25.0, 150.0));
        assert!(!inside(75.0, 50.0) && !inside(-5.0, 50.0) && !inside(f32::NAN, 50.0));
        assert!(!Zones::default().contains(Point { x: 1.0, y: 1.0 }, 100, 100));
    }

    #[test]
    fn zones_are_black_and_the_rest_is_as_it_was() {
        let mut rgb = vec![7; 4 * 4 * 3];
        zones(&["0,0 0.5,0 0.5,0.5 0,0.5"]).blank_rgb(&mut rgb, 4, 4);
        let black = |x: usize, y: usize| rgb[3 * (4 * y + x)] == 0;
        assert!(black(0, 0) && black(1, 1) && !black(2, 0) && !black(0, 2) && !black(3, 3));
    }

    proptest! {
        #[test]
        fn every_point_inside_is_blanked(
            corners in prop::collection::vec((0.0f32..1.0, 0.0f32..1.0), 3..8),
            x in 0u32..40,
            y in 0u32..30,
        ) {
            let zone = Zone { corners: corners.into_iter().map(|(x, y)| [x, y]).collect() };
            let zones = Zones::from(vec![zone]);
            let mut rgb = vec![9; 40 * 30 * 3];
            zones.blank_rgb(&mut rgb, 40, 30);
            let middle = Point { x: x as f32 + 0.5, y: y as f32 + 0.5 };
            if zones.contains(middle, 40, 30) {
                prop_assert_eq!(rgb[3 * (40 * y + x) as usize], 0);
            }
        }
    }
}
