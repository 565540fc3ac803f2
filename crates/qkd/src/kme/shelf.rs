//! The thread that writes and removes files with bits, in order, so that the engine never waits for them.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use zeroize::Zeroizing;

use super::core::{Input, LinkId, PoolId};
use super::disk::{BlockName, Blocks, DiskError};
use super::engine::{EngineHandle, Message};

/// What to do.
pub(crate) enum Job {
    /// Write a block and say so.
    Write(BlockName, u64, Zeroizing<Vec<u8>>),
    /// Overwrite and remove a block.
    Drop(BlockName),
    /// The same for all blocks of a link that belong to another pool.
    DropOthers(LinkId, PoolId),
}

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct Shelf {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Shelf {
    pub(crate) fn start(blocks: Blocks, engine: EngineHandle) -> std::io::Result<Shelf> {
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("kme-shelf".to_owned())
            .spawn(move || work(&blocks, &engine, &waiting))?;
        Ok(Shelf {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Never waits. At most one write of each link is under way.
    pub(crate) fn put(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // A thread that has ended has told the engine why.
            let _ = jobs.send(job);
        }
    }

    /// Waits for what is under way.
    pub(crate) fn finish(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(blocks: &Blocks, engine: &EngineHandle, waiting: &Receiver<Job>) {
    while let Ok(job) = waiting.recv() {
        let message = match once(blocks, job) {
            Ok(None) => continue,
            Ok(Some(input)) => Message::Input(input),
            Err(disk) => Message::Broken(disk),
        };
        // A full queue drains; an engine that has ended wants nothing more.
        engine.send_unless_ended(message);
    }
}

fn once(blocks: &Blocks, job: Job) -> Result<Option<Input>, DiskError> {
    match job {
        Job::Write(name, write, bits) => {
            blocks.write(&name, &bits)?;
            let link = name.link;
            return Ok(Some(Input::Written { link, write }));
        }
        Job::Drop(name) => blocks.drop(&name)?,
        Job::DropOthers(link, pool) => {
            for name in blocks.list()? {
                if name.link == link && name.pool != pool {
                    blocks.drop(&name)?;
                }
            }
        }
    }
    Ok(None)
}
