//! What `chain init` makes, and what it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tieline::node::keys::{MemberSeeds, identity_of, signing_key};
use tieline_contract::member::Role;

use super::ground::{Ground, PHRASE, phrase};

#[test]
fn four_validators_of_the_vpps_own_ledger_open_their_keys_and_know_each_other() {
    let ground = Ground::new();
    let ran = ground.run(&["chain", "init", "z", "--chain", "chain-z", "--json"]);
    let said = ran.expect(0).json();
    let genesis = ground.genesis("z");
    assert_eq!(said["schema"], "tieline.chain-init/1");
    assert_eq!(said["genesis"], genesis.hash().to_string());
    assert_eq!(said["keys_from_seed"], false);
    let document = genesis.document();
    assert_eq!(document.vpp, document.chain);
    assert_eq!(document.operator.as_str(), "vpp");
    assert_eq!(
        (document.verifiers.faults, document.verifiers.threshold),
        (1, 2)
    );
    let roles: Vec<Role> = document.members.iter().map(|member| member.role).collect();
    assert_eq!(roles, [Role::Operator, Role::Aggregator]);
    for number in 1..=4 {
        let node = ground.node("z", number);
        assert_eq!(
            (node.place, node.seat),
            (Some(number - 1), Some(number - 1))
        );
        assert_eq!(node.genesis, genesis);
        assert_eq!(usize::from(node.listen.port()), 4698 + 2 * number);
        assert_eq!(node.api.port(), node.listen.port() + 1);
        assert_eq!(node.peers.len(), 3);
        for peer in &node.peers {
            let place = usize::from(peer.address.port() - 4700) / 2;
            let validator = &document.validators.validators[place];
            assert_eq!(validator.identity, peer.identity);
            assert_ne!(peer.identity, identity_of(&node.identity));
        }
    }
}

#[test]
fn a_microgrids_chain_of_seven_validators_knows_the_vpps_verification_nodes() {
    let ground = Ground::with_vpp();
    ground
        .run(&[
            "chain",
            "init",
            "x",
            "--chain",
            "chain-x",
            "--vpp",
            "z/genesis.toml",
            "--validators",
            "7",
            "--member",
            "mg-1:microgrid:250",
            "--member",
            "mg-2:microgrid",
            "--member",
            "watch:auditor",
            "--listen-base",
            "[::1]:5000",
        ])
        .expect(0);
    let (vpp, genesis) = (ground.genesis("z"), ground.genesis("x"));
    let committees = genesis.committees();
    assert_eq!(committees[1], vpp.committees()[0]);
    assert_eq!((committees[0].size(), committees[0].faults), (7, 2));
    let document = genesis.document();
    assert_eq!(document.members[0], vpp.document().members[0]);
    let owners = document
        .validators
        .validators
        .iter()
        .map(|v| v.owner.as_str());
    let owners: Vec<&str> = owners.collect();
    assert_eq!(
        owners,
        ["mg-1", "mg-2", "mg-1", "mg-2", "mg-1", "mg-2", "mg-1"]
    );
    assert_eq!(document.members[1].nameplate.to_kilowatts(), "250");
    let seeds = MemberSeeds::read(&ground.path("x/members/mg-2.sealed"), &phrase()).unwrap();
    let member = &document.members[2];
    assert_eq!(member.key, *signing_key(&seeds.gateway).public_key());
    assert_eq!(
        member.meters,
        [signing_key(&seeds.meters[0]).public_key().clone()]
    );
    assert!(
        !ground.path("x/members/vpp.sealed").exists(),
        "the VPP's keys are the VPP's"
    );
    assert_eq!(ground.node("x", 7).listen.to_string(), "[::1]:5012");
}

#[test]
fn who_stands_for_the_vpps_nodes_is_a_member_and_owns_no_node_here() {
    let ground = Ground::new();
    let init = |dir, chain, more: &[&str]| {
        let arguments = [&["chain", "init", dir, "--chain", chain], more].concat();
        ground.run(&arguments).expect(0);
    };
    init("z", "chain-z", &["--member", "host:microgrid"]);
    init("x", "mg-1", &["--vpp", "z/genesis.toml"]);
    let genesis = ground.genesis("x");
    let members = genesis.document().members.iter();
    let members: Vec<&str> = members.map(|member| member.id.as_str()).collect();
    assert_eq!(members, ["vpp", "host", "mg-1"]);
    let mut owners = genesis.validators().validators.iter().map(|v| &v.owner);
    assert!(owners.all(|owner| owner.as_str() == "mg-1"));
}

#[test]
fn one_seed_gives_the_same_bytes_with_a_warning_and_no_seed_gives_others() {
    let ground = Ground::new();
    let init = |dir: &str, seed: &[&str]| {
        let arguments = [&["chain", "init", dir, "--chain", "chain-z"], seed].concat();
        ground.run(&arguments).expect(0)
    };
    let one = init("one", &["--seed", "7"]);
    assert!(one.stderr.contains("warning: --seed"), "{}", one.stderr);
    init("two", &["--seed", "7"]);
    assert!(!init("three", &[]).stderr.contains("warning"));
    for file in [
        "genesis.toml",
        "node-2/node.toml",
        "node-2/keys.sealed",
        "members/vpp.sealed",
    ] {
        let [one, two, three] =
            ["one", "two", "three"].map(|dir| ground.read(&format!("{dir}/{file}")));
        assert_eq!(one, two, "{file}");
        assert_ne!(one, three, "{file}");
    }
}

