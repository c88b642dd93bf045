//! One digest over every kernel, pinned: what another CPU must reproduce.
//!
//! A failure here with all other tests passing means that this CPU, compiler or
//! path rounds somewhere differently.

use std::process::Command;

use airloom::numerics::kernels::{
    BlockFormat, BlockMatrix, Cache, CacheFormat, Columns, Kernels, Packed, Path, Queries,
    RopeTable, RoundedRows, negative_log_likelihood,
};

use crate::values::{KINDS, Kind, values};

/// BLAKE3 of a layer's worth of results, little-endian. It changes only together with
/// the definition of a kernel.
const DIGEST: &str = "fa602204aa7c17eb5a023112b107de5bbded48cc7895fe88747557a7cf3a0b50";

/// BLAKE3 of products with quantised weights and of attention over rounded keys and values.
const QUANTISED: &str = "67233d894b2403fb5cc31fcc993b18d97c62b37e17afce3815e67cbf434f4137";

fn digest(kernels: Kernels) -> String {
    let mut hasher = blake3::Hasher::new();
    for kind in KINDS {
        for rows in ROWS {
            for value in layer(kernels, kind, rows) {
                hasher.update(&value.to_bits().to_le_bytes());
            }
        }
    }
    let logits = values(8 * 97, 9, Kind::Ordinary);
    let nats = negative_log_likelihood(&logits, &[0, 96, 3, 5, 50, 51, 7, 12]);
    hasher.update(&nats.to_bits().to_le_bytes());
    hasher.finalize().to_hex().to_string()
}

/// A short pass, and passes over more than one panel of 64 keys that leave every rest when
/// rows are taken two, three or six at a time, as paths do.
const ROWS: [usize; 7] = [5, 66, 67, 68, 69, 70, 71];

/// Normalise, project, rotate, attend, activate: rows of two heads of 24.
fn layer(kernels: Kernels, kind: Kind, rows: usize) -> Vec<f32> {
    let (heads, head_dim) = (2, 24);
    let width = heads * head_dim;
    let x = values(rows * width, 1, kind);
    let weights = Packed::new(&values(3 * width * width, 2, kind), 3 * width, width).unwrap();
    let mut normal = vec![0.0; x.len()];
    kernels.rms_norm(&x, &values(width, 3, Kind::Ordinary), 1e-5, &mut normal);
    let mut joined = vec![0.0; rows * 3 * width];
    kernels.matmul(&normal, rows, &weights, &mut joined);
    let table = RopeTable::from_frequencies(
        &[
            1.0, 0.5, 0.3, 0.1, 0.05, 0.03, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 1e-4,
        ],
        rows,
    );
    kernels.rope(&mut joined, 3 * width, 2 * heads, 0, &table);
    let mut cache = Cache::new(heads, head_dim, rows);
    let mut memory = vec![0.0; cache.memory()];
    for row in joined.chunks(3 * width) {
        let (_, rest) = row.split_at(width);
        let (keys, values) = rest.split_at(width);
        cache.push(&mut memory, keys, values);
    }
    let queries = Queries {
        data: &joined,
        stride: 3 * width,
        rows,
        heads: &[0, 1],
        cache: &cache,
        memory: &memory,
        scale: 0.204_124_15,
        cap: None,
        window: None,
    };
    let mut scratch = vec![0.0; queries.scratch_len()];
    let mut attended = vec![0.0; x.len()];
    kernels.attention(queries, &mut scratch, &mut attended);
    let mut activated = vec![0.0; x.len()];
    kernels.silu_mul(&attended, &x, &mut activated);
    let mut shares = joined.clone();
    kernels.softmax(&mut shares, width);
    kernels.add(&mut attended, &x);
    [joined, attended, activated, shares].concat()
}

