//! Defaults that arguments of several libraries share.

pub(super) fn one() -> f64 {
    1.0
}

pub(super) fn half() -> f64 {
    0.5
}

pub(super) fn tenth() -> f64 {
    0.1
}

pub(super) fn two() -> f64 {
    2.0
}

pub(super) fn minus_one() -> f64 {
    -1.0
}

pub(super) fn twenty_five() -> f64 {
    25.0
}

pub(super) fn ten_thousand() -> f64 {
    1e4
}

pub(super) fn ten_thousandth() -> f64 {
    1e-4
}

pub(super) fn yes() -> bool {
    true
}
