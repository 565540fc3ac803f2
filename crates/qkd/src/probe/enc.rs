//! `enc_keys`.

use std::collections::BTreeSet;

use hyper::Method;

use crate::etsi::text;

use super::ask::{Outcome, Prober, Who, bad, code, keys, shape, tell};

/// Keys drawn at most to drain a pool.
const DRAIN_MAX: u64 = 2_000_000;

pub(super) async fn run(prober: &mut Prober) {
    let Some(status) = prober.status.clone() else {
        prober.not_tested("enc_keys", "all of it", "status did not answer");
        return;
    };
    forms(prober, status.key_size).await;
    refusals(prober).await;
    bodies(prober).await;
    extensions(prober).await;
    let outcome = single(prober).await;
    prober.record(
        "concurrent enc_keys",
        "8 connections draw 160 keys: no key_ID and no key twice",
        outcome,
    );
}

/// Name, method, path, body; keys and bits to come.
type Form<'a> = (&'static str, Method, &'a str, Option<&'a str>, usize, u64);

async fn forms(prober: &mut Prober, key_size: u64) {
    let enc = prober.path("enc_keys");
    // Another size than the usual one, where sizes may differ.
    let other = prober.status.as_ref().map_or(key_size, |status| {
        if status.max_key_size >= key_size * 2 {
            key_size * 2
        } else {
            key_size
        }
    });
    let two = format!("{enc}?number=2&size={other}");
    let body = format!("{{\"number\":2,\"size\":{other}}}");
    let forms: [Form<'_>; 4] = [
        ("GET enc_keys", Method::GET, &enc, None, 1, key_size),
        (
            "GET enc_keys with number and size",
            Method::GET,
            &two,
            None,
            2,
            other,
        ),
        (
            "POST enc_keys with {}",
            Method::POST,
            &enc,
            Some("{}"),
            1,
            key_size,
        ),
        (
            "POST enc_keys with number and size",
            Method::POST,
            &enc,
            Some(&body),
            2,
            other,
        ),
    ];
    for (name, method, path, body, number, bits) in forms {
        let raw = prober.ask(Who::Master, method, path, body).await;
        let outcome = raw.and_then(|raw| shape(&keys(&raw)?, number, bits));
        prober.record(
            name,
            "200, so many keys, base64 of so many bits, key_ID a UUID",
            outcome,
        );
    }
    let raw = prober.ask(Who::Master, Method::POST, &enc, Some("")).await;
    let outcome = raw.and_then(|raw| code(&raw, &[200, 400]));
    prober.record("POST enc_keys with an empty body", "200 or 400", outcome);
}

async fn refusals(prober: &mut Prober) {
    let Some(status) = prober.status.clone() else {
        return;
    };
    let multiple = |text: &str| format!("{{\"size\":{text}}}");
    let number = |text: &str| format!("{{\"number\":{text}}}");
    let large = (status.max_key_size / 8 + 1) * 8;
    let small = status.min_key_size.saturating_sub(8);
    let many = status.max_key_per_request + 1;
    let bodies = [
        ("size 0", multiple("0")),
        ("size negative", multiple("-256")),
        ("size with a fraction", multiple("256.5")),
        ("size in quotes", multiple("\"256\"")),
        ("size above max_key_size", multiple(&large.to_string())),
        ("size below min_key_size", multiple(&small.to_string())),
        ("number 0", number("0")),
        ("number negative", number("-1")),
        (
            "number above max_key_per_request",
            number(&many.to_string()),
        ),
        ("number in quotes", number("\"1\"")),
        ("number null", number("null")),
    ];
    let enc = prober.path("enc_keys");
    for (name, body) in bodies {
        let raw = prober
            .ask(Who::Master, Method::POST, &enc, Some(&body))
            .await;
        let outcome = raw.and_then(|raw| code(&raw, &[400]));
        prober.record(name, "400 with message, no key", outcome);
    }
    for (name, query) in [
        ("GET with number=0", "number=0"),
        ("GET with number=-1", "number=-1"),
        ("GET with size=x", "size=x"),
    ] {
        let path = format!("{enc}?{query}");
        let raw = prober.ask(Who::Master, Method::GET, &path, None).await;
        let outcome = raw.and_then(|raw| code(&raw, &[400]));
        prober.record(name, "400 with message, no key", outcome);
    }
    let odd = status.key_size + 1;
    let body = multiple(&odd.to_string());
    let raw = prober
        .ask(Who::Master, Method::POST, &enc, Some(&body))
        .await;
    let outcome = raw.and_then(|raw| {
        if raw.code == 200 {
            // A key manager may support any size, but then it must give that size.
            return Err("200, although base64 holds whole bytes only".to_owned());
        }
        bad(&raw, text::SIZE_MULTIPLE_OF_8)
    });
    prober.record(
        "size no multiple of 8",
        "400 \"size shall be a multiple of 8\"",
        outcome,
    );
}

