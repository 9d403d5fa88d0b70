//! Times two pieces of work in alternation.

use std::time::Instant;

/// The least number of rounds, however long they take.
const ROUNDS: usize = 5;

/// The least seconds of `limit` and of `work`, which take turns until the budget is spent.
pub fn in_turns<E>(
    budget: f64,
    mut limit: impl FnMut() -> Result<(), E>,
    mut work: impl FnMut() -> Result<(), E>,
) -> Result<(f64, f64), E> {
    let start = Instant::now();
    let (mut least_limit, mut least_work) = (f64::INFINITY, f64::INFINITY);
    let mut rounds = 0;
    while rounds < ROUNDS || start.elapsed().as_secs_f64() < budget {
        least_limit = least_limit.min(seconds(&mut limit)?);
        least_work = least_work.min(seconds(&mut work)?);
        rounds += 1;
    }
    Ok((least_limit, least_work))
}

/// How long a call takes; never 0, so that it may be divided by.
pub fn seconds<E>(call: &mut impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let start = Instant::now();
    call()?;
    Ok(start.elapsed().as_secs_f64().max(1e-9))
}
