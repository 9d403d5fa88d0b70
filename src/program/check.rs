//! The invariants of a program on which every backend relies; a batch checks them for each program it receives.

use super::{Clamp, FOREVER, MAX_SEGMENTS, MAX_TRACKS, MOST_COUNTS, Program, Repetition, Segment, Stage, Track};
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::error::ProgramError;

type Checked = Result<(), ProgramError>;

/// An error for a field unless a condition holds.
fn ensure(holds: bool, field: &str, message: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(ProgramError { path: field.to_owned(), message: message() }) }
}

/// Checks that a count of steps is in the range that is counted exactly.
fn count(field: &str, steps: u64, least: u64) -> Checked {
    ensure((least..=MOST_COUNTS).contains(&steps), field, || format!("{steps} is not from {least} to 2^62"))
}

fn finite(field: &str, number: DoubleDouble) -> Checked {
    ensure(number.is_finite(), field, || format!("{} is not a finite number", number.high()))
}

/// Checks that starts ascend from 0.
fn rising(field: &str, starts: impl Iterator<Item = u64>) -> Checked {
    let mut least = 0;
    for (index, start) in starts.enumerate() {
        let field = || format!("{field}[{index}].start");
        if index == 0 {
            ensure(start == 0, &field(), || format!("{start}: the first must start at 0"))?;
        }
        count(&field(), start, 0)?;
        ensure(start >= least, &field(), || format!("{start} does not rise above the one before it"))?;
        least = start + 1;
    }
    ensure(least > 0, field, || "an empty list: at least one is needed".to_owned())
}

fn bounds(field: &str, clamp: &Clamp) -> Checked {
    ensure(clamp.lower <= clamp.upper, field, || format!("no number lies from {} to {}", clamp.lower, clamp.upper))
}

impl Program {
    /// Checks the invariants on which every backend relies.
    ///
    /// # Errors
    /// With the path of the offending field: an empty list, starts that do not ascend from 0, a number that is not
    /// finite, a count beyond 2^62, a period or quantum of 0, too many segments or tracks.
    pub fn check(&self) -> Checked {
        count("quantum", self.quantum, 1)?;
        rising("stages", self.stages.iter().map(|stage| stage.start))?;
        let segments = self.segments().count();
        ensure(segments <= MAX_SEGMENTS, "stages", || {
            format!("{segments} segments are more than the limit of {MAX_SEGMENTS}")
        })?;
        let mut stages = self.stages.iter().enumerate();
        stages.try_for_each(|(index, stage)| stage.check().map_err(|error| error.within(&format!("stages[{index}]"))))
    }
}

impl Stage {
    fn check(&self) -> Checked {
        finite("offset", self.offset)?;
        finite("scale", self.scale)?;
        bounds("clamp", &self.clamp)?;
        let tracks = self.tracks.len();
        ensure((1..=MAX_TRACKS).contains(&tracks), "tracks", || format!("{tracks} are not from 1 to {MAX_TRACKS}"))?;
        let mut tracks = self.tracks.iter().enumerate();
        tracks.try_for_each(|(index, track)| track.check().map_err(|error| error.within(&format!("tracks[{index}]"))))
    }
}

impl Track {
    fn check(&self) -> Checked {
        count("advance", self.advance, 0)?;
        if let Repetition::Restart { period } | Repetition::Reflect { period } = self.repetition {
            count("period", period, 1)?;
        }
        bounds("clamp", &self.clamp)?;
        rising("segments", self.segments.iter().map(|segment| segment.start))?;
        let mut segments = self.segments.iter().enumerate();
        segments.try_for_each(|(index, segment)| {
            segment.check().map_err(|error| error.within(&format!("segments[{index}]")))
        })
    }
}

impl Segment {
    fn check(&self) -> Checked {
        if self.length != FOREVER {
            count("length", self.length, 0)?;
        }
        count("origin", self.origin, 0)?;
        if let Some(quantum) = self.quantum {
            count("quantum", quantum, 1)?;
            ensure(self.lead == 0, "lead", || format!("{} between steps, where there are stairs", self.lead))?;
            let long =
                self.length != FOREVER && self.length.checked_mul(quantum).is_none_or(|steps| steps > MOST_COUNTS);
            ensure(!long, "length", || format!("{} stairs of {quantum} steps are beyond 2^62 steps", self.length))?;
        }
        finite("rate", self.rate)?;
        finite("base", self.base)?;
        finite("amplitude", self.amplitude)?;
        self.check_curve()
    }

