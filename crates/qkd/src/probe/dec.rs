//! `dec_keys`, at the other end.

use hyper::Method;

use crate::etsi::{KeyId, text};

use super::ask::{Outcome, Prober, Who, bad, code, keys, path};

type Drawn = (KeyId, Vec<u8>);

pub(super) async fn run(prober: &mut Prober) {
    if !prober.has(Who::Slave) {
        let why = "needs the address of the other key manager and the slave's certificate there";
        return prober.not_tested("dec_keys", "all of it", why);
    }
    let cases: [(&str, &str); 8] = [
        (
            "POST dec_keys",
            "200, the same bits as at the other end, in any order",
        ),
        ("GET dec_keys", "200, the same bits"),
        (
            "dec_keys for the second time",
            "400 \"one or more keys specified are not found on KME\"",
        ),
        (
            "dec_keys of an unknown key_ID",
            "400 \"one or more keys specified are not found on KME\"",
        ),
        (
            "dec_keys of a known and an unknown key_ID",
            "400, and the known key can still be had",
        ),
        ("dec_keys without key_IDs", "400"),
        ("dec_keys with a key_ID that is no UUID", "400"),
        ("dec_keys with extensions in the request", "200"),
    ];
    for (name, expected) in cases {
        let outcome = case(prober, name).await;
        prober.record(name, expected, outcome);
    }
    let master = "dec_keys by the master at its own key manager";
    let outcome = by_master(prober).await;
    prober.record(
        master,
        "400 or 401, and the slave can still have the key",
        outcome,
    );
    let name = "dec_keys by an SAE that is no slave of the key";
    let expected = "401 without a body, and the slave can still have the key";
    let multicast = "multicast";
    let expected_multicast = "every slave named gets the same key, each once";
    if prober.has(Who::Other) {
        let outcome = by_other(prober).await;
        prober.record(name, expected, outcome);
    } else {
        let why = "needs the certificate of a third SAE at the other end";
        prober.not_tested(name, expected, why);
    }
    let count = prober
        .status
        .as_ref()
        .map_or(0, |status| status.max_sae_id_count);
    match prober.other() {
        _ if count == 0 => {
            let why = "max_SAE_ID_count is 0: no multicast";
            prober.not_tested(multicast, expected_multicast, why);
        }
        None => {
            let why = "needs the certificate of a third SAE at the other end";
            prober.not_tested(multicast, expected_multicast, why);
        }
        Some(other) => {
            let outcome = to_two(prober, other.as_str()).await;
            prober.record(multicast, expected_multicast, outcome);
        }
    }
}

async fn one(prober: &mut Prober) -> Result<Drawn, String> {
    let drawn = prober.draw("{}").await?;
    drawn.into_iter().next().ok_or("no key".to_owned())
}

fn same(found: &[Drawn], drawn: &[Drawn]) -> Outcome {
    let same = found.len() == drawn.len() && drawn.iter().all(|key| found.contains(key));
    if same {
        Ok(())
    } else {
        Err("other keys than at the first end".to_owned())
    }
}

async fn get(prober: &mut Prober, id: KeyId) -> Result<Vec<Drawn>, String> {
    let path = path(&prober.master, &format!("dec_keys?key_ID={id}"));
    keys(&prober.ask(Who::Slave, Method::GET, &path, None).await?)
}

async fn several(prober: &mut Prober) -> Outcome {
    let number = prober
        .status
        .as_ref()
        .map_or(1, |status| status.max_key_per_request);
    let body = format!("{{\"number\":{}}}", number.min(5));
    let drawn = prober.draw(&body).await?;
    let ids: Vec<KeyId> = drawn.iter().map(|(id, _)| *id).collect();
    let raw = prober.fetch(Who::Slave, &ids).await?;
    same(&keys(&raw)?, &drawn)
}

async fn case(prober: &mut Prober, name: &str) -> Outcome {
    let dec = path(&prober.master, "dec_keys");
    let unknown = KeyId::version_8(*b"tieline probe id");
    match name {
        "POST dec_keys" => several(prober).await,
        "GET dec_keys" => {
            let drawn = one(prober).await?;
            let found = get(prober, drawn.0).await?;
            same(&found, &[drawn])
        }
        "dec_keys for the second time" => {
            let (id, _) = one(prober).await?;
            code(&prober.fetch(Who::Slave, &[id]).await?, &[200])?;
            bad(
                &prober.fetch(Who::Slave, &[id]).await?,
                text::KEYS_NOT_FOUND,
            )
        }
        "dec_keys of an unknown key_ID" => {
            let raw = prober.fetch(Who::Slave, &[unknown]).await?;
            bad(&raw, text::KEYS_NOT_FOUND)
        }
        "dec_keys of a known and an unknown key_ID" => {
            let drawn = one(prober).await?;
            let raw = prober.fetch(Who::Slave, &[drawn.0, unknown]).await?;
            bad(&raw, text::KEYS_NOT_FOUND)?;
            let found = get(prober, drawn.0).await?;
            same(&found, &[drawn])
        }
        "dec_keys without key_IDs" => {
            for body in ["{}", "{\"key_IDs\":[]}"] {
                let raw = prober
                    .ask(Who::Slave, Method::POST, &dec, Some(body))
                    .await?;
                code(&raw, &[400])?;
            }
            let raw = prober.ask(Who::Slave, Method::GET, &dec, None).await?;
            code(&raw, &[400])
        }
        "dec_keys with a key_ID that is no UUID" => {
            let body = "{\"key_IDs\":[{\"key_ID\":\"1\"}]}";
            let raw = prober
                .ask(Who::Slave, Method::POST, &dec, Some(body))
                .await?;
            code(&raw, &[400])
        }
        _ => {
            let drawn = one(prober).await?;
            let body = format!(
                "{{\"key_IDs\":[{{\"key_ID\":\"{}\",\"key_ID_extension\":{{\"probe_x\":1}}}}],\
                 \"key_IDs_extension\":{{\"probe_y\":[]}}}}",
                drawn.0
            );
            let raw = prober
                .ask(Who::Slave, Method::POST, &dec, Some(&body))
                .await?;
            same(&keys(&raw)?, &[drawn])
        }
    }
}

async fn by_master(prober: &mut Prober) -> Outcome {
    let drawn = one(prober).await?;
    let path = prober.path(&format!("dec_keys?key_ID={}", drawn.0));
    let raw = prober.ask(Who::Master, Method::GET, &path, None).await?;
    code(&raw, &[400, 401])?;
    let found = get(prober, drawn.0).await?;
    same(&found, &[drawn])
}

async fn by_other(prober: &mut Prober) -> Outcome {
    let drawn = one(prober).await?;
    code(&prober.fetch(Who::Other, &[drawn.0]).await?, &[401])?;
    // One of one's own keys does not open the others of a list.
    let found = get(prober, drawn.0).await?;
    same(&found, &[drawn])
}

async fn to_two(prober: &mut Prober, other: &str) -> Outcome {
    let body = format!(
        "{{\"additional_slave_SAE_IDs\":[{}]}}",
        serde_json::Value::from(other)
    );
    let drawn = prober.draw(&body).await?;
    let ids: Vec<KeyId> = drawn.iter().map(|(id, _)| *id).collect();
    for who in [Who::Other, Who::Slave] {
        same(&keys(&prober.fetch(who, &ids).await?)?, &drawn)?;
        bad(&prober.fetch(who, &ids).await?, text::KEYS_NOT_FOUND)?;
    }
    Ok(())
}
