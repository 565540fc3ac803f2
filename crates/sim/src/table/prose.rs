//! What of the document is written by hand.

pub(super) const OPENING: &str = "\
# The energy contract

Printed from `crates/contract/src`; a test compares this file with the code byte for byte, and what the code asks with what
is printed here. `TIELINE_BLESS=1 cargo test -p tieline-sim document` writes it again.

An order crosses three ledgers that trust no common operator. **X** is the buyer's, **Y** the seller's, **Z** the virtual power
plant's: it knows who is registered, whose keys count, and what an order comes to. Each runs the same function over its own
state: a transaction is judged (`State::check`), and only what passed every guard is carried out (`State::apply`), in full. A
refused transaction changes nothing. The function reads no clock, disk or network; the time is the block's.

The ledgers hear of each other by certificates alone. Whoever finds one brings it: such relayers keep no state and need no
trust. Certificates may be lost, come twice, late or in another order.

```text
X, the buyer's ledger     Y, the seller's ledger     Z, the VPP's ledger

T1  escrow locked
          --- REQ --->    T3  offered
                          T4  tentative yes, bond locked
          <-- ACC ----
T5  the buyer is bound
          --- COM --->    T6  CONFIRMED before G:
                              the only decision
          --- COM ------------------------------->     T8c noted
. . . . . . . . . . . . . . . delivery . . . . . . . . . . . . . . .
T7  taken                 T7  delivered
          --- MET_x ----------------------------->     T8a reading
                                  --- MET_y ----->     T8  settled, once
T9  paid  <------------------------------ SET ----
                          T10 bond back <-- SET --
```

If any step does not come, a time-out takes its place and every ledger ends by itself: D for the buyer, the gate closure G
for the seller, the metering deadline T_m with a grace for Z.

## How to read it

Words are in [terms.md](terms.md), equations in [paper-map.md](paper-map.md). Transitions have numbers, T5; an apostrophe marks what
happens instead, T5'. Certificates have short names, ACC. States are in capitals; those in bold are for ever.
`now_Y` is the time of the block on Y. Numbers in brackets, (15), are the paper's formulas.

## What it rests on

* **Certificates, tallies and state are post-quantum computational.** A certificate counts because of ML-DSA-65 signatures, alone or
  with Ed25519 beside them, and SHA-256. Whoever breaks these can forge one. They are not unconditionally secure.
* **Unconditional signatures are tested outside of `apply`.** Requests, answers and returned keys carry one or its hash. A
  ledger never tests it: that takes a verification node's own secret keys. V_x tests a request before it attests REQ, V_y
  before ACC; V_y tests an answer before ACC, V_x before COM. What an honest node believes rests on its own test; what a
  ledger sees is that t_k nodes say so.
* **At most f_k of the 3f_k + 1 validators of a chain are dishonest**, and an honest verification node signs only what it reads from
  state that its own node has finalised. Then t_k ≥ f_k + 1 signatures hold one honest node's.
* **Time.** Block times of one chain do not run back. The clocks of two chains need not agree; when they are apart by
  more than Δt, orders may fail, but no ledger contradicts another.
* **The operator of the VPP** admits members and chains, says that money came in, sets tariffs, and says what flowed beyond orders (T18).
  It is believed in that: it could give a member another key. It cannot confirm or settle an order. What it says of flows can be
  compared with the meters' batches by whoever has the members' chains.
* **Meters** are believed, each for its own registers.

What it does not do: release what is held back in a dispute over two readings; pay money out; compare the round that
terms name with the rounds on Z; charge for T3', which anybody may submit for any terms whose time is over; count more than
one tie line meter of a member in an interval; prevent that whoever posts a chain's own certificate leaves signatures out, which
costs their owners credibility.
";

pub(super) const PHASES: &str = "
## The six phases

| phase | the paper, 3.2 | here | transitions |
|---|---|---|---|
";

