//! A chain to measure: its genesis, everybody's keys, and transactions that cost what real ones cost.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commonware_codec::Encode as _;
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use tieline_chain::genesis::{Document, Genesis, Seats, VERSION};
use tieline_chain::validators::{Validator, ValidatorSet};
use tieline_contract::member::{Member, MeterBatch, Register, Role};
use tieline_contract::threshold::{Committee, Seat};
use tieline_contract::transaction::Transaction;
use tieline_engine::validators::{Identity, SUITE};
use tieline_seal::hybrid::{Domain, Purpose, SigningKey};
use tieline_units::{
    ChainId, Currency, Digest, Energy, IntervalLength, MicrogridId, Money, Power, Time,
};

/// Members with a meter each. A pool takes 256 transactions of one of them.
pub const MEMBERS: u64 = 20;

/// Before all readings, a whole number of intervals after 1970; the next half million intervals are over today.
const FIRST: u64 = 1_000_000_200_000;

const NAME: &str = "harbour";
const INTERVAL: IntervalLength = IntervalLength::Min5;

/// Keys and addresses of a chain with so many validators.
pub struct Ground {
    pub genesis: Genesis,
    pub ports: Vec<u16>,
    meters: Vec<SigningKey>,
    domain: Domain,
}

fn seed(what: &str, index: u64) -> [u8; 32] {
    *Digest::of(format!("{what} {index}").as_bytes()).as_bytes()
}

fn private(index: u64) -> PrivateKey {
    PrivateKey::from_seed(index + 1)
}

/// The private key of a validator's identity: the engine's own scheme votes with it.
pub fn identity_of(public: &Identity) -> Option<PrivateKey> {
    let all = (0..64).map(private);
    all.into_iter().find(|key| key.public_key() == *public)
}

/// 32 bytes of an identity.
fn name(index: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&private(index).public_key());
    bytes
}

/// All names are equally long, and so all readings.
fn member_id(index: u64) -> MicrogridId {
    MicrogridId::parse(&format!("mg-{index:02}")).unwrap()
}

fn key(what: &str, index: u64) -> SigningKey {
    SigningKey::from_seed(SUITE, &seed(what, index))
}

fn members(chain: &ChainId, vpp: &ChainId) -> Vec<Member> {
    let public = |what, index| key(what, index).public_key().clone();
    let one = |index| Member {
        id: member_id(index),
        legal_name: format!("Member {index} Ltd"),
        role: Role::Microgrid,
        home: chain.clone(),
        key: public("gateway", index),
        meters: vec![public("meter", index)],
        nameplate: Power::from_milliwatts(1_000_000_000),
        revoked: false,
    };
    let operator = Member {
        id: MicrogridId::parse("vpp").unwrap(),
        role: Role::Operator,
        home: vpp.clone(),
        key: public("operator", 0),
        meters: Vec::new(),
        ..one(0)
    };
    let microgrids = (0..MEMBERS).map(one);
    microgrids.chain([operator]).collect()
}

fn seats(what: &str, count: u64) -> Vec<Seat> {
    let seat = |index| Seat {
        key: key(what, index).public_key().clone(),
        owner: MicrogridId::parse("vpp").unwrap(),
    };
    (0..count).map(seat).collect()
}

fn document(count: u64) -> Document {
    let (chain, vpp) = (
        ChainId::parse(NAME).unwrap(),
        ChainId::parse("vpp").unwrap(),
    );
    let validator = |index| Validator {
        identity: name(index),
        key: key("votes", index).public_key().clone(),
        owner: member_id(index % MEMBERS),
    };
    let mut validators: Vec<Validator> = (0..count).map(validator).collect();
    validators.sort_by_key(|validator| validator.identity);
    let faults = u8::try_from((count - 1) / 3).unwrap();
    Document {
        version: VERSION,
        members: members(&chain, &vpp),
        committees: vec![Committee {
            chain: vpp.clone(),
            genesis: Digest::of(b"vpp"),
            epoch: 0,
            suite: SUITE,
            faults: 1,
            threshold: 2,
            seats: seats("seat of the vpp", 4),
        }],
        chain,
        vpp,
        time: Time::from_millis(FIRST),
        operator: MicrogridId::parse("vpp").unwrap(),
        currency: Currency::parse("EUR").unwrap(),
        interval: INTERVAL,
        request_fee: Money::ZERO,
        exposure_cap: Money::ZERO,
        grace: 60_000,
        settlement_period: 86_400_000,
        // One agreement from beginning to end.
        epoch_blocks: 1 << 40,
        stake: Money::ZERO,
        verifiers: Seats {
            suite: SUITE,
            faults,
            threshold: faults + 1,
            seats: seats("seat", count),
        },
        validators: ValidatorSet {
            epoch: 0,
            validators,
        },
    }
}

impl Ground {
    /// With these ports; with free ones where there are none.
    pub fn new(count: usize, mut ports: Vec<u16>) -> Ground {
        let genesis = Genesis::new(document(count as u64)).unwrap();
        if ports.is_empty() {
            let held: Vec<TcpListener> = (0..count)
                .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
                .collect();
            let port = |it: &TcpListener| it.local_addr().unwrap().port();
            ports = held.iter().map(port).collect();
        }
        let home = genesis.home();
        Ground {
            ports,
            meters: (0..MEMBERS).map(|index| key("meter", index)).collect(),
            domain: Domain {
                chain: home.chain,
                genesis: home.genesis,
                epoch: 0,
                purpose: Purpose::Meter,
            },
            genesis,
        }
    }

    /// The reading of this number: members in turn, each one interval later than before, really signed by its meter.
    pub fn reading(&self, number: u64) -> Transaction {
        let (who, turn) = (number % MEMBERS, number / MEMBERS);
        let energy = |turn: u64| Energy::from_millijoules(i64::try_from(turn).unwrap() * 1_000);
        let meter = &self.meters[usize::try_from(who).unwrap()];
        let mut batch = MeterBatch {
            member: member_id(who),
            meter: 0,
            line: None,
            start: Time::from_millis(FIRST + turn * INTERVAL.millis()),
            length: INTERVAL,
            exported: Register {
                before: energy(turn),
                after: energy(turn + 1),
            },
            imported: Register {
                before: Energy::ZERO,
                after: Energy::ZERO,
            },
            signature: meter.sign(&self.domain, b""),
        };
        batch.signature = meter.sign(&self.domain, &batch.message());
        Transaction::Meter(Arc::new(batch))
    }

    /// What a validator runs on.
    pub fn place(&self, index: usize, folder: &Path) -> Place {
        let folder = folder.join(format!("node-{index}"));
        std::fs::create_dir_all(&folder).unwrap();
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let others = (0..self.ports.len()).filter(|other| *other != index);
        let mut identity = [0; 32];
        identity.copy_from_slice(&private(index as u64).encode());
        Place {
            genesis: self.genesis.clone(),
            identity,
            voting: Arc::new(key("votes", index as u64)),
            listen: address(self.ports[index]),
            peers: others
                .map(|other| (name(other as u64), address(self.ports[other])))
                .collect(),
            folder,
        }
    }
}

/// What a validator runs on, whichever its votes are.
pub struct Place {
    pub genesis: Genesis,
    pub identity: [u8; 32],
    pub voting: Arc<SigningKey>,
    pub listen: SocketAddr,
    pub peers: Vec<([u8; 32], SocketAddr)>,
    pub folder: PathBuf,
}
