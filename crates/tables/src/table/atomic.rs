//! Atomic files: a file appears complete or not at all.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs4::FileExt;
use tempfile::NamedTempFile;

use super::digest::{Checksum, Digest};
use super::unfinished::{self, Unfinished};
use super::write_behind::WriteBehind;
use crate::error::TableError;

/// Bytes buffered before a write.
const BUFFER: usize = 1 << 18;

/// The treatment of an existing file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It is kept, and the new file is rejected.
    #[default]
    Keep,
    /// The new file replaces it when complete.
    Replace,
}

/// A completed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The requested path.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its checksum, if requested.
    pub checksum: Option<Checksum>,
}

/// A file that is written under a temporary name in the same folder and renamed when complete.
///
/// Dropped before [`AtomicFile::commit`], it leaves nothing behind. If the path is a symbolic link, the file that it
/// points to is written.
#[derive(Debug)]
pub struct AtomicFile {
    /// Present until the file is renamed.
    temporary: Option<NamedTempFile>,
    /// Appended bytes that are not written yet.
    pending: Vec<u8>,
    /// Offset of the next appended byte, after the pending ones.
    end: u64,
    /// The file's current offset.
    cursor: u64,
    digest: Option<Digest>,
    behind: WriteBehind,
    target: PathBuf,
    existing: Existing,
    /// The path for messages.
    path: PathBuf,
}

impl AtomicFile {
    /// Creates a file.
    ///
    /// # Errors
    /// When the path names a folder, a device, a broken link or a file that is to be kept, or its folder cannot be
    /// written to.
    pub fn create(path: &Path, existing: Existing) -> Result<Self, TableError> {
        let target = resolve(path)?;
        let old = fs::metadata(&target).ok();
        if old.is_some() && existing == Existing::Keep {
            return Err(TableError::Exists { path: path.to_owned() });
        }
        let folder = folder(&target);
        let temporary = unfinished::create(folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if !folder.exists() => {
                refused(path, &format!("there is no folder {}: make it first", folder.display()))
            }
            // Errors name the requested path instead of the temporary one.
            kind => failed(path, error.raw_os_error().map_or(kind.into(), io::Error::from_raw_os_error)),
        })?;
        let file = Self {
            temporary: Some(temporary),
            pending: Vec::new(),
            end: 0,
            cursor: 0,
            digest: None,
            behind: WriteBehind::default(),
            target,
            existing,
            path: path.to_owned(),
        };
        if let Some(old) = old {
            file.file()?.set_permissions(old.permissions()).map_err(|error| failed(path, error))?;
        }
        Ok(file)
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// As [`AtomicFile::create`], and when the file system reports an error.
    pub fn write_whole(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), TableError> {
        let mut file = Self::create(path, existing)?;
        file.append(bytes)?;
        file.commit().map(drop)
    }

    /// Requests a checksum, computed while writing; to be called before the first byte.
    #[must_use]
    pub fn with_checksum(mut self, wanted: bool) -> Self {
        self.digest = wanted.then(Digest::default);
        self
    }

    /// Requests a checksum of the bytes from an offset on; to be called before that byte is written.
    pub(super) fn checksum_from(&mut self, start: u64) {
        self.digest = Some(Digest::from(start));
    }

    /// The checksum of the bytes written, if requested.
    pub(super) fn take_checksum(&mut self) -> Result<Option<Checksum>, TableError> {
        self.flush_pending()?;
        let Some(digest) = self.digest.take() else { return Ok(None) };
        let checksum = digest.finish(&mut self.file()?.try_clone().map_err(|error| failed(&self.path, error))?);
        // Reading the file back may have changed its offset.
        self.cursor = u64::MAX;
        checksum.map(Some).map_err(|error| failed(&self.path, error))
    }

