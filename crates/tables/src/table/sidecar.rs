//! The companion file with the swept parameters of each row, for formats that hold values only.

use std::fmt::Write as _;

use super::csv::{write_parameter_names, write_row_number};
use super::{AtomicFile, Header};
use crate::error::TableError;

/// Bytes of text collected before they are written.
const BUFFER: usize = 1 << 16;

/// Writes `schedule,<swept parameters>`, one row per schedule, in the table's order.
///
/// # Errors
/// When the file system refuses.
pub fn write_parameters(file: &mut AtomicFile, header: &Header<'_>) -> Result<(), TableError> {
    let mut text = String::from("schedule");
    write_parameter_names(&mut text, header.parameters.iter().map(String::as_str), &[]);
    // Writing to a String cannot fail.
    let _ = writeln!(text);
    for row in header.rows.clone() {
        write_row_number(&mut text, header, row);
        text.push('\n');
        if text.len() >= BUFFER {
            file.append(text.as_bytes())?;
            text.clear();
        }
    }
    file.append(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Existing, Layout};
    use lrgrid::Steps;

    #[test]
    fn one_row_per_schedule() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.parameters.csv");
        let header = Header {
            layout: Layout::Schedule,
            rows: 7..9,
            steps: Steps::range(0..1),
            parameters: vec!["peak".to_owned(), "floor".to_owned()],
            point: Box::new(|row| vec![row as f64, 1.0 / row as f64]),
            momentum: false,
            metadata: Default::default(),
        };
        let mut file = AtomicFile::create(&path, Existing::Keep).unwrap();
        write_parameters(&mut file, &header).unwrap();
        file.commit().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "schedule,peak,floor\n7,7,0.14285714285714285\n8,8,0.125\n");
    }
}
