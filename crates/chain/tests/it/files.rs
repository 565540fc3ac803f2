//! Block files: written, resumed, cut, changed.

use std::io::Write as _;
use std::path::Path;

use tieline_chain::files::{BlockReader, BlockWriter, Entry, FileError};
use tieline_sim::symbol::Symbolic;

use crate::store::{founding, next};
use crate::world::home;

fn entries(count: usize) -> Vec<Entry> {
    let mut ledger = founding();
    let one = |_| {
        let block = next(&ledger);
        ledger.execute(&block, &Symbolic).unwrap();
        let height = block.header.height;
        let certificate = (height % 3 != 1).then(|| vec![height as u8; 40]);
        Entry { block, certificate }
    };
    (0..count).map(one).collect()
}

fn write(path: &Path, entries: &[Entry]) {
    let mut writer = BlockWriter::open(path, &home("chain-z")).unwrap();
    for entry in entries {
        let certificate = entry.certificate.as_deref();
        writer.append(&entry.block, certificate).unwrap();
    }
    writer.sync().unwrap();
}

fn read(bytes: &[u8]) -> Result<Vec<Entry>, FileError> {
    let mut reader = BlockReader::new(bytes, &home("chain-z"))?;
    std::iter::from_fn(|| reader.read().transpose()).collect()
}

fn load(path: &Path) -> Vec<u8> {
    let mut reader = std::fs::OpenOptions::new().read(true).open(path).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut bytes).unwrap();
    bytes
}

fn store(path: &Path, bytes: &[u8]) {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn blocks_and_certificates_come_back_in_order_also_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain-z.blocks");
    let entries = entries(12);
    write(&path, &entries[..5]);
    write(&path, &entries[5..]);
    assert_eq!(read(&load(&path)).unwrap(), entries);
    let writer = BlockWriter::open(&path, &home("chain-z")).unwrap();
    assert_eq!(writer.height(), Some(12));
    let mut reader = BlockReader::open(&path, &home("chain-z")).unwrap();
    assert_eq!(reader.read().unwrap().as_ref(), entries.first());
    let bytes = load(&path);
    let mut of_any = BlockReader::of_any_chain(&bytes[..]).unwrap();
    assert_eq!(of_any.home(), &home("chain-z"));
    assert_eq!(of_any.read().unwrap().as_ref(), entries.first());
    let foreign = BlockReader::open(&path, &home("chain-x")).unwrap_err();
    assert!(matches!(foreign, FileError::Home { .. }), "{foreign}");
}

#[test]
fn a_writer_takes_only_the_next_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain-z.blocks");
    let entries = entries(6);
    write(&path, &entries[..4]);
    let mut writer = BlockWriter::open(&path, &home("chain-z")).unwrap();
    for wrong in [&entries[2], &entries[3], &entries[5]] {
        let error = writer.append(&wrong.block, None).unwrap_err();
        assert!(
            matches!(error, FileError::Order { before: 4, .. }),
            "{error}"
        );
    }
    let mut bad = entries[4].block.clone();
    bad.header.transactions = 9;
    let error = writer.append(&bad, None).unwrap_err();
    assert!(matches!(error, FileError::Block { .. }), "{error}");
    let huge = vec![0; (1 << 20) + 1];
    assert!(writer.append(&entries[4].block, Some(&huge)).is_err());
    writer.append(&entries[4].block, None).unwrap();
    writer.sync().unwrap();
    assert_eq!(read(&load(&path)).unwrap().len(), 5);
}

#[test]
fn a_file_cut_anywhere_is_read_up_to_the_cut_and_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain-z.blocks");
    let entries = entries(5);
    write(&path, &entries);
    let whole = load(&path);
    for cut in (0..whole.len()).step_by(61).chain(0..120) {
        store(&path, &whole[..cut]);
        let mut writer = BlockWriter::open(&path, &home("chain-z")).unwrap();
        let kept = writer.height().unwrap_or(0) as usize;
        for entry in &entries[kept..] {
            writer
                .append(&entry.block, entry.certificate.as_deref())
                .unwrap();
        }
        writer.sync().unwrap();
        let again = read(&load(&path)).unwrap();
        let blocks = again.iter().map(|entry| &entry.block);
        assert!(
            blocks.eq(entries.iter().map(|entry| &entry.block)),
            "cut at {cut}"
        );
        if let Err(error) = read(&whole[..cut]) {
            let shape = matches!(
                error,
                FileError::Cut { .. } | FileError::Frame { offset: 0, .. }
            );
            assert!(shape, "cut at {cut}: {error}");
        }
    }
}

#[test]
fn every_changed_byte_is_found_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain-z.blocks");
    write(&path, &entries(4));
    let whole = load(&path);
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 0x10;
        let error = read(&bent).unwrap_err();
        let offset = match error {
            FileError::Frame { offset, .. } => offset,
            other => panic!("byte {at}: {other}"),
        };
        assert!(offset <= at as u64, "byte {at}: found at {offset}");
        if at % 50 == 0 {
            store(&path, &bent);
            let refused = BlockWriter::open(&path, &home("chain-z"));
            assert!(refused.is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_block_comes_whatever_stands_behind_it_but_not_without_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain-z.blocks");
    let entries = entries(3);
    let after = |count: usize| {
        let part = folder.path().join(format!("{count}.blocks"));
        write(&part, &entries[..count]);
        load(&part).len()
    };
    let (one, two) = (after(1), after(2));
    write(&path, &entries);
    // In block 2's certificate, in block 2, in block 3.
    for (at, whole) in [(two - 1, 1), (one + 20, 1), (two + 20, 2)] {
        let mut bent = load(&path);
        bent[at] ^= 0x10;
        let mut reader = BlockReader::new(&bent[..], &home("chain-z")).unwrap();
        for entry in &entries[..whole] {
            assert_eq!(reader.read().unwrap().as_ref(), Some(entry), "byte {at}");
        }
        assert!(reader.read().is_err(), "byte {at}");
    }
}

#[test]
fn removed_moved_and_repeated_frames_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain-z.blocks");
    let entries = entries(4);
    let mut ends = vec![];
    for end in 0..=4 {
        let part = folder.path().join(format!("{end}.blocks"));
        write(&part, &entries[..end]);
        ends.push(load(&part).len());
    }
    write(&path, &entries);
    let whole = load(&path);
    let part = |from: usize, to: usize| &whole[ends[from]..ends[to]];
    let begin = &whole[..ends[0]];
    let cases = [
        [begin, part(0, 1), part(2, 4)].concat(),
        [begin, part(1, 4)].concat(),
        [begin, part(0, 1), part(0, 4)].concat(),
        [begin, part(1, 2), part(0, 1)].concat(),
        [begin, begin].concat(),
        part(0, 4).to_vec(),
    ];
    for (index, case) in cases.iter().enumerate() {
        assert!(read(case).is_err(), "case {index}");
    }
    // With the checksums made right, heights and parents tell.
    let skipping = folder.path().join("skipping.blocks");
    write(&skipping, &entries[1..2]);
    let (first, second) = (load(&path), load(&skipping));
    assert_eq!(read(&second).unwrap(), entries[1..2]);
    assert!(first.len() > second.len());
}
