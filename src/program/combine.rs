//! How programs combine: in sequence, as a product, scaled, clamped, repeated, on another clock.

use super::clock::one_over;
use super::{Clamp, FOREVER, MAX_SEGMENTS, MAX_TRACKS, MOST_COUNTS, Program, Repetition, Segment, Stage, Track};
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::error::LowerError;

/// Why steps cannot be told apart any more.
const TOO_LONG: LowerError = LowerError::TooLong { what: "the sum or the product of lengths", limit: "2^62 steps" };

/// The sum of two steps or lengths.
fn sum(a: u64, b: u64) -> Result<u64, LowerError> {
    a.checked_add(b).filter(|&sum| sum <= MOST_COUNTS).ok_or(TOO_LONG)
}

/// The product of a step or a length and a factor.
fn product(a: u64, b: u64) -> Result<u64, LowerError> {
    a.checked_mul(b).filter(|&product| product <= MOST_COUNTS).ok_or(TOO_LONG)
}

/// Where what begins at `start` and takes `length` ends; [`FOREVER`] if it never does.
fn end(start: u64, length: u64) -> Result<u64, LowerError> {
    if length == FOREVER { Ok(FOREVER) } else { sum(start, length) }
}

impl Clamp {
    /// These bounds, then `outer`.
    fn then(self, outer: Self) -> Self {
        Self { lower: self.lower.clamp(outer.lower, outer.upper), upper: self.upper.clamp(outer.lower, outer.upper) }
    }

    /// Whether the bounds of `offset + scale · value` are doubles again.
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

/// `scale · height`; NaN, of which no program can be evaluated, where that underflows to 0.
fn scaled(scale: DoubleDouble, height: DoubleDouble) -> DoubleDouble {
    let product = scale * height;
    let lost = product == DoubleDouble::ZERO && scale != product && height != product;
    if lost { f64::NAN.into() } else { product }
}

impl Segment {
    /// `offset + scale ·` this segment.
    fn affine(self, scale: DoubleDouble, offset: DoubleDouble) -> Self {
        let (base, amplitude) = (scaled(scale, self.base), scaled(scale, self.amplitude));
        Self { base: offset + base, amplitude, ..self }
    }

    /// The part of this segment from `steps` after its start, moved to start at `start`.
    pub(super) fn skipped(self, steps: u64, start: u64) -> Result<Option<Self>, LowerError> {
        let quantum = self.quantum.unwrap_or(1);
        let count = (steps / quantum).min(self.length);
        if !steps.is_multiple_of(quantum) && count < self.length {
            return Ok(None);
        }
        let length = if self.length == FOREVER { FOREVER } else { self.length - count };
        if self.curve == Curve::Hold {
            return Ok(Some(Self { start, length, ..self }));
        }
        // A reversed phase stops at 0 where the length would go on.
        let origin = if self.reversed { self.origin.saturating_sub(count) } else { sum(self.origin, count)? };
        Ok(Some(Self { start, length, origin, ..self }))
    }

    /// This segment with each step of its clock stretched to `factor` steps, the phase still moving at each.
    fn stretched(self, factor: u64) -> Result<Self, LowerError> {
        let start = product(self.start, factor)?;
        if factor == 1 || self.curve == Curve::Hold {
            return Ok(Self { start, ..self });
        }
        if let Some(quantum) = self.quantum {
            return Ok(Self { start, quantum: Some(product(quantum, factor)?), ..self });
        }
        let length = if self.length == FOREVER { FOREVER } else { product(self.length, factor)? };
        // Of one over an integer the rate remains one, to the last bit.
        let rate = match one_over(self.rate) {
            Some(whole) => DoubleDouble::one_over(product(whole, factor)?),
            None => self.rate / DoubleDouble::from(factor),
        };
        // A multiple of 2^-64 remains one.
        let between = u128::from(self.lead) * u128::from(factor);
        let origin = sum(product(self.origin, factor)?, (between >> 64) as u64)?;
        Ok(Self { start, length, origin, lead: between as u64, rate, ..self })
    }
}

impl Track {
    fn is_plain(&self) -> bool {
        self.repetition == Repetition::None && self.clamp.is_none()
    }

    /// The constant this track is, if it is one.
    fn constant(&self) -> Option<DoubleDouble> {
        match self.segments.as_slice() {
            [only] if only.curve == Curve::Hold => {
                Some(self.clamp.apply((only.base + only.amplitude).into()).rounded())
            }
            _ => None,
        }
    }

    /// Writes the segments of a plain track as they are once its clock's advance has passed; `false` where that cannot be.
    fn take_advance(&mut self) -> Result<bool, LowerError> {
        if self.advance > 0 {
            let Some(segments) = self.unrolled(FOREVER)? else { return Ok(false) };
            (self.segments, self.advance) = (segments, 0);
        }
        Ok(true)
    }

