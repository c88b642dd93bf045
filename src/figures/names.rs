//! Names of several nodes in few words.

/// `nodes` in few words: `phone4–63`, `12 of phone4–63`, `edge, cloud`, `edge and 7 others`.
pub fn in_few_words(nodes: &[String]) -> String {
    let numbered: Option<Vec<(&str, u64)>> = nodes.iter().map(|name| numbered(name)).collect();
    if let Some(mut numbered) = numbered.filter(|it| it.len() > 1) {
        numbered.sort_unstable_by_key(|(_, number)| *number);
        let (first, last) = (numbered[0], numbered[numbered.len() - 1]);
        if numbered.iter().all(|(stem, _)| *stem == first.0) {
            return of_one_stem(first.0, first.1, last.1, &numbered);
        }
    }
    match nodes {
        [] => String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one}, {other}"),
        [first, others @ ..] => format!("{first} and {} others", others.len()),
    }
}

fn of_one_stem(stem: &str, first: u64, last: u64, numbered: &[(&str, u64)]) -> String {
    let runs: Vec<String> = numbered
        .chunk_by(|(_, a), (_, b)| a.checked_add(1) == Some(*b))
        .map(|run| match run {
            [(_, one)] => one.to_string(),
            [(_, one), (_, next)] => format!("{one}, {next}"),
            run => format!("{}–{}", run[0].1, run[run.len() - 1].1),
        })
        .collect();
    if runs.len() <= 3 {
        return format!("{stem}{}", runs.join(", "));
    }
    format!("{} of {stem}{first}–{last}", numbered.len())
}

/// A name that ends with a number, as its stem and the number.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[stem.len()..];
    // With a leading zero it would come back as another name.
    let plain = digits == "0" || !digits.starts_with('0');
    plain.then_some((stem, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_numbers_are_told_by_their_ends() {
        let words = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            in_few_words(&names)
        };
        assert_eq!(words(&["phone4"]), "phone4");
        assert_eq!(words(&["phone5", "phone4"]), "phone4, 5");
        assert_eq!(words(&["phone4", "phone5", "phone6"]), "phone4–6");
        assert_eq!(
            words(&["phone1", "phone4", "phone5", "phone6"]),
            "phone1, 4–6"
        );
        assert_eq!(words(&["a1", "a3", "a5"]), "a1, 3, 5");
        assert_eq!(words(&["a1", "a3", "a5", "a9"]), "4 of a1–9");
        assert_eq!(words(&["edge", "cloud"]), "edge, cloud");
        assert_eq!(words(&["edge", "cloud", "hub"]), "edge and 2 others");
        assert_eq!(words(&["a1", "b2", "b3"]), "a1 and 2 others");
        assert_eq!(words(&["a01", "a2"]), "a01, a2");
        assert_eq!(words(&[]), "");
    }
}
