//! Writes GGUF files, good ones and bad ones.

use std::fs;
use std::path::Path;

/// A value of a key.
#[derive(Clone)]
pub enum Value {
    U32(u32),
    F32(f32),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
    I32s(Vec<i32>),
}

/// A tensor: its name, sizes (the innermost last), number of its format, bytes.
pub type Tensor = (String, Vec<u64>, u32, Vec<u8>);

#[derive(Clone, Default)]
pub struct Gguf {
    pub keys: Vec<(String, Value)>,
    pub tensors: Vec<Tensor>,
}

pub const F32: u32 = 0;
pub const Q8_0: u32 = 8;
pub const BF16: u32 = 30;

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

impl Gguf {
    pub fn set(&mut self, key: &str, value: Value) {
        self.keys.retain(|(name, _)| name != key);
        self.keys.push((key.to_owned(), value));
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.keys.len() as u64).to_le_bytes());
        for (key, value) in &self.keys {
            text(&mut out, key);
            let mut kind = |number: u32| out.extend(number.to_le_bytes());
            match value {
                Value::U32(value) => {
                    kind(4);
                    out.extend(value.to_le_bytes());
                }
                Value::F32(value) => {
                    kind(6);
                    out.extend(value.to_le_bytes());
                }
                Value::Bool(value) => {
                    kind(7);
                    out.push(u8::from(*value));
                }
                Value::Text(value) => {
                    kind(8);
                    text(&mut out, value);
                }
                Value::Texts(all) => {
                    kind(9);
                    kind(8);
                    out.extend((all.len() as u64).to_le_bytes());
                    all.iter().for_each(|one| text(&mut out, one));
                }
                Value::I32s(all) => {
                    kind(9);
                    kind(5);
                    out.extend((all.len() as u64).to_le_bytes());
                    all.iter().for_each(|one| out.extend(one.to_le_bytes()));
                }
            }
        }
        let mut offset = 0;
        for (name, sizes, format, data) in &self.tensors {
            text(&mut out, name);
            out.extend((sizes.len() as u32).to_le_bytes());
            sizes
                .iter()
                .rev()
                .for_each(|size| out.extend(size.to_le_bytes()));
            out.extend(format.to_le_bytes());
            out.extend((offset as u64).to_le_bytes());
            offset = (offset + data.len()).next_multiple_of(32);
        }
        for (.., data) in &self.tensors {
            out.resize(out.len().next_multiple_of(32), 0);
            out.extend(data);
        }
        out
    }

    pub fn write(&self, path: &Path) {
        fs::write(path, self.bytes()).expect("a file");
    }
}

/// A LLaMA of one layer, 32 wide, of no particular numbers.
pub fn small() -> Gguf {
    let mut gguf = Gguf::default();
    let keys = [
        ("general.architecture", Value::Text("llama".into())),
        ("llama.context_length", Value::U32(64)),
        ("llama.embedding_length", Value::U32(32)),
        ("llama.block_count", Value::U32(1)),
        ("llama.feed_forward_length", Value::U32(32)),
        ("llama.attention.head_count", Value::U32(4)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
    ];
    for (key, value) in keys {
        gguf.set(key, value);
    }
    let mut tensor = |name: &str, sizes: &[u64]| {
        let count: u64 = sizes.iter().product();
        let values = (0..count).flat_map(|place| {
            let value = ((place * 37 + name.len() as u64) % 101) as f32 / 101.0 - 0.5;
            value.to_le_bytes()
        });
        let bytes = values.collect();
        gguf.tensors
            .push((name.to_owned(), sizes.to_owned(), F32, bytes));
    };
    tensor("token_embd.weight", &[40, 32]);
    tensor("blk.0.attn_norm.weight", &[32]);
    for name in ["q", "k", "v", "output"] {
        tensor(&format!("blk.0.attn_{name}.weight"), &[32, 32]);
    }
    tensor("blk.0.ffn_norm.weight", &[32]);
    for name in ["gate", "up", "down"] {
        tensor(&format!("blk.0.ffn_{name}.weight"), &[32, 32]);
    }
    tensor("output_norm.weight", &[32]);
    gguf
}
