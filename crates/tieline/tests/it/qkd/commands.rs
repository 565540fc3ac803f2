//! The commands, one after the other.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::tieline;

use super::process::Ground;

#[test]
fn certificates_are_made_once_and_keys_are_for_their_owner_alone() {
    let ground = Ground::new("");
    let key = std::fs::metadata(ground.dir().join("sae-1.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let again = tieline(&["qkd", "certs", &ground.path(""), "--json"]).expect(0);
    assert_eq!(again.json()["made"], serde_json::json!([]));
}

#[test]
fn keys_are_drawn_at_one_end_and_fetched_at_the_other_and_the_probe_passes() {
    let ground = Ground::new("stored_max = 2048");
    let mut server = ground.serve(&["kme-1.toml", "kme-2.toml"]);
    ground.wait();
    let (one, two) = (ground.url(0), ground.url(1));
    let (first, second) = (ground.path("sae-1"), ground.path("sae-2"));
    let status = [
        "qkd", "status", &one, "--as", &first, "--sae", "sae-2", "--json",
    ];
    let status = tieline(&status).expect(0).json();
    assert_eq!(status["target_KME_ID"], "kme-2");
    let get = [
        "qkd", "get", &one, "--as", &first, "--sae", "sae-2", "--number", "2", "--json",
    ];
    let keys = tieline(&get).expect(0).json();
    assert_eq!(
        keys["key_container_extension"]["tieline_origin"],
        "simulated"
    );
    let id = keys["keys"][1]["key_ID"].as_str().unwrap();
    let fetch = [
        "qkd", "get", &two, "--as", &second, "--sae", "sae-1", "--key-id", id,
    ];
    let ran = tieline(&fetch).expect(0);
    let key = keys["keys"][1]["key"].as_str().unwrap();
    assert_eq!(ran.stdout, format!("{id} {key}\n"));
    let again = tieline(&fetch).expect(1);
    assert!(
        again
            .stderr
            .contains("one or more keys specified are not found on KME")
    );
    let wrong = [
        "qkd", "status", &one, "--as", &first, "--sae", "sae-2", "--kme", "kme-9",
    ];
    assert!(tieline(&wrong).expect(2).stderr.contains("expected kme-9"));
    let (third, expired) = (ground.path("sae-3"), ground.path("expired"));
    let probe = [
        "qkd",
        "probe",
        &one,
        "--as",
        &first,
        "--sae",
        "sae-2",
        "--peer",
        &two,
        "--peer-as",
        &second,
        "--other-as",
        &third,
        "--expired-as",
        &expired,
        "--json",
    ];
    let report = tieline(&probe).expect(0).json();
    assert_eq!(report["failed"], 0, "{report:#}");
    assert_eq!(server.terminate(), 0);
}

#[test]
fn the_probe_ends_with_1_when_something_fails() {
    let ground = Ground::new("stored_max = 2048");
    let _server = ground.serve(&["kme-1.toml", "kme-2.toml"]);
    ground.wait();
    // A slave that is none: every request for keys is refused, which the probe calls a failure.
    let (one, first) = (ground.url(0), ground.path("sae-1"));
    let ran = tieline(&["qkd", "probe", &one, "--as", &first, "--sae", "sae-9"]).expect(1);
    assert!(ran.stdout.contains("FAIL        status"), "{}", ran.stdout);
}

#[test]
fn curl_with_certificates_gets_the_same_key_at_both_ends() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: curl is not here");
        return;
    }
    let ground = Ground::new("");
    let _server = ground.serve(&["kme-1.toml", "kme-2.toml"]);
    ground.wait();
    let curl = |sae: &str, url: String, data: Option<String>| -> serde_json::Value {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail"]);
        command.args(["--cacert", &ground.path("ca.pem")]);
        command.args(["--cert", &ground.path(&format!("{sae}.pem"))]);
        command.args(["--key", &ground.path(&format!("{sae}.key"))]);
        if let Some(data) = data {
            command.args(["--header", "Content-Type: application/json"]);
            command.args(["--data", &data]);
        }
        let output = command.arg(url).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
    };
    let enc = format!(
        "{}/api/v1/keys/sae-2/enc_keys?number=1&size=256",
        ground.url(0)
    );
    let drawn = curl("sae-1", enc, None);
    let id = drawn["keys"][0]["key_ID"].as_str().unwrap();
    let dec = format!("{}/api/v1/keys/sae-1/dec_keys", ground.url(1));
    let body = format!("{{\"key_IDs\":[{{\"key_ID\":\"{id}\"}}]}}");
    let fetched = curl("sae-2", dec, Some(body));
    assert_eq!(drawn["keys"], fetched["keys"]);
}