    /// Checks the curve's constants, and that its phase stays in the curve's domain.
    fn check_curve(&self) -> Checked {
        match self.curve {
            Curve::Power { exponent, warp } | Curve::CosinePower { exponent, warp } => {
                finite("curve.exponent", exponent.into())?;
                let bent = warp > 0.0 && warp.is_finite();
                ensure(bent, "curve.warp", || format!("{warp} must be greater than 0 and finite"))?;
            }
            Curve::CosineExponential { octaves } => finite("curve.octaves", octaves)?,
            Curve::Logistic { offset } => finite("curve.offset", offset)?,
            _ => {}
        }
        let signed = matches!(
            self.curve,
            Curve::Hold | Curve::Linear | Curve::Exponential | Curve::ExponentialMinusOne | Curve::Logistic { .. }
        );
        ensure(signed || self.rate >= DoubleDouble::ZERO, "rate", || {
            format!("{} is below 0, where the curve is not defined", self.rate.high())
        })?;
        let reaches_zero = match self.reversed {
            true => self.length >= self.origin && self.lead == 0,
            false => self.origin == 0 && self.lead == 0,
        };
        let poles =
            matches!(self.curve, Curve::Power { exponent, .. } | Curve::CosinePower { exponent, .. } if exponent < 0.0);
        ensure(!(poles && reaches_zero), "curve.exponent", || "it is below 0, and the phase reaches 0".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Program {
        Program::of(vec![Segment::rising(0, 10, 0.0, 1.0, Curve::Linear), Segment::hold(10, 1.0)])
    }

    /// The path of the error after a change.
    fn path(change: impl FnOnce(&mut Program)) -> String {
        let mut program = plain();
        assert_eq!(program.check(), Ok(()));
        change(&mut program);
        program.check().unwrap_err().path
    }

    #[test]
    fn each_fault_is_named() {
        assert_eq!(path(|program| program.quantum = 0), "quantum");
        assert_eq!(path(|program| program.stages.clear()), "stages");
        assert_eq!(path(|program| program.stages[0].start = 3), "stages[0].start");
        assert_eq!(path(|program| program.stages[0].tracks.clear()), "stages[0].tracks");
        assert_eq!(path(|program| program.stages[0].scale = f64::INFINITY.into()), "stages[0].scale");
        assert_eq!(path(|program| program.stages[0].clamp.lower = f64::NAN), "stages[0].clamp");
        fn track(program: &mut Program) -> &mut Track {
            &mut program.stages[0].tracks[0]
        }
        let name = |of: &str| format!("stages[0].tracks[0].{of}");
        assert_eq!(path(|program| track(program).segments.clear()), name("segments"));
        assert_eq!(path(|program| track(program).segments.swap(0, 1)), name("segments[0].start"));
        assert_eq!(path(|program| track(program).segments[1].start = 0), name("segments[1].start"));
        assert_eq!(path(|program| track(program).advance = u64::MAX), name("advance"));
        assert_eq!(path(|program| track(program).repetition = Repetition::Restart { period: 0 }), name("period"));
        assert_eq!(path(|program| track(program).segments[0].quantum = Some(0)), name("segments[0].quantum"));
        assert_eq!(path(|program| track(program).segments[0].origin = 1 << 63), name("segments[0].origin"));
        assert_eq!(path(|program| track(program).segments[0].base = f64::NAN.into()), name("segments[0].base"));
        let pole = Curve::Power { exponent: -0.5, warp: 1.0 };
        assert_eq!(path(|program| track(program).segments[0].curve = pole), name("segments[0].curve.exponent"));
        let warp = Curve::CosinePower { exponent: 1.0, warp: 0.0 };
        assert_eq!(path(|program| track(program).segments[0].curve = warp), name("segments[0].curve.warp"));
        let many = vec![Stage { start: 0, ..plain().stages.swap_remove(0) }; 2];
        assert_eq!(path(|program| program.stages = many), "stages[1].start");
    }
}