pub(super) const SIX_PHASES: [(u8, &str, &str); 6] = [
    (
        1,
        "x_i writes demand and deadline into a contract on X",
        "the escrow is locked: X is prepared",
    ),
    (
        2,
        "{V_x} verifies and sends",
        "members of V_x test, sign the root of the block's outbox, any relayer carries REQ",
    ),
    (
        3,
        "{V_y} verifies and tells all nodes of Y",
        "REQ is consumed on Y: all of Y's nodes have it",
    ),
    (
        4,
        "y_j concludes if (1) to (3) hold, writes a blind response",
        "a *tentative* yes: Y is prepared",
    ),
    (
        5,
        "x_i verifies, writes the hash, returns the key",
        "X commits; **Y's confirmation before G is the only point of decision**",
    ),
    (
        6,
        "both execute and broadcast the certificate",
        "metered on X and Y, settled once on Z, paid on X, closed on Y",
    ),
];

pub(super) const MACHINES: &str = "
T0 is phases 1 to 5 in one step, where both sides are on one chain. T11 to T17 belong to no phase.

## The state machines

![State machines of an order on X, Y and Z](contract.svg)

The tables are complete: every state against every input, as the code answers. A dot is a refusal. T0, which needs
no certificate, leads straight to COMMITTED on X and CONFIRMED on Y.
";

pub(super) const ON_X: (&str, &str) = (
    "X, the buyer's ledger",
    "A buyer that is bound (COMMITTED) is released by Y alone: by REJ or VOID, never by time.",
);

pub(super) const ON_Y: (&str, &str) = (
    "Y, the seller's ledger",
    "The seller may turn its plant on in CONFIRMED, not before. REJECTED is written even for a request that never came:\n\
     one that comes later finds it.",
);

pub(super) const ON_Z: (&str, &str) = (
    "Z, the VPP's ledger",
    "Written once. The last reading is the one that completes the joint certificate (16).",
);

pub(super) const TRANSITIONS: &str = "
## Transitions

Guards by name, in words below; those *in italics* are refusals of what is looked up and not there. Every transaction is asked
for BlockTime first. Phase 2 (T2) has no row: verification nodes do it, on no ledger.

";

pub(super) const GUARDS: &str = "
### Guards

| guard | holds when | asked by |
|---|---|---|
";

pub(super) const SIGNATURES: &str = "
## Who signs what

Every public signature is bound to a purpose, a chain, its genesis and an epoch; none passes as another.

| what | who | purpose | tested by |
|---|---|---|---|
| request: order and hash of its unconditional signature | the buyer's gateway | transaction on X | X in T1 and T0, Y in T4 (3) |
| act: accept, decline, return a key, apply, approve, revoke, register a chain, deposit, stake, round, tariff, imbalance | the member that does it | transaction on that ledger | that ledger |
| request, answer and returned key, once more | the same gateways | unconditional signature | verification nodes of both chains, outside of the ledgers |
| statement: a block's state root, number and root of its outbox entries | t_k members of V_k; n_k − f_k for COM, VOID, SET and ROT, which decide over money or over who decides | attestation, epoch | whoever consumes a certificate (Certified); Z in T15 |
| the same | members of V_k | finality, epoch | Z in T15 |
| the next epoch's members | n_k − f_k of the current ones | transaction, epoch | that chain in T14 |
| an epoch's members, at registration | every one of them | possession | Z in T11 |
| registers at both ends of an interval | a meter | meter | X or Y in T7 |
";

pub(super) const CERTIFICATES: &str = "
## Certificates

One signature of a member covers all entries of a block. A ledger keeps every certificate that decided something on it and
hands it out again, so that a chain that is gone is still heard. Posted on its own chain, a certificate counts for
credibility alone (T14).

| kind | says | written by | consumed by |
|---|---|---|---|
";

pub(super) const PROPERTIES: &str = "
## Properties

What the contract is made to keep; the tests that look for a violation are in `crates/sim/tests/it`. Safety, whatever is lost,
doubled, delayed or reordered:

