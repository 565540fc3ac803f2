//! A client for any key manager that speaks ETSI GS QKD 014.
//!
//! What is asked again, and what never:
//!
//! | what happened | `status` | `enc_keys`, `dec_keys` |
//! |---|---|---|
//! | no connection, or the request did not leave | asked again | asked again |
//! | 503 (the key manager says that it delivered nothing) | asked again | asked again |
//! | the request left, no whole answer came | asked again | **never**: [`ClientError::InDoubt`] |
//! | anything else | error | error |
//!
//! A lost answer may have held keys, which the key manager has then removed. Asking `dec_keys` again would get 400 from a
//! correct key manager and a key for the second time from a broken one; asking `enc_keys` again would lose keys without a
//! word. So the caller decides, and is told which keys are lost.
//!
//! Keys that come back are looked at before anybody gets one: number, length, base64, names not asked for or seen before,
//! bits seen before in the same answer, zeros. One bad key refuses the whole answer.

mod error;
mod keys;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::header::RETRY_AFTER;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tracing::debug;

use crate::etsi::KeyContainer;
use crate::etsi::{
    ErrorBody, KeyId, KeyIds, KeyRequest, KmeId, SaeId, Status, read_message, segment_encode,
};
use crate::tls::Identity;

pub use error::{BadRequest, ClientError};
pub use keys::DeliveredKey;
use keys::Seen;
pub use wire::{Address, Connection, Raw, WireError};

/// Times and bounds of a client.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The key manager that the certificate must name (its CN); without it any that the CA vouches for.
    pub kme_id: Option<KmeId>,
    /// Until TCP and TLS stand.
    pub connect: Duration,
    /// Until an answer is complete.
    pub answer: Duration,
    /// How often to ask again, where that is safe.
    pub again: u32,
    /// Pause before asking again; doubles each time. A `Retry-After` of the key manager counts when it is longer.
    pub pause: Duration,
    /// Longest pause.
    pub pause_max: Duration,
}

impl Default for ClientOptions {
    /// Any key manager; 5 s, 10 s; 3 times more after 100 ms, 200 ms, 400 ms, at most 5 s.
    fn default() -> ClientOptions {
        ClientOptions {
            kme_id: None,
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            again: 3,
            pause: Duration::from_millis(100),
            pause_max: Duration::from_secs(5),
        }
    }
}

/// A connection unused for so long is not used again: the other side may have closed it.
const IDLE: Duration = Duration::from_secs(10);

/// One SAE's way to its key manager: one connection, one request at a time.
#[derive(Debug)]
pub struct Client {
    address: Address,
    tls: Arc<rustls::ClientConfig>,
    options: ClientOptions,
    connection: Mutex<Option<(Connection, Instant)>>,
    seen: Mutex<Seen>,
}

/// Which request, and whether it may be asked twice.
struct Question {
    method: Method,
    path: String,
    body: Option<Vec<u8>>,
    harmless: bool,
    key_ids: Vec<KeyId>,
}

impl Client {
    /// A client of the key manager at `https://host:port`.
    ///
    /// # Errors
    /// An address or certificates of no use; nothing is asked yet.
    pub fn new(
        url: &str,
        identity: &Identity,
        options: ClientOptions,
    ) -> Result<Client, ClientError> {
        Ok(Client {
            address: Address::parse(url).map_err(ClientError::NotAsked)?,
            tls: identity.client()?,
            options,
            connection: Mutex::new(None),
            seen: Mutex::new(Seen::default()),
        })
    }

    /// `status`: what can be had for this slave.
    ///
    /// # Errors
    /// Any of [`ClientError`] but those about keys.
    pub async fn status(&self, slave: &SaeId) -> Result<Status, ClientError> {
        let raw = self
            .ask(Question {
                method: Method::GET,
                path: path(slave, "status"),
                body: None,
                harmless: true,
                key_ids: Vec::new(),
            })
            .await?;
        parse(&raw.body)
    }

    /// `enc_keys` by POST: new keys, which the slaves fetch by their `key_ID`.
    ///
    /// # Errors
    /// Any of [`ClientError`]; whatever came with an error is discarded.
    pub async fn enc_keys(
        &self,
        slave: &SaeId,
        request: &KeyRequest,
    ) -> Result<Vec<DeliveredKey>, ClientError> {
        let (container, bits) = self.new_keys(post_new(slave, request)?, request).await?;
        keys::own_all(&container.keys, bits)
    }

