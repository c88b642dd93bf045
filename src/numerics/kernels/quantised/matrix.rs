//! Weight matrices that stay quantised in memory.
//!
//! Sixteen outputs stand side by side, as everywhere in the kernels, one in each lane. For every
//! block of 32 inputs a panel of sixteen outputs holds the planes of its codes, each a whole number
//! of [lines](Line) of 64 bytes, four per output. The codes of group g, inputs 4 g to 4 g + 3 of
//! the block, are
//!
//! - 8 bits: line g;
//! - a plane of 4 bits: line g mod 4, the upper halves of bytes for g ≥ 4;
//! - a plane of 2 bits: line ⌊g / 4⌋, bits 2 (g mod 4) and up of each byte;
//! - a plane of 1 bit: bit g of each byte of one line.
//!
//! Codes of 3, 5, 6 and 7 bits are planes, the lowest bits in the widest plane, which comes first.
//! Scales stand apart: for each span of blocks its d, and d′, of sixteen outputs; then for each
//! block what scales it alone: s and m of 6 bits each (`Q4K`, `Q5K`), or two s of 8 (`Q6K`). So a
//! matrix takes as many bits per weight as its file, and can be cut between any two blocks of 32.
//! What pads outputs to sixteen and inputs to 32 are zeros, or scaled by them.

use half::f16;

use super::format::{BLOCK, BlockFormat};
use crate::numerics::kernels::lanes::LANES;

/// A cache line of codes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(super) struct Line(pub [u8; 64]);

/// A weight matrix in blocks, ready to multiply rows by.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockMatrix {
    format: BlockFormat,
    rows: usize,
    columns: usize,
    /// Blocks of the first span that were cut off.
    cut: usize,
    codes: Vec<Line>,
    scales: Vec<u8>,
}

/// One block of one output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// As they stand in the planes; of 8 bits in two's complement.
    pub codes: [u8; BLOCK],
    /// What scales the block alone: s and m, or both s.
    pub own: [u8; 2],
}

/// What a span of one output shares: d and d′.
pub(super) type Shared = [f16; 2];

/// Where scales stand in a panel.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScaleLayout {
    /// Bytes of what a span shares.
    pub shared: usize,
    /// Bytes of what a block has alone.
    pub own: usize,
    /// Spans of a panel.
    pub spans: usize,
    /// Bytes of a panel.
    pub panel: usize,
}

impl BlockMatrix {
    /// A matrix of zeros.
    pub(super) fn zeros(format: BlockFormat, rows: usize, columns: usize, cut: usize) -> Self {
        let mut matrix = Self {
            format,
            rows,
            columns,
            cut,
            codes: Vec::new(),
            scales: Vec::new(),
        };
        let panels = rows.div_ceil(LANES);
        matrix.codes = vec![Line([0; 64]); panels * matrix.blocks() * matrix.block_lines()];
        matrix.scales = vec![0; panels * matrix.scale_layout().panel];
        matrix
    }

    /// How its weights are rounded.
    pub fn format(&self) -> BlockFormat {
        self.format
    }

