//! Ctrl-C: the first asks a long run to stop where it can go on later, the second ends the program.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// Exit code of a program that was interrupted, as shells have it.
pub(super) const EXIT: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Listens from now on.
pub(super) fn listen() {
    let listening = std::thread::Builder::new().name("ctrl-c".to_owned());
    // Without the thread Ctrl-C ends the program at once, which loses no more.
    let _ = listening.spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        let Ok(runtime) = runtime else {
            return;
        };
        runtime.block_on(async {
            let Ok(mut interrupt) = signal(SignalKind::interrupt()) else {
                return;
            };
            while interrupt.recv().await.is_some() {
                if ASKED.swap(true, Ordering::SeqCst) {
                    std::process::exit(i32::from(EXIT));
                }
            }
        });
    });
}

/// Whether somebody has asked.
pub(super) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
