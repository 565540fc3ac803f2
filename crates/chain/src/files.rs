//! Blocks in a file, for auditors: every block of a chain with what shows that it is final.
//!
//! ```text
//! frame 1   kind 1: version, chain, genesis
//! frames    kind 2: a block; kind 3: the certificate of the block before it, where it has one
//! frame     u32 bytes of the content | u8 kind | 4 bytes of checksum | content | 8 bytes of checksum
//! ```
//! The checksums are heads of SHA-256(offset of the frame, kind, length), then (offset, kind, content): a frame that was
//! changed or moved is found where it is, and a changed length does not pass for a cut.
//! A file only grows. One that ends inside a frame was cut by a crash: the writer takes the rest of that frame away, the
//! reader says so.
//!
//! The reader checks frames, heights and parents. Whether the blocks are **final** is for who holds the genesis: the
//! certificates are beside them ([`crate::light`]).

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
use tieline_units::canonical::{Canonical, DecodeError};
use tieline_units::{Digest, Encoder, canonical};

use crate::block::{BLOCK_BYTES_MAX, Block, BlockError};
use crate::home::Home;

/// Version of the frames.
pub const VERSION: u8 = 1;

/// Most bytes of a certificate.
pub const CERTIFICATE_BYTES_MAX: usize = 1 << 20;

const BEGIN: u8 = 1;
const BLOCK: u8 = 2;
const CERTIFICATE: u8 = 3;
const CHECKSUM: usize = 8;
/// Bytes of checksum over length and kind.
const SHORT: usize = 4;
/// Length, kind and their checksum.
const PREFIX: usize = 5 + SHORT;

/// The first frame.
struct Begin {
    version: u8,
    home: Home,
}

canonical!(Begin { version, home });

/// A block of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The block.
    pub block: Block,
    /// What shows that it is final, where this height has one of its own.
    pub certificate: Option<Vec<u8>>,
}

/// Why a file is not read or written on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// The disk.
    #[error("{}: {error}", path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It ends inside a frame.
    #[error("byte {offset}, after block {height}: the file ends inside a frame")]
    Cut {
        /// Where the frame begins.
        offset: u64,
        /// The last whole block; 0 before the first.
        height: u64,
    },
    /// A frame that was not written so, or not there.
    #[error("byte {offset}, after block {height}: {what}")]
    Frame {
        /// Where the frame begins.
        offset: u64,
        /// The last whole block; 0 before the first.
        height: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A frame whose content is none.
    #[error("byte {offset}, after block {height}: {error}")]
    Content {
        /// Where the frame begins.
        offset: u64,
        /// The last whole block; 0 before the first.
        height: u64,
        /// What is wrong.
        error: DecodeError,
    },
    /// Another chain's file.
    #[error("the file is of {}, genesis {}, not of {}, genesis {}", found.chain, found.genesis, expected.chain, expected.genesis)]
    Home {
        /// Whose it is.
        found: Box<Home>,
        /// Whose it should be.
        expected: Box<Home>,
    },
    /// A block that is none, or does not follow the one before.
    #[error("byte {offset}: {error}")]
    Block {
        /// Where its frame begins.
        offset: u64,
        /// What is wrong.
        error: BlockError,
    },
    /// A block whose parent is another one than the file has.
    #[error("byte {offset}: block {height} does not follow block {before}")]
    Order {
        /// Where its frame begins.
        offset: u64,
        /// Its height.
        height: u64,
        /// The height before it in the file.
        before: u64,
    },
}

fn checksum(offset: u64, kind: u8, content: &[u8]) -> [u8; CHECKSUM] {
    let mut encoder = Encoder::default();
    encoder.u64(offset).u8(kind).bytes(content);
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&encoder.digest().as_bytes()[..CHECKSUM]);
    sum
}

fn follows(last: Option<(Digest, u64)>, block: &Block, offset: u64) -> Result<(), FileError> {
    let (parent, height) = (block.header.parent, block.header.height);
    match last {
        Some((digest, before)) if parent != digest || Some(height) != before.checked_add(1) => {
            Err(FileError::Order {
                offset,
                height,
                before,
            })
        }
        _ => Ok(()),
    }
}

/// Reads a chain's blocks in order, from any stream.
#[derive(Debug)]
pub struct BlockReader<R> {
    frames: Frames<R>,
    home: Home,
    /// Name and height of the last block.
    last: Option<(Digest, u64)>,
    /// The next frame, where it was read to see whether it is a certificate, or why it is none.
    ahead: Option<Result<Frame, FileError>>,
}

/// Offset, kind and content.
type Frame = (u64, u8, Vec<u8>);

/// The frames of a stream.
#[derive(Debug)]
struct Frames<R> {
    stream: R,
    /// Where the next frame begins.
    offset: u64,
    /// Height of the last whole block; 0 before the first.
    height: u64,
    /// Kind of the last frame whose prefix holds, whether or not the rest does.
    kind: u8,
}

