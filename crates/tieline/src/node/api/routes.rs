//! Which request goes where.

use hyper::Method;

use super::super::http::Reply;

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Status,
    Block,
    Certificate,
    Validators,
    Handover,
    Submit,
    Transaction,
    Proof,
    Outbox,
    Attestations,
    Committee,
    Kept,
    Takes,
    OpenApi,
    Metrics,
}

/// Method, path with at most one part in braces, route.
const ROUTES: [(&str, &str, Place); 15] = [
    ("GET", "/v1/status", Place::Status),
    ("GET", "/v1/validators", Place::Validators),
    ("POST", "/v1/handover", Place::Handover),
    ("GET", "/v1/blocks/{height}", Place::Block),
    ("GET", "/v1/blocks/{height}/certificate", Place::Certificate),
    ("POST", "/v1/transactions", Place::Submit),
    ("GET", "/v1/transactions/{name}", Place::Transaction),
    ("GET", "/v1/proofs/{key}", Place::Proof),
    ("GET", "/v1/relay/outbox", Place::Outbox),
    (
        "GET",
        "/v1/relay/attestations/{height}",
        Place::Attestations,
    ),
    ("GET", "/v1/relay/committees/{epoch}", Place::Committee),
    ("GET", "/v1/relay/kept", Place::Kept),
    ("POST", "/v1/relay/takes", Place::Takes),
    ("GET", "/v1/openapi.json", Place::OpenApi),
    ("GET", "/metrics", Place::Metrics),
];

/// All of them.
pub(super) fn all() -> Vec<(&'static str, &'static str)> {
    ROUTES.map(|(method, path, _)| (method, path)).into()
}

/// The route of a request, and what stands in the place of the part in braces.
///
/// # Errors
/// 404 or 405.
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Result<(Place, &'a str), Reply> {
    for (allowed, template, place) in ROUTES {
        let Some(part) = part(template, path) else {
            continue;
        };
        return match method.as_str() == allowed {
            true => Ok((place, part)),
            false => Err(Reply::not_allowed(allowed)),
        };
    }
    let next = "GET /v1/openapi.json lists what there is";
    Err(Reply::wrong(404, "nothing is at this path", next))
}

/// Whether a path fits, and its part in braces; empty where there is none.
fn part<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    let mut part = "";
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(part),
            (Some(name), Some(text)) if name.starts_with('{') && !text.is_empty() => part = text,
            (Some(name), Some(text)) if name == text => {}
            _ => return None,
        }
    }
}
