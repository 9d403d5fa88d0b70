//! A report as a bar chart: each measurement as a share of its engine's limit.

use std::fmt::Write as _;

use super::{Engine, Measurement, Part, Report};

const WIDTH: usize = 860;
const NAMES: usize = 190;
const NUMBERS: usize = 150;
const BAR: usize = 14;
const LINE: usize = 20;
const HEADING: usize = 44;

/// The chart as an SVG picture, in the colours of a light or a dark page.
#[must_use]
pub fn svg(report: &Report) -> String {
    let mut body = String::new();
    let mut y = 30;
    // Writing to a String cannot fail.
    let _ = writeln!(body, "<text x=\"12\" y=\"{y}\" class=\"title\">{}</text>", escaped(&title(report)));
    y += 8;
    for measurements in by_group(report) {
        y += HEADING;
        let _ = writeln!(
            body,
            "<text x=\"12\" y=\"{}\" class=\"group\">{}</text>",
            y - 12,
            escaped(&group(measurements[0]))
        );
        let _ = writeln!(
            body,
            "<line x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\" class=\"limit\"/>",
            y - 4,
            y + LINE * measurements.len(),
            x = NAMES + scale(1.0),
        );
        for measurement in &measurements {
            let length = scale(measurement.share);
            let _ = writeln!(
                body,
                "<text x=\"{}\" y=\"{}\" class=\"name\">{}</text>\
                 <rect x=\"{NAMES}\" y=\"{y}\" width=\"{length}\" height=\"{BAR}\" class=\"{}\"/>\
                 <text x=\"{}\" y=\"{}\">{:.2} · {:.2} G/s</text>",
                NAMES - 8,
                y + BAR - 3,
                measurement.case,
                class(measurement.engine),
                NAMES + length + 6,
                y + BAR - 3,
                measurement.share,
                measurement.values_per_second / 1e9,
            );
            y += LINE;
        }
    }
    let height = y + 20;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-label=\"Share of each engine's limit\">\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" class=\"page\"/>\n{body}</svg>\n"
    )
}

/// A page with the chart and every number, in one file.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut rows = String::new();
    for m in &report.measurements {
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} × {}</td><td>{:.3}</td><td>{:.2}</td><td>{:.2}</td><td>{:.4}</td></tr>",
            m.engine.name(),
            m.part.name(),
            m.case,
            m.dtype,
            m.rows,
            m.columns,
            m.values_per_second / 1e9,
            m.bytes_per_second / 1e9,
            m.share,
            m.worst_ulp,
        );
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>lrgrid bench</title>\n<style>\
         :root {{ color-scheme: light dark; }} body {{ font: 14px system-ui, sans-serif; margin: 2em auto; max-width: 60em; }}\
         table {{ border-collapse: collapse; }} td, th {{ padding: 2px 10px; text-align: right; }}\
         td:nth-child(-n+3), th:nth-child(-n+3) {{ text-align: left; }} svg {{ max-width: 100%; height: auto; }}</style>\n\
         <h1>lrgrid bench</h1>\n{}\n<table>\n<tr><th>engine</th><th>timed</th><th>case</th><th>dtype</th><th>table</th>\
         <th>G values/s</th><th>GB/s</th><th>share</th><th>worst ULP</th></tr>\n{rows}</table>\n</html>\n",
        svg(report)
    )
}

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}\
.group{font-weight:600}.name{text-anchor:end}.page{fill:#fff}.cpu{fill:#2f7ebc}.gpu{fill:#3a9a4b}.software{fill:#999}\
.limit{stroke:#888;stroke-dasharray:3 3}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}}";

fn title(report: &Report) -> String {
    let machine = &report.machine;
    let adapter = machine.adapter.as_ref().map_or(String::new(), |adapter| {
        format!(", {}{}", adapter.name, if adapter.software { " (software, no GPU)" } else { "" })
    });
    format!(
        "lrgrid {}: share of each engine's limit · {}, {} threads, {}{adapter}",
        machine.version, machine.platform, machine.threads, machine.level
    )
}

/// The measurements that stand under one heading, in the order of their first.
fn by_group(report: &Report) -> Vec<Vec<&Measurement>> {
    let mut groups: Vec<Vec<&Measurement>> = Vec::new();
    for measurement in &report.measurements {
        match groups.iter_mut().find(|members| group(members[0]) == group(measurement)) {
            Some(members) => members.push(measurement),
            None => groups.push(vec![measurement]),
        }
    }
    groups
}

fn group(m: &Measurement) -> String {
    let limit = match (m.engine, m.part) {
        (Engine::Cpu, _) => "a fill of the same buffer",
        (_, Part::Whole) => "the way back to the host alone",
        (_, Part::Kernel | Part::KernelByWallTime) => "a shader that only stores",
    };
    let engine = m.engine.name();
    format!("{engine}, {}: {} × {} {}, beside {limit}", m.part.name(), m.rows, m.columns, m.dtype)
}

fn class(engine: Engine) -> &'static str {
    match engine {
        Engine::Cpu => "cpu",
        Engine::Gpu => "gpu",
        Engine::Software => "software",
    }
}

/// Pixels of a share; a little beyond 1 is drawn too.
fn scale(share: f64) -> usize {
    ((WIDTH - NAMES - NUMBERS) as f64 * share.clamp(0.0, 1.1) / 1.1) as usize
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::{CASES, Machine, Measured, Regime};
    use super::*;
    use lrgrid::element::Dtype;

    fn report() -> Report {
        let measured = |engine, part| Measured { engine, part, seconds: 0.02, limit_seconds: 0.015, worst_ulp: 0.499 };
        let measurement = |case: usize, engine, part| {
            Measurement::new(&CASES[case], Regime::LongRows, 1024, Dtype::F32, measured(engine, part))
        };
        Report {
            machine: Machine {
                version: "0.0.0",
                platform: "an <odd> name".to_owned(),
                threads: 2,
                level: "avx2",
                adapter: None,
            },
            measurements: vec![
                measurement(0, Engine::Cpu, Part::Whole),
                measurement(0, Engine::Gpu, Part::Kernel),
                measurement(0, Engine::Gpu, Part::Whole),
                measurement(1, Engine::Cpu, Part::Whole),
            ],
            crossovers: Vec::new(),
            skipped: Vec::new(),
        }
    }

    #[test]
    fn a_bar_for_each_measurement_under_three_headings() {
        let text = svg(&report());
        assert_eq!(text.matches("class=\"name\"").count(), 4);
        assert_eq!(text.matches("class=\"group\"").count(), 3);
        assert!(text.contains("an &lt;odd&gt; name") && text.contains("0.75 · 3.36 G/s"), "{text}");
    }

    #[test]
    fn the_page_has_every_number() {
        let text = html(&report());
        assert_eq!(text.matches("<tr>").count(), 5);
        assert!(text.contains("</svg>") && !text.contains("http://www.w3.org/1999"), "{text}");
    }
}
