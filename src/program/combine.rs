//! Operations on programs: sequence, product, sum, scaling, clamping, repetition, slower clocks.

use super::clock::one_over;
use super::unroll::{product, sum};
use super::{Clamp, FOREVER, LEAST_HEIGHT, MAX_SEGMENTS, MAX_TRACKS, Program, Repetition, Segment, Stage, Track};
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::error::LowerError;

impl Clamp {
    /// The bounds of applying `self` first and `outer` second.
    fn then(self, outer: Self) -> Self {
        Self { lower: self.lower.clamp(outer.lower, outer.upper), upper: self.upper.clamp(outer.lower, outer.upper) }
    }

    /// Whether the bounds of `offset + scale · value` are exact doubles.
    fn is_exactly_affine(self, scale: DoubleDouble, offset: DoubleDouble) -> bool {
        [self.lower, self.upper].into_iter().all(|bound| bound.is_infinite() || (offset + scale * bound).low() == 0.0)
    }

    /// The bounds of `offset + scale · value`.
    fn affine(self, scale: DoubleDouble, offset: DoubleDouble) -> Self {
        if self.is_none() {
            return self;
        }
        let map = |bound: f64| {
            if bound.is_infinite() { bound * scale.high().signum() } else { (offset + scale * bound).high() }
        };
        let (a, b) = (map(self.lower), map(self.upper));
        Self { lower: a.min(b), upper: a.max(b) }
    }
}

/// `2^octaves`; NaN, which every batch rejects, if that is so small that it may have lost digits.
pub(crate) fn growth(octaves: DoubleDouble) -> DoubleDouble {
    let growth = octaves.exp2();
    if growth.high() >= LEAST_HEIGHT { growth } else { f64::NAN.into() }
}

/// `scale · height`; NaN, which every batch rejects, if the product is so small that it has lost digits.
pub(crate) fn scaled(scale: DoubleDouble, height: DoubleDouble) -> DoubleDouble {
    let product = scale * height;
    let zero = scale == DoubleDouble::ZERO || height == DoubleDouble::ZERO;
    if zero || product.high().abs() >= LEAST_HEIGHT { product } else { f64::NAN.into() }
}

impl Segment {
    /// `offset + scale ·` this segment.
    fn affine(self, scale: DoubleDouble, offset: DoubleDouble) -> Self {
        let (base, amplitude) = (scaled(scale, self.base), scaled(scale, self.amplitude));
        Self { base: offset + base, amplitude, ..self }
    }

    /// This segment stretched in time by `factor`, with the phase changing at every step.
    fn stretched(self, factor: u64) -> Result<Self, LowerError> {
        let start = product(self.start, factor)?;
        if factor == 1 || self.curve == Curve::Hold {
            return Ok(Self { start, ..self });
        }
        if let Some(quantum) = self.quantum {
            return Ok(Self { start, quantum: Some(product(quantum, factor)?), ..self });
        }
        let length = if self.length == FOREVER { FOREVER } else { product(self.length, factor)? };
        // The reciprocal of an integer remains the reciprocal of an integer, to the last bit.
        let rate = match one_over(self.rate) {
            Some(whole) => DoubleDouble::one_over(product(whole, factor)?),
            None => self.rate / DoubleDouble::from(factor),
        };
        // A multiple of 2^-64 remains a multiple of 2^-64.
        let between = u128::from(self.lead) * u128::from(factor);
        let origin = sum(product(self.origin, factor)?, (between >> 64) as u64)?;
        Ok(Self { start, length, origin, lead: between as u64, rate, ..self })
    }
}

impl Stage {
    /// Whether the stage's value is just the product of its tracks.
    fn is_plain_product(&self) -> bool {
        self.scale == DoubleDouble::ONE && self.offset == DoubleDouble::ZERO && self.clamp.is_none()
    }

    /// Folds scale, offset and bounds into the segments, if there is a single track that can represent them.
    fn normalize(&mut self) {
        if self.is_plain_product() {
            return;
        }
        let (scale, offset) = (self.scale, self.offset);
        if let [track] = self.tracks.as_mut_slice()
            && track.clamp.is_exactly_affine(scale, offset)
        {
            for segment in &mut track.segments {
                *segment = segment.affine(scale, offset);
            }
            track.clamp = track.clamp.affine(scale, offset).then(self.clamp);
            (self.scale, self.offset, self.clamp) = (DoubleDouble::ONE, DoubleDouble::ZERO, Clamp::NONE);
            self.summed = false;
        }
    }

    /// This stage after [`Stage::normalize`].
    pub(super) fn normalized(mut self) -> Self {
        self.normalize();
        self
    }

