//! `tieline qkd status` and `get`

use serde::Serialize;
use tieline_qkd::client::{Client, ClientError, ClientOptions};
use tieline_qkd::etsi::{Key, KeyRequest};

use super::{caller, runtime};
use crate::cli::qkd::{Caller, Get, Status};
use crate::commands::Failure;
use crate::printer::Printer;

#[derive(Serialize)]
struct StatusDocument {
    schema: &'static str,
    #[serde(flatten)]
    status: tieline_qkd::etsi::Status,
}

#[derive(Serialize)]
struct KeysDocument {
    schema: &'static str,
    keys: Vec<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_container_extension: Option<serde_json::Value>,
}

fn client(url: &str, who: &Caller) -> Result<Client, Failure> {
    let options = ClientOptions {
        kme_id: who.kme.clone(),
        ..ClientOptions::default()
    };
    Client::new(url, &caller(who)?, options).map_err(|error| failure(&error))
}

/// What the key manager says is a no; what keeps it from being asked is a broken environment.
fn failure(error: &ClientError) -> Failure {
    let text = format!("{error}\n\nhint: {}", error.next_step());
    match error {
        ClientError::Tls(_)
        | ClientError::NotAsked(_)
        | ClientError::OtherKme { .. }
        | ClientError::Id(_) => Failure::Broken(text),
        _ => Failure::No(text),
    }
}

pub(super) fn status(command: &Status, printer: Printer) -> Result<(), Failure> {
    let client = client(&command.url, &command.caller)?;
    let status = runtime()?
        .block_on(client.status(&command.sae))
        .map_err(|error| failure(&error))?;
    printer.text(&format!(
        "from {} at {} to {} at {}\n\
         {} keys of {} bits stored, at most {}\n\
         keys of {} to {} bits, {} in one request, {} additional slaves\n",
        status.master_sae_id,
        status.source_kme_id,
        status.slave_sae_id,
        status.target_kme_id,
        status.stored_key_count,
        status.key_size,
        status.max_key_count,
        status.min_key_size,
        status.max_key_size,
        status.max_key_per_request,
        status.max_sae_id_count,
    ))?;
    if let Some(extension) = &status.status_extension {
        printer.text(&format!("{extension}\n"))?;
    }
    printer.document(&StatusDocument {
        schema: "tieline.qkd.status/1",
        status,
    })?;
    Ok(())
}

pub(super) fn get(command: &Get, printer: Printer) -> Result<(), Failure> {
    let client = client(&command.url, &command.caller)?;
    let request = KeyRequest {
        number: command.number,
        size: command.size,
        additional_slave_sae_ids: command.also.clone(),
        ..KeyRequest::default()
    };
    let container = runtime()?
        .block_on(async {
            if command.key_id.is_empty() {
                client.enc_keys_open(&command.sae, &request).await
            } else {
                client.dec_keys_open(&command.sae, &command.key_id).await
            }
        })
        .map_err(|error| failure(&error))?;
    for key in &container.keys {
        printer.text(&format!("{} {}\n", key.key_id, key.key.expose()))?;
    }
    printer.document(&KeysDocument {
        schema: "tieline.qkd.keys/1",
        keys: container.keys,
        key_container_extension: container.key_container_extension,
    })?;
    Ok(())
}