| | holds |
|---|---|
| S1 | Ends agree. X REFUNDED: Y is neither CONFIRMED nor SETTLED with q > 0. X SETTLED with q > 0: Y is CONFIRMED or SETTLED. Both SETTLED: with one q. |
| S2 | Money is neither made nor lost: all accounts of a ledger add up to zero against the world outside. None is below zero, and nothing is promised beyond the plant: both asserted at every change, in release builds too. |
| S3 | One acceptance and one settlement per order. What is final stays. |
| S4 | Nobody pays more than price times metered energy. |
| S5 | Energy is dispatched only while the escrow is held, or after it was settled. |
| S6 | An acceptance was in time, by (1). |
| S7 | A confirmation came before the gate closed. |
| S8 | Every certificate that was accepted has signatures of t_k different registered members of an open epoch. |
| S9 | Two certificates of one kind, order and chain with different content come with evidence against somebody. |
| S10 | A certificate that comes again changes nothing; so does another order of certificates, where no deadline and no competing transaction lies between. |
| S11 | Honest nodes of a chain hold the same state at the same height. |
| S12 | A node that crashes at any write comes back with what it acknowledged last, and never says more than it signed. |

S11 and S12 ask the nodes as well as this function.

Liveness:

| | holds |
|---|---|
| L1 | With X, Y, Z and one relayer alive every order ends by the later of G and T_m with the grace, and some blocks. |
| L2 | Without faults an order is CONFIRMED after five finalities and three rounds of attestation. |
| L3 | Relayers can all die and be replaced by one that knows nothing. |
| L4 | With X or Y dead for ever the other ends by G, or by T_m with the grace. |
| L5 | With Z dead confirmed orders stay open: the escrow is held, nothing is paid. |

L4 and L5 say nothing of an order that hangs on a certificate of a chain that is dead for ever **and** had changed its verification
nodes **and** whose old epoch another chain has heard to be over: what was kept may be of the old epoch, whose signatures count no
more, and nobody is there to sign it anew. Such an order stays as it is, with its escrow held.
";

pub(super) const DEVIATIONS: &str = "
## What differs from the paper, and why

* **Phase 4 does not conclude.** As printed, y_j is bound by its answer while x_i can still let the deadline pass: the seller
  delivers, the money is back with the buyer. No Δt cures that where messages can be late. Here the answer is tentative and Y's
  confirmation decides. `crates/contract/src/literal.rs` is the printed reading, for comparison.
* **Formula (1)** compares with the block time of Y; the boundary belongs to it. It gives timeliness, nothing more.
* **Formula (2)**, Request ∈ {V_y}: the request stands on Y and its certificate is kept there.
* **Formula (3)**, Traceability(mx_i, Key, sig): the buyer's public signature on the order, under the key that the registry
  binds to it. The paper's secret keys cannot be tested by a ledger that everybody reads.
* **\"Otherwise the demand will be neglected.\"** Neglect is not heard on another ledger. Here every way to end without a trade is
  written down, kept for ever and certified: REJ, REF, VOID.
* **\"Returns the key\"** stands on record (T5k) and guards nothing: a buyer that keeps it cannot take the order back.
* **Certificates of phase 6** do not come from the two parties apart but are joined on Z, which settles once.
* **Formula (12)**: V_d ‖ V_l is V_d ∩ V_l. Not asked where both sides are on one chain.
* **Formula (13)** allows n_k = 0, with which (15) says nothing: n_k ≥ 2f_k + 2 is asked.
* **Formula (15)** with t_k = 0 likewise: f_k + 1 ≤ t_k ≤ n_k − f_k is asked.
* **Formula (16)** adds up the constants t_d: the counts t'_d are meant. t is one more than Σ t_d where the honest can reach it, so
  that it says more than (15).
* **Formula (18)** has an undefined operator and signs nothing quantum: read as the members' own signatures on a classical statement.
* **New smart contracts in every phase** are states of one contract. It is native code, exhaustive over state and input, and
  terms name its version.
";

pub(super) const RENDERING: &str = "
## Terms in plain language

The terms carry the hash of their text, and every ledger refuses terms whose hash is another's. Not in the text: the
genesis of the two ledgers, which their names stand for, and that hash itself. An example:

";
