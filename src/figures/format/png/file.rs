//! The file around the pixels (PNG, third edition, W3C 2025).

use tiny_skia::Pixmap;

/// How hard the bytes are packed, of ten: pictures are mostly white.
const EFFORT: u8 = 6;

/// The file: header, dots per metre, pixels packed row by row as differences from the row above.
pub(super) fn packed(pixmap: &Pixmap, dots: u32) -> Vec<u8> {
    let (width, height) = (pixmap.width(), pixmap.height());
    let row = 3 * width as usize;
    let mut above = vec![0; row];
    let mut rows = Vec::with_capacity((row + 1) * height as usize);
    for pixels in pixmap.pixels().chunks(width as usize) {
        let own: Vec<u8> = pixels
            .iter()
            .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
            .collect();
        // Filter type 2, "up".
        rows.push(2);
        rows.extend(
            own.iter()
                .zip(&above)
                .map(|(own, above)| own.wrapping_sub(*above)),
        );
        above = own;
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    // Eight bits of red, green and blue; no other choices.
    let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(
        &mut file,
        *b"IHDR",
        &[&sizes[..], &[8, 2, 0, 0, 0]].concat(),
    );
    let metre = ((u64::from(dots) * 10_000 + 127) / 254) as u32;
    let density = [metre.to_be_bytes(), metre.to_be_bytes()].concat();
    chunk(&mut file, *b"pHYs", &[&density[..], &[1]].concat());
    let rows = miniz_oxide::deflate::compress_to_vec_zlib(&rows, EFFORT);
    chunk(&mut file, *b"IDAT", &rows);
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend(kind);
    file.extend(data);
    let sum = checksum(&file[start..]);
    file.extend(sum.to_be_bytes());
}

/// CRC-32 of ISO 3309.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| match sum & 1 {
            1 => (sum >> 1) ^ 0xedb8_8320,
            _ => sum >> 1,
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }
}
