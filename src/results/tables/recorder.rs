//! The tables of a run, written while it goes on: of passes, blocks and answers nothing is kept,
//! of each request its row.

use super::details::Details;
use super::load::Series;
use super::{LateRowFile, decoding, nodes, requests};
use crate::measurement::{
    AnswerRecord, BlockRecord, ExitRecord, ExpertRecord, FirstAnswerRecord, Goals, LoadRecord,
    Measurements, PassRecord, RequestRecord, RoundRecord, Totals, VisitRecord,
};
use crate::observer::Observer;
use crate::results::folder::{FileDigest, FolderError, Staging};
use crate::units::Instant;
use std::io;

/// Writes the tables of the run that it watches.
#[derive(Debug)]
pub struct Recorder<'a> {
    staging: &'a Staging,
    nodes: &'a [String],
    goals: Goals,
    details: Option<Details<'a>>,
    answers: LateRowFile,
    exits: LateRowFile,
    rounds: LateRowFile,
    first_answers: LateRowFile,
    series: Series,
    /// Its requests alone.
    kept: Measurements,
}

/// What a recorder leaves.
#[derive(Debug)]
pub struct Recorded {
    /// The requests in workload order.
    pub requests: Vec<RequestRecord>,
    /// The tables written.
    pub files: Vec<FileDigest>,
}

impl<'a> Recorder<'a> {
    /// Begins the tables in `staging` of a run of these `nodes`; with `details` also those of
    /// passes and blocks.
    ///
    /// # Errors
    /// If a file cannot be created.
    pub fn create(
        staging: &'a Staging,
        nodes: &'a [String],
        goals: Goals,
        details: bool,
    ) -> Result<Self, FolderError> {
        Ok(Self {
            staging,
            nodes,
            goals,
            details: match details {
                true => Some(Details::create(staging, nodes)?),
                false => None,
            },
            answers: LateRowFile::new("answers.csv"),
            exits: LateRowFile::new(decoding::EXITS),
            rounds: LateRowFile::new(decoding::ROUNDS),
            first_answers: LateRowFile::new(decoding::FIRST_ANSWERS),
            series: Series::default(),
            kept: Measurements::default(),
        })
    }

    /// Completes the tables of a run that ended at `makespan`.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn finish(self, totals: &Totals, makespan: Instant) -> Result<Recorded, FolderError> {
        let requests = self.kept.requests;
        let mut files = match self.details {
            Some(details) => details.finish()?,
            None => Vec::new(),
        };
        for late in [self.answers, self.exits, self.rounds, self.first_answers] {
            files.extend(late.finish()?);
        }
        let (staging, goals) = (self.staging, &self.goals);
        files.push(requests::write(staging, &requests, self.nodes, goals)?);
        if requests.len() > 1 {
            files.push(self.series.write(staging, makespan)?);
        }
        files.push(nodes::write(staging, totals)?);
        Ok(Recorded { requests, files })
    }

    fn details(
        &mut self,
        write: impl FnOnce(&mut Details<'a>) -> Result<(), FolderError>,
    ) -> io::Result<()> {
        let written = self.details.as_mut().map_or(Ok(()), write);
        written.map_err(FolderError::into_io)
    }
}

impl Observer for Recorder<'_> {
    fn request(&mut self, request: &RequestRecord) -> io::Result<()> {
        self.series.end(request, self.goals.met(request));
        self.kept.request(request)
    }

    fn answer(&mut self, answer: &AnswerRecord) -> io::Result<()> {
        let row = requests::answer_row(answer);
        let written = self.answers.write(self.staging, row);
        written.map_err(FolderError::into_io)
    }

    fn exit(&mut self, exit: &ExitRecord) -> io::Result<()> {
        let written = self.exits.write(self.staging, decoding::exit(exit));
        written.map_err(FolderError::into_io)
    }

    fn round(&mut self, round: &RoundRecord) -> io::Result<()> {
        let written = self.rounds.write(self.staging, decoding::round(round));
        written.map_err(FolderError::into_io)
    }

    fn first_answer(&mut self, answer: &FirstAnswerRecord) -> io::Result<()> {
        let row = decoding::first_answer(answer);
        let written = self.first_answers.write(self.staging, row);
        written.map_err(FolderError::into_io)
    }

    fn pass(&mut self, pass: &PassRecord) -> io::Result<()> {
        self.series.pass(pass);
        self.details(|details| details.pass(pass))
    }

    fn block(&mut self, block: &BlockRecord) -> io::Result<()> {
        self.details(|details| details.block(block))
    }

    fn visit(&mut self, visit: &VisitRecord) -> io::Result<()> {
        self.details(|details| details.visit(visit))
    }

    fn expert(&mut self, expert: &ExpertRecord) -> io::Result<()> {
        self.details(|details| details.expert(expert))
    }

    fn load(&mut self, load: &LoadRecord) -> io::Result<()> {
        self.series.enter(load);
        Ok(())
    }
}