    /// Number of outputs: values per row of a product.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs: values per row that is multiplied.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes that it takes in memory.
    pub fn resident_bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.codes) + self.scales.len()
    }

    /// Writes the weights of output `row`, as f32: exact but for the difference of `Q4K` and
    /// `Q5K`, which is rounded once, as are products of wide codes and scales of `Groups`.
    ///
    /// # Panics
    /// If there is no such output, or `to` is not as long as there are inputs.
    pub fn dequantise_row(&self, row: usize, to: &mut [f32]) {
        assert!(row < self.rows, "output {row} of {}", self.rows);
        assert_eq!(to.len(), self.columns, "one value per input");
        let format = self.format;
        for (block, to) in to.chunks_mut(BLOCK).enumerate() {
            let [d, least] = self.shared(row, self.span_of(block)).map(f16::to_f32);
            let Block { codes, own } = self.block(row, block);
            for (k, (to, code)) in to.iter_mut().zip(codes).enumerate() {
                let code = match format.bits() {
                    8 => i32::from(code.cast_signed()),
                    _ => i32::from(code) - format.offset(),
                } as f32;
                *to = match format {
                    BlockFormat::Q4K | BlockFormat::Q5K => {
                        d * f32::from(own[0]) * code - least * f32::from(own[1])
                    }
                    BlockFormat::Q6K => d * f32::from(own[k / 16].cast_signed()) * code,
                    _ => d * code,
                };
            }
        }
    }

    /// Blocks along the inputs.
    pub(super) fn blocks(&self) -> usize {
        self.columns.div_ceil(BLOCK)
    }

    /// Lines of one block of a panel.
    pub(super) fn block_lines(&self) -> usize {
        self.format.bits() as usize
    }

    /// Panels of sixteen outputs.
    pub(super) fn panels(&self) -> usize {
        self.rows.div_ceil(LANES)
    }

    /// The span that block `block` belongs to.
    pub(super) fn span_of(&self, block: usize) -> usize {
        (self.cut + block) / self.format.span_blocks()
    }

    /// Blocks of the first span that were cut off.
    pub(super) fn cut(&self) -> usize {
        self.cut
    }

    /// Where scales stand.
    pub(super) fn scale_layout(&self) -> ScaleLayout {
        let own = match self.format {
            BlockFormat::Q4K | BlockFormat::Q5K => LANES * 12 / 8,
            BlockFormat::Q6K => 2 * LANES,
            _ => 0,
        };
        let shared = match self.format.has_minimum() {
            true => 4 * LANES,
            false => 2 * LANES,
        };
        let spans = (self.cut + self.blocks()).div_ceil(self.format.span_blocks());
        ScaleLayout {
            shared,
            own,
            spans,
            panel: spans * shared + self.blocks() * own,
        }
    }

    /// The codes and the scales of a panel.
    pub(super) fn panel(&self, panel: usize) -> (&[Line], &[u8]) {
        let lines = self.blocks() * self.block_lines();
        let scales = self.scale_layout().panel;
        (
            &self.codes[panel * lines..(panel + 1) * lines],
            &self.scales[panel * scales..(panel + 1) * scales],
        )
    }

    /// What span `span` of output `row` shares.
    pub(super) fn shared(&self, row: usize, span: usize) -> Shared {
        let layout = self.scale_layout();
        let at = row / LANES * layout.panel + span * layout.shared + row % LANES * 2;
        let read = |at: usize| f16::from_le_bytes([self.scales[at], self.scales[at + 1]]);
        let least = match self.format.has_minimum() {
            true => read(at + 2 * LANES),
            false => f16::ZERO,
        };
        [read(at), least]
    }

    pub(super) fn set_shared(&mut self, row: usize, span: usize, [d, least]: Shared) {
        let layout = self.scale_layout();
        let at = row / LANES * layout.panel + span * layout.shared + row % LANES * 2;
        self.scales[at..at + 2].copy_from_slice(&d.to_le_bytes());
        if self.format.has_minimum() {
            let at = at + 2 * LANES;
            self.scales[at..at + 2].copy_from_slice(&least.to_le_bytes());
        }
    }

    /// Block `block` of output `row`.
    pub(super) fn block(&self, row: usize, block: usize) -> Block {
        let (panel, lane) = (row / LANES, row % LANES);
        let bits = self.block_lines();
        let lines = &self.codes[(panel * self.blocks() + block) * bits..][..bits];
        let mut codes = [0; BLOCK];
        for (k, code) in codes.iter_mut().enumerate() {
            let (g, byte) = (k / 4, 4 * lane + k % 4);
            let mut below = 0;
            for (width, line, shift) in planes(bits, g) {
                let mask = u8::MAX >> (8 - width);
                *code |= (lines[line].0[byte] >> shift & mask) << below;
                below += width;
            }
        }
        let layout = self.scale_layout();
        let own = panel * layout.panel + layout.spans * layout.shared + block * layout.own;
        let own = &self.scales[own..][..layout.own];
        let own = match self.format {
            BlockFormat::Q4K | BlockFormat::Q5K => {
                let upper = own[LANES + lane % 8] >> (lane / 8 * 4) & 15;
                [own[lane] & 63, own[lane] >> 6 | upper << 2]
            }
            BlockFormat::Q6K => [own[lane], own[LANES + lane]],
            _ => [0; 2],
        };
        Block { codes, own }
    }

    /// Writes a block that is zero so far.
    pub(super) fn set_block(&mut self, row: usize, block: usize, content: &Block) {
        let (panel, lane) = (row / LANES, row % LANES);
        let bits = self.block_lines();
        let first = (panel * self.blocks() + block) * bits;
        let lines = &mut self.codes[first..first + bits];
        for (k, &code) in content.codes.iter().enumerate() {
            let (g, byte) = (k / 4, 4 * lane + k % 4);
            let mut rest = code;
            for (width, line, shift) in planes(bits, g) {
                let mask = u8::MAX >> (8 - width);
                lines[line].0[byte] |= (rest & mask) << shift;
                rest = rest.checked_shr(width).unwrap_or(0);
            }
        }
        let layout = self.scale_layout();
        let own = panel * layout.panel + layout.spans * layout.shared + block * layout.own;
        let own = &mut self.scales[own..][..layout.own];
        let [s, m] = content.own;
        match self.format {
            BlockFormat::Q4K | BlockFormat::Q5K => {
                own[lane] = s | (m & 3) << 6;
                own[LANES + lane % 8] |= m >> 2 << (lane / 8 * 4);
            }
            BlockFormat::Q6K => {
                own[lane] = s;
                own[LANES + lane] = m;
            }
            _ => {}
        }
    }
}

/// The planes of codes of `bits` bits, widest first: width, line, and shift of group `g` in each.
fn planes(bits: usize, g: usize) -> impl Iterator<Item = (u32, usize, u32)> {
    let mut line = 0;
    [8usize, 4, 2, 1].into_iter().filter_map(move |width| {
        if bits & width == 0 {
            return None;
        }
        let first = line;
        line += width;
        Some((width as u32, first + g % width, (g / width * width) as u32))
    })
}
