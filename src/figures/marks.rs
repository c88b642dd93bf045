//! The mark of who held a barrier, as an element of plotters'.

use super::canvas::Canvas;
use super::elements::diamond;
use super::scene::Place;
use plotters::element::{Drawable, PointCollection};
use plotters_backend::DrawingErrorKind;
use std::convert::Infallible;

/// A white diamond with a black edge.
#[derive(Debug, Clone, Copy)]
pub struct Diamond<C> {
    /// Its centre.
    pub at: C,
    /// Half its width.
    pub half: i32,
}

impl<'a, C: 'a> PointCollection<'a, C> for &'a Diamond<C> {
    type Point = &'a C;
    type IntoIter = std::iter::Once<&'a C>;
    fn point_iter(self) -> Self::IntoIter {
        std::iter::once(&self.at)
    }
}

impl<C> Drawable<Canvas<'_>> for Diamond<C> {
    fn draw<I: Iterator<Item = Place>>(
        &self,
        places: I,
        canvas: &mut Canvas<'_>,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        for place in places {
            diamond(canvas, place, self.half);
        }
        Ok(())
    }
}
