//! Bytes as the choices of a spec over the whole catalogue: every value within its bound of the reference.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(breach) = lrgrid::check::random::check_bytes(bytes) {
        panic!("{:?}\n{}", breach.wrong, breach.document);
    }
});