    /// The value of a constant stage.
    fn constant(&self) -> Option<DoubleDouble> {
        match self.tracks.as_slice() {
            [track] => Some(self.clamp.apply((self.offset + self.scale * track.constant()?).into()).rounded()),
            _ => None,
        }
    }

    /// The same stage beginning at a later step, with its tracks advanced accordingly.
    fn starting_at(&self, start: u64) -> Result<Self, LowerError> {
        let mut stage = self.clone();
        for track in &mut stage.tracks {
            track.advance = sum(track.advance, start - self.start)?;
        }
        stage.start = start;
        Ok(stage)
    }

    /// `offset + scale ·` this stage.
    fn affine(mut self, scale: DoubleDouble, offset: DoubleDouble) -> Self {
        self.offset = offset + scaled(scale, self.offset);
        self.scale = scaled(scale, self.scale);
        self.clamp = self.clamp.affine(scale, offset);
        self.normalized()
    }

    /// This stage's tracks as terms of a sum, each multiplied by the stage's scale.
    fn terms(&self) -> Result<impl Iterator<Item = Track>, LowerError> {
        if (self.tracks.len() > 1 && !self.summed) || !self.clamp.is_none() {
            return Err(LowerError::NotRepresentable {
                what: "a sum with a term that is itself a product, or a sum within bounds",
                remedy: "keep each term to one curve, and put the bounds around the whole sum",
            });
        }
        // A bound is a double: the rounding of a scaled one could be more than the sum's own.
        if !self.tracks.iter().all(|track| track.clamp.is_exactly_affine(self.scale, DoubleDouble::ZERO)) {
            return Err(LowerError::NotRepresentable {
                what: "a sum with a scaled term within bounds",
                remedy: "scale within the bounds, or put the bounds around the whole sum",
            });
        }
        Ok(self.tracks.iter().map(|track| {
            let segments = track.segments.iter().map(|segment| segment.affine(self.scale, DoubleDouble::ZERO));
            let clamp = track.clamp.affine(self.scale, DoubleDouble::ZERO);
            Track { segments: segments.collect(), clamp, ..track.clone() }
        }))
    }

    /// The sum of two stages that are in force at the same time.
    fn plus(&self, other: &Self) -> Result<Self, LowerError> {
        for (stage, added) in [(self, other.constant()), (other, self.constant())] {
            if let Some(added) = added {
                let start = self.start.max(other.start);
                return Ok(Self { start, ..stage.clone() }.affine(DoubleDouble::ONE, added));
            }
        }
        let tracks: Vec<Track> = self.terms()?.chain(other.terms()?).collect();
        if tracks.len() > MAX_TRACKS {
            return Err(LowerError::TooManyFactors { needed: tracks.len(), limit: MAX_TRACKS });
        }
        Ok(Self {
            start: self.start.max(other.start),
            offset: self.offset + other.offset,
            scale: DoubleDouble::ONE,
            tracks,
            summed: true,
            clamp: Clamp::NONE,
        })
    }

    fn times(&self, other: &Self) -> Result<Self, LowerError> {
        for (stage, factor) in [(self, other.constant()), (other, self.constant())] {
            if let Some(factor) = factor.filter(|_| stage.summed) {
                let start = self.start.max(other.start);
                return Ok(Self { start, ..stage.clone() }.affine(factor, DoubleDouble::ZERO));
            }
        }
        for stage in [self, other] {
            if stage.summed || stage.offset != DoubleDouble::ZERO || !stage.clamp.is_none() {
                return Err(LowerError::NotRepresentable {
                    what: "a product with a factor that is itself a sum, or an offset or clamped product",
                    remedy: "apply the offset or the clamp to the whole product, or keep that factor to one curve",
                });
            }
        }
        let mut scale = self.scale * other.scale;
        let mut tracks: Vec<Track> = Vec::new();
        for track in self.tracks.iter().chain(&other.tracks) {
            match track.constant() {
                Some(value) => scale = scaled(scale, value),
                None => tracks.push(track.clone()),
            }
        }
        if !scale.is_finite() || (scale == DoubleDouble::ZERO && self.scale != scale && other.scale != scale) {
            return Err(LowerError::NotRepresentable {
                what: "a product whose constant factors leave the range of f64 on the way",
                remedy: "multiply them beforehand",
            });
        }
        if tracks.is_empty() {
            tracks.push(Track::of(vec![Segment::hold(0, 1.0)]));
        }
        if tracks.len() > MAX_TRACKS {
            return Err(LowerError::TooManyFactors { needed: tracks.len(), limit: MAX_TRACKS });
        }
        let start = self.start.max(other.start);
        let stage = Self { start, offset: DoubleDouble::ZERO, scale, tracks, summed: false, clamp: Clamp::NONE };
        Ok(stage.normalized())
    }
}