fn quantised_digest(kernels: Kernels) -> String {
    let mut hasher = blake3::Hasher::new();
    for kind in KINDS {
        for format in [
            BlockFormat::Q8_0,
            BlockFormat::Q4_0,
            BlockFormat::Q4K,
            BlockFormat::Q5K,
            BlockFormat::Q6K,
        ] {
            let bytes = values(format.bytes(OUTPUTS, INPUTS).unwrap(), 3, Kind::Any);
            let bytes: Vec<u8> = bytes
                .iter()
                .map(|word| (word.to_bits() >> 11) as u8)
                .collect();
            let weights = BlockMatrix::from_bytes(format, OUTPUTS, INPUTS, &bytes).unwrap();
            hash(&mut hasher, &quantised_product(kernels, kind, &weights));
        }
        for bits in 2..=8 {
            let format = BlockFormat::Groups { bits, size: 96 };
            let weights = values(OUTPUTS * INPUTS, 4, Kind::Ordinary);
            let weights = BlockMatrix::round(format, OUTPUTS, INPUTS, &weights).unwrap();
            hash(&mut hasher, &quantised_product(kernels, kind, &weights));
        }
        for format in [CacheFormat::Int8, CacheFormat::Int4] {
            for rows in ROWS {
                hash(&mut hasher, &rounded_attention(kernels, kind, format, rows));
            }
        }
    }
    hasher.finalize().to_hex().to_string()
}

const OUTPUTS: usize = 37;
const INPUTS: usize = 512;

fn hash(hasher: &mut blake3::Hasher, values: &[f32]) {
    for value in values {
        hasher.update(&value.to_bits().to_le_bytes());
    }
}

fn quantised_product(kernels: Kernels, kind: Kind, weights: &BlockMatrix) -> Vec<f32> {
    let rows = 7;
    let mut x = RoundedRows::default();
    kernels.round_rows(&values(rows * INPUTS, 1, kind), rows, INPUTS, &mut x);
    let mut out = vec![0.0; rows * OUTPUTS];
    let to = Columns {
        out: &mut out,
        width: OUTPUTS,
        first: 0,
    };
    kernels.block_matmul(&x, weights, to);
    out
}

fn rounded_attention(kernels: Kernels, kind: Kind, format: CacheFormat, rows: usize) -> Vec<f32> {
    let (heads, head_dim) = (2, 24);
    let width = heads * head_dim;
    let mut cache = Cache::new(heads, head_dim, rows).in_format(format);
    let mut memory = vec![0.0; cache.memory()];
    let (keys, held) = (values(rows * width, 5, kind), values(rows * width, 6, kind));
    for (keys, held) in keys.chunks(width).zip(held.chunks(width)) {
        cache.push(&mut memory, keys, held);
    }
    let queries = Queries {
        data: &values(rows * width, 7, Kind::Ordinary),
        stride: width,
        rows,
        heads: &[0, 1],
        cache: &cache,
        memory: &memory,
        scale: 0.204_124_15,
        cap: None,
        window: None,
    };
    let mut scratch = vec![0.0; queries.scratch_len()];
    let mut out = vec![0.0; rows * width];
    kernels.attention(queries, &mut scratch, &mut out);
    out
}

#[test]
fn every_path_has_the_pinned_digest() {
    for path in Path::available() {
        let found = digest(Kernels::with_path(path).unwrap());
        assert_eq!(found, DIGEST, "on the path {path}");
        let found = quantised_digest(Kernels::with_path(path).unwrap());
        assert_eq!(found, QUANTISED, "on the path {path}");
        println!("pinned digest on the path {path}");
    }
}

/// The test above on an emulated CPU, which has to have run `path` there.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn emulate(cpu: &str, path: Path) {
    let emulator = "qemu-x86_64";
    if Command::new(emulator).arg("--version").output().is_err() {
        println!("skipped: no {emulator}");
        return;
    }
    let output = Command::new(emulator)
        .args(["-cpu", cpu])
        .arg(std::env::current_exe().unwrap())
        .args(["every_path_has_the_pinned_digest", "--nocapture"])
        .env_remove("AIRLOOM_KERNELS")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!text.contains(Path::Avx512.name()), "{cpu} has no AVX-512");
    if !text.contains(&format!("on the path {path}")) {
        println!("skipped: {emulator} has no {path}");
    }
}

#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[cfg_attr(miri, ignore = "starts a process")]
fn a_cpu_without_avx_has_the_pinned_digest() {
    emulate("Nehalem", Path::Portable);
}

#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[cfg_attr(miri, ignore = "starts a process")]
fn a_cpu_with_avx2_and_no_avx512_has_the_pinned_digest() {
    emulate("Haswell", Path::Avx2);
}
