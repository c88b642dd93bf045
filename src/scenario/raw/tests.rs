//! Reading and writing of trees, held against each other.

use super::parser::MAX_LENGTH;
use super::*;
use proptest::prelude::*;

#[test]
fn one_form_stands_for_all_ways_to_write_a_value() {
    for (text, form) in [
        ("\u{feff}#![enable(implicit_some)] 1 // one", "1"),
        ("/* a /* nested */ one */ ( a : 1 , )", "(a:1)"),
        ("[1, 2,]", "[1,2]"),
        ("{1: 2, \"k\": (3, 4)}", "{1:2,\"k\":(3,4)}"),
        ("V(Some(W))", "V(Some(W))"),
        (r##"r#"a "quoted" \ text"#"##, r#""a \"quoted\" \\ text""#),
        (r#""\x41\u{e9}\n""#, "\"Aé\\n\""),
    ] {
        assert_eq!(compact(&parse(text, 0).unwrap()), form, "{text}");
    }
}

#[test]
fn places_hold_what_was_written() {
    let text = "S(a: [1, V(b: \"x\")])";
    let tree = parse(text, 0).unwrap();
    for (path, written) in [
        ("a", "[1, V(b: \"x\")]"),
        ("a[1]", "V(b: \"x\")"),
        ("a[1].b", "\"x\""),
    ] {
        let place = tree.at(&path.parse().unwrap()).place;
        assert_eq!(&text[place.start as usize..place.end as usize], written);
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(&nested(MAX_DEPTH), 0).is_ok());
    let error = parse(&nested(MAX_DEPTH + 1), 0).unwrap_err();
    assert_eq!(error.place.start as usize, MAX_DEPTH);
    assert!(parse(&"[".repeat(500_000), 0).is_err());
    assert!(parse(&" ".repeat(MAX_LENGTH + 1), 0).is_err());
}

const NOWHERE: Place = Place {
    source: 0,
    start: 0,
    end: 0,
};

pub(super) fn tree() -> impl Strategy<Value = Node> {
    let node = |value| Node {
        place: NOWHERE,
        value,
    };
    let name = || {
        "[A-Z][a-z_0-9]{0,5}".prop_map(|text| Name {
            text,
            place: NOWHERE,
        })
    };
    let leaf = prop_oneof![
        "[A-Z][a-z]{0,6}".prop_map(Value::Word),
        any::<i64>().prop_map(|number| Value::Number(number.to_string())),
        any::<f32>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| Value::Number(format!("{number:?}"))),
        any::<String>().prop_map(Value::Text),
    ];
    leaf.prop_map(node).prop_recursive(4, 64, 6, move |inner| {
        let items = prop::collection::vec(inner.clone(), 0..5);
        let fields = prop::collection::btree_map("[a-z_]{1,6}", inner, 1..5);
        prop_oneof![
            items.clone().prop_map(Value::List),
            (prop::option::of(name()), items).prop_map(|(name, items)| Value::Tuple(name, items)),
            (prop::option::of(name()), fields).prop_map(move |(name, fields)| {
                let field = |(text, value)| Field {
                    name: Name {
                        text,
                        place: NOWHERE,
                    },
                    value,
                };
                Value::Record(name, fields.into_iter().map(field).collect())
            }),
        ]
        .prop_map(node)
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(tree in tree()) {
        let form = compact(&tree);
        prop_assert_eq!(compact(&parse(&form, 0).unwrap()), form.as_str());
        prop_assert_eq!(compact(&parse(&pretty(&tree), 0).unwrap()), form);
    }
}
