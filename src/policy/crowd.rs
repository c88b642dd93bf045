//! The channels of many devices, a group of them per set of lanes, in an order that may be
//! changed: those that count together share groups, so that other groups are passed over.

use super::lanes::{ComplexLanes, WIDTH, ZERO};
use crate::radio::Matrix;

/// H_n of all devices by group, antenna, row.
#[derive(Debug)]
pub(super) struct Crowd {
    /// r.
    pub(super) rows: usize,
    /// The most antennas of a device.
    pub(super) antennas: usize,
    /// N.
    pub(super) devices: usize,
    /// Which device is in each slot.
    pub(super) order: Vec<usize>,
    /// A lane without a device repeats the first one and counts nowhere.
    lanes: Vec<ComplexLanes>,
    /// Σ over groups of what pulls each entry of G, before lanes are added up.
    slopes: Vec<ComplexLanes>,
}

impl Crowd {
    /// `channels` H_n ∈ C^{r×N_t,n}, of one height. Devices with fewer antennas than the most
    /// get silent ones, which change nothing.
    pub(super) fn new(channels: &[Matrix], streams: usize) -> Self {
        let rows = channels[0].nrows();
        let antennas = channels.iter().map(Matrix::ncols).fold(0, usize::max);
        let devices = channels.len();
        let mut crowd = Self {
            rows,
            antennas,
            devices,
            order: (0..devices).collect(),
            lanes: vec![ZERO; devices.div_ceil(WIDTH) * rows * antennas],
            slopes: vec![ZERO; rows * streams],
        };
        crowd.fill(channels);
        crowd
    }

    fn fill(&mut self, channels: &[Matrix]) {
        let size = self.rows * self.antennas;
        for slot in 0..self.groups() * WIDTH {
            let channel = &channels[*self.order.get(slot).unwrap_or(&self.order[0])];
            let (group, lane) = (slot / WIDTH, slot % WIDTH);
            let targets = &mut self.lanes[group * size..][..size];
            // nalgebra stores columns one after the other, as here.
            let (used, silent) = targets.split_at_mut(channel.len());
            for (target, entry) in used.iter_mut().zip(channel.iter()) {
                target.re[lane] = entry.re;
                target.im[lane] = entry.im;
            }
            for target in silent {
                target.re[lane] = 0.0;
                target.im[lane] = 0.0;
            }
        }
    }

    /// Puts the devices that are now in `slots` into slots 0, 1, …
    pub(super) fn arrange(&mut self, channels: &[Matrix], slots: &[usize]) {
        self.order = slots.iter().map(|slot| self.order[*slot]).collect();
        self.fill(channels);
    }

    /// Groups of [`WIDTH`] devices, the last one perhaps fewer.
    pub(super) fn groups(&self) -> usize {
        self.devices.div_ceil(WIDTH)
    }

    /// H_n of a group, by antenna and row.
    #[inline(always)]
    pub(super) fn group(&self, group: usize) -> &[ComplexLanes] {
        let size = self.rows * self.antennas;
        &self.lanes[group * size..][..size]
    }

    /// Nobody pulls.
    pub(super) fn rest(&mut self) {
        self.slopes.fill(ZERO);
    }

    /// slopes += H X for the group's `pulls` X, by stream and antenna.
    #[inline(always)]
    pub(super) fn pull(&mut self, group: usize, pulls: &[ComplexLanes]) {
        match self.antennas {
            4 => self.pull_sized(group, pulls, 4),
            antennas => self.pull_sized(group, pulls, antennas),
        }
    }

    #[inline(always)]
    fn pull_sized(&mut self, group: usize, pulls: &[ComplexLanes], antennas: usize) {
        let rows = self.rows;
        let size = rows * antennas;
        let channels = &self.lanes[group * size..][..size];
        for (slopes, pulls) in self
            .slopes
            .chunks_exact_mut(rows)
            .zip(pulls.chunks_exact(antennas))
        {
            for (r, slope) in slopes.iter_mut().enumerate() {
                let mut sum = ZERO;
                for (t, pull) in pulls.iter().enumerate() {
                    sum.add_product(&channels[t * rows + r], pull);
                }
                slope.add(&sum);
            }
        }
    }

    /// gradient += Σ over lanes.
    #[inline(always)]
    pub(super) fn collect(&self, gradient: &mut [f64]) {
        for (target, slope) in gradient.chunks_exact_mut(2).zip(&self.slopes) {
            let (re, im) = slope.sum();
            target[0] += re;
            target[1] += im;
        }
    }
}
