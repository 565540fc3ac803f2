//! `tieline uss bounds`

use serde::Serialize;
use tieline_uss::bounds::{
    Budgets, Channel, Choice, EndToEnd, EpochCost, FamilyCost, FamilyName, Load, Log2, Parameters,
    Request, SearchError, search,
};
use tieline_uss::committee::{
    Committee, CommitteeError, RECEIVERS_MAX, receivers_needed, tolerated_by,
};
use tieline_uss::parameters;

use crate::cli::{HashFamily, UssBounds};
use crate::commands::Failure;
use crate::printer::Printer;

const SCHEMA: &str = "tieline.uss-bounds/1";

pub(super) fn bounds(command: &UssBounds, printer: Printer) -> Result<(), Failure> {
    let committee = committee(command)?;
    let load = Load {
        messages: command.messages,
        attempts: command.attempts,
    };
    let channel = channel(command)?;
    let request = Request {
        committee,
        security_bits: command.lambda,
        family: family(command.family),
        message_bytes: command.message_bytes,
        load,
    };
    request.check().map_err(refused)?;
    let choice = match (command.k, &command.budgets) {
        (Some(functions), Some(budgets)) => given(command, &request, functions, budgets)?,
        _ => search(&request).map_err(refused)?,
    };
    let epoch = choice.cost.epoch(committee.receivers(), load);
    let shown = Shown::new(command, &choice, epoch, channel);
    printer.text(&shown.text())?;
    printer.document(&shown)?;
    let worst = choice.bounds.worst();
    if worst.reaches(command.lambda) {
        return Ok(());
    }
    let hint = "hint: leave --k and --budgets out to search for parameters that do";
    Err(Failure::No(format!(
        "these parameters do not reach {} bits: the worst bound is {worst}\n\n{hint}",
        command.lambda
    )))
}

fn committee(command: &UssBounds) -> Result<Committee, Failure> {
    let (receivers, transfers) = (command.receivers, command.lmax);
    let found = match command.omega {
        Some(dishonest) => Committee::new(receivers, dishonest, transfers),
        None => Committee::largest_live(receivers, transfers),
    };
    found.map_err(|error| {
        let hint = match &error {
            CommitteeError::Receivers { .. } => format!("hint: -n 2 to -n {RECEIVERS_MAX}"),
            CommitteeError::Levels { .. } | CommitteeError::Dispute { .. } => {
                "hint: leave --omega out for the most that stay live, or lower --lmax".to_owned()
            }
            CommitteeError::Dishonest { .. } => {
                "hint: leave --omega out for the most that stay live".to_owned()
            }
            _ => "hint: lower --lmax".to_owned(),
        };
        Failure::Broken(format!("{error}\n\n{hint}"))
    })
}

fn channel(command: &UssBounds) -> Result<Channel, Failure> {
    if !(0.0..=1.0).contains(&command.kappa) {
        return Err(Failure::Broken(format!(
            "--kappa {}: a probability is 0 to 1\n\nhint: 1e-15 is usual for a QKD link",
            command.kappa
        )));
    }
    Ok(Channel {
        failure_per_bit: command.kappa,
        ..Channel::default()
    })
}

fn refused(error: SearchError) -> Failure {
    match error {
        SearchError::NoParameters { .. } => Failure::No(format!(
            "{error}\n\nhint: lower --lmax, --lambda or --messages; every level needs a gap of its own"
        )),
        SearchError::SecurityBits { .. } => usage(&error, "--lambda"),
        SearchError::MessageBytes { .. } => usage(&error, "--message-bytes"),
        SearchError::Messages { .. } => usage(&error, "--messages"),
        _ => usage(&error, "the values"),
    }
}

