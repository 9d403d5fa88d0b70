//! Files that belong together: a table and its companions.

use std::fs;
use std::path::{Path, PathBuf};

use super::atomic::{AtomicFile, Existing, Stored, failed};
use super::unfinished::Unfinished;
use crate::error::TableError;

/// The name of a table's companion: `table.npy` and `momentum.npy` give `table.momentum.npy`.
pub(super) fn companion(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(ending)
}

/// Checks for companions of an older table, which would be taken for those of the new one.
///
/// # Errors
/// When there is one and existing files are to be kept.
pub(super) fn check_companions(companions: &[PathBuf], existing: Existing) -> Result<(), TableError> {
    match companions.iter().find(|path| existing == Existing::Keep && fs::symlink_metadata(path).is_ok()) {
        Some(path) => Err(TableError::Exists { path: path.clone() }),
        None => Ok(()),
    }
}

/// Renames a table and its companions to their final names, the table last, so that a visible table has its companions.
///
/// An older table is removed first, with those of its companions that the new one lacks (`obsolete`): at no time does a
/// table lie beside the companions of another.
///
/// # Errors
/// When the file system reports an error; none of the new files exists then.
pub(super) fn commit(
    table: AtomicFile,
    companions: Vec<AtomicFile>,
    obsolete: &[PathBuf],
) -> Result<Vec<Stored>, TableError> {
    let table = table.seal()?;
    let companions = companions.into_iter().map(AtomicFile::seal).collect::<Result<Vec<_>, _>>()?;
    let obsolete = obsolete.iter().filter(|path| fs::symlink_metadata(path).is_ok());
    let replaced: Vec<PathBuf> = match table.replaces() && (!companions.is_empty() || obsolete.clone().next().is_some())
    {
        true => std::iter::once(table.target().to_owned()).chain(obsolete.cloned()).collect(),
        false => Vec::new(),
    };
    let mut files = companions.into_iter().chain([table]);
    // Declared after `files`, so that the lock is released before the remaining files are dropped, which takes it.
    let mut names = Unfinished::lock();
    for path in &replaced {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(path, error)),
            _ => {}
        }
    }
    let mut named: Vec<PathBuf> = Vec::new();
    let mut stored = Vec::new();
    for file in files.by_ref() {
        let target = file.target().to_owned();
        match file.name(&mut names) {
            Ok(file) => {
                stored.insert(0, file);
                named.push(target);
            }
            Err(error) => {
                named.iter().for_each(|path| drop(fs::remove_file(path)));
                return Err(error);
            }
        }
    }
    Ok(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_set_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["t.npy", "t.parameters.csv", "t.momentum.npy"] {
            fs::write(at(name), "old").unwrap();
        }
        let companions = [at("t.parameters.csv"), at("t.momentum.npy")];
        assert!(matches!(check_companions(&companions, Existing::Keep), Err(TableError::Exists { .. })));
        check_companions(&companions, Existing::Replace).unwrap();
        let start = |name: &str| AtomicFile::create(&at(name), Existing::Replace).unwrap();
        let (table, parameters) = (start("t.npy"), start("t.parameters.csv"));
        let stored = commit(table, vec![parameters], &companions[1..]).unwrap();
        assert_eq!(
            stored.iter().map(|file| file.path.clone()).collect::<Vec<_>>(),
            [at("t.npy"), at("t.parameters.csv")]
        );
        assert_eq!(fs::read(at("t.npy")).unwrap(), b"");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_companion_that_cannot_be_named_stops_the_table() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let table = AtomicFile::create(&at("t.npy"), Existing::Keep).unwrap();
        let companion = AtomicFile::create(&at("t.parameters.csv"), Existing::Keep).unwrap();
        fs::create_dir(at("t.parameters.csv")).unwrap();
        assert!(commit(table, vec![companion], &[]).is_err());
        assert!(!at("t.npy").exists());
    }
}
