//! `tieline chain`: founding, showing, checking and exporting, and the settings of nodes.

mod audit;
mod export;
pub(crate) mod ground;
mod init;
mod node;
mod show;
