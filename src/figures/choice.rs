//! Which pass or request of a run a figure shows.
//!
//! What was chosen is found in `batches.csv` by reading it once and keeping its rows alone.

use super::catalogue::Part;
use crate::results::events::Window;
use crate::results::tables::{
    BATCHES, Batches, Phase, REQUESTS, Slice, TableError, for_each_slice, read_rows,
};
use crate::units::Instant;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What of a run is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// The first pass that decodes or, without one, the first: users wait for that over and
    /// over.
    #[default]
    Typical,
    /// The pass of this number in `batches.csv`.
    Pass(u32),
    /// All passes of this request, from its arrival to its answer.
    Request(u32),
}

impl From<Option<Part>> for Choice {
    fn from(part: Option<Part>) -> Self {
        match part {
            None => Self::Typical,
            Some(Part::Pass(number)) => Self::Pass(number),
            Some(Part::Request(number)) => Self::Request(number),
        }
    }
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The run has no pass.
    #[error("{path} holds no pass to draw; was the run's workload empty?")]
    Empty {
        /// The run folder.
        path: PathBuf,
    },
    /// It has others.
    #[error("{path} holds no {what} {asked}; choose one from {first} to {last}")]
    Unknown {
        /// `batches.csv`.
        path: PathBuf,
        /// `pass`, or `request`.
        what: &'static str,
        /// What was asked for.
        asked: u32,
        /// The lowest that there is.
        first: u32,
        /// The highest.
        last: u32,
    },
    /// A request lies among those that were served, and was not.
    #[error(
        "{path} holds no pass of request {asked}: it was rejected or was still waiting when \
         the run ended; choose another from {first} to {last}"
    )]
    Unserved {
        /// `batches.csv`.
        path: PathBuf,
        /// What was asked for.
        asked: u32,
        /// The lowest that was served.
        first: u32,
        /// The highest.
        last: u32,
    },
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// As it was asked for.
    pub choice: Choice,
    /// Its passes and when they ran.
    pub window: Window,
}

/// The lowest and the highest of the numbers seen.
#[derive(Debug, Clone, Copy)]
struct Range {
    first: u32,
    last: u32,
}

impl Range {
    fn with(known: Option<Self>, number: u32) -> Option<Self> {
        let Self { first, last } = known.unwrap_or(Self {
            first: number,
            last: number,
        });
        Some(Self {
            first: first.min(number),
            last: last.max(number),
        })
    }
}

#[derive(Deserialize)]
struct Served {
    request: u32,
    arrival_ps: u64,
    end_ps: u64,
}

/// When `request` arrived and when its answer did, if `requests.csv` is there and says so.
fn served(folder: &Path, request: u32) -> Result<Option<(Instant, Instant)>, TableError> {
    if !folder.join(REQUESTS).is_file() {
        return Ok(None);
    }
    for row in read_rows::<Served>(folder, REQUESTS)? {
        let row = row?;
        if row.request == request {
            return Ok(Some((Instant(row.arrival_ps), Instant(row.end_ps))));
        }
    }
    Ok(None)
}

impl Choice {
    /// Finds what is chosen of the run in `folder`.
    ///
    /// # Errors
    /// If a table is damaged, or the run has no such pass or request.
    pub fn find(self, folder: &Path) -> Result<Chosen, ChoiceError> {
        let (mut batches, mut decoding, mut requests) = (None, None, None);
        for_each_slice(folder, |batch, slice| {
            if slice.phase == Phase::Decode {
                decoding = Range::with(decoding, batch);
            }
            batches = Range::with(batches, batch);
            requests = Range::with(requests, slice.request);
        })?;
        let (Some(batches), Some(requests)) = (batches, requests) else {
            let path = folder.to_owned();
            return Err(ChoiceError::Empty { path });
        };
        let typical = decoding.unwrap_or(batches).first;
        let belongs = |batch: u32, slice: &Slice| match self {
            Self::Typical => batch == typical,
            Self::Pass(number) => batch == number,
            Self::Request(number) => slice.request == number,
        };
        let mut passes = Batches::new();
        for_each_slice(folder, |batch, slice| {
            if belongs(batch, &slice) {
                passes.entry(batch).or_default().push(slice);
            }
        })?;
        let slices = || passes.values().flatten();
        let start = slices().map(|slice| slice.start).min();
        let end = slices().map(|slice| slice.end).max();
        let (Some(start), Some(end)) = (start, end) else {
            return Err(self.missing(folder, batches, requests));
        };
        let known = match self {
            Self::Request(number) => served(folder, number)?,
            Self::Typical | Self::Pass(_) => None,
        };
        let (arrival, answer) = known.unwrap_or((start, end));
        let (start, end) = (start.min(arrival), end.max(answer));
        Ok(Chosen {
            choice: self,
            window: Window { passes, start, end },
        })
    }