    /// This track written out as plain segments over `[0, until)`, or `None` where it cannot be.
    fn unrolled(&self, until: u64) -> Result<Option<Vec<Segment>>, LowerError> {
        if !self.clamp.is_none() {
            return Ok(None);
        }
        let (period, clock_end) = match self.repetition {
            Repetition::None => (FOREVER, end(self.advance, until)?),
            Repetition::Restart { period } => (period, end(self.advance, until)?),
            Repetition::Reflect { .. } => return Ok(None),
        };
        let first_cycle = self.advance / period;
        let cycles = clock_end.max(1).div_ceil(period) - first_cycle;
        let needed = u128::from(cycles) * self.segments.len() as u128;
        if needed > MAX_SEGMENTS as u128 {
            let needed = u64::try_from(needed).unwrap_or(u64::MAX);
            return Err(LowerError::TooManySegments { needed, limit: MAX_SEGMENTS });
        }
        let mut out = Vec::with_capacity(needed as usize);
        for cycle in first_cycle..first_cycle + cycles {
            // The only cycle of what is not repeated begins at 0.
            let cycle_start = if cycle == 0 { 0 } else { product(cycle, period)? };
            for (index, segment) in self.segments.iter().enumerate() {
                let begin = sum(cycle_start, segment.start)?;
                let next = self.segments.get(index + 1).map_or(period, |next| next.start);
                let part_end = end(cycle_start, next)?;
                if part_end <= self.advance || begin >= clock_end {
                    continue;
                }
                let (skip, start) = (self.advance.saturating_sub(begin), begin.saturating_sub(self.advance));
                let Some(part) = segment.skipped(skip, start)? else { return Ok(None) };
                out.push(part);
            }
        }
        Ok(Some(out))
    }
}

impl Stage {
    /// Whether the product of the tracks is the stage's value as it is.
    fn is_plain_product(&self) -> bool {
        self.scale == DoubleDouble::ONE && self.offset == DoubleDouble::ZERO && self.clamp.is_none()
    }

    /// Folds what a single track can carry itself into its segments.
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

    /// The same stage with what a single track can carry folded into its segments.
    pub(super) fn normalized(mut self) -> Self {
        self.normalize();
        self
    }

    /// The constant this stage is, if it is one.
    fn constant(&self) -> Option<DoubleDouble> {
        match self.tracks.as_slice() {
            [track] => Some(self.clamp.apply((self.offset + self.scale * track.constant()?).into()).rounded()),
            _ => None,
        }
    }

    /// The same stage taking over at a later step.
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

    /// This stage's tracks as terms of a sum, its scale within them.
    fn terms(&self) -> Result<impl Iterator<Item = Track>, LowerError> {
        if (self.tracks.len() > 1 && !self.summed) || !self.clamp.is_none() {
            return Err(LowerError::NotRepresentable {
                what: "a sum with a term that is itself a product, or a sum within bounds",
                remedy: "keep each term to one curve, and put the bounds around the whole sum",
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
                Some(value) => scale = scale * value,
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

    /// This program `factor` times as high; `None` where that is not a matter of its segments' heights alone: in
    /// products of tracks and bounded ones, and where a height would leave the range of normal `f64`.
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

    /// This program held within bounds.
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
    pub fn multiply(&self, other: &Self) -> Result<Self, LowerError> {
        self.joined(other, Stage::times)
    }

    /// The sum of two programs.
    ///
    /// # Errors
    /// When a term is a product of several curves, or there are more than [`MAX_TRACKS`] terms.
    pub fn add(&self, other: &Self) -> Result<Self, LowerError> {
        self.joined(other, Stage::plus)
    }

    /// Two programs at the same time, stage by stage.
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

    /// Programs one after another: each with the step it takes over at (the first 0, rising) and its
    /// own clock starting there.
    ///
    /// # Errors
    /// When the whole needs more than [`MAX_SEGMENTS`] segments.
    pub fn sequence(pieces: impl IntoIterator<Item = (u64, Self)>) -> Result<Self, LowerError> {
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

    /// One segment, and from step `steps` on this program: what comes of a warmup.
    ///
    /// # Errors
    /// As [`Program::sequence`].
    pub fn after(mut self, first: Segment, steps: u64) -> Result<Self, LowerError> {
        // A single plain track takes the segment in, as a sequence would make it.
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

    /// This program after its first `steps` steps, its clock running on: what an overlaid warmup hands over to.
    ///
    /// # Errors
    /// When a step is beyond what is counted exactly.
    pub fn skip(&self, steps: u64) -> Result<Self, LowerError> {
        // The stage in force has started by then.
        let mut stages = vec![Stage { start: 0, ..self.stage_at(steps).starting_at(steps)? }];
        for stage in self.stages.iter().filter(|stage| stage.start > steps) {
            stages.push(Stage { start: stage.start - steps, ..stage.clone() });
        }
        Ok(Self { quantum: self.quantum, stages })
    }

    /// The first `period` steps over and over.
    ///
    /// # Errors
    /// When the inner program itself repeats or branches in a way that has to be written out and
    /// takes more than [`MAX_SEGMENTS`] segments.
    pub fn repeated(&self, repetition: Repetition) -> Result<Self, LowerError> {
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
        // One past the period, because a reflection turns on the value there.
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
    pub fn once_per(mut self, steps: u64) -> Result<Self, LowerError> {
        self.quantum = product(self.quantum, steps)?;
        Ok(self)
    }

    /// This program with every length `factor` times as long, its value still moving at each step.
    ///
    /// # Errors
    /// When a length is beyond what is counted exactly, or a segment begins between steps.
    pub fn stretched(mut self, factor: u64) -> Result<Self, LowerError> {
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

    fn bounded(self) -> Result<Self, LowerError> {
        let needed = self.segments().count();
        if needed > MAX_SEGMENTS {
            return Err(LowerError::TooManySegments { needed: needed as u64, limit: MAX_SEGMENTS });
        }
        Ok(self)
    }
}

/// Appends a stage, joining it to the one before where both are plain tracks.
fn push_merged(stages: &mut Vec<Stage>, stage: Stage) -> Result<(), LowerError> {
    let mut stage = stage.normalized();
    // An empty piece (same start) is replaced by its successor.
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
