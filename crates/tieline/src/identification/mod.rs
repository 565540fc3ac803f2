//! Identification certificates as QR codes: which symbols, and how they are drawn.
//!
//! The certificate and its parts are [`tieline_seal::identification`]'s. Here every part becomes a symbol of version 20
//! with error correction M, and a set of symbols becomes text for a terminal ([`half_blocks`]) or a sheet for a printer
//! ([`sheet`]).

mod blocks;
mod sheet;

use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode, Version};
use tieline_seal::identification::{Identification, PART_BYTES};

pub use blocks::half_blocks;
pub use sheet::sheet;

const VERSION: Version = Version::Normal(20);
/// Light modules that a symbol needs on every side (ISO/IEC 18004).
pub const QUIET: usize = 4;

/// One QR symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    text: String,
    width: usize,
    dark: Vec<bool>,
}

impl Symbol {
    /// The symbol of version 20 and error correction M that holds a text of up to 970 alphanumeric characters: all symbols
    /// of a certificate look alike.
    ///
    /// # Errors
    /// [`QrError`] for a longer text.
    pub fn new(text: &str) -> Result<Symbol, QrError> {
        let code = QrCode::with_version(text, VERSION, EcLevel::M)?;
        let dark = |color: &Color| *color == Color::Dark;
        Ok(Symbol {
            text: text.to_owned(),
            width: code.width(),
            dark: code.to_colors().iter().map(dark).collect(),
        })
    }

    /// What it holds.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Modules on a side, without the quiet zone.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether a module is dark; everything around the symbol is light.
    ///
    /// `x`, `y`: from the top left corner of the quiet zone, [`QUIET`] modules outside the symbol.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < self.width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => self.dark[y * self.width + x],
            _ => false,
        }
    }

    /// Modules on a side, with the quiet zone.
    pub fn framed(&self) -> usize {
        self.width + 2 * QUIET
    }
}

/// The symbols of a certificate, in order.
pub fn symbols(certificate: &Identification) -> Vec<Symbol> {
    let parts = certificate.to_parts(PART_BYTES);
    parts
        .iter()
        .map(|part| Symbol::new(part).expect("a part of the default size fits version 20"))
        .collect()
}
