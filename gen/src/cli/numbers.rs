//! Numbers as people read them.

/// With a comma between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Cycles per second, with three digits and a unit.
pub fn frequency(cycles: u64, seconds: f64) -> String {
    let hertz = cycles as f64 / seconds.max(1e-9);
    match hertz {
        _ if hertz >= 1e6 => format!("{:.2} MHz", hertz / 1e6),
        _ if hertz >= 1e3 => format!("{:.1} kHz", hertz / 1e3),
        _ => format!("{hertz:.0} Hz"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_from_the_right() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn frequencies_have_a_fitting_unit() {
        assert_eq!(frequency(1_500_000, 1.0), "1.50 MHz");
        assert_eq!(frequency(1_500, 1.0), "1.5 kHz");
        assert_eq!(frequency(15, 1.0), "15 Hz");
    }
}