    /// As [`Client::enc_keys`], with the bits open: for tools that hand keys on.
    ///
    /// # Errors
    /// As [`Client::enc_keys`].
    pub async fn enc_keys_open(
        &self,
        slave: &SaeId,
        request: &KeyRequest,
    ) -> Result<KeyContainer, ClientError> {
        let (container, bits) = self.new_keys(post_new(slave, request)?, request).await?;
        keys::own_all(&container.keys, bits)?;
        Ok(container)
    }

    /// `enc_keys` by GET, with number and size in the URI.
    ///
    /// # Errors
    /// As [`Client::enc_keys`].
    pub async fn enc_keys_get(
        &self,
        slave: &SaeId,
        number: Option<u64>,
        size: Option<u64>,
    ) -> Result<Vec<DeliveredKey>, ClientError> {
        let mut path = path(slave, "enc_keys");
        let parameters = [("number", number), ("size", size)];
        let given = parameters
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", (*value)?)));
        let query: Vec<String> = given.collect();
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let request = KeyRequest {
            number,
            size,
            ..KeyRequest::default()
        };
        let question = Question::risky(Method::GET, path, None);
        let (container, bits) = self.new_keys(question, &request).await?;
        keys::own_all(&container.keys, bits)
    }

    async fn new_keys(
        &self,
        question: Question,
        request: &KeyRequest,
    ) -> Result<(KeyContainer, Vec<keys::Bits>), ClientError> {
        let raw = self.ask(question).await?;
        let number = request.number.unwrap_or(1) as usize;
        let container = parse(&raw.body)?;
        let mut seen = self.seen.lock().await;
        let bits = keys::check_new(&container, number, request.size, &mut seen)?;
        Ok((container, bits))
    }

    /// `dec_keys` by POST: keys that a master told the names of, in this order.
    ///
    /// # Errors
    /// Any of [`ClientError`]; whatever came with an error is discarded.
    pub async fn dec_keys(
        &self,
        master: &SaeId,
        ids: &[KeyId],
    ) -> Result<Vec<DeliveredKey>, ClientError> {
        let (container, bits) = self.known_keys(post_known(master, ids)?).await?;
        let mut keys = keys::own_all(&container.keys, bits)?;
        keys.sort_by_key(|key| ids.iter().position(|id| *id == key.key_id));
        Ok(keys)
    }

    /// As [`Client::dec_keys`], with the bits open: for tools that hand keys on.
    ///
    /// # Errors
    /// As [`Client::dec_keys`].
    pub async fn dec_keys_open(
        &self,
        master: &SaeId,
        ids: &[KeyId],
    ) -> Result<KeyContainer, ClientError> {
        let (container, bits) = self.known_keys(post_known(master, ids)?).await?;
        keys::own_all(&container.keys, bits)?;
        Ok(container)
    }

    /// `dec_keys` by GET, for one key.
    ///
    /// # Errors
    /// As [`Client::dec_keys`].
    pub async fn dec_key_get(
        &self,
        master: &SaeId,
        id: KeyId,
    ) -> Result<DeliveredKey, ClientError> {
        let path = format!("{}?key_ID={id}", path(master, "dec_keys"));
        let mut question = Question::risky(Method::GET, path, None);
        question.key_ids = vec![id];
        let (container, bits) = self.known_keys(question).await?;
        let keys = keys::own_all(&container.keys, bits)?;
        keys.into_iter()
            .next()
            .ok_or(ClientError::Count { asked: 1, got: 0 })
    }

    async fn known_keys(
        &self,
        question: Question,
    ) -> Result<(KeyContainer, Vec<keys::Bits>), ClientError> {
        let ids = question.key_ids.clone();
        let raw = self.ask(question).await?;
        let container = parse(&raw.body)?;
        let bits = keys::check_known(&container, &ids)?;
        Ok((container, bits))
    }

