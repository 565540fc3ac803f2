//! The thread that owns a key manager's state and its folder.
//!
//! It takes all inputs that wait, lets the state machine handle them, writes all records as one batch and syncs it, and only
//! then lets anything out. So one sync serves everybody who waited (group commit). When the folder
//! fails, everybody who waits gets 503, nothing more is handled, and the key manager ends: its state is ahead of its disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use crate::etsi::SaeId;

use super::core::{
    Answer, Ask, Effect, Figures, Frame, Input, LinkId, Manager, News, PoolId, Record, Refusal,
    Ticket,
};
use super::disk::{BlockName, DiskError, Folder};
use super::shelf::{Job, Shelf};

/// Inputs that may wait; whoever finds the queue full gets 503.
pub(crate) const QUEUE: usize = 4_096;
/// Inputs handled between two syncs.
const BATCH: usize = 512;
/// Effects after which a batch is closed early.
const EFFECTS: usize = 16_384;

/// What reaches the engine.
#[derive(Debug)]
pub(crate) enum Message {
    /// An SAE asks.
    Ask {
        caller: SaeId,
        ask: Ask,
        reply: oneshot::Sender<Answer>,
    },
    /// The pages ask.
    Figures { reply: oneshot::Sender<Answer> },
    /// A connection to another key manager stands.
    PeerUp {
        link: LinkId,
        session: u64,
        dialled: bool,
        frames: mpsc::Sender<Frame>,
    },
    /// Anything else.
    Input(Input),
    /// The folder fails.
    Broken(DiskError),
    /// No more.
    Stop,
}

/// A way to the engine.
#[derive(Clone, Debug)]
pub(crate) struct EngineHandle {
    messages: mpsc::Sender<Message>,
    pub(crate) counters: Arc<Counters>,
    ended: Arc<AtomicBool>,
}

/// What the engine counts for the metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) batches: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) requests: AtomicU64,
}

impl EngineHandle {
    /// Asks and waits.
    pub(crate) async fn ask(&self, caller: SaeId, ask: Ask) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        let message = Message::Ask { caller, ask, reply };
        if self.messages.try_send(message).is_err() {
            return Answer::Refused(Refusal::Busy("busy or stopping; ask again"));
        }
        let gone = Answer::Refused(Refusal::Busy("stopping"));
        answer.await.unwrap_or(gone)
    }

    /// The figures of this moment.
    pub(crate) async fn figures(&self) -> Option<Box<Figures>> {
        let (reply, answer) = oneshot::channel();
        self.messages.send(Message::Figures { reply }).await.ok()?;
        match answer.await.ok()? {
            Answer::Figures(figures) => Some(figures),
            _ => None,
        }
    }

    /// Sends anything else; `false` when the engine has ended.
    pub(crate) async fn send(&self, message: Message) -> bool {
        self.messages.send(message).await.is_ok()
    }

    /// Sends from the shelf, which the engine waits for at its end: gives up when the engine takes nothing any more.
    pub(crate) fn send_unless_ended(&self, message: Message) {
        let mut message = message;
        loop {
            match self.messages.try_send(message) {
                Err(mpsc::error::TrySendError::Full(back))
                    if !self.ended.load(Ordering::Acquire) =>
                {
                    message = back;
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                _ => return,
            }
        }
    }

    /// Sends from a thread that is no task.
    pub(crate) fn blocking_send(&self, message: Message) -> bool {
        self.messages.blocking_send(message).is_ok()
    }
}

/// The engine.
pub(crate) struct Engine {
    manager: Manager,
    folder: Folder,
    messages: mpsc::Receiver<Message>,
    counters: Arc<Counters>,
    sources: BTreeMap<LinkId, std::sync::mpsc::Sender<u64>>,
    replies: BTreeMap<Ticket, oneshot::Sender<Answer>>,
    peers: BTreeMap<(LinkId, u64), mpsc::Sender<Frame>>,
    next_ticket: u64,
    shelf: Shelf,
    ended: Arc<AtomicBool>,
    stopping: bool,
    broken: Option<DiskError>,
}

impl Engine {
    /// An engine and the way to it. `sources` take the number of bits wanted.
    pub(crate) fn new(
        manager: Manager,
        folder: Folder,
        sources: BTreeMap<LinkId, std::sync::mpsc::Sender<u64>>,
    ) -> std::io::Result<(Engine, EngineHandle)> {
        let (sender, messages) = mpsc::channel(QUEUE);
        let counters = Arc::new(Counters::default());
        let ended = Arc::new(AtomicBool::new(false));
        let handle = EngineHandle {
            messages: sender,
            counters: Arc::clone(&counters),
            ended: Arc::clone(&ended),
        };
        let shelf = Shelf::start(folder.blocks.clone(), handle.clone())?;
        let engine = Engine {
            manager,
            folder,
            messages,
            counters,
            sources,
            replies: BTreeMap::new(),
            peers: BTreeMap::new(),
            next_ticket: 0,
            shelf,
            ended,
            stopping: false,
            broken: None,
        };
        Ok((engine, handle))
    }