impl BlockReader<BufReader<File>> {
    /// Opens a file of this chain.
    ///
    /// # Errors
    /// [`FileError`] where it is another chain's or none.
    pub fn open(path: &Path, home: &Home) -> Result<Self, FileError> {
        let file = OpenOptions::new().read(true).open(path);
        let file = file.map_err(|error| at(path, error))?;
        BlockReader::new(BufReader::new(file), home)
    }
}

fn at(path: &Path, error: io::Error) -> FileError {
    FileError::Disk {
        path: path.to_owned(),
        error,
    }
}

impl<R: Read> BlockReader<R> {
    /// Reads the first frame.
    ///
    /// # Errors
    /// [`FileError`] where it is another chain's or none.
    pub fn new(stream: R, home: &Home) -> Result<BlockReader<R>, FileError> {
        let reader = BlockReader::of_any_chain(stream)?;
        if reader.home != *home {
            return Err(FileError::Home {
                found: Box::new(reader.home),
                expected: Box::new(home.clone()),
            });
        }
        Ok(reader)
    }

    /// As [`BlockReader::new`], of the chain that the file names itself: nothing shows that it is that chain's.
    ///
    /// # Errors
    /// [`FileError`] where it is none.
    pub fn of_any_chain(stream: R) -> Result<BlockReader<R>, FileError> {
        let mut frames = Frames {
            stream,
            offset: 0,
            height: 0,
            kind: 0,
        };
        let Some((_, BEGIN, content)) = frames.next()? else {
            return Err(frames.wrong(0, "not the beginning of a chain's file"));
        };
        let begin = Begin::decode(&content).map_err(|error| frames.content(0, error))?;
        if begin.version != VERSION {
            return Err(frames.wrong(0, "a version that this code does not read"));
        }
        Ok(BlockReader {
            frames,
            home: begin.home,
            last: None,
            ahead: None,
        })
    }

    /// Which chain's blocks these are, as the file says.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The next block; `None` at the end.
    ///
    /// # Errors
    /// [`FileError`] with the place; reading on makes no sense then.
    pub fn read(&mut self) -> Result<Option<Entry>, FileError> {
        let frame = match self.ahead.take() {
            Some(frame) => Some(frame?),
            None => self.frames.next()?,
        };
        let Some((offset, kind, content)) = frame else {
            return Ok(None);
        };
        if kind != BLOCK {
            return Err(self.frames.wrong(offset, "no block where one is due"));
        }
        let block = Block::decode(&content).map_err(|error| self.frames.content(offset, error))?;
        let checked = block.check_body();
        checked.map_err(|error| FileError::Block { offset, error })?;
        follows(self.last, &block, offset)?;
        self.last = Some((block.digest(&self.home), block.header.height));
        self.frames.height = block.header.height;
        let certificate = match self.frames.next() {
            Ok(Some((_, CERTIFICATE, certificate))) => Some(certificate),
            Ok(ahead) => {
                self.ahead = ahead.map(Ok);
                None
            }
            Err(error) if self.frames.kind == CERTIFICATE => return Err(error),
            // This block is whole, whatever comes after it.
            Err(error) => {
                self.ahead = Some(Err(error));
                None
            }
        };
        Ok(Some(Entry { block, certificate }))
    }
}

impl<R: Read> Frames<R> {
    /// The next frame with its offset; `None` at the end.
    fn next(&mut self) -> Result<Option<Frame>, FileError> {
        let offset = self.offset;
        self.kind = 0;
        let mut prefix = Vec::new();
        self.take(PREFIX, &mut prefix)?;
        if prefix.is_empty() {
            return Ok(None);
        }
        let [a, b, c, d, kind, ref sum @ ..] = prefix[..] else {
            return Err(self.cut(offset));
        };
        if sum.len() < SHORT {
            return Err(self.cut(offset));
        }
        if sum != &checksum(offset, kind, &[a, b, c, d])[..SHORT] {
            return Err(self.wrong(offset, "a length that is not the frame's"));
        }
        self.kind = kind;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > BLOCK_BYTES_MAX.max(CERTIFICATE_BYTES_MAX) {
            return Err(self.wrong(offset, "a frame above its bound"));
        }
        let mut content = Vec::new();
        self.take(length + CHECKSUM, &mut content)?;
        if content.len() < length + CHECKSUM {
            return Err(self.cut(offset));
        }
        let sum = content.split_off(length);
        if sum != checksum(offset, kind, &content) {
            return Err(self.wrong(offset, "a checksum that is not the frame's"));
        }
        self.offset += (PREFIX + length + CHECKSUM) as u64;
        Ok(Some((offset, kind, content)))
    }

    fn take(&mut self, count: usize, into: &mut Vec<u8>) -> Result<(), FileError> {
        let taken = (&mut self.stream).take(count as u64).read_to_end(into);
        taken.map_err(|error| at(Path::new("block file"), error))?;
        Ok(())
    }

