//! Dates with the time of day.

const PICOSECONDS: i128 = 1_000_000_000_000;

/// Digits after the point that count: picoseconds.
const DIGITS: usize = 12;

/// Picoseconds since the beginning of 1970, in UTC, of a text such as
/// `2023-11-16 18:17:03.9799600`; `T` may stand for the blank, and `Z`, `+01:00` or `-05:30` at the
/// end. `None` of everything else.
pub(super) fn parse(text: &str) -> Option<i128> {
    let (date, rest) = text.split_once([' ', 'T'])?;
    let (time, offset) = match rest.find(['Z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, "Z"),
    };
    let mut date = date.split('-');
    let year = number(date.next()?, 4, 9999)?;
    let month = number(date.next()?, 2, 12)?;
    let day = number(date.next()?, 2, 31)?;
    if date.next().is_some() || month == 0 || day == 0 || day > days_of(year, month) {
        return None;
    }
    let (clock, fraction) = match time.split_once('.') {
        Some((clock, fraction)) => (clock, picoseconds(fraction)?),
        None => (time, 0),
    };
    let mut clock = clock.split(':');
    let hours = number(clock.next()?, 2, 23)?;
    let minutes = number(clock.next()?, 2, 59)?;
    let seconds = number(clock.next()?, 2, 59)?;
    if clock.next().is_some() {
        return None;
    }
    let seconds = days_before(year, month, day) * 86_400 + hours * 3600 + minutes * 60 + seconds;
    Some(i128::from(seconds - seconds_east(offset)?) * PICOSECONDS + fraction)
}

/// A number of so many digits.
fn number(text: &str, digits: usize, most: i64) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| plain)?;
    (number <= most).then_some(number)
}

/// What the digits after the point say; those beyond the twelfth are dropped.
fn picoseconds(digits: &str) -> Option<i128> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = &digits[..digits.len().min(DIGITS)];
    let number: i128 = kept.parse().ok()?;
    (kept.len()..DIGITS).try_fold(number, |number, _| number.checked_mul(10))
}

/// How far a clock is ahead of UTC.
fn seconds_east(offset: &str) -> Option<i64> {
    let sign = match offset.as_bytes().first()? {
        b'Z' => return (offset.len() == 1).then_some(0),
        b'-' => -1,
        _ => 1,
    };
    let (hours, minutes) = offset[1..].split_once(':')?;
    Some(sign * (number(hours, 2, 23)? * 3600 + number(minutes, 2, 59)? * 60))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the beginning of 1970 to a day of the Gregorian calendar.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let past = year - 1;
    let leap_days = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    // 719 162 days lie between the beginnings of the years 1 and 1970.
    past * 365 + leap_days + months + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<f64> {
        parse(text).map(|time| time as f64 / 1e12)
    }

    /// Seconds of GNU date: `date -u -d … +%s`.
    #[test]
    fn dates_are_counted_as_the_system_counts_them() {
        for (text, expected) in [
            ("1970-01-01 00:00:00", 0.0),
            ("2023-11-16 18:17:03", 1_700_158_623.0),
            ("2024-02-29T12:00:00Z", 1_709_208_000.0),
            ("2024-05-10 00:00:00+01:00", 1_715_295_600.0),
            ("2000-03-01 00:00:00-05:30", 951_888_600.0),
            ("1969-12-31 23:59:59.5", -0.5),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        let [early, late] = ["2023-11-16 18:17:03.9799600", "2023-11-16 18:17:04.0319600"]
            .map(|text| parse(text).unwrap());
        assert_eq!(late - early, 52_000_000_000);
        assert_eq!(parse("1970-01-01 00:00:00.0000000000019"), Some(1));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2023-11-16",
            "2023-11-16 18:17",
            "2023-02-29 00:00:00",
            "2023-13-01 00:00:00",
            "2023-00-01 00:00:00",
            "2023-11-16 24:00:00",
            "2023-11-16 18:17:60",
            "2023-11-16 18:17:03.",
            "2023-11-16 18:17:03.x",
            "2023-11-16 18:17:03+1",
            "2023-11-16 18:17:03Zulu",
            "23-11-16 18:17:03",
            "2023-11-16-1 18:17:03",
            "+023-11-16 18:17:03",
            "1700158623",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