    /// The requested path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self) -> Result<&File, TableError> {
        opened(self.temporary.as_ref(), &self.path)
    }

    /// Checks that the disk has room for a file of at least this size.
    ///
    /// # Errors
    /// When there is less. It is no error if the system does not tell.
    pub fn require_room(&self, needed: u64) -> Result<(), TableError> {
        match fs4::available_space(folder(&self.target)) {
            Ok(available) if available < needed => {
                Err(TableError::NoRoom { path: self.path.clone(), needed, available })
            }
            _ => Ok(()),
        }
    }

    /// Reserves space for the whole file on the disk, for writes at any offset.
    ///
    /// # Errors
    /// When the disk has less room, or a file may not be that large.
    pub fn allocate(&self, bytes: u64) -> Result<(), TableError> {
        self.require_room(bytes)?;
        let file = self.file()?;
        match file.allocate(bytes) {
            Err(error) if is_full(&error) => return Err(failed(&self.path, error)),
            // If space cannot be reserved, the file grows as it is written.
            Err(_) | Ok(()) => {}
        }
        file.set_len(bytes).map_err(|error| failed(&self.path, error))
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), TableError> {
        if self.pending.len() + bytes.len() > BUFFER {
            self.flush_pending()?;
        }
        if bytes.len() > BUFFER {
            self.put(self.end, bytes)?;
        } else {
            self.pending.extend_from_slice(bytes);
        }
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Writes bytes at an offset, over existing ones.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write_at(&mut self, place: u64, bytes: &[u8]) -> Result<(), TableError> {
        self.flush_pending()?;
        self.put(place, bytes)?;
        self.end = self.end.max(place + bytes.len() as u64);
        Ok(())
    }

    fn flush_pending(&mut self) -> Result<(), TableError> {
        let pending = std::mem::take(&mut self.pending);
        self.put(self.end - pending.len() as u64, &pending)?;
        self.pending = pending;
        self.pending.clear();
        Ok(())
    }

    fn put(&mut self, place: u64, bytes: &[u8]) -> Result<(), TableError> {
        if bytes.is_empty() {
            return Ok(());
        }
        // Not `self.file()`, which would borrow all of `self`.
        let mut file = opened(self.temporary.as_ref(), &self.path)?;
        if place != self.cursor {
            file.seek(SeekFrom::Start(place)).map_err(|error| failed(&self.path, error))?;
        }
        file.write_all(bytes).map_err(|error| failed(&self.path, error))?;
        self.behind.written(file, bytes.len() as u64).map_err(|error| failed(&self.path, error))?;
        self.cursor = place + bytes.len() as u64;
        if let Some(digest) = &mut self.digest {
            digest.write(place, bytes);
        }
        Ok(())
    }

    /// Waits until the bytes are stored on the disk.
    pub(super) fn seal(mut self) -> Result<Sealed, TableError> {
        let checksum = self.take_checksum()?;
        self.behind.finish().map_err(|error| failed(&self.path, error))?;
        let failed = |error| failed(&self.path, error);
        self.file()?.sync_all().map_err(failed)?;
        let bytes = self.file()?.metadata().map_err(failed)?.len();
        let stored = Stored { path: self.path.clone(), bytes, checksum };
        Ok(Sealed { file: self, stored })
    }

    /// Waits until the bytes are stored on the disk, then renames the file to its final name.
    ///
    /// # Errors
    /// When the file system reports an error; the temporary file is removed then.
    pub fn commit(self) -> Result<Stored, TableError> {
        self.seal()?.name(&mut Unfinished::lock())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            let path = temporary.path().to_owned();
            drop(temporary);
            Unfinished::lock().forget(&path);
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.append(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(TableError::Io { source, .. }) => Err(source),
            Err(other) => Err(io::Error::other(other)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file whose bytes are stored and which only has to be renamed.
#[derive(Debug)]
pub(super) struct Sealed {
    file: AtomicFile,
    stored: Stored,
}

impl Sealed {
    /// The final path.
    pub(super) fn target(&self) -> &Path {
        &self.file.target
    }

    /// Whether the file may replace an existing one.
    pub(super) fn replaces(&self) -> bool {
        self.file.existing == Existing::Replace
    }

    /// Renames the file to its final name, and syncs the folder.
    pub(super) fn name(mut self, names: &mut Unfinished) -> Result<Stored, TableError> {
        let file = &mut self.file;
        let Some(temporary) = file.temporary.take() else { return Err(refused(&file.path, "is closed")) };
        let unfinished = temporary.path().to_owned();
        let named = match file.existing {
            Existing::Replace => temporary.persist(&file.target),
            Existing::Keep => temporary.persist_noclobber(&file.target),
        };
        names.forget(&unfinished);
        named.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => TableError::Exists { path: file.path.clone() },
            _ => failed(&file.path, error.error),
        })?;
        sync_folder(folder(&file.target)).map_err(|error| failed(&file.path, error))?;
        Ok(self.stored)
    }
}

/// The file under its temporary name; an error after it was renamed.
fn opened<'a>(temporary: Option<&'a NamedTempFile>, path: &Path) -> Result<&'a File, TableError> {
    temporary.map(NamedTempFile::as_file).ok_or_else(|| refused(path, "is closed"))
}

