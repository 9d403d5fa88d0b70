//! Ctrl-C and its like: the first asks the work to stop and clean up, the second ends it at once.

use std::sync::atomic::AtomicBool;

/// Set once a signal has asked to stop.
static STOP: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
mod unix {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
    use std::thread;

    use lrgrid::table::remove_unfinished;
    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use super::STOP;

    /// The signal that asked.
    static SIGNAL: AtomicI32 = AtomicI32::new(0);

    pub fn watch() {
        // A file that may not grow is then an error of the write, with its message, and not the end.
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
        // Where signals cannot be watched, they end the program as ever, and the next run cleans up.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        thread::spawn(move || {
            for signal in signals.forever() {
                SIGNAL.store(signal, Ordering::Relaxed);
                if STOP.swap(true, Ordering::Relaxed) {
                    remove_unfinished();
                    let _ = emulate_default_handler(signal);
                }
            }
        });
    }

    pub fn end() {
        // As the signal would have: a shell sees what happened, and a loop of commands ends too.
        match SIGNAL.load(Ordering::Relaxed) {
            0 => {}
            signal => drop(emulate_default_handler(signal)),
        }
    }
}

/// Watches for signals from now on; the flag is set by the first.
pub fn watch() -> &'static AtomicBool {
    #[cfg(unix)]
    unix::watch();
    flag()
}

/// Set once a signal has asked to stop, where they are watched.
pub fn flag() -> &'static AtomicBool {
    &STOP
}

/// Ends the program by the signal that asked it to stop, where one did.
pub fn end() {
    #[cfg(unix)]
    unix::end();
}