impl Program {
    /// `offset + scale ·` this program.
    #[must_use]
    pub fn affine(mut self, scale: impl Into<DoubleDouble>, offset: impl Into<DoubleDouble>) -> Self {
        let (scale, offset) = (scale.into(), offset.into());
        self.stages = self.stages.into_iter().map(|stage| stage.affine(scale, offset)).collect();
        self
    }

    /// This program multiplied by `factor`; `None` unless that changes bases and amplitudes only: for products of
    /// tracks, for bounded programs, and if a base or amplitude would leave the range of normal `f64`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Option<Self> {
        let in_segments = |stage: &Stage| matches!(stage.tracks.as_slice(), [track] if track.clamp.is_none());
        if factor == 0.0 || !self.stages.iter().all(in_segments) {
            return None;
        }
        let scaled = self.clone().affine(factor, 0.0);
        let kept = |from: DoubleDouble, to: DoubleDouble| from == DoubleDouble::ZERO || to.high().is_normal();
        let all_kept =
            self.segments().zip(scaled.segments()).all(|(a, b)| kept(a.base, b.base) && kept(a.amplitude, b.amplitude));
        all_kept.then_some(scaled)
    }

    /// This program clamped to bounds.
    #[must_use]
    pub fn clamp(mut self, clamp: Clamp) -> Self {
        for stage in &mut self.stages {
            stage.clamp = stage.clamp.then(clamp);
            stage.normalize();
        }
        self
    }

    /// The product of two programs.
    ///
    /// # Errors
    /// When a factor is not a plain product itself, or there are more than [`MAX_TRACKS`] factors.
    pub(crate) fn multiply(&self, other: &Self) -> Result<Self, LowerError> {
        self.joined(other, Stage::times)
    }

    /// The sum of two programs.
    ///
    /// # Errors
    /// When a term is a product of several curves, or there are more than [`MAX_TRACKS`] terms.
    pub(crate) fn add(&self, other: &Self) -> Result<Self, LowerError> {
        self.joined(other, Stage::plus)
    }

    /// Combines two simultaneous programs stage by stage.
    fn joined(
        &self,
        other: &Self,
        join: impl Fn(&Stage, &Stage) -> Result<Stage, LowerError>,
    ) -> Result<Self, LowerError> {
        let mut starts: Vec<u64> = self.stages.iter().chain(&other.stages).map(|stage| stage.start).collect();
        starts.sort_unstable();
        starts.dedup();
        let stages = starts
            .into_iter()
            .map(|start| join(&self.stage_at(start).starting_at(start)?, &other.stage_at(start).starting_at(start)?))
            .collect::<Result<_, _>>()?;
        Self { quantum: 1, stages }.bounded()
    }

    /// Programs one after another, each with the step at which it begins (the first at 0, ascending) and at which its
    /// own clock reads 0.
    ///
    /// # Errors
    /// When the whole needs more than [`MAX_SEGMENTS`] segments.
    pub(crate) fn sequence(pieces: impl IntoIterator<Item = (u64, Self)>) -> Result<Self, LowerError> {
        let mut stages: Vec<Stage> = Vec::with_capacity(1);
        let mut pieces = pieces.into_iter().peekable();
        while let Some((at, piece)) = pieces.next() {
            let end = pieces.peek().map_or(FOREVER, |(next, _)| *next);
            for stage in piece.stages {
                let start = sum(at, stage.start)?;
                if start >= end && start > at {
                    break;
                }
                push_merged(&mut stages, Stage { start, ..stage })?;
            }
        }
        Self { quantum: 1, stages }.bounded()
    }

    /// One segment, followed by this program from step `steps` on: a warmup.
    ///
    /// # Errors
    /// As [`Program::sequence`].
    pub(crate) fn after(mut self, first: Segment, steps: u64) -> Result<Self, LowerError> {
        // Fast path with the result of `sequence`: a single plain track absorbs the segment.
        if let [stage] = self.stages.as_mut_slice()
            && stage.is_plain_product()
            && let [track] = stage.tracks.as_mut_slice()
            && track.is_plain()
            && track.advance == 0
        {
            for segment in &mut track.segments {
                segment.start = sum(segment.start, steps)?;
            }
            track.segments.insert(0, first);
            return self.bounded();
        }
        Self::sequence([(0, Self::of(vec![first])), (steps, self)])
    }

    /// This program without its first `steps` steps, its clock running on: the rest after an overlaid warmup.
    ///
    /// # Errors
    /// When a step is beyond what is counted exactly.
    pub(crate) fn skip(&self, steps: u64) -> Result<Self, LowerError> {
        // The stage in force at `steps` began at or before it.
        let mut stages = vec![Stage { start: 0, ..self.stage_at(steps).starting_at(steps)? }];
        for stage in self.stages.iter().filter(|stage| stage.start > steps) {
            stages.push(Stage { start: stage.start - steps, ..stage.clone() });
        }
        Ok(Self { quantum: self.quantum, stages })
    }

    /// The first `period` steps of this program, repeated.
    ///
    /// # Errors
    /// When the inner program itself repeats or branches in a way that has to be written out and
    /// takes more than [`MAX_SEGMENTS`] segments.
    pub(crate) fn repeated(&self, repetition: Repetition) -> Result<Self, LowerError> {
        let (Repetition::Restart { period } | Repetition::Reflect { period }) = repetition else {
            return Ok(self.clone());
        };
        if let [stage] = self.stages.as_slice()
            && stage.tracks.iter().all(|track| track.repetition == Repetition::None && track.advance == 0)
        {
            let mut stage = stage.clone();
            for track in &mut stage.tracks {
                track.repetition = repetition;
            }
            return Ok(Self::of_stage(stage));
        }
        // One step more than the period: a reflection turns at that step.
        let until = sum(period, 1)?;
        let mut segments = Vec::new();
        for (index, stage) in self.stages.iter().enumerate().filter(|(_, stage)| stage.start < until) {
            let end = self.stages.get(index + 1).map_or(until, |next| next.start.min(until));
            let part = match stage.tracks.as_slice() {
                [track] => track.unrolled(end - stage.start)?,
                _ => None,
            };
            let part = part.ok_or(LowerError::NotRepresentable {
                what: "a cycle around a product, a clamp or a reflection that changes within the cycle",
                remedy: "put the product or the clamp around the cycle instead",
            })?;
            segments.extend(part.into_iter().map(|segment| Segment { start: segment.start + stage.start, ..segment }));
        }
        let mut track = Track::of(segments);
        track.repetition = repetition;
        Self::of_stage(Stage::of(track)).bounded()
    }

    /// This program on a clock that ticks once every `steps` steps.
    ///
    /// # Errors
    /// When a tick is longer than what is counted exactly.
    pub(crate) fn once_per(mut self, steps: u64) -> Result<Self, LowerError> {
        self.quantum = product(self.quantum, steps)?;
        Ok(self)
    }

    /// This program stretched in time by `factor`, with the value still changing at every step.
    ///
    /// # Errors
    /// When a length is beyond what is counted exactly, or a segment begins between steps.
    pub fn stretched(mut self, factor: u64) -> Result<Self, LowerError> {
        if factor == 0 {
            return Err(LowerError::NotRepresentable { what: "a clock stretched by 0", remedy: "use at least 1" });
        }
        for stage in &mut self.stages {
            stage.start = product(stage.start, factor)?;
            for track in &mut stage.tracks {
                track.advance = product(track.advance, factor)?;
                track.repetition = match track.repetition {
                    Repetition::None => Repetition::None,
                    Repetition::Restart { period } => Repetition::Restart { period: product(period, factor)? },
                    Repetition::Reflect { period } => Repetition::Reflect { period: product(period, factor)? },
                };
                for segment in &mut track.segments {
                    *segment = segment.stretched(factor)?;
                }
            }
        }
        Ok(self)
    }

    /// The same program, if its segments are within the limit.
    pub(crate) fn bounded(self) -> Result<Self, LowerError> {
        let needed = self.segments().count();
        if needed > MAX_SEGMENTS {
            return Err(LowerError::TooManySegments { needed: needed as u64, limit: MAX_SEGMENTS });
        }
        Ok(self)
    }
}

/// Appends a stage, merging it into the previous one if both are plain tracks.
fn push_merged(stages: &mut Vec<Stage>, stage: Stage) -> Result<(), LowerError> {
    let mut stage = stage.normalized();
    // A piece of length 0 (same start) is replaced by its successor.
    if stages.last().is_some_and(|last| last.start == stage.start) {
        stages.pop();
    }
    if let (Some(last), [track]) = (stages.last_mut(), stage.tracks.as_mut_slice())
        && let [before] = last.tracks.as_mut_slice()
        && before.is_plain()
        && track.is_plain()
        && before.advance == 0
        && track.take_advance()?
    {
        let shift = stage.start - last.start;
        before.segments.retain(|segment| segment.start < shift);
        for segment in &track.segments {
            before.segments.push(Segment { start: sum(segment.start, shift)?, ..*segment });
        }
        return Ok(());
    }
    stages.push(stage);
    Ok(())
}