#[test]
fn files_with_keys_are_for_their_owner_alone() {
    let ground = Ground::with_vpp();
    for file in [
        "node-1/keys.sealed",
        "node-4/keys.sealed",
        "members/vpp.sealed",
    ] {
        let metadata = fs::metadata(ground.path(&format!("z/{file}"))).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[test]
fn whatever_is_there_stays() {
    let ground = Ground::with_vpp();
    let before = ground.read("z/genesis.toml");
    fs::create_dir(ground.path("empty")).unwrap();
    ground.write("file", "mine");
    for dir in ["z", "empty", "file"] {
        let ran = ground
            .run(&["chain", "init", dir, "--chain", "chain-z"])
            .expect(2);
        assert!(ran.stderr.contains("is there already"), "{}", ran.stderr);
    }
    assert_eq!(ground.read("z/genesis.toml"), before);
    assert_eq!(ground.names(), ["empty", "file", "z"]);
}

#[test]
fn a_passphrase_is_needed_and_comes_from_a_file_for_its_owner_or_the_environment() {
    let ground = Ground::new();
    let init = ["chain", "init", "z", "--chain", "chain-z"];
    let with_file = [&init[..], &["--passphrase-file", "phrase"]].concat();
    let refused = |arguments: &[&str], variables: &[(&str, &str)], words: &str| {
        let ran = ground.run_with(arguments, variables).expect(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert!(!ground.path(arguments[2]).exists());
    };
    refused(&init, &[], "no passphrase for the keys");
    refused(&init, &[("TIELINE_PASSPHRASE", "")], "is empty");
    refused(
        &with_file,
        &[("TIELINE_PASSPHRASE", PHRASE)],
        "phrase: No such file",
    );
    ground.write("phrase", format!("{PHRASE}\n"));
    fs::set_permissions(ground.path("phrase"), fs::Permissions::from_mode(0o644)).unwrap();
    refused(&with_file, &[], "others can read the passphrase");
    fs::set_permissions(ground.path("phrase"), fs::Permissions::from_mode(0o600)).unwrap();
    let ran = ground.run_with(&with_file, &[]).expect(0);
    assert!(!ran.stderr.contains(PHRASE) && !ran.stdout.contains(PHRASE));
    // The line's end is not part of it.
    assert_eq!(ground.node("z", 1).place, Some(0));
    ground.write("phrase", "\n");
    refused(
        &[
            &["chain", "init", "y", "--chain", "chain-y"],
            &with_file[5..],
        ]
        .concat(),
        &[],
        "is empty",
    );
}

#[test]
fn plans_that_cannot_stand_are_refused_and_leave_nothing() {
    let ground = Ground::with_vpp();
    let init = ["chain", "init", "x", "--chain", "chain-x"];
    ground
        .run(&[
            "chain",
            "init",
            "y",
            "--chain",
            "chain-y",
            "--vpp",
            "z/genesis.toml",
        ])
        .expect(0);
    let cases: [(&[&str], i32, &str); 11] = [
        (&["--validators", "3"], 2, "3 is not in 4..=16"),
        (&["--validators", "17"], 2, "17 is not in 4..=16"),
        (
            &["--listen-base", "127.0.0.1:65530"],
            2,
            "take two ports each",
        ),
        (
            &["--listen-base", "0.0.0.0:4700"],
            2,
            "that the others reach",
        ),
        (
            &["--vpp", "y/genesis.toml"],
            2,
            "give the genesis.toml of chain-z",
        ),
        (&["--vpp", "z/node-1/node.toml"], 1, "z/node-1/node.toml"),
        (&["--vpp", "z/nothing.toml"], 2, "No such file"),
        (
            &["--vpp", "z/genesis.toml", "--operator", "other"],
            2,
            "names vpp",
        ),
        (
            &["--vpp", "z/genesis.toml", "--member", "vpp:microgrid"],
            2,
            "member vpp",
        ),
        (&["--member", "mg-1:king"], 2, "king is no role"),
        (
            &["--operator", "a", "--member", "a:auditor"],
            2,
            "operator a is no member",
        ),
    ];
    for (more, code, words) in cases {
        let ran = ground.run(&[&init, more].concat()).expect(code);
        assert!(ran.stderr.contains(words), "{more:?}: {}", ran.stderr);
        assert_eq!(ground.names(), ["y", "z"], "{more:?}");
    }
}

#[test]
fn settings_of_a_scenario_mean_nothing_here() {
    let ground = Ground::new();
    let ran = ground.run(&[
        "chain",
        "init",
        "z",
        "--chain",
        "z",
        "--set",
        "market.response=fit",
    ]);
    assert!(ran.expect(2).stderr.contains("--set means nothing here"));
    let ran = ground.run(&["chain", "show", "z", "--seed", "1"]).expect(2);
    assert!(
        ran.stderr.contains("--seed means nothing here"),
        "{}",
        ran.stderr
    );
}
