//! `status`, paths and methods.

use hyper::Method;
use serde_json::Value;

use crate::client::Raw;
use crate::etsi::{SaeId, Status};

use super::ask::{Outcome, Prober, Who, code, is_whole, path};

pub(super) async fn run(prober: &mut Prober) {
    let status = prober.path("status");
    let raw = prober.ask(Who::Master, Method::GET, &status, None).await;
    let parsed = raw.and_then(|raw| read(&raw));
    let outcome = match parsed {
        Ok(status) => {
            let outcome = check(&status, prober);
            prober.status = Some(status);
            outcome
        }
        Err(found) => Err(found),
    };
    prober.record(
        "status",
        "200 with all fields, numbers whole, SAE IDs as asked",
        outcome,
    );
    let outcome = match (&prober.status, &prober.kme_name) {
        (Some(status), Some(name)) if status.source_kme_id.as_str() == name => Ok(()),
        (Some(status), name) => Err(format!(
            "source_KME_ID {}, certificate {name:?}",
            status.source_kme_id
        )),
        (None, _) => Err("no status".to_owned()),
    };
    prober.record(
        "KME ID in the certificate",
        "the common name is the source_KME_ID of status",
        outcome,
    );
    let deletes = prober.path("enc_keys");
    let ids = prober.path("dec_keys");
    for (name, method, path) in [
        ("POST status", Method::POST, &status),
        ("DELETE enc_keys", Method::DELETE, &deletes),
        ("PUT dec_keys", Method::PUT, &ids),
    ] {
        let body = (method != Method::DELETE).then_some("{}");
        let raw = prober.ask(Who::Master, method, path, body).await;
        let outcome = raw.and_then(|raw| match raw.code {
            400 | 405 => Ok(()),
            code => Err(format!("{code}")),
        });
        prober.record(name, "405 or 400", outcome);
    }
    let Ok(nobody) = "nobody here, Ünknown/and?odd".parse::<SaeId>() else {
        return;
    };
    for (name, endpoint) in [
        ("status of an unknown slave", "status"),
        ("enc_keys for an unknown slave", "enc_keys"),
    ] {
        let path = path(&nobody, endpoint);
        let raw = prober.ask(Who::Master, Method::GET, &path, None).await;
        let outcome = raw.and_then(|raw| code(&raw, &[400, 401]));
        prober.record(
            name,
            "400 or 401, also for an ID that needs encoding",
            outcome,
        );
    }
}

fn read(raw: &Raw) -> Result<Status, String> {
    code(raw, &[200])?;
    let value: Value = serde_json::from_slice(&raw.body).map_err(|error| error.to_string())?;
    for field in [
        "key_size",
        "stored_key_count",
        "max_key_count",
        "max_key_per_request",
        "max_key_size",
        "min_key_size",
        "max_SAE_ID_count",
    ] {
        if !is_whole(&value, field) {
            return Err(format!("{field} is no whole number"));
        }
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn check(status: &Status, prober: &Prober) -> Outcome {
    if status.master_sae_id != prober.master {
        return Err(format!("master_SAE_ID {}", status.master_sae_id));
    }
    if status.slave_sae_id != prober.settings.slave {
        return Err(format!("slave_SAE_ID {}", status.slave_sae_id));
    }
    let sizes = [status.min_key_size, status.key_size, status.max_key_size];
    if !sizes.is_sorted() || sizes[0] == 0 {
        return Err(format!(
            "min_key_size, key_size, max_key_size are {sizes:?}"
        ));
    }
    if status.max_key_per_request == 0 {
        return Err("max_key_per_request is 0".to_owned());
    }
    Ok(())
}