    /// Works until told to stop, or until the folder fails.
    pub(crate) fn run(mut self) -> Result<(), DiskError> {
        let result = self.work();
        if let Err(disk) = &result {
            error!(error = %disk, "the folder fails: this key manager stops");
        }
        self.ended.store(true, Ordering::Release);
        // The folder is released after the last file is done.
        self.shelf.finish();
        result
    }

    fn work(&mut self) -> Result<(), DiskError> {
        while !self.stopping {
            let Some(first) = self.messages.blocking_recv() else {
                break;
            };
            let now = now_ms();
            let mut effects = Vec::new();
            self.take(now, first, &mut effects);
            for _ in 1..BATCH {
                if effects.len() > EFFECTS {
                    break;
                }
                let Ok(message) = self.messages.try_recv() else {
                    break;
                };
                self.take(now, message, &mut effects);
            }
            if let Some(disk) = self.broken.take() {
                return Err(disk);
            }
            self.manager.finish(now, &mut effects);
            self.carry_out(effects)?;
        }
        Ok(())
    }

    fn take(&mut self, now: u64, message: Message, effects: &mut Vec<Effect>) {
        let input = match message {
            Message::Ask { caller, ask, reply } => Input::Ask {
                ticket: self.ticket(reply),
                caller,
                ask,
            },
            Message::Figures { reply } => Input::Figures {
                ticket: self.ticket(reply),
            },
            Message::PeerUp {
                link,
                session,
                dialled,
                frames,
            } => {
                let mut fresh = PoolId::default();
                if let Err(why) = getrandom::fill(&mut fresh) {
                    warn!(%why, "no random bits: the connection is not used");
                    return;
                }
                self.peers.insert((link, session), frames);
                Input::PeerUp {
                    link,
                    session,
                    dialled,
                    fresh,
                }
            }
            Message::Input(input) => {
                if let Input::PeerDown { link, session } = &input {
                    self.peers.remove(&(*link, *session));
                }
                input
            }
            Message::Broken(disk) => {
                self.broken = Some(disk);
                return;
            }
            Message::Stop => {
                self.stopping = true;
                return;
            }
        };
        self.manager.handle(now, input, effects);
    }

    fn ticket(&mut self, reply: oneshot::Sender<Answer>) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.replies.insert(ticket, reply);
        ticket
    }

    /// Records, then the rest.
    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), DiskError> {
        let mut records = Vec::new();
        let mut rest = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Append(record) => records.push(record),
                other => rest.push(other),
            }
        }
        if !records.is_empty() {
            self.folder.log.append(&records)?;
            self.counters.batches.fetch_add(1, Ordering::Relaxed);
            let count = records.len() as u64;
            self.counters.records.fetch_add(count, Ordering::Relaxed);
            self.drop_old_pools(&records);
        }
        for effect in rest {
            self.let_out(effect);
        }
        if self.folder.log.wants_summary() {
            self.folder.log.sum_up(&self.manager.summary())?;
        }
        Ok(())
    }

    fn block(&self, link: LinkId, direction: super::core::Direction, at: u64) -> Option<BlockName> {
        let pool = self.manager.pool(link)?;
        Some(BlockName {
            pool,
            link,
            direction,
            at,
        })
    }

    /// After a new pool was started: the files of the old one go.
    fn drop_old_pools(&self, records: &[Record]) {
        for record in records {
            if let Record::Pool { link, pool } = record {
                self.shelf.put(Job::DropOthers(*link, *pool));
            }
        }
    }

    fn let_out(&mut self, effect: Effect) {
        match effect {
            Effect::DropBlock {
                link,
                direction,
                at,
            } => {
                if let Some(name) = self.block(link, direction, at) {
                    self.shelf.put(Job::Drop(name));
                }
            }
            Effect::WriteBlock {
                link,
                write,
                direction,
                at,
                bits,
            } => {
                if let Some(name) = self.block(link, direction, at) {
                    self.shelf.put(Job::Write(name, write, bits));
                }
            }
            Effect::Send {
                link,
                session,
                frame,
            } => {
                let sent = self
                    .peers
                    .get(&(link, session))
                    .is_some_and(|peer| peer.try_send(frame).is_ok());
                if !sent {
                    // Its queue is full or gone: the connection ends, which its reader reports.
                    self.peers.remove(&(link, session));
                }
            }
            Effect::Disconnect { link, session, why } => {
                warn!(link = link.0, %why, "the connection to the other key manager is cut");
                self.peers.remove(&(link, session));
            }
            Effect::Draw { link, bits_max } => {
                if let Some(source) = self.sources.get(&link) {
                    // A source whose thread has ended gives nothing more.
                    let _ = source.send(bits_max);
                }
            }
            Effect::Answer { ticket, answer } => {
                if let Some(reply) = self.replies.remove(&ticket) {
                    // Whoever has gone does not get the keys; they are wiped here.
                    let _ = reply.send(answer);
                }
            }
            Effect::Tell { link, news } => match news {
                News::Agreed { .. } => info!(link = link.0, "{news}"),
                News::SetBack | News::OtherPool | News::Source { .. } | News::Line { .. } => {
                    warn!(link = link.0, "{news}");
                }
            },
            Effect::Append(_) => {}
        }
    }
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
