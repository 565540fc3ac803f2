//! Where the passphrase of sealed keys comes from: a file, or the environment.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

/// The variable that holds it where no file is given.
pub const VARIABLE: &str = "TIELINE_PASSPHRASE";

/// Most bytes of a passphrase.
const BYTES_MAX: u64 = 4096;

/// Why there is no passphrase.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Neither file nor variable.
    #[error(
        "no passphrase for the keys\n\nhint: give --passphrase-file FILE, or set {VARIABLE} in the environment"
    )]
    Missing,
    /// Nothing in it.
    #[error(
        "the passphrase of {origin} is empty\n\nhint: keys are sealed under it; write a long one"
    )]
    Empty {
        /// File or variable.
        origin: String,
    },
    /// No text.
    #[error(
        "the passphrase of {origin} is no UTF-8, or longer than {BYTES_MAX} bytes\n\nhint: write one line of text"
    )]
    Text {
        /// File or variable.
        origin: String,
    },
    /// The file.
    #[error("{}: {cause}\n\nhint: --passphrase-file names a file with the passphrase in one line", file.display())]
    Disk {
        /// Which.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Others can read it.
    #[error("{}: mode {mode:03o}, others can read the passphrase\n\nhint: chmod 600 {}", file.display(), file.display())]
    Mode {
        /// Which.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

/// The passphrase of a file, without the line's end; without a file, of [`VARIABLE`].
///
/// # Errors
/// [`PassphraseError`] with the next step.
pub fn passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, PassphraseError> {
    let (origin, phrase) = match file {
        Some(file) => (file.display().to_string(), from_file(file)?),
        None => (VARIABLE.to_owned(), from_environment()?),
    };
    if phrase.is_empty() {
        return Err(PassphraseError::Empty { origin });
    }
    Ok(phrase)
}

fn from_environment() -> Result<Zeroizing<String>, PassphraseError> {
    let found = std::env::var_os(VARIABLE).ok_or(PassphraseError::Missing)?;
    let text = found.into_string().map_err(|_| PassphraseError::Text {
        origin: VARIABLE.to_owned(),
    })?;
    Ok(Zeroizing::new(text))
}

fn from_file(file: &Path) -> Result<Zeroizing<String>, PassphraseError> {
    let disk = |cause| PassphraseError::Disk {
        file: file.to_owned(),
        cause,
    };
    let metadata = fs::metadata(file).map_err(disk)?;
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.is_file() && mode & 0o077 != 0 {
        let file = file.to_owned();
        return Err(PassphraseError::Mode { file, mode });
    }
    let no_text = || PassphraseError::Text {
        origin: file.display().to_string(),
    };
    if metadata.len() > BYTES_MAX {
        return Err(no_text());
    }
    let bytes = Zeroizing::new(fs::read(file).map_err(disk)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| no_text())?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(Zeroizing::new(line.to_owned()))
}
