//! Charts as an HTML page: one offline file that evaluates the packed block in the reader's browser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::chart::{Chart, Options, Subject};
use super::colour::{SERIES, hex};
use super::svg::escaped;
use crate::error::Error;
use lrgrid::curve::table::javascript_object;
use lrgrid::packed::{Batch, BatchBuilder};
use lrgrid::readable;

/// The most schedules per spec in a page: half a megabyte of blocks, for simple schedules.
pub const MOST_SCHEDULES: usize = 4096;

/// The most bytes of blocks in a page; it has fewer schedules if they are larger.
const MOST_BYTES: usize = 8 << 20;

/// The most parameter values that are examined to detect a grid.
const MOST_POINTS: usize = 1 << 20;

/// Schedules of a sweep that are drawn faintly behind the chosen one.
const GHOSTS: usize = 16;

const TEMPLATE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");

/// The WGSL library with the page's entry point; empty in builds without shaders.
#[cfg(feature = "gpu")]
fn wgsl() -> String {
    format!("{}{}", lrgrid::gpu::shader::LIBRARY, include_str!("page.wgsl"))
}

#[cfg(not(feature = "gpu"))]
fn wgsl() -> String {
    String::new()
}

/// A slider: a parameter and the values it can be moved to.
#[derive(Clone, Debug, PartialEq)]
struct Axis {
    name: String,
    values: Vec<Value>,
}

/// The schedules of a page, by their index in the sweep, and the sliders that select one; the last slider varies
/// fastest.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    schedules: Vec<usize>,
    axes: Vec<Axis>,
}

/// The chart as a self-contained HTML page.
///
/// Swept parameters become sliders. Of large sweeps, evenly spaced values are kept, with a note in the page.
///
/// # Errors
/// When a schedule cannot be lowered.
pub fn page(subjects: &[Subject<'_>], options: &Options, chart: &Chart) -> Result<String, Error> {
    let (choices, batch) = packed(subjects)?;
    let mut described = Vec::new();
    let mut left_out = Vec::new();
    let mut first = 0;
    for (place, (subject, choice)) in subjects.iter().zip(&choices).enumerate() {
        if choice.schedules.len() < subject.count {
            let (kept, count, name) = (choice.schedules.len(), subject.count, readable::name(&subject.name));
            left_out.push(format!("{kept} of {count} schedules of {name}"));
        }
        let axes: Vec<Value> =
            choice.axes.iter().map(|axis| json!({ "name": axis.name, "values": axis.values })).collect();
        let colour = SERIES[place % SERIES.len()];
        described.push(json!({
            "name": subject.name,
            "first": first,
            "axes": axes,
            "colour": [hex(colour.light), hex(colour.dark)],
        }));
        first += choice.schedules.len();
    }
    let tables: [(&str, &[u32]); 5] = [
        ("programs", bytemuck::cast_slice(batch.programs())),
        ("stages", bytemuck::cast_slice(batch.stages())),
        ("tracks", bytemuck::cast_slice(batch.tracks())),
        ("segments", bytemuck::cast_slice(batch.segments())),
        ("heights", bytemuck::cast_slice(batch.heights())),
    ];
    let block: Vec<u8> =
        tables.iter().flat_map(|(_, words)| words.iter().flat_map(|word| word.to_le_bytes())).collect();
    let lengths: Vec<Value> = tables.iter().map(|(name, words)| json!([name, words.len()])).collect();
    let ghosts: Vec<usize> = match batch.len() {
        0 | 1 => Vec::new(),
        few if few <= GHOSTS => (0..few).collect(),
        many => (0..GHOSTS).map(|index| index * (many - 1) / (GHOSTS - 1)).collect(),
    };
    let data = json!({
        "subjects": described,
        "start": chart.steps.start,
        "end": chart.steps.end,
        "log": chart.axis.log,
        "ghosts": ghosts,
        "tables": lengths,
        "block": STANDARD.encode(block),
    });
    let title = if options.title.is_empty() { "schedules" } else { &options.title };
    let note = if left_out.is_empty() { String::new() } else { format!(" · {}", left_out.join(", ")) };
    // Escaped, so that a name cannot close the surrounding element.
    let data = data.to_string().replace('<', "\\u003c");
    Ok(TEMPLATE
        .replace("{{title}}", &escaped(&readable::name(title)))
        .replace("{{note}}", &escaped(&note))
        .replace("{{wgsl}}", &wgsl())
        .replace("{{script}}", SCRIPT.trim_end())
        .replace("{{curves}}", &javascript_object())
        .replace("{{data}}", &data))
}

/// The sliders and the block of each subject, with as many schedules as fit into its part of the bytes.
fn packed(subjects: &[Subject<'_>]) -> Result<(Vec<Choice>, Batch), Error> {
    let (mut choices, mut builder) = (Vec::new(), BatchBuilder::default());
    let share = MOST_BYTES / subjects.len().max(1);
    for subject in subjects {
        let mut most = MOST_SCHEDULES;
        loop {
            let (choice, mut part) = (choice(subject, most), BatchBuilder::default());
            for &schedule in &choice.schedules {
                part.push(&(subject.program)(schedule)?)?;
                if part.bytes() > share && most > 1 {
                    break;
                }
            }
            if part.len() == choice.schedules.len() {
                builder.append(&mut part)?;
                choices.push(choice);
                break;
            }
            most /= 2;
        }
    }
    Ok((choices, builder.batch()))
}

/// Sliders for a subject with at most `most` schedules: one per parameter of a grid, otherwise one for all schedules.
fn choice(subject: &Subject<'_>, most: usize) -> Choice {
    let count = subject.count;
    if subject.parameters.is_empty() || count < 2 {
        return one_slider(subject, count.min(1), most);
    }
    grid(subject, most).unwrap_or_else(|| one_slider(subject, count, most))
}

/// The axes, if the points are a grid whose last parameter varies fastest.
fn grid(subject: &Subject<'_>, most: usize) -> Option<Choice> {
    let count = subject.count;
    if count.saturating_mul(subject.parameters.len()) > MOST_POINTS {
        return None;
    }
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); subject.parameters.len()];
    let mut known = vec![std::collections::HashSet::new(); subject.parameters.len()];
    for schedule in 0..count {
        for ((value, values), known) in (subject.point)(schedule).into_iter().zip(&mut values).zip(&mut known) {
            if known.insert(value.to_bits()) {
                values.push(value);
            }
        }
    }
    let product = values.iter().try_fold(1_usize, |product, axis| product.checked_mul(axis.len()))?;
    let place = |chosen: &[usize]| chosen.iter().zip(&values).fold(0, |row, (&index, axis)| row * axis.len() + index);
    if product != count {
        return None;
    }
    // Each axis keeps as many evenly spaced values as the page has room for.
    let mut kept: Vec<usize> = values.iter().map(Vec::len).collect();
    while kept.iter().product::<usize>() > most {
        let longest = kept.iter_mut().max()?;
        *longest = longest.div_ceil(2);
    }
    let picked: Vec<Vec<usize>> = values
        .iter()
        .zip(&kept)
        .map(|(axis, &kept)| {
            (0..kept).map(|index| if kept < 2 { 0 } else { index * (axis.len() - 1) / (kept - 1) }).collect()
        })
        .collect();
    let mut chosen: Vec<Vec<usize>> = vec![Vec::new()];
    for axis in &picked {
        chosen = chosen
            .into_iter()
            .flat_map(|before| axis.iter().map(move |&index| before.iter().copied().chain([index]).collect()))
            .collect();
    }
    let schedules: Vec<usize> = chosen.iter().map(|chosen| place(chosen)).collect();
    let right = |(schedule, chosen): (&usize, &Vec<usize>)| {
        (subject.point)(*schedule).iter().zip(chosen).zip(&values).all(|((value, &index), axis)| *value == axis[index])
    };
    if !schedules.iter().zip(&chosen).all(right) {
        return None;
    }
    let axis = |((name, values), picked): ((&String, &Vec<f64>), &Vec<usize>)| Axis {
        name: name.clone(),
        values: picked.iter().map(|&index| json!(values[index])).collect(),
    };
    Some(Choice { schedules, axes: subject.parameters.iter().zip(&values).zip(&picked).map(axis).collect() })
}

