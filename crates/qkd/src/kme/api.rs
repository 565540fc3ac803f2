//! From HTTP to questions and from answers to HTTP. No IO.

use bytes::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::etsi::{
    ErrorBody, Key, KeyContainer, KeyIds, KeyRequest, SaeId, SecretText, key_id_of_query,
    key_request_of_query, read_message, segment_decode,
};

use super::core::{Answer, Ask, Delivered, ORIGIN_EXTENSION, Refusal};
use super::source::Origin;

/// Longest body, bytes: room for 1,024 `key_ID`s with extensions.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 17;

const PREFIX: &str = "/api/v1/keys/";

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Status,
    EncKeys,
    DecKeys,
}

/// Where a request goes.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) endpoint: Endpoint,
    /// Slave or master, as the path says.
    pub(crate) sae: Result<SaeId, Refusal>,
}

/// Reads a path; `None` when nothing is there.
pub(crate) fn route(path: &str) -> Option<Route> {
    let (sae, endpoint) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let endpoint = match endpoint {
        "status" => Endpoint::Status,
        "enc_keys" => Endpoint::EncKeys,
        "dec_keys" => Endpoint::DecKeys,
        _ => return None,
    };
    let sae = segment_decode(sae)
        .map_err(|error| Refusal::Malformed(error.to_string()))
        .and_then(|sae| SaeId::try_from(sae).map_err(Refusal::Id));
    Some(Route { endpoint, sae })
}

/// Whether an endpoint knows a method.
pub(crate) fn allows(endpoint: Endpoint, method: &Method) -> bool {
    match endpoint {
        Endpoint::Status => method == Method::GET,
        Endpoint::EncKeys | Endpoint::DecKeys => [Method::GET, Method::POST].contains(method),
    }
}

/// Reads a request whose method is allowed. `body` is empty for GET.
pub(crate) fn ask(route: Route, method: &Method, query: &str, body: &[u8]) -> Result<Ask, Refusal> {
    let malformed = |error: crate::etsi::QueryError| Refusal::Malformed(error.to_string());
    let sae = route.sae?;
    let get = method == Method::GET;
    Ok(match route.endpoint {
        Endpoint::Status => Ask::Status { slave: sae },
        Endpoint::EncKeys if get => Ask::Encrypt {
            slave: sae,
            request: key_request_of_query(query).map_err(malformed)?,
        },
        Endpoint::EncKeys => Ask::Encrypt {
            slave: sae,
            request: if body.is_empty() {
                KeyRequest::default()
            } else {
                json(body)?
            },
        },
        Endpoint::DecKeys if get => Ask::Decrypt {
            master: sae,
            ids: vec![key_id_of_query(query).map_err(malformed)?],
        },
        Endpoint::DecKeys => {
            let ids: KeyIds = json(body)?;
            Ask::Decrypt {
                master: sae,
                ids: ids.key_ids.iter().map(|item| item.key_id).collect(),
            }
        }
    })
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    read_message(body)
        .map_err(|error| Refusal::Malformed(format!("the body does not fit the standard: {error}")))
}

/// Whether a body says that it is JSON; nothing said is as good.
pub(crate) fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let Some(value) = content_type else {
        return true;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The answer as HTTP.
pub(crate) fn response(answer: Answer) -> Response<Bytes> {
    match answer {
        Answer::Status(status) => {
            let body = serde_json::to_vec(&*status).unwrap_or_default();
            with(StatusCode::OK, Bytes::from(body))
        }
        Answer::Keys { keys, origin } => with(StatusCode::OK, container(&keys, origin)),
        Answer::Refused(refusal) => refused(&refusal),
        Answer::Figures(_) => with(StatusCode::NOT_FOUND, Bytes::new()),
    }
}

/// A key container whose buffer is wiped when HTTP is done with it.
fn container(keys: &[Delivered], origin: Origin) -> Bytes {
    let container = KeyContainer {
        keys: keys
            .iter()
            .map(|key| Key {
                key_id: key.key_id,
                key_id_extension: None,
                key: SecretText::base64(key.expose()),
                key_extension: None,
            })
            .collect(),
        key_container_extension: Some(serde_json::json!({ ORIGIN_EXTENSION: origin.word() })),
    };
    // Enough from the start: a buffer that grows leaves copies behind.
    let room = keys.iter().map(|key| 96 + key.bytes * 4 / 3).sum::<usize>() + 128;
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    if serde_json::to_writer(&mut *body, &container).is_err() {
        body.clear();
    }
    Bytes::from_owner(body)
}

/// A refusal as HTTP: 401 without a body, the others with the standard's error.
pub(crate) fn refused(refusal: &Refusal) -> Response<Bytes> {
    let code = StatusCode::from_u16(refusal.code()).unwrap_or(StatusCode::BAD_REQUEST);
    if code == StatusCode::UNAUTHORIZED {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = code;
        return response;
    }
    let body = ErrorBody {
        message: refusal.to_string(),
        details: Vec::new(),
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = with(code, Bytes::from(body));
    if let Some(seconds) = refusal.retry_after() {
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A method that the endpoint does not know.
pub(crate) fn not_allowed(endpoint: Endpoint) -> Response<Bytes> {
    let allowed = match endpoint {
        Endpoint::Status => "GET",
        Endpoint::EncKeys | Endpoint::DecKeys => "GET, POST",
    };
    let body = ErrorBody {
        message: format!("the method is not allowed here; allowed: {allowed}"),
        details: Vec::new(),
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = with(StatusCode::METHOD_NOT_ALLOWED, Bytes::from(body));
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Nothing there.
pub(crate) fn not_found() -> Response<Bytes> {
    let body = ErrorBody {
        message: format!("nothing here; keys are at {PREFIX}{{SAE_ID}}/status, enc_keys, dec_keys"),
        details: Vec::new(),
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    with(StatusCode::NOT_FOUND, Bytes::from(body))
}

fn with(code: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(CONTENT_TYPE, json);
    response
}
