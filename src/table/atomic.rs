//! Files that appear whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::TableError;

/// Bytes gathered before the file system sees them.
const BUFFER: usize = 1 << 18;

/// A file that is written under a temporary name in the same folder, and takes its own name when complete.
///
/// Dropped before [`AtomicFile::commit`], it leaves nothing behind. An existing file is replaced; where
/// the name is a symbolic link, the file it points to.
#[derive(Debug)]
pub struct AtomicFile {
    temporary: BufWriter<NamedTempFile>,
    target: PathBuf,
    /// The name in messages.
    path: PathBuf,
}

impl AtomicFile {
    /// Starts a file.
    ///
    /// # Errors
    /// When the path names a folder, a device or a broken link, or its folder cannot be written to.
    pub fn create(path: &Path) -> Result<Self, TableError> {
        let target = resolve(path)?;
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".lrgrid-").suffix(".tmp");
        #[cfg(unix)]
        // As any other new file, less the umask, where temporary files are private.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                refused(path, &format!("there is no folder {}: make it first", folder.display()))
            }
            kind => failed(path, io::Error::from(kind)),
        })?;
        if let Ok(existing) = fs::metadata(&target) {
            temporary.as_file().set_permissions(existing.permissions()).map_err(|error| failed(path, error))?;
        }
        Ok(Self { temporary: BufWriter::with_capacity(BUFFER, temporary), target, path: path.to_owned() })
    }

    /// The file it will become, behind links.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), TableError> {
        self.temporary.write_all(bytes).map_err(|error| failed(&self.path, error))
    }

    /// Waits until the bytes are stored, then gives the file its name.
    ///
    /// # Errors
    /// When the file system refuses; the temporary file is then removed.
    pub fn commit(self) -> Result<(), TableError> {
        let Self { temporary, target, path } = self;
        let temporary = temporary.into_inner().map_err(|error| failed(&path, error.into_error()))?;
        temporary.as_file().sync_all().map_err(|error| failed(&path, error))?;
        temporary.persist(&target).map_err(|error| failed(&path, error.error))?;
        Ok(())
    }
}

/// Where the file will lie: behind links, and nowhere but in place of a regular file.
fn resolve(path: &Path) -> Result<PathBuf, TableError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        Err(error) => Err(failed(path, error)),
        Ok(_) => {
            let target = fs::canonicalize(path).map_err(|error| {
                failed(path, io::Error::new(error.kind(), format!("a symbolic link that leads nowhere ({error})")))
            })?;
            let metadata = fs::metadata(&target).map_err(|error| failed(path, error))?;
            if metadata.is_dir() {
                return Err(refused(path, "is a folder: name a file in it"));
            }
            if !metadata.is_file() {
                return Err(refused(
                    path,
                    "is not a regular file: write to standard output to feed a pipe or a device",
                ));
            }
            Ok(target)
        }
    }
}

fn refused(path: &Path, why: &str) -> TableError {
    failed(path, io::Error::other(why))
}

fn failed(path: &Path, source: io::Error) -> TableError {
    TableError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_seen_before_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write(b"whole").unwrap();
        assert!(!path.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["table.csv"]);
    }

    #[test]
    fn an_abandoned_file_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        fs::write(&path, "old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["table.csv"]);
    }

    #[test]
    fn folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(folder.path()).unwrap_err().to_string();
        assert!(error.contains("is a folder"), "{error}");
        let error = AtomicFile::create(&folder.path().join("missing/table.csv")).unwrap_err().to_string();
        assert!(error.contains("table.csv"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_loops_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let [real, link, one, two] =
            ["real.csv", "link.csv", "one.csv", "two.csv"].map(|name| folder.path().join(name));
        fs::write(&real, "old").unwrap();
        symlink(&real, &link).unwrap();
        let mut file = AtomicFile::create(&link).unwrap();
        file.write(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_ne!(fs::metadata(&real).unwrap().permissions().mode() & 0o400, 0);

        symlink(&one, &two).unwrap();
        symlink(&two, &one).unwrap();
        let error = AtomicFile::create(&one).unwrap_err().to_string();
        assert!(error.contains("one.csv") && error.contains("leads nowhere"), "{error}");
    }
}
