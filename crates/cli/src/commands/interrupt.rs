//! SIGINT and SIGTERM: the process ends soon after either, and leaves no unfinished file.
//!
//! A thread waits for the signal, so the end does not depend on whether the work checks a flag. Work that does check it has
//! a short time to stop by itself and to report its progress.

use std::sync::atomic::AtomicBool;

/// Set once a signal has asked to stop.
static STOP: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
mod unix {
    use std::io::{self, Write};
    use std::process;
    use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
    use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread;
    use std::time::Duration;

    use lrgrid_tables::table::remove_unfinished;
    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use super::STOP;

    /// How long work that looks at the flag may take to stop.
    const GRACE: Duration = Duration::from_millis(700);

    /// How long files that are just being given their names may take to get them.
    const NAMING: Duration = Duration::from_millis(400);

    /// How long it may take to say why.
    const SAYING: Duration = Duration::from_millis(200);

    /// The signal that asked.
    static SIGNAL: AtomicI32 = AtomicI32::new(0);

    /// Whether anything looks at the flag.
    static WATCHED: AtomicBool = AtomicBool::new(false);

    /// Held by whoever ends the process, so that it is said once why.
    static ENDING: Mutex<()> = Mutex::new(());

    pub fn start() {
        // A file that may not grow is then an error of the write, with its message, and not the end.
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
        // Where signals cannot be watched, they end the program as ever, and the next run cleans up.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        let (sender, arrived) = channel();
        thread::spawn(move || signals.forever().try_for_each(|signal| sender.send(signal)));
        thread::spawn(move || end_at_signal(&arrived));
    }

    pub fn watch() {
        WATCHED.store(true, Ordering::Relaxed);
    }

    fn end_at_signal(arrived: &Receiver<i32>) {
        let Ok(signal) = arrived.recv() else { return };
        SIGNAL.store(signal, Ordering::Relaxed);
        STOP.store(true, Ordering::Relaxed);
        // A second signal ends the wait.
        if WATCHED.load(Ordering::Relaxed) && arrived.recv_timeout(GRACE) == Err(RecvTimeoutError::Disconnected) {
            thread::sleep(GRACE);
        }
        end("interrupted, and no unfinished file is left behind");
    }

    /// Ends the process by the signal that asked it to, so that a shell sees what happened and a loop of commands ends too.
    pub fn end(message: &str) {
        let signal = SIGNAL.load(Ordering::Relaxed);
        if signal == 0 {
            return;
        }
        let _ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
        remove_unfinished(NAMING);
        // In a thread of its own: standard error may be a pipe that nobody reads.
        let line = format!("error: {message}\n");
        let (said, wait) = channel();
        thread::spawn(move || {
            let _ = io::stderr().write_all(line.as_bytes());
            let _ = said.send(());
        });
        let _ = wait.recv_timeout(SAYING);
        let _ = emulate_default_handler(signal);
        process::exit(128 + signal);
    }
}

/// Ends the process soon after each signal from now on.
pub fn start() {
    #[cfg(unix)]
    unix::start();
}

/// A flag that the first signal sets: whoever asks for it looks at it often, and says how far the work came.
pub fn watch() -> &'static AtomicBool {
    #[cfg(unix)]
    unix::watch();
    &STOP
}

/// Ends the process by the signal that asked it to stop, where one did; with a message.
pub fn end(message: &str) {
    #[cfg(unix)]
    unix::end(message);
    #[cfg(not(unix))]
    let _ = message;
}
