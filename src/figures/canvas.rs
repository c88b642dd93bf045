//! What plotters draws on: a [`Scene`].
//!
//! One unit of plotters' coordinates is a hundredth of a point, and so is one of its stroke widths
//! and font sizes. What plotters has no words for (dashes, hatches, turned and bold text, groups)
//! is drawn by our own [elements](super::elements), which put shapes and texts here themselves.

use super::font::{self, Weight};
use super::scene::{
    Anchor, Area, Colour, Fill, Group, Item, Outline, POINT, Place, Scene, Shape, Stroke, Text,
};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform,
};
use std::convert::Infallible;

/// Drawing on a scene never fails.
type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// A scene being drawn.
#[derive(Debug)]
pub struct Canvas<'a> {
    scene: &'a mut Scene,
    /// Groups that are not closed yet, the innermost last.
    open: Vec<Group>,
}

impl<'a> Canvas<'a> {
    /// A canvas that adds to `scene`.
    pub fn new(scene: &'a mut Scene) -> Self {
        Self {
            scene,
            open: Vec::new(),
        }
    }

    /// Adds a shape.
    pub fn shape(&mut self, shape: Shape) {
        self.put(Item::Shape(shape));
    }

    /// Adds a text, unless it is empty.
    pub fn text(&mut self, text: Text) {
        if !text.words.is_empty() {
            self.put(Item::Text(text));
        }
    }

    /// Puts what is drawn from now on into `group`, until [`close`](Self::close).
    pub fn open(&mut self, group: Group) {
        self.open.push(group);
    }

    /// Ends the group that was opened last.
    pub fn close(&mut self) {
        if let Some(group) = self.open.pop() {
            self.put(Item::Group(group));
        }
    }

    fn put(&mut self, item: Item) {
        match self.open.last_mut() {
            Some(group) => group.items.push(item),
            None => self.scene.items.push(item),
        }
    }

    fn outlined<S: BackendStyle>(&mut self, outline: Outline, style: &S, fill: bool) {
        let colour = colour(style.color());
        self.shape(Shape {
            outline,
            fill: fill.then_some(Fill::Plain(colour)),
            stroke: (!fill).then(|| stroke(style)),
        });
    }
}

impl Drop for Canvas<'_> {
    /// A group that nobody closed is not lost.
    fn drop(&mut self) {
        while !self.open.is_empty() {
            self.close();
        }
    }
}

fn colour(colour: BackendColor) -> Colour {
    Colour {
        rgb: colour.rgb.into(),
        cover: libm::round(colour.alpha * 100.0) as u8,
    }
}

fn stroke<S: BackendStyle>(style: &S) -> Stroke {
    Stroke::solid(colour(style.color()), style.stroke_width() as i32)
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.scene.width as u32, self.scene.height as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    /// A pixel has no size in a scene: a dot of a tenth of a point.
    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        let half = POINT / 20;
        let area = Area::between((x - half, y - half), (x + half, y + half));
        self.outlined(Outline::Rectangle(area), &color, true);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let area = Area::between(upper_left, bottom_right);
        self.outlined(Outline::Rectangle(area), style, fill);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let places: Vec<Place> = path.into_iter().collect();
        if places.len() > 1 {
            self.shape(Shape::line(places, stroke(style)));
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        centre: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let radius = radius as i32;
        self.outlined(Outline::Circle { centre, radius }, style, fill);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        let places = corners.into_iter().collect();
        let closed = true;
        self.outlined(Outline::Path { places, closed }, style, true);
        Ok(())
    }

    /// Plotters places a text by its box; a scene by its base line.
    fn draw_text<S: BackendTextStyle>(
        &mut self,
        words: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let anchor = match style.anchor().h_pos {
            HPos::Left => Anchor::Start,
            HPos::Center => Anchor::Middle,
            HPos::Right => Anchor::End,
        };
        let size = style.size();
        let below = libm::round(match style.anchor().v_pos {
            VPos::Top => font::ASCENT * size,
            VPos::Center => 0.5 * font::CAPITAL * size,
            VPos::Bottom => -font::DESCENT * size,
        }) as i32;
        let (turn, at) = match style.transform() {
            FontTransform::None => (0, (x, y + below)),
            FontTransform::Rotate90 => (90, (x - below, y)),
            FontTransform::Rotate180 => (180, (x, y - below)),
            FontTransform::Rotate270 => (-90, (x + below, y)),
        };
        self.text(Text {
            anchor,
            turn,
            weight: weight(style.style()),
            colour: colour(style.color()),
            ..Text::new(words, libm::round(size) as i32, at)
        });
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        words: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = libm::round(style.size()) as i32;
        let width = font::width(words, size, weight(style.style()));
        Ok((width as u32, size as u32))
    }
}

fn weight(style: FontStyle) -> Weight {
    match style {
        FontStyle::Bold => Weight::Bold,
        FontStyle::Normal | FontStyle::Oblique | FontStyle::Italic => Weight::Regular,
    }
}