    /// Asks, and asks again where that is safe.
    async fn ask(&self, question: Question) -> Result<Raw, ClientError> {
        let mut pause = self.options.pause;
        let mut left = self.options.again;
        loop {
            let error = match self.ask_once(&question).await {
                Ok(raw) => return Ok(raw),
                Err(error) => error,
            };
            let (safe, wait) = match &error {
                ClientError::NotAsked(_) => (true, pause),
                ClientError::InDoubt { .. } => (question.harmless, pause),
                ClientError::Unavailable { retry_after, .. } => {
                    let told = Duration::from_secs(retry_after.unwrap_or(0));
                    (true, pause.max(told))
                }
                _ => (false, pause),
            };
            if !safe || left == 0 {
                return Err(error);
            }
            left -= 1;
            debug!(%error, "asked again after a pause");
            tokio::time::sleep(wait.min(self.options.pause_max)).await;
            pause = (pause * 2).min(self.options.pause_max);
        }
    }

    async fn ask_once(&self, question: &Question) -> Result<Raw, ClientError> {
        let mut slot = self.connection.lock().await;
        let usable = slot
            .take()
            .filter(|(connection, used)| connection.is_open() && used.elapsed() < IDLE);
        let mut connection = match usable {
            Some((connection, _)) => connection,
            None => self.connect().await?,
        };
        let asked = connection.ask(
            question.method.clone(),
            &question.path,
            question.body.clone(),
            self.options.answer,
        );
        let raw = match asked.await {
            Ok(raw) => raw,
            Err(source @ WireError::Lost { .. }) => {
                let key_ids = question.key_ids.clone();
                return Err(ClientError::InDoubt { source, key_ids });
            }
            Err(error) => return Err(ClientError::NotAsked(error)),
        };
        if connection.is_open() {
            *slot = Some((connection, Instant::now()));
        }
        if raw.code == 200 {
            Ok(raw)
        } else {
            Err(refused(&raw))
        }
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let tls = Arc::clone(&self.tls);
        let connection = Connection::open(&self.address, tls, self.options.connect)
            .await
            .map_err(ClientError::NotAsked)?;
        if let Some(expected) = &self.options.kme_id
            && connection.name.as_deref() != Some(expected.as_str())
        {
            return Err(ClientError::OtherKme {
                found: connection.name.clone().unwrap_or_default(),
                expected: expected.to_string(),
            });
        }
        Ok(connection)
    }
}

impl Question {
    /// One that may cost keys.
    fn risky(method: Method, path: String, body: Option<Vec<u8>>) -> Question {
        Question {
            method,
            path,
            body,
            harmless: false,
            key_ids: Vec::new(),
        }
    }
}

fn post_new(slave: &SaeId, request: &KeyRequest) -> Result<Question, ClientError> {
    let body = serde_json::to_vec(request).map_err(nonsense)?;
    let path = path(slave, "enc_keys");
    Ok(Question::risky(Method::POST, path, Some(body)))
}

fn post_known(master: &SaeId, ids: &[KeyId]) -> Result<Question, ClientError> {
    let body = serde_json::to_vec(&KeyIds::of(ids)).map_err(nonsense)?;
    let mut question = Question::risky(Method::POST, path(master, "dec_keys"), Some(body));
    question.key_ids = ids.to_vec();
    Ok(question)
}

fn path(sae: &SaeId, endpoint: &str) -> String {
    let sae = segment_encode(sae.as_str());
    format!("/api/v1/keys/{sae}/{endpoint}")
}

fn nonsense(error: serde_json::Error) -> ClientError {
    ClientError::Nonsense {
        why: error.to_string(),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    read_message(body).map_err(nonsense)
}

/// Any answer but 200.
fn refused(raw: &Raw) -> ClientError {
    let message = match read_message::<ErrorBody>(&raw.body) {
        Ok(body) => body.message,
        Err(_) => String::from_utf8_lossy(&raw.body)
            .chars()
            .take(200)
            .collect(),
    };
    match raw.code {
        400 => ClientError::Bad {
            kind: BadRequest::of(&message),
            message,
        },
        401 => ClientError::Unauthorized,
        503 => ClientError::Unavailable {
            message,
            retry_after: raw
                .headers
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse().ok()),
        },
        code => ClientError::OtherCode { code, message },
    }
}
