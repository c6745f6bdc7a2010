//! Drawing what was found onto a picture, for people to look at.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use crate::frame::Frame;
use crate::geometry::Point;
use crate::session::Person;
use crate::zones::Zones;
use rapport_vocabulary::Rgb;

const TEXT: Rgb = [255, 255, 255];
const LANDMARK: Rgb = [255, 255, 255];

/// The frame as packed RGB rows, with a box, the landmarks and a caption (id, expression,
/// confidence in percent; a question mark where it is not sure) for each person.
pub fn annotate(frame: &Frame<'_>, people: &[Person]) -> Vec<u8> {
    annotate_with_note(frame, people, "")
}

/// The same, with the zones that are not looked at in black.
pub fn annotate_outside(frame: &Frame<'_>, people: &[Person], zones: &Zones) -> Vec<u8> {
    let mut rgb = frame.to_rgb();
    zones.blank_rgb(&mut rgb, frame.width_px(), frame.height_px());
    draw(frame, rgb, people, "")
}

/// The same, with a note at the end of every caption.
pub fn annotate_with_note(frame: &Frame<'_>, people: &[Person], note: &str) -> Vec<u8> {
    draw(frame, frame.to_rgb(), people, note)
}

fn draw(frame: &Frame<'_>, rgb: Vec<u8>, people: &[Person], note: &str) -> Vec<u8> {
    let mut canvas =
        Canvas { width: frame.width_px() as i32, height: frame.height_px() as i32, rgb };
    // Captions last: a neighbour's box must not cross them.
    people.iter().for_each(|person| draw_face(&mut canvas, person));
    people.iter().for_each(|person| draw_caption(&mut canvas, person, note));
    canvas.rgb
}

fn draw_face(canvas: &mut Canvas, person: &Person) {
    let roi = person.face.roi_in_image;
    let thickness = (roi.height / 40.0).round().clamp(1.0, 6.0) as i32;
    let (left, top) = (roi.x.round() as i32, roi.y.round() as i32);
    let (width, height) = (roi.width.round() as i32, roi.height.round() as i32);
    let color = person.emotion.background_color();
    canvas.fill(left, top, width, thickness, color);
    canvas.fill(left, top + height - thickness, width, thickness, color);
    canvas.fill(left, top, thickness, height, color);
    canvas.fill(left + width - thickness, top, thickness, height, color);
    for Point { x, y } in person.face.landmarks {
        let (x, y) = (x as i32 - thickness / 2, y as i32 - thickness / 2);
        canvas.fill(x, y, thickness + 1, thickness + 1, LANDMARK);
    }
}

fn draw_caption(canvas: &mut Canvas, person: &Person, note: &str) {
    let percent = (person.confidence() * 100.0).round();
    let doubt = if person.sure { "" } else { "?" };
    let caption = format!("{} {}{doubt} {percent}%{note}", person.id, person.emotion);
    let roi = person.face.roi_in_image;
    let size_px = (roi.height / 6.0).clamp(11.0, 28.0);
    let Some(text) = Text::new(&caption, size_px) else {
        return;
    };
    let left = (roi.x.round() as i32).min(canvas.width - text.width).max(0);
    // Above the box, or below it where the image ends.
    let above = roi.y.round() as i32 - text.height;
    let below = (roi.y + roi.height).round() as i32;
    let top = if above >= 0 { above } else { below.min(canvas.height - text.height) };
    canvas.fill(left, top, text.width, text.height, person.emotion.background_color());
    text.draw(canvas, left, top);
}

struct Canvas {
    width: i32,
    height: i32,
    rgb: Vec<u8>,
}

impl Canvas {
    fn fill(&mut self, left: i32, top: i32, width: i32, height: i32, color: Rgb) {
        let columns = left.max(0)..left.saturating_add(width).min(self.width);
        for y in top.max(0)..top.saturating_add(height).min(self.height) {
            columns.clone().for_each(|x| self.blend(x, y, color, 1.0));
        }
    }

    /// Mixes a colour into a pixel, `opacity` 0 to 1. Pixels outside the image are left out.
    fn blend(&mut self, x: i32, y: i32, color: Rgb, opacity: f32) {
        if !(0..self.width).contains(&x) || !(0..self.height).contains(&y) {
            return;
        }
        let start = (y as usize * self.width as usize + x as usize) * 3;
        for (old, new) in self.rgb[start..start + 3].iter_mut().zip(color) {
            *old = (f32::from(*old) + opacity * (f32::from(new) - f32::from(*old))) as u8;
        }
    }
}

struct Text<'t> {
    font: FontRef<'static>,
    scale: PxScale,
    text: &'t str,
    width: i32,
    height: i32,
}

impl<'t> Text<'t> {
    fn new(text: &'t str, size_px: f32) -> Option<Self> {
        let font = FontRef::try_from_slice(epaint_default_fonts::HACK_REGULAR).ok()?;
        let scale = PxScale::from(size_px);
        let scaled = font.as_scaled(scale);
        let advance: f32 = text.chars().map(|c| scaled.h_advance(font.glyph_id(c))).sum();
        let (width, height) = (advance.ceil() as i32 + 4, scaled.height().ceil() as i32);
        Some(Self { font, scale, text, width, height })
    }

    fn draw(&self, canvas: &mut Canvas, left: i32, top: i32) {
        let scaled = self.font.as_scaled(self.scale);
        let mut x = left as f32 + 2.0;
        let baseline = top as f32 + scaled.ascent();
        for c in self.text.chars() {
            let id = self.font.glyph_id(c);
            let glyph = id.with_scale_and_position(self.scale, point(x, baseline));
            x += scaled.h_advance(id);
            if let Some(outline) = self.font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|dx, dy, coverage| {
                    let (x, y) = (corner.x as i32 + dx as i32, corner.y as i32 + dy as i32);
                    canvas.blend(x, y, TEXT, coverage.min(1.0));
                });
            }
        }
    }
}
