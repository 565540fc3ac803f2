//! Asks, and judges answers.

use std::time::Duration;

use hyper::Method;
use serde_json::Value;

use crate::client::{Address, Connection, Raw, WireError};
use crate::etsi::{ErrorBody, KeyContainer, KeyId, SaeId, Status, read_message, segment_encode};
use crate::tls::Identity;

use super::{Case, ProbeError, ProbeSettings, Verdict};

/// Until a connection stands, until an answer is there.
const LIMIT: Duration = Duration::from_secs(10);

/// As whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Master,
    Slave,
    Other,
}

/// Why an expectation does not hold; the text for the report.
pub(super) type Outcome = Result<(), String>;

/// Asks, judges, writes down.
pub(super) struct Prober {
    pub(super) settings: ProbeSettings,
    pub(super) kme_name: Option<String>,
    pub(super) master: SaeId,
    pub(super) status: Option<Status>,
    pub(super) cases: Vec<Case>,
    address: Address,
    peer_address: Option<Address>,
    connections: [Option<Connection>; 3],
}

impl Prober {
    pub(super) async fn new(settings: ProbeSettings) -> Result<Prober, ProbeError> {
        let address = Address::parse(&settings.url)?;
        let peer_address = match &settings.peer {
            Some(peer) => Some(Address::parse(&peer.url)?),
            None => None,
        };
        let name = settings.master.name()?;
        let master = SaeId::try_from(name).map_err(|error| {
            crate::tls::TlsError::Certificate(format!("its name is no SAE ID: {error}"))
        })?;
        let tls = settings.master.client()?;
        let connection = Connection::open(&address, tls, LIMIT).await?;
        Ok(Prober {
            kme_name: connection.name.clone(),
            settings,
            master,
            status: None,
            cases: Vec::new(),
            address,
            peer_address,
            connections: [Some(connection), None, None],
        })
    }

    pub(super) fn record(&mut self, name: &'static str, expected: &'static str, outcome: Outcome) {
        let verdict = match outcome {
            Ok(()) => Verdict::Pass,
            Err(found) => Verdict::Fail { found },
        };
        self.cases.push(Case {
            name,
            expected,
            verdict,
        });
    }

    pub(super) fn not_tested(&mut self, name: &'static str, expected: &'static str, why: &str) {
        let verdict = Verdict::NotTested {
            why: why.to_owned(),
        };
        self.cases.push(Case {
            name,
            expected,
            verdict,
        });
    }

    pub(super) fn has(&self, who: Who) -> bool {
        self.identity(who).is_some()
    }

    fn identity(&self, who: Who) -> Option<&Identity> {
        let peer = self.settings.peer.as_ref();
        match who {
            Who::Master => Some(&self.settings.master),
            Who::Slave => peer.map(|peer| &peer.slave),
            Who::Other => peer.and_then(|peer| peer.other.as_ref()),
        }
    }

    /// The third SAE's name.
    pub(super) fn other(&self) -> Option<SaeId> {
        let name = self.identity(Who::Other)?.name().ok()?;
        SaeId::try_from(name).ok()
    }

    /// A connection of one's own.
    pub(super) async fn open(&self, who: Who) -> Result<Connection, String> {
        let address = match who {
            Who::Master => Some(&self.address),
            Who::Slave | Who::Other => self.peer_address.as_ref(),
        };
        let (Some(identity), Some(address)) = (self.identity(who), address) else {
            return Err("no certificate for this SAE".to_owned());
        };
        let tls = identity.client().map_err(|error| error.to_string())?;
        Connection::open(address, tls, LIMIT)
            .await
            .map_err(|error| error.to_string())
    }

    /// A connection to the key manager under test, as somebody else.
    pub(super) async fn open_as(
        &self,
        tls: std::sync::Arc<rustls::ClientConfig>,
    ) -> Result<Connection, WireError> {
        Connection::open(&self.address, tls, LIMIT).await
    }

    pub(super) fn authority(&self) -> &str {
        &self.address.authority
    }

