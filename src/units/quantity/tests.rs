//! Quantities read, written and taken for slips of the pen.

use super::*;
use proptest::prelude::*;

#[test]
fn reads_prefixes_aliases_and_dbm() {
    assert_eq!("10 MHz".parse::<Hertz>().unwrap(), Hertz(10e6));
    assert_eq!("10MHz".parse::<Hertz>().unwrap(), Hertz(10e6));
    assert_eq!("1e3 Hz".parse::<Hertz>().unwrap(), Hertz(1000.0));
    assert_eq!("8 GiB".parse::<Bytes>().unwrap(), Bytes(8_589_934_592.0));
    assert_eq!("30 dBm".parse::<Watts>().unwrap(), Watts(1.0));
    assert_eq!("-3 dB".parse::<Decibels>().unwrap(), Decibels(-3.0));
    assert_eq!("5 m".parse::<Meters>().unwrap(), Meters(5.0));
    assert_eq!("5 ms".parse::<Seconds>().unwrap(), Seconds(0.005));
    assert_eq!("10 µs".parse::<Seconds>().unwrap(), Seconds(1e-5));
    assert_eq!("2 /s".parse::<PerSecond>().unwrap(), PerSecond(2.0));
    assert_eq!("2/s".parse::<PerSecond>().unwrap(), PerSecond(2.0));
    assert_eq!("0.5 1/s".parse::<PerSecond>().unwrap(), PerSecond(0.5));
    assert_eq!("90 /min".parse::<PerSecond>().unwrap(), PerSecond(1.5));
}

#[test]
fn an_error_says_what_is_wrong_and_what_to_write() {
    let message = "10 MHzz".parse::<Hertz>().unwrap_err().to_string();
    assert_eq!(
        message,
        "`10 MHzz` is not a frequency: unknown unit `MHzz`; write for example \"10 MHz\""
    );
    for (text, fault) in [
        ("10", "the unit is missing"),
        ("-1 MHz", "it must not be negative"),
        ("NaN MHz", "it does not start with a number"),
        ("1e400 Hz", "it is not finite"),
        ("", "it does not start with a number"),
        ("ten MHz", "it does not start with a number"),
    ] {
        let message = text.parse::<Hertz>().unwrap_err().to_string();
        assert!(message.contains(fault), "{text}: {message}");
    }
}

#[test]
fn characters_that_look_alike_are_read_as_those_that_are_meant() {
    let micro = Seconds(2e-5);
    for text in [
        "20 µs",
        "20 μs",
        "20\u{2009}μs",
        "20\u{a0}µs",
        "20\u{202f}us",
        "20us",
    ] {
        assert_eq!(text.parse::<Seconds>().unwrap(), micro, "{text}");
    }
    let noise: WattsPerHertz = "-174 dBm/Hz".parse().unwrap();
    for minus in ['\u{2212}', '\u{2011}', '\u{2013}'] {
        let text = format!("{minus}174 dBm/Hz");
        assert_eq!(text.parse::<WattsPerHertz>().unwrap(), noise, "{text}");
    }
    assert_eq!("2e−3 s".parse::<Seconds>().unwrap(), Seconds(2e-3));
}

#[test]
fn prefixes_that_make_no_sense_are_odd() {
    let message = |text: &str| oddity(text).map(|oddity| oddity.message);
    assert_eq!(
        message("40 mHz").unwrap(),
        "`40 mHz` is 4e-2 Hz, hardly the frequency that is meant; did you mean `40 MHz`?"
    );
    for (text, meant) in [
        ("23 MW", "23 mW"),
        ("5 Ms", "5 ms"),
        ("8 mB", "8 MB"),
        ("2 PJ/FLOP", "2 pJ/FLOP"),
        ("3 μHz", "3 Hz"),
    ] {
        assert!(
            message(text).unwrap().contains(&format!("`{meant}`")),
            "{text}"
        );
    }
    for text in [
        "40 MHz", "23 mW", "5 ms", "0 mHz", "-3 dB", "3 m/s", "90 min", "m", "",
    ] {
        assert_eq!(message(text), None, "{text}");
    }
}

#[test]
fn a_long_text_is_refused_at_once() {
    let text = format!("1{}", ".1".repeat(500_000));
    let message = text.parse::<Hertz>().unwrap_err().to_string();
    assert!(message.len() < 400, "{message}");
}

const PREFIXES: [&str; 9] = ["p", "n", "µ", "m", "", "k", "M", "G", "T"];

#[test]
fn what_was_written_shortly_is_written_back_shortly() {
    fn same<T: FromStr<Err = ParseQuantityError> + fmt::Display>(text: &str) {
        let quantity: T = text.parse().unwrap();
        assert_eq!(quantity.to_string(), text);
    }
    for text in ["17.2 µJ", "1.72 nJ", "12 J", "0 J", "999.9 mJ", "3.3 kJ"] {
        same::<Joules>(text);
    }
    for text in ["23 dBm", "-7.5 dBm", "200 mW", "1 W", "2.5 kW"] {
        same::<Watts>(text);
    }
    same::<WattsPerHertz>("-174 dBm/Hz");
    same::<Radians>("5 deg");
    same::<MetersPerSecond>("100 km/h");
    same::<Hertz>("2.412 GHz");
    same::<PerSecond>("2.5 /s");
    same::<PerSecond>("100 /h");
    same::<Decibels>("-3.01 dB");
}

proptest! {
    #[test]
    fn a_few_digits_stay_a_few(number in 1u32..100_000, prefix in 0usize..PREFIXES.len()) {
        let text = format!("{number} {}J", PREFIXES[prefix]);
        let written = text.parse::<Joules>().unwrap().to_string();
        let digits = written.chars().filter(char::is_ascii_digit).count();
        prop_assert!(digits <= 6, "{} became {}", text, written);
    }

    #[test]
    fn any_power_is_written_exactly(level in -200.0f64..60.0) {
        let power = Watts(libm::pow(10.0, level / 10.0));
        prop_assert_eq!(power.to_string().parse::<Watts>().unwrap(), power);
    }

    #[test]
    fn text_and_value_round_trip(value in prop::num::f64::POSITIVE) {
        let written = Hertz(value).to_string();
        prop_assert_eq!(written.parse::<Hertz>().unwrap(), Hertz(value), "{}", written);
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = text.parse::<Hertz>();
    }
}
