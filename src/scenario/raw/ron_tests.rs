//! ron's own parser as the second route: what it reads of a text is what the tree holds,
//! but for what a tree is there to keep.

use super::tests::tree;
use super::*;
use proptest::prelude::*;
use std::path::Path as FilePath;

/// Numbers of any width as doubles, so that only values count.
fn widened(value: ron::Value) -> ron::Value {
    use ron::Value;
    match value {
        Value::Number(number) => Value::from(number.into_f64()),
        Value::Seq(items) => Value::Seq(items.into_iter().map(widened).collect()),
        Value::Option(inner) => Value::Option(inner.map(|inner| Box::new(widened(*inner)))),
        Value::Map(map) => map
            .into_iter()
            .map(|(key, value)| (widened(key), widened(value)))
            .collect(),
        other => other,
    }
}

/// The node as ron's own `Value` has it, which forgets places and the names of variants.
fn forgetful(node: &Node) -> ron::Value {
    let all = |items: &[Node]| ron::Value::Seq(items.iter().map(forgetful).collect());
    match &node.value {
        Value::Word(word) => match word.as_str() {
            "true" => ron::Value::Bool(true),
            "false" => ron::Value::Bool(false),
            "None" => ron::Value::Option(None),
            _ => ron::Value::Unit,
        },
        Value::Number(number) => ron::Value::from(super::number::float(number)),
        Value::Text(text) => ron::Value::String(text.clone()),
        Value::List(items) => all(items),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| (forgetful(key), forgetful(value)))
            .collect(),
        Value::Record(_, fields) => fields
            .iter()
            .map(|field| {
                (
                    ron::Value::String(field.name.text.clone()),
                    forgetful(&field.value),
                )
            })
            .collect(),
        Value::Tuple(None, items) if items.is_empty() => ron::Value::Unit,
        Value::Tuple(Some(name), items) if name.text == "Some" && items.len() == 1 => {
            ron::Value::Option(Some(Box::new(forgetful(&items[0]))))
        }
        Value::Tuple(_, items) => all(items),
    }
}

fn by_ron(text: &str) -> ron::Value {
    widened(ron::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}")))
}

proptest! {
    #[test]
    fn what_is_parsed_here_ron_parses_alike(tree in tree()) {
        for text in [compact(&tree), line(&tree), pretty(&tree)] {
            let expected = forgetful(&parse(&text, 0).unwrap());
            prop_assert_eq!(by_ron(&text), expected, "{}", text);
        }
    }

    #[test]
    fn what_ron_writes_is_parsed_here_alike(tree in tree()) {
        let value = forgetful(&tree);
        let pretty = ron::ser::to_string_pretty(&value, ron::ser::PrettyConfig::default());
        for text in [ron::to_string(&value).unwrap(), pretty.unwrap()] {
            prop_assert_eq!(&forgetful(&parse(&text, 0).unwrap()), &value, "{}", text);
        }
    }
}

#[test]
fn scenarios_are_parsed_as_ron_parses_them() {
    let root = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut read = 0;
    for folder in [root.clone(), root.join("papers")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "ron") {
                let text = std::fs::read_to_string(&path).unwrap();
                let expected = forgetful(&parse(&text, 0).unwrap());
                assert_eq!(by_ron(&text), expected, "{path:?}");
                read += 1;
            }
        }
    }
    assert!(read > 5, "{read}");
}

#[test]
fn texts_that_are_not_ron_are_refused_by_both() {
    for text in [
        "",
        "(",
        "(a:",
        "(a: 1",
        "(a 1)",
        "[1 2]",
        "{1: 2",
        "{1 2}",
        "(a: 1,, b: 2)",
        "\"a",
        "/* a",
        "1 2",
        "V(1))",
        "0x",
        "1e",
        "--1",
        "\"\\q\"",
    ] {
        assert!(parse(text, 0).is_err(), "{text}");
        assert!(ron::from_str::<ron::Value>(text).is_err(), "{text}");
    }
}

/// Why scenarios are not read by ron alone: two equal keys are one to it, and names of
/// variants are gone before a type is known. A ron that tells them makes the tree needless.
#[test]
fn ron_alone_would_not_tell() {
    let twice = "{1: 2, 1: 3}";
    assert_eq!(by_ron(twice), by_ron("{1: 3}"));
    assert!(parse(twice, 0).is_err());
    assert_eq!(by_ron("AirComp(streams: 2)"), by_ron("Digital(streams: 2)"));
    let [one, other] = ["AirComp(streams: 2)", "Digital(streams: 2)"];
    assert_ne!(
        compact(&parse(one, 0).unwrap()),
        compact(&parse(other, 0).unwrap())
    );
}
