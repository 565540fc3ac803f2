//! Clients that others wrote: `etsi-qkd-014-client` and `qkdsec` of PyPI, unchanged, over TLS with both certificates.
//!
//! `scripts/install-check-tools` puts them where this looks for them.

use std::process::Command;

use crate::support::root;

use super::process::Ground;

const ETSI_CLIENT: &str = "
import sys
from etsi_qkd_014_client import QKD014Client
folder, one, two = sys.argv[1:]
def client(kme, sae):
    return QKD014Client(kme, f'{folder}/{sae}.pem', f'{folder}/{sae}.key', f'{folder}/ca.pem')
first, second = client(one, 'sae-1'), client(two, 'sae-2')
for here, there, master, slave in ((first, second, 'sae-1', 'sae-2'), (second, first, 'sae-2', 'sae-1')):
    code, status = here.get_status(slave)
    assert code == 200 and status.slave_sae_id == slave and status.key_size == 256, status
    code, drawn = here.get_key(slave)
    assert code == 200 and len(drawn.keys) == 1, drawn
    code, more = here.get_key(slave, number=3, size=512)
    assert code == 200 and len(more.keys) == 3, more
    for key in drawn.keys + more.keys:
        code, same = there.get_key_with_key_IDs(master, [key.key_id])
        assert code == 200 and same.keys[0].key == key.key, (key, same)
        code, gone = there.get_key_with_key_IDs(master, [key.key_id])
        assert code == 400, code
print('ok')
";

const QKDSEC: &str = "
import sys
from qkdsec.client import ETSI014Client
folder, one, two = sys.argv[1:]
def client(kme, sae):
    pair = (f'{folder}/{sae}.pem', f'{folder}/{sae}.key')
    return ETSI014Client(f'https://{kme}', client_cert=pair, verify=f'{folder}/ca.pem')
first, second, third = client(one, 'sae-1'), client(two, 'sae-2'), client(two, 'sae-3')
for here, there, master, slave in ((first, second, 'sae-1', 'sae-2'), (second, first, 'sae-2', 'sae-1')):
    status = here.status(slave)
    assert status.master_sae_id == master and status.stored_key_count > 0, status
    for method in ('GET', 'POST'):
        drawn = here.get_enc_keys(slave, number=2, size=256, method=method)
        same = there.get_dec_keys(master, key_ids=[key.key_id for key in drawn])
        assert [key.key for key in drawn] == [key.key for key in same]
        assert len({key.key for key in drawn}) == 2 and len(drawn[0].key) == 32
shared = first.get_enc_keys('sae-2', additional_slave_sae_ids=['sae-3'])[0]
for slave in (second, third):
    assert slave.get_dec_keys('sae-1', key_ids=[shared.key_id])[0].key == shared.key
print('ok')
";

fn run(module: &str, script: &str) {
    let python = root().join("target/check-tools/qkd-clients/bin/python");
    let import = format!("import {module}");
    let there = Command::new(&python).args(["-c", &import]).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("skipped: {module} is not installed; scripts/install-check-tools does it");
        return;
    }
    let ground = Ground::new("");
    let _server = ground.serve(&["kme-1.toml", "kme-2.toml"]);
    ground.wait();
    let authority = |end: usize| ground.url(end).replace("https://", "");
    let output = Command::new(python)
        .args(["-c", script, &ground.path(""), &authority(0), &authority(1)])
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(stdout.trim(), "ok", "{stderr}");
}

#[test]
fn etsi_qkd_014_client_gets_the_same_keys_at_both_ends() {
    run("etsi_qkd_014_client", ETSI_CLIENT);
}

#[test]
fn the_client_of_qkdsec_gets_the_same_keys_at_both_ends() {
    run("qkdsec", QKDSEC);
}
