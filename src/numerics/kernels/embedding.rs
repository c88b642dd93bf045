//! The rows of an embedding table.

use super::error::KernelError;

/// Copies row `tokens[i]` of `table` (vocabulary × `columns`), of f32 or of 16 bits that become f32
/// exactly, to row i of `out`.
///
/// # Errors
/// A token lies beyond the table; `out` is then unspecified.
///
/// # Panics
/// If `out` is not `tokens.len()` × `columns`.
pub fn gather<T: Copy + Into<f32>>(
    table: &[T],
    columns: usize,
    tokens: &[u32],
    out: &mut [f32],
) -> Result<(), KernelError> {
    assert_eq!(
        out.len(),
        tokens.len() * columns,
        "out must be tokens × columns"
    );
    if columns == 0 {
        return Ok(());
    }
    for ((position, &token), row) in tokens.iter().enumerate().zip(out.chunks_exact_mut(columns)) {
        let found = table.chunks_exact(columns).nth(token as usize);
        let found = found.ok_or(KernelError::UnknownToken {
            token,
            position,
            vocabulary: table.len() / columns,
        })?;
        for (to, from) in row.iter_mut().zip(found) {
            *to = (*from).into();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_the_order_of_the_tokens() {
        let mut out = [0.0; 4];
        gather(&[0.0, 1.0, 2.0, 3.0], 2, &[1, 0], &mut out).unwrap();
        assert_eq!(out, [2.0, 3.0, 0.0, 1.0]);
    }

    #[test]
    fn an_unknown_token_is_named() {
        let error = gather(&[0.0; 4], 2, &[0, 2], &mut [0.0; 4]).unwrap_err();
        assert_eq!(
            error,
            KernelError::UnknownToken {
                token: 2,
                position: 1,
                vocabulary: 2
            }
        );
    }
}
