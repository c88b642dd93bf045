//! A fence around the tokenizers crate, which panics over files that it does not expect.
//!
//! Inside, a panic becomes an error and its message stays off stderr; so does what a part
//! of ours [reports](report) where the crate drops an error on its way out.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static IS_FENCED: Cell<bool> = const { Cell::new(false) };
    static FAULT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does `work`, which may call into the crate.
///
/// # Errors
/// What was reported, the crate's own error, or the message of its panic.
pub(super) fn fenced<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    keep_quiet();
    let before = IS_FENCED.replace(true);
    FAULT.take();
    // What a panic leaves half done is inside the tokenizer, which is then given up, or
    // fails again behind this fence.
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_FENCED.set(before);
    match (FAULT.take(), done) {
        (Some(fault), _) => Err(fault),
        (None, Ok(done)) => done.map_err(|error| error.to_string()),
        (None, Err(panic)) => Err(format!(
            "it is not understood by the tokenizers library ({})",
            message(panic.as_ref())
        )),
    }
}

/// Makes the fenced work that goes on fail with `fault`.
pub(super) fn report(fault: &str) {
    FAULT.with_borrow_mut(|slot| {
        slot.get_or_insert_with(|| fault.to_owned());
    });
}

/// Puts a hook before the one that prints panics, once.
fn keep_quiet() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_FENCED.get() {
                print(panic);
            }
        }));
    });
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it panics")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_errors_and_reports_all_become_errors() {
        assert_eq!(fenced(|| Ok(3)), Ok(3));
        assert_eq!(fenced(|| Err::<(), _>("no".into())), Err("no".to_owned()));
        let fault = fenced::<()>(|| panic!("over {}", 1)).expect_err("it panics");
        assert!(fault.ends_with("(over 1)"), "{fault}");
        let reported = fenced(|| {
            report("too long");
            report("later");
            Ok(())
        });
        assert_eq!(reported, Err("too long".to_owned()));
        assert_eq!(fenced(|| Ok(())), Ok(()), "a report is of one call");
    }
}
