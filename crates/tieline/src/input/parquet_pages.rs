//! Guards between damaged Parquet files and the library, which panics on some of them instead of returning an error.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;

/// Checks that a column chunk lies in a file of so many bytes; the library asserts that offsets are not negative.
pub(crate) fn check_chunk(chunk: &ColumnChunkMetaData, file_bytes: u64) -> Result<()> {
    let start = chunk
        .dictionary_page_offset()
        .unwrap_or_else(|| chunk.data_page_offset());
    let inside = |value: i64| u64::try_from(value).is_ok_and(|value| value <= file_bytes);
    let end = start.checked_add(chunk.compressed_size());
    if inside(start) && inside(chunk.compressed_size()) && end.is_some_and(inside) {
        Ok(())
    } else {
        Err(ParquetError::General(
            "the column lies outside of the file".to_owned(),
        ))
    }
}

thread_local! {
    /// Whether this thread is inside of [`guarded`].
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs a call of the library; a panic becomes an error, without a word on stderr.
///
/// The checks of this module catch the panics that single flipped bytes cause most often; levels that contradict
/// themselves still make the library index beyond its buffers. The reader is dropped after an error, so nothing
/// half-changed is used again.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            if !INSIDE.get() {
                usual(info);
            }
        }));
    });
    INSIDE.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    INSIDE.set(false);
    outcome.unwrap_or_else(|_| {
        Err(ParquetError::General(
            "the pages contradict each other".to_owned(),
        ))
    })
}

/// Pages whose encodings the library can follow.
pub(crate) struct CheckedPages {
    inner: Box<dyn PageReader>,
    dictionary: bool,
}

impl CheckedPages {
    pub(crate) fn new(inner: Box<dyn PageReader>) -> CheckedPages {
        CheckedPages {
            inner,
            dictionary: false,
        }
    }

    fn check(&mut self, page: &Page) -> Result<()> {
        let refuse = |what: &str| Err(ParquetError::General(what.to_owned()));
        if page.is_dictionary_page() {
            self.dictionary = true;
            return Ok(());
        }
        let by_dictionary = [Encoding::RLE_DICTIONARY, Encoding::PLAIN_DICTIONARY];
        if by_dictionary.contains(&page.encoding()) && !self.dictionary {
            return refuse("a page refers to a dictionary that is not there");
        }
        #[expect(
            deprecated,
            reason = "old files hold this encoding of levels, and the library reads it"
        )]
        let levels = [Encoding::RLE, Encoding::BIT_PACKED];
        match page {
            Page::DataPage {
                def_level_encoding,
                rep_level_encoding,
                ..
            } if !levels.contains(def_level_encoding) || !levels.contains(rep_level_encoding) => {
                refuse("a page has levels in an unknown encoding")
            }
            _ => Ok(()),
        }
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        if let Some(page) = &page {
            self.check(page)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.inner.at_record_boundary()
    }
}
