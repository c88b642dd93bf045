//! What a replay found, as text for people.

use super::{Made, Replay};
use crate::digest::shortened;
use std::fmt;

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "note     {note}")?;
        }
        for change in &self.changes {
            writeln!(f, "changed  {change}")?;
        }
        if let Some(event) = &self.event {
            writeln!(f, "first event that differs: {event}")?;
        }
        if let Some(tensor) = &self.tensor {
            writeln!(f, "first tensor that differs: {tensor}")?;
        }
        if let Some((there, here)) = &self.logits {
            let (there, here) = (shortened(there), shortened(here));
            writeln!(f, "logits differ: BLAKE3 {there}… there, {here}… here")?;
        }
        for file in &self.files {
            writeln!(f, "differs  {file}")?;
        }
        if let Ok(made) = &self.made {
            self.conclude(made, f)?;
        }
        for (fact, there, here) in &self.host {
            writeln!(f, "machine  {fact}: {there} there, {here} here")?;
        }
        Ok(())
    }
}

impl Replay {
    fn conclude(&self, made: &Made, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Made {
            events,
            tensors,
            digest,
        } = made;
        let size = format!("{events} events, {tensors} tensors");
        let figures = self.figures.join(", ");
        if self.is_equal() && self.figures.is_empty() {
            return writeln!(f, "bit-equal: {size}, digest {digest}");
        }
        if self.is_equal() {
            return writeln!(
                f,
                "bit-equal; figures are drawn differently by this version: {size}; {figures}"
            );
        }
        if !self.figures.is_empty() {
            writeln!(
                f,
                "figures are drawn differently by this version: {figures}"
            )?;
        }
        if self.event.is_none() && self.tensor.is_none() {
            writeln!(f, "events and tensors are equal: {size}")?;
        }
        Ok(())
    }
}
