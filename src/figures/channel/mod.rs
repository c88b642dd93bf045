//! `channel`: channels that were drawn beside what theory says, one panel per question.
//!
//! Amplitudes are scaled by √(μ² + σ²) of their device, so that devices at different
//! distances lie on top of each other where they follow one distribution. Theory is dashed and
//! black.

mod panels;

use super::Width;
use super::font::{self, Weight};
use super::key::{Key, Sample};
use super::panel::{Area, Fault, LABELS, LINE, NAME, heading, page};
use super::scene::{Scene, Stroke};
use super::style::{self, MARGIN, TEXT};
use crate::results::channel::{Ensemble, Statistics};
use panels::{Question, question};

/// Colours and dashes of devices with lines of their own, numbers of [`style::CURVES`]: all but
/// black, which is theory's.
const DEVICES: [usize; 5] = [0, 1, 3, 4, 5];

/// Theory.
const THEORY: Stroke = Stroke {
    colour: style::BLACK,
    width: 80,
    dash: &[300, 200],
};

/// From a panel's heading to its inside, with the upper half of its highest label.
const HEAD: i32 = TEXT * 3 / 4 + 600;

/// Between panels.
const BETWEEN: i32 = 900;

/// The line of the device that is the `place`th shown.
fn line(place: usize) -> Stroke {
    Stroke::solid(style::curve(DEVICES[place]).colour, 110)
}

/// The picture of an ensemble and its statistics at `width`.
pub fn draw(ensemble: &Ensemble, statistics: &Statistics, width: Width) -> Scene {
    let questions = Question::ALL.into_iter();
    let wanted = |it: &Question| *it != Question::Autocorrelation || !statistics.lags.is_empty();
    let layout = Layout {
        questions: questions.filter(wanted).collect(),
        title: font::wrapped(
            &ensemble.title,
            TEXT,
            Weight::Bold,
            width.length() - 2 * MARGIN,
        ),
        key: key(ensemble.moments.len()),
        width: width.length(),
        columns: match width {
            Width::Column => 1,
            Width::Page => 2,
        },
        tall: match width {
            Width::Column => 9_000,
            Width::Page => 11_000,
        },
    };
    let mut scene = page((layout.width, layout.height()), &ensemble.title, |area| {
        layout.draw(area, ensemble, statistics)
    });
    let furthest = statistics.devices.iter().map(|row| row.amplitude_ks);
    scene.description = format!(
        "Amplitudes, gains and singular values of {} devices beside what their model says; \
         the furthest distribution of amplitudes is {:.3} from it.",
        statistics.devices.len(),
        furthest.fold(0.0, f64::max)
    );
    scene
}

fn key(devices: usize) -> Key {
    let shown = devices.min(DEVICES.len());
    let mut key = Key::default();
    for place in 0..shown {
        key = key.with(Sample::Line(line(place)), &format!("device {place}"));
    }
    let theory = match devices > shown {
        true => format!("theory ({} more devices have no line)", devices - shown),
        false => "theory".to_owned(),
    };
    key.with(Sample::Line(THEORY), &theory)
}

/// Where everything is.
struct Layout {
    questions: Vec<Question>,
    title: Vec<String>,
    key: Key,
    width: i32,
    columns: usize,
    /// How tall a panel is inside.
    tall: i32,
}

impl Layout {
    fn top(&self) -> i32 {
        let key = self.key.height(self.width - 2 * MARGIN);
        MARGIN + TEXT * 3 / 4 + self.title.len() as i32 * LINE + key + 500
    }

    /// How tall a panel is with its heading and the labels below.
    fn each(&self) -> i32 {
        HEAD + self.tall + LABELS + NAME
    }

    fn height(&self) -> i32 {
        let lines = self.questions.len().div_ceil(self.columns) as i32;
        self.top() + lines * (self.each() + BETWEEN) - BETWEEN + MARGIN
    }

    fn draw(
        &self,
        area: &Area<'_>,
        ensemble: &Ensemble,
        statistics: &Statistics,
    ) -> Result<(), Fault> {
        let mut y = MARGIN + TEXT * 3 / 4;
        for line in &self.title {
            heading(area, (MARGIN, y), line)?;
            y += LINE;
        }
        self.key
            .draw(area, (MARGIN, y + 100), self.width - 2 * MARGIN)?;
        let columns = self.columns as i32;
        let wide = (self.width - 2 * MARGIN - (columns - 1) * BETWEEN) / columns;
        for (number, asked) in self.questions.iter().enumerate() {
            let (line, column) = (number as i32 / columns, number as i32 % columns);
            let left = MARGIN + column * (wide + BETWEEN);
            let top = self.top() + line * (self.each() + BETWEEN);
            heading(area, (left, top + TEXT * 3 / 4), asked.title())?;
            // The label of the last tick is half outside its panel.
            let part = (wide - 600, self.each() - HEAD);
            let part = area.clone().shrink((left, top + HEAD), part);
            question(*asked, &part, (ensemble, statistics))?;
        }
        Ok(())
    }
}
