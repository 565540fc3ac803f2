//! What a run leaves behind: tables, certificates, summary, report.

pub mod collect;
pub mod folder;
pub mod ledgers;
pub mod rounds;
pub mod summary;
pub mod tables;
