//! Does a key manager do what ETSI GS QKD 014 says? Asks it, right and wrong, and looks at the answers.
//!
//! The suite draws some hundred keys; it drains the pool only when told to. What it cannot test from outside it lists as not
//! tested, with the reason. Where the standard leaves a choice, every choice passes; the expectation says which.

mod ask;
mod dec;
mod enc;
mod status;
mod transport;

use serde::Serialize;

use crate::client::WireError;
use crate::etsi::SaeId;
use crate::tls::{Identity, TlsError};

use ask::Prober;

/// What is probed, and as whom.
#[derive(Debug)]
pub struct ProbeSettings {
    /// The key manager under test: `https://host:port`.
    pub url: String,
    /// The SAE as which keys are drawn there.
    pub master: Identity,
    /// The key manager at the other end.
    pub peer: Option<PeerSettings>,
    /// A certificate of the master that has run out.
    pub expired: Option<Identity>,
    /// The slave for which keys are drawn.
    pub slave: SaeId,
    /// Whether to draw until the pool is empty.
    pub drain: bool,
}

/// The other end.
#[derive(Debug)]
pub struct PeerSettings {
    /// Its `https://host:port`.
    pub url: String,
    /// The slave.
    pub slave: Identity,
    /// Another SAE there.
    pub other: Option<Identity>,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// As expected.
    Pass,
    /// Not as expected.
    Fail {
        /// What happened.
        found: String,
    },
    /// Not tried.
    NotTested {
        /// Why.
        why: String,
    },
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What must happen.
    pub expected: &'static str,
    /// What did.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// All of them.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `tieline.qkd.probe/1`
    pub schema: &'static str,
    /// What was probed.
    pub url: String,
    /// Its name, by certificate.
    pub kme: Option<String>,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were not tested.
    pub not_tested: usize,
    /// Each.
    pub cases: Vec<Case>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The key manager cannot be reached at all.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Runs the suite.
///
/// # Errors
/// Nothing could be asked at all.
pub async fn run(settings: ProbeSettings) -> Result<Report, ProbeError> {
    let url = settings.url.clone();
    let mut prober = Prober::new(settings).await?;
    let kme = prober.kme_name.clone();
    status::run(&mut prober).await;
    enc::run(&mut prober).await;
    dec::run(&mut prober).await;
    transport::run(&mut prober).await;
    enc::drain(&mut prober).await;
    for (name, why) in NOT_FROM_OUTSIDE {
        prober.not_tested(name, "see the name", why);
    }
    let cases = prober.cases;
    let count =
        |wanted: fn(&Verdict) -> bool| cases.iter().filter(|case| wanted(&case.verdict)).count();
    Ok(Report {
        schema: "tieline.qkd.probe/1",
        url,
        kme,
        passed: count(|verdict| matches!(verdict, Verdict::Pass)),
        failed: count(|verdict| matches!(verdict, Verdict::Fail { .. })),
        not_tested: count(|verdict| matches!(verdict, Verdict::NotTested { .. })),
        cases,
    })
}

/// What needs a hand on the key manager itself.
const NOT_FROM_OUTSIDE: [(&str, &str); 2] = [
    (
        "keys and key_IDs stay single over a restart or crash",
        "needs to stop and start the key manager",
    ),
    (
        "no key bits in logs and pages",
        "needs to read the key manager's own files",
    ),
];
