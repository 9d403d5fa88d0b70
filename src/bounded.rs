//! Reading untrusted files: only regular files are opened, and only up to a limit is read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file. Opening or reading a pipe or a device might block forever, so these are refused.
///
/// # Errors
/// When the file does not exist, is not a regular file, or cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    let kind = fs::metadata(path)?;
    if kind.is_file() {
        return File::open(path);
    }
    let what = if kind.is_dir() { "a folder" } else { "a pipe or a device" };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, and no regular file")))
}

/// Reads a whole text of at most `most` bytes.
///
/// ```
/// use lrgrid::bounded::text;
///
/// assert_eq!(text(&b"steps"[..], 5)?, "steps");
/// assert!(text(std::io::repeat(b' '), 1 << 10).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When the text is longer, not UTF-8, or cannot be read.
pub fn text(source: impl Read, most: usize) -> io::Result<String> {
    let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
    let mut bytes = Vec::new();
    // Read one byte more than allowed, to detect a text that is too long.
    source.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(invalid(format!("it has more than {most} bytes, the limit")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        invalid(format!("byte {at} is not part of a UTF-8 text"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spec.toml");
        fs::write(&path, "steps = 1").unwrap();
        assert_eq!(text(open(&path).unwrap(), 100).unwrap(), "steps = 1");
        assert!(open(folder.path()).unwrap_err().to_string().contains("a folder"));
        #[cfg(unix)]
        assert!(open(Path::new("/dev/zero")).unwrap_err().to_string().contains("a device"));
        assert_eq!(open(&folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_is_not_text_is_told_by_its_place() {
        assert!(text(&b"ab\xff"[..], 3).unwrap_err().to_string().contains("byte 2"));
        assert!(text("ab€".as_bytes(), 4).unwrap_err().to_string().contains("more than 4 bytes"));
    }
}