/// What parameters from the command line cost and give.
fn given(
    command: &UssBounds,
    request: &Request,
    functions: u16,
    budgets: &[u16],
) -> Result<Choice, Failure> {
    let choices = FamilyCost::choices(request.family, request.message_bytes);
    let tag_bits = match (command.family, command.tag_bits) {
        (HashFamily::Small, None) => {
            let hint = "hint: add --tag-bits; 7 to 9 are the cheapest for 1 KiB";
            return Err(Failure::Broken(format!(
                "family small leaves the tag's length open\n\n{hint}"
            )));
        }
        (_, tag_bits) => tag_bits.unwrap_or(choices[0].tag_bits),
    };
    let Some(cost) = choices.iter().find(|cost| cost.tag_bits == tag_bits) else {
        let (first, last) = (choices[0].tag_bits, choices[choices.len() - 1].tag_bits);
        return Err(Failure::Broken(format!(
            "--tag-bits {tag_bits}: tags of family {} have {first} to {last} bits\n\nhint: leave it out for other families",
            request.family
        )));
    };
    Budgets::new(budgets.to_vec())
        .and_then(|budgets| Parameters::new(request.committee, functions, *cost, budgets))
        .map(|parameters| Choice::of(parameters, request.message_bytes, request.load))
        .map_err(|error| usage(&error, "--k and --budgets"))
}

fn usage(error: &impl std::fmt::Display, flags: &str) -> Failure {
    Failure::Broken(format!("{error}\n\nhint: change {flags}"))
}

pub(super) fn family(family: HashFamily) -> FamilyName {
    match family {
        HashFamily::Small => FamilyName::Small,
        HashFamily::Gf64 => FamilyName::Gf64,
        HashFamily::Gf128 => FamilyName::Gf128,
        HashFamily::Lfsr128 => FamilyName::Lfsr128,
    }
}

/// What `uss bounds` prints. Names of the scheme's own letters; logarithms to base 2.
#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    n: u8,
    omega: u8,
    l_max: u8,
    live: bool,
    /// Why the library takes no epoch of that size, where it does not.
    unusable_because: Option<String>,
    /// ω - 1, those that the bounds allow beside a dishonest signer.
    dishonest_receivers: u32,
    /// Those with which n receivers are live.
    dishonest_receivers_live_max: u32,
    family: String,
    message_bytes: u64,
    lambda: u16,
    messages: u32,
    attempts: u32,
    k: u16,
    b: u16,
    y: u16,
    s: u16,
    epsilon_log2: f64,
    levels: Vec<ShownLevel>,
    transfers: Vec<ShownTransfer>,
    key: ShownKey,
    worst_log2: f64,
    sum_log2: f64,
    end_to_end: ShownEndToEnd,
}

/// One level from l_max down to -1.
#[derive(Serialize)]
struct ShownLevel {
    level: i8,
    budget: u16,
    tests_needed: u32,
    test_passed_log2: f64,
    forging_log2: f64,
    forging_tight_log2: Option<f64>,
    colluders_needed: u32,
}

/// One step from a level to the next; from 0 to -1 it is repudiation.
#[derive(Serialize)]
struct ShownTransfer {
    from: i8,
    to: i8,
    block_differs_log2: f64,
    block_differs_simple_log2: f64,
    failure_log2: f64,
}

#[derive(Serialize)]
struct ShownKey {
    signer_to_receiver_bits: u64,
    signer_to_receiver_bits_per_further_message: u64,
    receiver_to_receiver_bits: u64,
    receiver_to_receiver_bits_per_further_message: u64,
    signature_bits: u64,
    epoch_bits: u64,
    epoch_authenticated_messages: u64,
}

#[derive(Serialize)]
struct ShownEndToEnd {
    kappa_per_bit: f64,
    keys_log2: Option<f64>,
    authentication_log2: Option<f64>,
    sum_log2: f64,
}

