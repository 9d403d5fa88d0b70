//! Manifests and parts: a manifest that is read cuts the job into whole shards, and a part that was changed is damaged.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use arbitrary::Unstructured;
use lrgrid::{Backend, Spec, Steps};
use lrgrid_tables::job::{Condition, Job, Plan};
use lrgrid_tables::table::{Control, Existing, Memory};
use tempfile::TempDir;

use super::{check_message, folder};

const SPEC: &str = r#"
schedule = { kind = "linear", start = "$peak", end = 0, steps = 9 }
[sweep.parameters]
peak = { values = [1e-3, 3e-4, 1e-4, 3e-5] }
"#;

/// The most changes that are made to a part.
const MOST_EDITS: usize = 8;

/// A job of two shards, the first of which is made.
struct Made {
    /// Removed with it.
    _folder: TempDir,
    plan: Plan,
    part: Vec<u8>,
}

thread_local! {
    static MADE: Made = Made::new();
    static FOLDER: TempDir = folder();
}

impl Made {
    fn new() -> Self {
        let folder = folder();
        let job = Job { backend: Backend::Cpu, ..Job::new(Spec::from_toml(SPEC).unwrap(), Steps::range(0..10)) };
        let plan = Plan::create(job, 2, folder.path(), Existing::Keep).unwrap();
        let engine = plan.job().engine(None, Memory::default()).unwrap();
        with_control(|control| plan.run(&plan.shards()[0], &engine, control).map(drop)).unwrap();
        let part = fs::read(&plan.shards()[0].path).unwrap();
        Self { _folder: folder, plan, part }
    }
}

fn with_control<T>(work: impl FnOnce(&mut Control<'_>) -> T) -> T {
    let stop = AtomicBool::new(false);
    work(&mut Control { memory: Memory::default(), stop: &stop, progress: &mut |_| {} })
}

/// The text of a manifest that is right.
pub fn manifest_seed() -> String {
    MADE.with(|made| fs::read_to_string(made.plan.manifest()).unwrap())
}

/// A manifest.
pub fn manifest(input: &[u8]) -> bool {
    FOLDER.with(|folder| manifest_in(folder.path(), input))
}

fn manifest_in(folder: &Path, input: &[u8]) -> bool {
    fs::write(folder.join("manifest.json"), input).unwrap();
    let plan = match Plan::open(folder) {
        Ok(plan) => plan,
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains("manifest.json"), "which file? {message}");
            if !message.contains("`spec`: ") {
                check_message(&message.replace(&folder.display().to_string(), ""));
            }
            return false;
        }
    };
    let mut next = 0;
    let mut files = BTreeSet::from([plan.manifest()]);
    for shard in plan.shards() {
        assert_eq!(shard.rows.start, next, "a gap or an overlap");
        assert!(!shard.rows.is_empty(), "an empty shard");
        assert_eq!(shard.path.parent(), Some(folder), "outside the folder");
        assert!(files.insert(shard.path.clone()), "{} twice", shard.path.display());
        next = shard.rows.end;
    }
    assert_eq!(next, plan.job().schedules());
    let status = with_control(|control| plan.status(control)).unwrap();
    assert!(status.shards.iter().all(|(_, condition)| *condition != Condition::Done), "done, and nothing is there");
    true
}

/// A part: the input is read as changes to one that is right.
pub fn part(input: &[u8]) -> bool {
    MADE.with(|made| part_of(made, input))
}

fn part_of(Made { plan, part, .. }: &Made, input: &[u8]) -> bool {
    let mut bytes = part.clone();
    // An input that is used up gives zeros.
    let _ = edit(&mut Unstructured::new(input), &mut bytes);
    fs::write(&plan.shards()[0].path, &bytes).unwrap();
    let status = with_control(|control| plan.status(control)).unwrap();
    let condition = &status.shards[0].1;
    if let Condition::Damaged(reason) = condition {
        check_message(reason);
    }
    assert_eq!(*condition == Condition::Done, bytes == *part, "{condition:?}");
    bytes == *part
}

fn edit(input: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> arbitrary::Result<()> {
    for _ in 0..input.int_in_range(0..=MOST_EDITS)? {
        let at = input.int_in_range(0..=bytes.len())?;
        let end = (at + input.int_in_range(0..=16_usize)?).min(bytes.len());
        match input.int_in_range(0..=4_u8)? {
            0 => bytes[at..end].iter_mut().try_for_each(|byte| {
                *byte ^= input.arbitrary::<u8>()?;
                Ok::<_, arbitrary::Error>(())
            })?,
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let new: [u8; 8] = input.arbitrary()?;
                bytes.splice(at..end, new);
            }
        }
    }
    Ok(())
}
