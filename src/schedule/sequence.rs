//! Schedules one after another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::until::earlier;
use super::{Family, Schedule, Time, check, later, lower_within};
use crate::double_double::Extended;
use crate::error::{LowerError, SpecError};
use crate::program::{MAX_SEGMENTS, Program};

/// Schedules in sequence, each counting from its own start.
///
/// **Formula.** `pieces[i]` at `s − boundaries[i − 1]`, with i the number of boundaries ≤ s.
///
/// **Parameters.** `pieces`: at least one schedule. `boundaries`: the steps at which the second and
/// further pieces begin, in strictly ascending order, one less than pieces; may be omitted if every piece
/// but the last has a length.
///
/// **Behaviour.** A piece that ends before its successor begins holds its last value; a longer one is cut off.
///
/// **Source.** Twins: torch `SequentialLR`, optax `join_schedules`.
///
/// ```
/// use lrgrid::schedule::{Constant, Linear, Schedule, Sequence};
///
/// let schedule = Schedule::from(Sequence {
///     pieces: vec![Linear { start: 0.0, end: 1.0, steps: 4 }.into(), Constant { value: 0.5 }.into()],
///     boundaries: None,
/// });
/// assert_eq!([0, 3, 4, 5].map(|s| schedule.value(s)), [0.0, 0.75, 0.5, 0.5]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// The schedules in order.
    pub pieces: Vec<Schedule>,
    /// The step at which each further piece begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundaries: Option<Vec<u64>>,
}

impl Sequence {
    /// The start of each piece; pieces without a known start are omitted (validation rejects them).
    fn starts(&self) -> Vec<u64> {
        match &self.boundaries {
            Some(boundaries) => std::iter::once(0).chain(boundaries.iter().copied()).collect(),
            None => {
                let lengths = self.pieces.iter().map_while(Schedule::length);
                let sums = lengths.scan(0_u64, |end, length| {
                    *end = later(*end, length);
                    Some(*end)
                });
                std::iter::once(0).chain(sums).take(self.pieces.len()).collect()
            }
        }
    }
}

impl Family for Sequence {
    fn validate(&self) -> Result<(), SpecError> {
        if self.pieces.is_empty() {
            return Err(SpecError::new("pieces", "an empty list: at least one schedule is needed"));
        }
        if self.pieces.len() > MAX_SEGMENTS {
            let pieces = self.pieces.len();
            return Err(SpecError::new("pieces", format!("{pieces} pieces are more than the limit of {MAX_SEGMENTS}")));
        }
        for (index, piece) in self.pieces.iter().enumerate() {
            piece.validate().map_err(|error| error.within(&format!("pieces[{index}]")))?;
        }
        let needed = self.pieces.len() - 1;
        if let Some(boundaries) = &self.boundaries {
            if boundaries.len() != needed {
                let (found, pieces) = (boundaries.len(), self.pieces.len());
                let message =
                    format!("{found} boundaries for {pieces} pieces: there must be {needed}, one less than pieces");
                return Err(SpecError::new("boundaries", message));
            }
            if boundaries.first() == Some(&0) {
                return Err(SpecError::new(
                    "boundaries[0]",
                    "0 leaves nothing of the first piece: the first must be at least 1",
                ));
            }
            return check::rising("boundaries", boundaries);
        }
        for (index, piece) in self.pieces[..needed].iter().enumerate() {
            if piece.length().is_none() {
                let message = format!("a `{}` has no length of its own: give the sequence `boundaries`", piece.kind());
                return Err(SpecError::new(format!("pieces[{index}]"), message));
            }
        }
        match self.starts().last() {
            Some(&start) => check::length_or_zero("pieces", start),
            None => Ok(()),
        }
    }

    fn value(&self, time: Time) -> Extended {
        let starts = self.starts();
        let index = starts.iter().take_while(|&&start| time.reached(start)).count().max(1) - 1;
        self.pieces[index].extended(time.since(starts[index]))
    }

    fn length(&self) -> Option<u64> {
        let start = self.starts().last().copied().unwrap_or(0);
        self.pieces.last().and_then(Schedule::length).map(|length| later(start, length))
    }

    fn parts(&self) -> Vec<&Schedule> {
        self.pieces.iter().collect()
    }

    fn last_step(&self) -> Option<u64> {
        let starts = self.starts();
        let last_of = |(index, &start): (usize, &u64)| {
            let last = later(start, self.pieces[index].last_step()?);
            // A piece that is cut off before its own end has a value at each of its steps.
            starts.get(index + 1).is_none_or(|&next| last < next).then_some(last.max(start))
        };
        starts.iter().enumerate().map(last_of).fold(None, earlier)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let pieces = self.starts().into_iter().zip(&self.pieces);
        let lower = |(index, (start, piece))| Ok((start, lower_within(piece, &format!("pieces[{index}]"))?));
        let pieces = pieces.enumerate().map(lower).collect::<Result<Vec<_>, LowerError>>()?;
        Program::sequence(pieces)
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        let pieces = self.pieces.iter().map(|piece| piece.scaled(factor)).collect::<Option<_>>()?;
        Some(Self { pieces, boundaries: self.boundaries.clone() })
    }

    fn examples() -> Vec<Self> {
        use super::{Constant, Cosine, CosineRestarts, Cyclic, CyclicMode, Linear, Step};
        let cyclic = Cyclic {
            base: 1e-4,
            max: 1e-3,
            step_size_up: 30,
            step_size_down: None,
            mode: CyclicMode::Triangular2,
            gamma: 1.0,
        };
        let restarts = CosineRestarts { max: 1e-3, min: 1e-5, period: 100, multiplier: 1.0, decay: 1.0 };
        vec![
            Self {
                pieces: vec![
                    Linear { start: 0.0, end: 1e-3, steps: 100 }.into(),
                    Constant { value: 1e-3 }.into(),
                    Cosine { start: 1e-3, end: 0.0, steps: 500 }.into(),
                ],
                boundaries: Some(vec![100, 700]),
            },
            Self {
                pieces: vec![cyclic.into(), restarts.into(), Linear { start: 1e-5, end: 0.0, steps: 77 }.into()],
                boundaries: Some(vec![333, 1 << 41]),
            },
            Self {
                pieces: vec![
                    Cosine { start: 1e-3, end: 1e-4, steps: 50 }.into(),
                    Self { pieces: vec![Step { start: 1e-4, decay_rate: 0.5, step_size: 7 }.into()], boundaries: None }
                        .into(),
                ],
                boundaries: None,
            },
        ]
    }
}