/// Waits until a folder's entries are stored on the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        // Some network file systems store names synchronously and do not support this.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

/// The folder of a file.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The final path: symbolic links are followed, and only a regular file may be replaced.
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

/// Whether the disk is full, or a quota or file size limit is reached.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn refused(path: &Path, why: &str) -> TableError {
    failed(path, io::Error::other(why))
}

pub(super) fn failed(path: &Path, source: io::Error) -> TableError {
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
        let mut file = AtomicFile::create(&path, Existing::Keep).unwrap().with_checksum(true);
        file.append(b"whole").unwrap();
        assert!(!path.exists());
        let stored = file.commit().unwrap();
        assert_eq!(stored, Stored { path: path.clone(), bytes: 5, checksum: Some(Checksum::of(b"whole")) });
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["table.csv"]);
    }

    #[test]
    fn bytes_go_where_they_belong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.bin");
        let mut file = AtomicFile::create(&path, Existing::Keep).unwrap().with_checksum(true);
        file.allocate(2 * BUFFER as u64 + 9).unwrap();
        file.append(b"head").unwrap();
        file.write_at(7, &vec![7; 2 * BUFFER]).unwrap();
        file.write_at(4, b"mid").unwrap();
        file.append(b"ta").unwrap();
        let stored = file.commit().unwrap();
        let want = [b"headmid".to_vec(), vec![7; 2 * BUFFER], b"ta".to_vec()].concat();
        assert_eq!(fs::read(&path).unwrap(), want);
        assert_eq!(stored.checksum, Some(Checksum::of(&want)));
    }

    #[test]
    fn an_abandoned_file_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        fs::write(&path, "old").unwrap();
        let mut file = AtomicFile::create(&path, Existing::Replace).unwrap();
        file.append(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["table.csv"]);
    }

    #[test]
    fn an_existing_file_is_replaced_only_where_that_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        let late = AtomicFile::create(&path, Existing::Keep).unwrap();
        fs::write(&path, "old").unwrap();
        for error in [AtomicFile::create(&path, Existing::Keep).map(drop), late.commit().map(drop)] {
            let error = error.unwrap_err();
            assert!(matches!(error, TableError::Exists { .. }) && error.to_string().contains("--force"), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let mut file = AtomicFile::create(&path, Existing::Replace).unwrap();
        file.append(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["table.csv"]);
    }

    #[test]
    fn more_than_the_disk_holds_is_refused_before_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = AtomicFile::create(&folder.path().join("table.npy"), Existing::Keep).unwrap();
        let error = file.allocate(1 << 60).unwrap_err().to_string();
        assert!(error.contains("has room for") && error.contains("1152921504606846976"), "{error}");
        drop(file);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(folder.path(), Existing::Replace).unwrap_err().to_string();
        assert!(error.contains("is a folder"), "{error}");
        let missing = folder.path().join("missing/table.csv");
        let error = AtomicFile::create(&missing, Existing::Keep).unwrap_err().to_string();
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
        let mut file = AtomicFile::create(&link, Existing::Replace).unwrap();
        file.append(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_ne!(fs::metadata(&real).unwrap().permissions().mode() & 0o400, 0);

        symlink(&one, &two).unwrap();
        symlink(&two, &one).unwrap();
        let error = AtomicFile::create(&one, Existing::Replace).unwrap_err().to_string();
        assert!(error.contains("one.csv") && error.contains("leads nowhere"), "{error}");
    }
}