impl Shown {
    fn new(command: &UssBounds, choice: &Choice, epoch: EpochCost, channel: Channel) -> Shown {
        let (parameters, bounds, cost) = (&choice.parameters, &choice.bounds, &choice.cost);
        let (committee, family) = (parameters.committee(), parameters.family());
        let end_to_end = EndToEnd::of(bounds.sum(), epoch, channel);
        Shown {
            schema: SCHEMA,
            n: committee.receivers(),
            omega: committee.dishonest(),
            l_max: committee.transfers(),
            live: committee.is_live(),
            unusable_because: unusable(choice),
            dishonest_receivers: committee.tolerated(),
            dishonest_receivers_live_max: tolerated_by(
                committee.receivers().into(),
                committee.transfers(),
            ),
            family: family.name.to_string(),
            message_bytes: command.message_bytes,
            lambda: command.lambda,
            messages: command.messages,
            attempts: command.attempts,
            k: parameters.functions(),
            b: family.tag_bits,
            y: family.description_bits,
            s: family.extra_bits(),
            epsilon_log2: rounded(family.guess),
            levels: levels(choice),
            transfers: transfers(choice),
            key: ShownKey {
                signer_to_receiver_bits: cost.signer_to_receiver_bits,
                signer_to_receiver_bits_per_further_message: cost
                    .signer_to_receiver_bits_per_further_message,
                receiver_to_receiver_bits: cost.receiver_to_receiver_bits,
                receiver_to_receiver_bits_per_further_message: cost
                    .receiver_to_receiver_bits_per_further_message,
                signature_bits: cost.signature_bits,
                epoch_bits: epoch.key_bits,
                epoch_authenticated_messages: epoch.authenticated_messages,
            },
            worst_log2: rounded(bounds.worst()),
            sum_log2: rounded(bounds.sum()),
            end_to_end: ShownEndToEnd {
                kappa_per_bit: channel.failure_per_bit,
                keys_log2: finite(end_to_end.keys),
                authentication_log2: finite(end_to_end.authentication),
                sum_log2: rounded(end_to_end.sum()),
            },
        }
    }
}

fn levels(choice: &Choice) -> Vec<ShownLevel> {
    let committee = choice.parameters.committee();
    let budgets = choice.parameters.budgets().from_first_hand();
    let level = |(forging, budget): (&tieline_uss::bounds::Forging, &u16)| ShownLevel {
        level: forging.level.number(),
        budget: *budget,
        tests_needed: committee.tests_needed(forging.level, 0),
        test_passed_log2: rounded(forging.test_passed),
        forging_log2: rounded(forging.simple),
        forging_tight_log2: finite(forging.tight),
        colluders_needed: forging.colluders_needed,
    };
    choice
        .bounds
        .forging
        .iter()
        .zip(budgets)
        .map(level)
        .collect()
}

fn transfers(choice: &Choice) -> Vec<ShownTransfer> {
    let transfer = |transfer: &tieline_uss::bounds::Transfer| ShownTransfer {
        from: transfer.from.number(),
        to: transfer.to.number(),
        block_differs_log2: rounded(transfer.block_differs),
        block_differs_simple_log2: rounded(transfer.block_differs_simple),
        failure_log2: rounded(transfer.bound),
    };
    choice.bounds.transfers.iter().map(transfer).collect()
}

/// Four decimals: far more than anybody needs, and the same on every machine.
fn rounded(number: Log2) -> f64 {
    // Up, for what is printed is a bound.
    (number.exponent() * 1e4).ceil() / 1e4
}

/// A bound as text, rounded up; 1 where it guarantees nothing.
fn power(log2: f64) -> String {
    if log2 >= 0.0 {
        return "1".to_owned();
    }
    format!("2^{:.2}", (log2 * 100.0).ceil() / 100.0)
}

