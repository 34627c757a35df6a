//! Independent jobs on all processors.

use std::sync::Mutex;
use std::thread;

/// Does jobs, as many at a time as there are processors; gives their results in the jobs' order.
pub fn in_parallel<J: Send, R: Send, E: Send>(
    jobs: impl IntoIterator<Item = J>,
    work: impl Fn(J) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let jobs: Vec<J> = jobs.into_iter().collect();
    let results: Mutex<Vec<Option<Result<R, E>>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let job = queue.lock().expect("no worker panics").next();
                    let Some((k, job)) = job else { break };
                    let result = work(job);
                    results.lock().expect("no worker panics")[k] = Some(result);
                }
            });
        }
    });
    results.into_inner().expect("no worker panics").into_iter().flatten().collect()
}
