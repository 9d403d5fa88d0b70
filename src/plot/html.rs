//! placeholder
use super::chart::{Chart, Options, Subject};
use crate::error::Error;
/// page
pub fn page(_s: &[Subject<'_>], _o: &Options, _c: &Chart) -> Result<String, Error> {
    Ok(String::new())
}