/// Why an epoch with these parameters cannot be had, beside liveness.
fn unusable(choice: &Choice) -> Option<String> {
    match parameters::Parameters::found(choice) {
        Ok(_) | Err(parameters::ParameterError::NotLive { .. }) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// `None` for the logarithm of zero.
fn finite(number: Log2) -> Option<f64> {
    number.exponent().is_finite().then(|| rounded(number))
}

impl Shown {
    fn text(&self) -> String {
        format!(
            "{}{}{}{}",
            self.committee_text(),
            self.parameters_text(),
            self.key_text(),
            self.bounds_text()
        )
    }

    fn committee_text(&self) -> String {
        let Shown {
            n, omega, l_max, ..
        } = self;
        let (dishonest, most) = (self.dishonest_receivers, self.dishonest_receivers_live_max);
        let live = if self.live {
            let room = if most > dishonest {
                format!(", and live with up to {most}")
            } else {
                String::new()
            };
            format!(
                "secure beside a dishonest signer, and live beside an honest one, with {dishonest} dishonest of {n} receivers{room}"
            )
        } else {
            let needed = receivers_needed(dishonest, *l_max);
            format!(
                "secure with {dishonest} dishonest of {n} receivers, NOT live with more than {most}: that takes {needed} receivers"
            )
        };
        let unusable = (self.unusable_because.as_ref())
            .map_or(String::new(), |why| format!("  not usable here: {why}\n"));
        format!("committee: n = {n}, omega = {omega}, l_max = {l_max}\n  {live}\n{unusable}")
    }

    fn parameters_text(&self) -> String {
        let Shown { k, b, y, s, .. } = self;
        let field = match s {
            0 => String::new(),
            s => format!(" (s = {s})"),
        };
        let budgets: Vec<String> = self
            .levels
            .iter()
            .map(|level| level.budget.to_string())
            .collect();
        format!(
            "\nparameters: family {}, messages of up to {} bytes, lambda = {}\n  \
             k = {k} functions per pair, b = {b} bits of tag, y = {y} bits of description{field}, epsilon = 2^{:.2}\n  \
             u = {} mismatches forgiven from level {} down to -1\n",
            self.family,
            self.message_bytes,
            self.lambda,
            self.epsilon_log2,
            budgets.join(", "),
            self.l_max,
        )
    }

    fn key_text(&self) -> String {
        let key = &self.key;
        let line = |what: &str, bits: u64, further: u64| {
            format!("  {what:<20} {bits:>12} bits, {further:>10} per further message\n")
        };
        format!(
            "\nkey of each pair, authentication left out:\n{}{}  {:<20} {:>12} bits\n  {:<20} {:>12} bits\n",
            line(
                "signer-receiver",
                key.signer_to_receiver_bits,
                key.signer_to_receiver_bits_per_further_message
            ),
            line(
                "receiver-receiver",
                key.receiver_to_receiver_bits,
                key.receiver_to_receiver_bits_per_further_message
            ),
            "signature",
            key.signature_bits,
            "epoch, all pairs",
            key.epoch_bits,
        )
    }

    fn bounds_text(&self) -> String {
        let (messages, attempts) = (self.messages, self.attempts);
        let mut text =
            format!("\nbounds, {messages} message(s), {attempts} further attempt(s) each:\n");
        let mut line = |what: &str, bound: f64, more: String| {
            let line = format!("  {what:<28} {:<12} {more}", power(bound));
            text.push_str(line.trim_end());
            text.push('\n');
        };
        for level in &self.levels {
            let tight = level.forging_tight_log2.map_or("0".to_owned(), power);
            let what = match level.level {
                -1 => "forging of a dispute".to_owned(),
                level => format!("forging at level {level}"),
            };
            let more = format!(
                "tight {tight}; takes {} of {} tests, or as many colluders",
                level.tests_needed, self.n
            );
            line(&what, level.forging_log2, more);
        }
        for transfer in &self.transfers {
            let what = match transfer.to {
                -1 => "repudiation, level 0 to -1".to_owned(),
                to => format!("transfer, level {} to {to}", transfer.from),
            };
            let more = format!("for one block {}", power(transfer.block_differs_log2));
            line(&what, transfer.failure_log2, more);
        }
        line("worst", self.worst_log2, String::new());
        line("sum", self.sum_log2, "the scheme alone".to_owned());
        let more = format!(
            "with keys that fail at {:e} per bit",
            self.end_to_end.kappa_per_bit
        );
        line("end to end", self.end_to_end.sum_log2, more);
        if self.end_to_end.sum_log2 > self.sum_log2 + 1.0 {
            text.push_str(
                "  The last line counts: how good the keys are decides, not the scheme.\n",
            );
        }
        text
    }
}