    pub(super) async fn ask(
        &mut self,
        who: Who,
        method: Method,
        path: &str,
        body: Option<&str>,
    ) -> Result<Raw, String> {
        let slot = who as usize;
        let open = self.connections[slot].take().filter(Connection::is_open);
        let mut connection = match open {
            Some(connection) => connection,
            None => self.open(who).await?,
        };
        let body = body.map(|body| body.as_bytes().to_vec());
        let first = connection.ask(method.clone(), path, body.clone(), LIMIT);
        let raw = match first.await {
            // A key manager may close after an answer; what did not leave may be asked again.
            Err(WireError::NotSent { .. }) => {
                connection = self.open(who).await?;
                connection.ask(method, path, body, LIMIT).await
            }
            other => other,
        };
        let raw = raw.map_err(|error| error.to_string())?;
        self.connections[slot] = Some(connection);
        Ok(raw)
    }

    /// The path of an endpoint for the slave under test.
    pub(super) fn path(&self, endpoint: &str) -> String {
        path(&self.settings.slave, endpoint)
    }

    /// Draws keys for the slave.
    pub(super) async fn draw(&mut self, body: &str) -> Result<Vec<(KeyId, Vec<u8>)>, String> {
        let path = self.path("enc_keys");
        let raw = self
            .ask(Who::Master, Method::POST, &path, Some(body))
            .await?;
        keys(&raw)
    }

    /// Fetches keys of the master under test.
    pub(super) async fn fetch(&mut self, who: Who, ids: &[KeyId]) -> Result<Raw, String> {
        let items: Vec<String> = ids
            .iter()
            .map(|id| format!("{{\"key_ID\":\"{id}\"}}"))
            .collect();
        let body = format!("{{\"key_IDs\":[{}]}}", items.join(","));
        let path = path(&self.master.clone(), "dec_keys");
        self.ask(who, Method::POST, &path, Some(&body)).await
    }
}

pub(super) fn path(sae: &SaeId, endpoint: &str) -> String {
    format!("/api/v1/keys/{}/{endpoint}", segment_encode(sae.as_str()))
}

/// What an answer says, short, without keys.
pub(super) fn tell(raw: &Raw) -> String {
    let message = match read_message::<ErrorBody>(&raw.body) {
        Ok(body) => body.message,
        Err(_) if raw.code == 200 => "a body that is not shown".to_owned(),
        Err(_) => String::from_utf8_lossy(&raw.body)
            .chars()
            .take(80)
            .collect(),
    };
    format!("{} {message:?}", raw.code)
}

/// One of these codes; 400 and 503 with the standard's error, 401 without a body.
pub(super) fn code(raw: &Raw, codes: &[u16]) -> Outcome {
    if !codes.contains(&raw.code) {
        return Err(tell(raw));
    }
    match raw.code {
        400 | 503 => read_message::<ErrorBody>(&raw.body)
            .map(|_| ())
            .map_err(|_| format!("{} without a JSON body with message", raw.code)),
        401 if !raw.body.is_empty() => Err("401 with a body".to_owned()),
        _ => Ok(()),
    }
}

/// 400 with exactly this text.
pub(super) fn bad(raw: &Raw, text: &str) -> Outcome {
    code(raw, &[400])?;
    match read_message::<ErrorBody>(&raw.body) {
        Ok(body) if body.message == text => Ok(()),
        _ => Err(tell(raw)),
    }
}

/// The keys of an answer: UUIDs, base64, JSON said.
pub(super) fn keys(raw: &Raw) -> Result<Vec<(KeyId, Vec<u8>)>, String> {
    code(raw, &[200])?;
    let kind = raw.headers.get("content-type");
    let json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !json {
        return Err(format!("Content-Type {kind:?}"));
    }
    let container: KeyContainer =
        read_message(&raw.body).map_err(|error| format!("no key container: {error}"))?;
    let mut keys = Vec::new();
    for key in &container.keys {
        let bits = key.key.decode().ok_or("a key that is no base64")?;
        keys.push((key.key_id, bits.to_vec()));
    }
    Ok(keys)
}

/// So many keys of so many bits.
pub(super) fn shape(keys: &[(KeyId, Vec<u8>)], number: usize, bits: u64) -> Outcome {
    let sizes: Vec<u64> = keys.iter().map(|(_, key)| key.len() as u64 * 8).collect();
    if sizes.len() == number && sizes.iter().all(|size| *size == bits) {
        Ok(())
    } else {
        Err(format!("{} keys of {sizes:?} bits", sizes.len()))
    }
}

/// Whether a field of a JSON object is a whole number.
pub(super) fn is_whole(object: &Value, field: &str) -> bool {
    object.get(field).is_some_and(Value::is_u64)
}