    fn cut(&self, offset: u64) -> FileError {
        let height = self.height;
        FileError::Cut { offset, height }
    }

    fn wrong(&self, offset: u64, what: &'static str) -> FileError {
        let height = self.height;
        FileError::Frame {
            offset,
            height,
            what,
        }
    }

    fn content(&self, offset: u64, error: DecodeError) -> FileError {
        let height = self.height;
        FileError::Content {
            offset,
            height,
            error,
        }
    }
}

/// Appends blocks to a chain's file.
#[derive(Debug)]
pub struct BlockWriter {
    path: PathBuf,
    file: BufWriter<File>,
    home: Home,
    offset: u64,
    last: Option<(Digest, u64)>,
}

impl BlockWriter {
    /// Opens a file, or begins one. What is there is read once; a frame that was cut by a crash is taken away.
    ///
    /// # Errors
    /// [`FileError`] where it is another chain's, or was changed.
    pub fn open(path: &Path, home: &Home) -> Result<BlockWriter, FileError> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).map_err(|error| at(path, error))?;
        let mut writer = BlockWriter {
            path: path.to_owned(),
            file: BufWriter::new(file),
            home: home.clone(),
            offset: 0,
            last: None,
        };
        writer.resume()?;
        Ok(writer)
    }

    fn resume(&mut self) -> Result<(), FileError> {
        let path = self.path.clone();
        let disk = |error| at(&path, error);
        let mut reader = match BlockReader::open(&path, &self.home) {
            Ok(reader) => reader,
            Err(FileError::Cut { .. } | FileError::Frame { offset: 0, .. })
                if self.is_begun_only()? =>
            {
                self.file.get_mut().set_len(0).map_err(disk)?;
                let begin = Begin {
                    version: VERSION,
                    home: self.home.clone(),
                };
                self.frame(BEGIN, &begin.to_bytes())?;
                return self.sync();
            }
            Err(error) => return Err(error),
        };
        loop {
            match reader.read() {
                Ok(Some(_)) => {}
                Ok(None) | Err(FileError::Cut { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        (self.offset, self.last) = (reader.frames.offset, reader.last);
        let file = self.file.get_mut();
        file.set_len(self.offset).map_err(disk)?;
        file.seek(SeekFrom::Start(self.offset)).map_err(disk)?;
        Ok(())
    }

    /// Whether the file holds less than its first frame.
    fn is_begun_only(&mut self) -> Result<bool, FileError> {
        let begin = Begin {
            version: VERSION,
            home: self.home.clone(),
        };
        let whole = PREFIX + begin.to_bytes().len() + CHECKSUM;
        let length = self.file.get_ref().metadata();
        let length = length.map_err(|error| at(&self.path, error))?.len();
        Ok(length < whole as u64)
    }

    /// Height of the last block; `None` in a new file.
    pub fn height(&self) -> Option<u64> {
        self.last.map(|(_, height)| height)
    }

    /// Appends the next block. It is durable after [`BlockWriter::sync`].
    ///
    /// # Errors
    /// [`FileError`] where it does not follow the last one, or the disk fails.
    pub fn append(&mut self, block: &Block, certificate: Option<&[u8]>) -> Result<(), FileError> {
        let (offset, header) = (self.offset, &block.header);
        follows(self.last, block, offset)?;
        let checked = block.check_body();
        checked.map_err(|error| FileError::Block { offset, error })?;
        if certificate.is_some_and(|bytes| bytes.len() > CERTIFICATE_BYTES_MAX) {
            return Err(FileError::Frame {
                offset,
                height: header.height,
                what: "a certificate above its bound",
            });
        }
        self.frame(BLOCK, &block.to_bytes())?;
        if let Some(certificate) = certificate {
            self.frame(CERTIFICATE, certificate)?;
        }
        self.last = Some((block.digest(&self.home), header.height));
        Ok(())
    }

    /// Makes durable what was appended.
    ///
    /// # Errors
    /// [`FileError::Disk`]; what is on the disk then shows when the file is opened again.
    pub fn sync(&mut self) -> Result<(), FileError> {
        let flushed = self.file.flush();
        let synced = flushed.and_then(|()| self.file.get_ref().sync_data());
        synced.map_err(|error| at(&self.path, error))
    }

    fn frame(&mut self, kind: u8, content: &[u8]) -> Result<(), FileError> {
        let mut frame = Encoder::default();
        frame.length(content.len());
        let sum = checksum(self.offset, kind, frame.as_bytes());
        frame.u8(kind).raw(&sum[..SHORT]).raw(content);
        frame.raw(&checksum(self.offset, kind, content));
        let written = self.file.write_all(frame.as_bytes());
        written.map_err(|error| at(&self.path, error))?;
        self.offset += frame.as_bytes().len() as u64;
        Ok(())
    }
}
