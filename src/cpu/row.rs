//! One row: cut into cycles and spans, each written in the way that is fastest for it.

use super::doubles;
use super::repeat::cycles;
use super::rounding::Rounded;
use super::smooth::{SmoothSpan, value_at};
use super::span::{Columns, Kind, first_span};
use super::writer::Writer;
use crate::program::{MAX_STEP, Program};
use crate::steps::Steps;

/// Fills columns of a program's row from column `first` on.
pub fn fill_columns<T: Rounded>(writer: Writer, program: &Program, steps: &Steps, first: usize, out: &mut [T]) {
    let Some((start, stride)) = steps.progression() else {
        for (offset, slot) in out.iter_mut().enumerate() {
            *slot = value_at(program, steps.at(first + offset));
        }
        return;
    };
    // A longer stride leaves one column, and shorter ones cannot overflow.
    let stride = stride.min(MAX_STEP + 1);
    let columns = Columns { start: start + first as u64 * stride, stride, count: out.len() };
    let mut done = 0;
    while done < out.len() {
        let left = columns.after(done);
        match cycles(program, &left) {
            Some(cycles) => {
                let rest = &mut out[done..done + cycles.count];
                let cycle = Columns { count: cycles.period, ..left };
                fill_spans(writer.cached(), program, cycle, &mut rest[..cycles.period]);
                writer.repeat(cycles.period, rest);
                done += cycles.count;
            }
            None => done += fill_span(writer, program, left, &mut out[done..]),
        }
    }
}

/// Fills columns span by span.
fn fill_spans<T: Rounded>(writer: Writer, program: &Program, columns: Columns, out: &mut [T]) {
    let mut done = 0;
    while done < out.len() {
        done += fill_span(writer, program, columns.after(done), &mut out[done..]);
    }
}

/// Fills the first span of `columns`, and tells how many of them it has.
fn fill_span<T: Rounded>(writer: Writer, program: &Program, columns: Columns, out: &mut [T]) -> usize {
    let span = first_span(program, &columns);
    let mut count = span.count;
    match span.kind {
        Kind::Constant => writer.constant(value_at(program, columns.start), &mut out[..count]),
        Kind::Smooth { stage, factors } if T::FROM_F64 => {
            let span = SmoothSpan::new(program, Columns { count, ..columns }, stage, &factors);
            count = span.count();
            span.fill(writer, &mut out[..count]);
        }
        Kind::Smooth { stage, factors } => {
            if let Some(out) = T::as_doubles(&mut out[..count]) {
                doubles::fill(writer, program, Columns { count, ..columns }, stage, &factors, out);
            }
        }
        Kind::Irregular => {
            for (column, slot) in out[..count].iter_mut().enumerate() {
                *slot = value_at(program, columns.step(column));
            }
        }
    }
    count
}
