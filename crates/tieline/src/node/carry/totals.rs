//! Counting passes, for people and monitors.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;

use super::super::http::{self, Ask, Reply};
use super::Pass;

/// All passes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many.
    pub passes: u64,
    /// Nodes that answered in the last one.
    pub nodes: u64,
    /// Chains that could be seen in the last one.
    pub chains: u64,
    /// Certificates that came to wait for a block.
    pub taken: u64,
    /// Those that the contract refused.
    pub refused: u64,
    /// Those that nobody answered to.
    pub lost: u64,
}

impl Totals {
    /// One more.
    pub fn add(&mut self, pass: &Pass) {
        self.passes += 1;
        self.nodes = pass.nodes as u64;
        self.chains = pass.chains as u64;
        self.taken += pass.taken as u64;
        self.refused += pass.refused as u64;
        self.lost += pass.lost as u64;
    }

    /// In the text format of Prometheus.
    pub fn metrics(&self) -> String {
        let rows = [
            ("passes_total", "counter", self.passes),
            ("nodes", "gauge", self.nodes),
            ("chains", "gauge", self.chains),
            ("taken_total", "counter", self.taken),
            ("refused_total", "counter", self.refused),
            ("lost_total", "counter", self.lost),
        ];
        let row = |(name, kind, value): (&str, &str, u64)| {
            format!("# TYPE tieline_relay_{name} {kind}\ntieline_relay_{name} {value}\n")
        };
        rows.map(row).concat()
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals {
            passes,
            taken,
            refused,
            lost,
            ..
        } = self;
        write!(
            f,
            "{passes} passes: {taken} certificates taken, {refused} refused, {lost} without an answer"
        )
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pass {
            nodes,
            chains,
            planned,
            taken,
            refused,
            lost,
            ..
        } = self;
        write!(
            f,
            "{nodes} nodes of {chains} chains: {planned} certificates to carry, {taken} taken, {refused} refused, {lost} without an answer"
        )
    }
}

/// Shows totals at /metrics for as long as it is polled.
///
/// # Errors
/// What the listener cannot recover from.
pub async fn serve_metrics(
    listener: TcpListener,
    totals: Arc<Mutex<Totals>>,
) -> std::io::Result<()> {
    let answer = move |ask: Ask| match (ask.method.as_str(), ask.path.as_str()) {
        ("GET", "/metrics") => {
            let totals = *totals.lock().unwrap_or_else(PoisonError::into_inner);
            Reply::of(200, "text/plain; version=0.0.4", totals.metrics().into())
        }
        (_, "/metrics") => Reply::not_allowed("GET"),
        _ => Reply::wrong(404, "nothing is at this path", "GET /metrics"),
    };
    http::serve(listener, Arc::new(answer), std::future::pending()).await
}