    fn missing(self, folder: &Path, batches: Range, requests: Range) -> ChoiceError {
        let path = folder.join(BATCHES);
        let unknown = |what, asked, Range { first, last }: Range| ChoiceError::Unknown {
            path: path.clone(),
            what,
            asked,
            first,
            last,
        };
        match self {
            Self::Request(asked) if (requests.first..=requests.last).contains(&asked) => {
                ChoiceError::Unserved {
                    path: path.clone(),
                    asked,
                    first: requests.first,
                    last: requests.last,
                }
            }
            Self::Request(asked) => unknown("request", asked, requests),
            Self::Pass(asked) => unknown("pass", asked, batches),
            Self::Typical => ChoiceError::Empty {
                path: folder.to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Two requests, of which another came between and was rejected; the second decodes.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let batches = "batch,replica,request,step,phase,context,tokens,start_ps,end_ps\n\
                       0,0,0,0,prefill,0,5,10,20\n\
                       1,0,0,1,decode,5,1,20,30\n\
                       1,0,2,0,prefill,0,4,20,30\n\
                       3,0,2,1,decode,4,1,40,55\n";
        fs::write(folder.path().join("batches.csv"), batches).unwrap();
        let requests = "request,arrival_ps,end_ps\n0,5,31\n1,6,6\n2,7,59\n";
        fs::write(folder.path().join("requests.csv"), requests).unwrap();
        folder
    }

    #[test]
    fn what_is_chosen_is_the_rows_of_that_pass_or_request() {
        let folder = folder();
        let found = |choice: Choice| {
            let window = choice.find(folder.path()).unwrap().window;
            let slices = window.passes.iter().flat_map(|(batch, slices)| {
                let request = slices.iter().map(|slice| slice.request);
                request.map(|request| (*batch, request))
            });
            (slices.collect::<Vec<_>>(), window.start.0, window.end.0)
        };
        assert_eq!(found(Choice::Typical), (vec![(1, 0), (1, 2)], 20, 30));
        assert_eq!(found(Choice::Pass(0)), (vec![(0, 0)], 10, 20));
        // From its arrival until its answer arrives.
        assert_eq!(found(Choice::Request(2)), (vec![(1, 2), (3, 2)], 7, 59));
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let folder = folder();
        let said = |choice: Choice| {
            let error = choice.find(folder.path()).unwrap_err().to_string();
            error.replace(folder.path().to_str().unwrap(), "x")
        };
        assert_eq!(
            said(Choice::Pass(17)),
            "x/batches.csv holds no pass 17; choose one from 0 to 3"
        );
        assert_eq!(
            said(Choice::Request(3)),
            "x/batches.csv holds no request 3; choose one from 0 to 2"
        );
        assert_eq!(
            said(Choice::Request(1)),
            "x/batches.csv holds no pass of request 1: it was rejected or was still waiting when \
             the run ended; choose another from 0 to 2"
        );
        let head = "batch,replica,request,step,phase,context,tokens,start_ps,end_ps\n";
        fs::write(folder.path().join("batches.csv"), head).unwrap();
        assert_eq!(
            said(Choice::Typical),
            "x holds no pass to draw; was the run's workload empty?"
        );
    }
}
