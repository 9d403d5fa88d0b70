//! The table of curves: every curve's id, its names, its constants in the packed block, and examples.
//!
//! Rust, WGSL, the HTML page's JavaScript, the GPU's start-up probe and the tests take their lists of curves from here.

use super::Curve;
use crate::double_double::DoubleDouble;

/// One row: a curve, or one of its two directions.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The id in the packed block.
    pub id: u32,
    /// The name of the id in code, such as `COSINE_POWER`; in WGSL with `LRGRID_` in front of it.
    pub constant: &'static str,
    /// The name in messages and tables.
    pub name: &'static str,
    /// Curves of this row whose constants reach every function that evaluates it.
    pub examples: fn() -> Vec<Curve>,
    /// The curve of some constants.
    pub(crate) unpack: fn(DoubleDouble, f64) -> Curve,
}

/// Makes [`TABLE`], [`id`](mod@id) and what [`Curve`] has of them from the rows.
macro_rules! curves {
    ($(
        $id:literal $constant:ident $name:literal:
            $pattern:pat => ($a:expr, $b:expr), |$first:tt, $second:tt| $unpack:expr, [$($example:expr),+];
    )*) => {
        /// The ids of curves in the packed block.
        pub mod id {
            $(#[doc = concat!("The id of the curve \"", $name, "\".")] pub const $constant: u32 = $id;)*
        }

        /// The table of curves, in the order of their ids.
        pub const TABLE: &[Row] = &[$(Row {
            id: $id,
            constant: stringify!($constant),
            name: $name,
            examples: || vec![$($example),+],
            unpack: |$first: DoubleDouble, $second: f64| $unpack,
        }),*];

        /// The ids as constants of WGSL, as a literal.
        macro_rules! wgsl_curve_ids {
            () => { concat!($("const LRGRID_", stringify!($constant), ": u32 = ", $id, "u;\n"),*) };
        }

        impl Curve {
            /// The id in the packed block.
            #[must_use]
            pub const fn id(&self) -> u32 {
                #[expect(unused_variables, reason = "patterns bind the constants, which an id has no use for")]
                match *self { $($pattern => $id),* }
            }

            /// The constants in the packed block.
            pub(crate) fn constants(&self) -> (DoubleDouble, f64) {
                match *self { $($pattern => ($a, $b)),* }
            }
        }
    };
}

/// Of a curve without constants.
const NONE: (DoubleDouble, f64) = (DoubleDouble::ZERO, 0.0);

curves! {
    0 HOLD "hold": Curve::Hold => (NONE.0, NONE.1), |_, _| Curve::Hold, [Curve::Hold];
    1 LINEAR "linear": Curve::Linear => (NONE.0, NONE.1), |_, _| Curve::Linear, [Curve::Linear];
    2 POWER "power": Curve::Power { exponent, warp } => (exponent.into(), warp),
        |a, b| Curve::Power { exponent: a.high(), warp: b },
        [Curve::Power { exponent: 1.7, warp: 1.0 }, Curve::Power { exponent: 0.9, warp: 2.5 }];
    3 COSINE "cosine": Curve::Cosine => (NONE.0, NONE.1), |_, _| Curve::Cosine, [Curve::Cosine];
    4 COSINE_POWER "cosine power": Curve::CosinePower { exponent, warp } => (exponent.into(), warp),
        |a, b| Curve::CosinePower { exponent: a.high(), warp: b },
        [Curve::CosinePower { exponent: 0.6, warp: 1.5 }];
    5 COSINE_EXPONENTIAL "cosine exponential": Curve::CosineExponential { octaves } => (octaves.high().into(), octaves.low()),
        |a, b| Curve::CosineExponential { octaves: a + b }, [Curve::CosineExponential { octaves: 3.3.into() }];
    6 EXPONENTIAL "exponential": Curve::Exponential => (NONE.0, NONE.1), |_, _| Curve::Exponential,
        [Curve::Exponential];
    7 LOGISTIC "logistic": Curve::Logistic { offset } => (offset.high().into(), offset.low()),
        |a, b| Curve::Logistic { offset: a + b },
        [Curve::Logistic { offset: (-0.4).into() }];
    8 RATIONAL_FALLING "rational (falling)": Curve::Rational { rising: false } => (NONE.0, NONE.1),
        |_, _| Curve::Rational { rising: false }, [Curve::Rational { rising: false }];
    9 RATIONAL_RISING "rational (rising)": Curve::Rational { rising: true } => (NONE.0, NONE.1),
        |_, _| Curve::Rational { rising: true }, [Curve::Rational { rising: true }];
    10 EXPONENTIAL_MINUS_ONE "exponential minus one": Curve::ExponentialMinusOne => (NONE.0, NONE.1),
        |_, _| Curve::ExponentialMinusOne, [Curve::ExponentialMinusOne];
}

impl Curve {
    /// The row of this curve.
    #[must_use]
    pub const fn row(&self) -> &'static Row {
        &TABLE[self.id() as usize]
    }

    /// The name in messages and tables.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.row().name
    }

    /// The curve of an id and its constants; [`Curve::Hold`] for an id that none has.
    pub(crate) fn of_id(id: u32, a: DoubleDouble, b: f64) -> Self {
        TABLE.get(id as usize).map_or(Self::Hold, |row| (row.unpack)(a, b))
    }
}

/// The ids as an object of JavaScript, to be assigned to a constant.
#[must_use]
pub fn javascript_object() -> String {
    let fields: Vec<String> = TABLE.iter().map(|row| format!("{}: {}", row.constant, row.id)).collect();
    format!("{{ {} }}", fields.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_places_in_the_table_and_examples_keep_their_row() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.id as usize, index);
            for example in (row.examples)() {
                let (a, b) = example.constants();
                assert_eq!((example.id(), example.name(), Curve::of_id(row.id, a, b)), (row.id, row.name, example));
            }
        }
        assert_eq!(Curve::of_id(99, DoubleDouble::ONE, 1.0), Curve::Hold);
    }
}