async fn bodies(prober: &mut Prober) {
    let enc = prober.path("enc_keys");
    let long = format!("{{\"x\":\"{}\"}}", "y".repeat(1 << 20));
    let cases: [(&str, &str, &[u16], &str); 6] = [
        ("body no JSON", "{\"number\":", &[400], "400"),
        ("body an array", "[1]", &[400], "400"),
        (
            "body with a field twice",
            "{\"number\":1,\"number\":2}",
            &[400],
            "400",
        ),
        (
            "body with an unknown field",
            "{\"tieline_unknown\":1}",
            &[200, 400],
            "200 or 400",
        ),
        (
            "additional_slave_SAE_IDs no list",
            "{\"additional_slave_SAE_IDs\":\"x\"}",
            &[400],
            "400",
        ),
        (
            "extension_mandatory no list",
            "{\"extension_mandatory\":{\"a\":1}}",
            &[400],
            "400",
        ),
    ];
    for (name, body, codes, expected) in cases {
        let raw = prober
            .ask(Who::Master, Method::POST, &enc, Some(body))
            .await;
        let outcome = raw.and_then(|raw| code(&raw, codes));
        prober.record(name, expected, outcome);
    }
    let raw = prober
        .ask(Who::Master, Method::POST, &enc, Some(&long))
        .await;
    let refused = match raw {
        Ok(raw) if [400, 413].contains(&raw.code) => Ok(()),
        Ok(raw) => Err(tell(&raw)),
        // Closing the connection is an answer, too.
        Err(_) => Ok(()),
    };
    let status = prober.path("status");
    let after = prober.ask(Who::Master, Method::GET, &status, None).await;
    let outcome = refused.and(after.and_then(|raw| code(&raw, &[200])));
    prober.record(
        "body of 1 MB",
        "refused (400, 413 or closed), and status answers afterwards",
        outcome,
    );
}

async fn extensions(prober: &mut Prober) {
    let enc = prober.path("enc_keys");
    let body = "{\"extension_mandatory\":[{\"probe_unknown\":\"x\"}]}";
    let raw = prober
        .ask(Who::Master, Method::POST, &enc, Some(body))
        .await;
    let outcome = raw.and_then(|raw| bad(&raw, text::EXTENSION_UNKNOWN));
    prober.record(
        "extension_mandatory unknown",
        "400 \"not all extension_mandatory parameters are supported\"",
        outcome,
    );
    let body = "{\"extension_optional\":[{\"probe_unknown\":\"x\"}]}";
    let raw = prober
        .ask(Who::Master, Method::POST, &enc, Some(body))
        .await;
    let outcome = raw.and_then(|raw| match raw.code {
        200 => keys(&raw).map(|_| ()),
        _ => bad(&raw, text::OPTIONAL_NOT_HANDLED),
    });
    prober.record(
        "extension_optional unknown",
        "200, or 400 \"not all extension_optional request options handled\"",
        outcome,
    );
}

async fn single(prober: &Prober) -> Outcome {
    let path = prober.path("enc_keys");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mut connection = prober.open(Who::Master).await?;
        let path = path.clone();
        tasks.spawn(async move {
            let mut drawn = Vec::new();
            for _ in 0..20 {
                let limit = std::time::Duration::from_secs(10);
                let raw = connection.ask(Method::GET, &path, None, limit).await;
                drawn.extend(keys(&raw.map_err(|error| error.to_string())?)?);
            }
            Ok::<_, String>(drawn)
        });
    }
    let (mut ids, mut bits, mut total) = (BTreeSet::new(), BTreeSet::new(), 0);
    while let Some(joined) = tasks.join_next().await {
        for (id, key) in joined.map_err(|error| error.to_string())?? {
            total += 1;
            ids.insert(id);
            bits.insert(key);
        }
    }
    if ids.len() == total && bits.len() == total {
        Ok(())
    } else {
        Err(format!(
            "{total} keys with {} key_IDs and {} contents",
            ids.len(),
            bits.len()
        ))
    }
}

/// Draws until nothing is left.
pub(super) async fn drain(prober: &mut Prober) {
    let name = "an exhausted pool";
    let expected = "503 with message, no part of the keys";
    let Some(status) = prober.status.clone() else {
        return prober.not_tested(name, expected, "status did not answer");
    };
    if !prober.settings.drain {
        return prober.not_tested(
            name,
            expected,
            "would empty the pool; ask for it with --drain",
        );
    }
    let number = status.max_key_per_request;
    let enc = prober.path("enc_keys");
    let size = status.max_key_size;
    let body = format!("{{\"number\":{number},\"size\":{size}}}");
    let mut outcome = Err(format!("no end after {DRAIN_MAX} keys"));
    for _ in 0..DRAIN_MAX / number {
        let raw = prober
            .ask(Who::Master, Method::POST, &enc, Some(&body))
            .await;
        match raw {
            Ok(raw) if raw.code == 200 => {}
            Ok(raw) => {
                outcome = code(&raw, &[503]);
                break;
            }
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    prober.record(name, expected, outcome);
}
