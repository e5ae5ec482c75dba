//! Many worlds at a time, each on a thread of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

use super::{Ran, Run};

/// Futures of whole handlers are large where nothing is optimized.
const STACK: usize = 16 * 1024 * 1024;

/// Runs worlds side by side, as many at a time as it is told, and tells of each as it ends. A checker that panics is a failure too.
pub fn on_threads<T: Send>(
    threads: usize,
    runs: impl Iterator<Item = (T, Run)> + Send,
    mut told: impl FnMut(T, Run, Ran),
) {
    let runs = Mutex::new(runs);
    let (tell, ended) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (tell, runs) = (tell.clone(), &runs);
            let work = move || {
                let next = || runs.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some((what, run)) = next() {
                    let ran = catch_unwind(AssertUnwindSafe(|| run.go()));
                    let ran = ran.unwrap_or_else(|_| Ran::broken("the simulation panicked"));
                    if tell.send((what, run, ran)).is_err() {
                        return;
                    }
                }
            };
            // Where a thread can't be had, the others run its worlds.
            let _ = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        }
        drop(tell);
        for (what, run, ran) in ended {
            told(what, run, ran);
        }
    });
}

/// How many worlds this machine runs at a time.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