/// One slider over all schedules, labelled by their parameters.
fn one_slider(subject: &Subject<'_>, count: usize, most: usize) -> Choice {
    let kept = count.min(most);
    let schedules: Vec<usize> = (0..kept)
        .map(|index| if kept < 2 { 0 } else { (index as u128 * (count - 1) as u128 / (kept - 1) as u128) as usize })
        .collect();
    let label = |&schedule: &usize| {
        let pairs = subject.parameters.iter().zip((subject.point)(schedule));
        json!(pairs.map(|(name, value)| format!("{name} {}", readable::value(value))).collect::<Vec<_>>().join(", "))
    };
    let axes = if kept < 2 {
        Vec::new()
    } else {
        vec![Axis { name: "schedule".to_owned(), values: schedules.iter().map(label).collect() }]
    };
    Choice { schedules, axes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::spec::Spec;

    fn choice_of(text: &str) -> Choice {
        let spec = Spec::from_toml(text).unwrap();
        let program = |index| Ok(spec.compile_rows(index..index + 1)?.program(0));
        let parameters = spec.parameter_names().into_iter().map(str::to_owned).collect();
        let (count, point) = (spec.len(), |index| spec.point(index));
        let subject = Subject { name: String::new(), count, program: &program, parameters, point: &point, steps: 10 };
        choice(&subject, MOST_SCHEDULES)
    }

    const LINE: &str = "schedule = { kind = 'linear', start = '$a', end = '$b', steps = 10 }\n";

    #[test]
    fn a_grid_has_a_slider_per_parameter() {
        let found =
            choice_of(&format!("{LINE}[sweep.parameters]\na = {{ values = [1, 2, 3] }}\nb = {{ values = [5, 6] }}"));
        assert_eq!(found.schedules, [0, 1, 2, 3, 4, 5]);
        assert_eq!(found.axes.iter().map(|axis| axis.values.len()).collect::<Vec<_>>(), [3, 2]);
    }

    #[test]
    fn a_zip_has_one_and_a_large_grid_fewer_values() {
        let found = choice_of(&format!(
            "{LINE}[sweep]\nmethod = 'zip'\n[sweep.parameters]\na = {{ values = [1, 2, 3] }}\nb = {{ values = [5, 6, 7] }}"
        ));
        assert_eq!((found.axes.len(), found.schedules.len()), (1, 3));
        let found = choice_of(&format!(
            "{LINE}[sweep.parameters]\na = {{ min = 1, max = 2, count = 300 }}\nb = {{ min = 1, max = 2, count = 200 }}"
        ));
        assert!(found.schedules.len() <= MOST_SCHEDULES && found.schedules.len() > MOST_SCHEDULES / 4);
        assert_eq!(found.schedules.last(), Some(&(300 * 200 - 1)));
    }
}
