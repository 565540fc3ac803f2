//! `tieline market solve|clear|verify`

use std::fs;
use std::io::BufReader;
use std::path::Path;

use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use tieline_market::aggregator::case::{AggregatorResult, AggregatorScenario, run_case};
use tieline_market::book::text::{TextBook, parse_book};
use tieline_market::book::{self, Clearing, PriceRule, Side, TieRule};
use tieline_market::case::Scenario;
use tieline_market::equilibrium::Status;
use tieline_market::report::Report;

use super::Failure;
use crate::cli::{Clear, Market, Rule, Ties};
use crate::printer::Printer;

/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Largest file that is taken for a game or a certificate, bytes.
const FILE_MAX: u64 = 1 << 30;

pub(super) fn market(command: &Market, printer: Printer) -> Result<(), Failure> {
    match command {
        Market::Solve { file } => solve(file, printer),
        Market::Clear(command) => clear(command, printer),
        Market::Verify { certificates } => super::verify::verify(certificates, printer),
    }
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let broken = |error: std::io::Error| Failure::Broken(format!("{}: {error}", file.display()));
    let size = fs::metadata(file).map_err(broken)?.len();
    if size > FILE_MAX {
        return Err(Failure::No(format!(
            "{}: {size} bytes, at most {FILE_MAX} are read",
            file.display()
        )));
    }
    let mut bytes = fs::read(file).map_err(broken)?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(bytes)
}

pub(super) fn no(file: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::No(format!("{}: {error}", file.display()))
}

/// [`no`] for a game or a matching problem, with the next step.
fn no_scenario(file: &Path, error: impl std::fmt::Display) -> Failure {
    no(
        file,
        format!(
            "{error}\n\nhint: docs/formats.md describes the file; scenarios/paper-case/game.json is one"
        ),
    )
}

/// What `market solve` prints.
#[derive(Serialize)]
struct Solved {
    schema: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<Report>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregator: Option<AggregatorResult>,
}

const BOOK_HINT: &str = "hint: a book is CSV with the columns side (buy or sell), price_CURRENCY_per_UNIT and \
                         quantity_UNIT, decimals with a point";

const SOLVED: &str = "tieline.market-solve/1";

fn solve(file: &Path, printer: Printer) -> Result<(), Failure> {
    let bytes = read(file)?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| no_scenario(file, error))?;
    let inner = value.get("scenario").unwrap_or(&value);
    if let Some(problem) = inner.get("aggregator") {
        let known = |key: &&String| ["name", "aggregator"].contains(&key.as_str());
        let keys = inner
            .as_object()
            .into_iter()
            .flat_map(serde_json::Map::keys);
        if let Some(key) = keys.into_iter().find(|key| !known(key)) {
            return Err(no_scenario(
                file,
                format!("unknown key `{key}` beside `aggregator`"),
            ));
        }
        return solve_aggregator(file, inner, problem, printer);
    }
    // From the text, not the value: errors then say line and column.
    let scenario: Scenario =
        serde_json::from_slice(&bytes).map_err(|error| no_scenario(file, error))?;
    let run = scenario.run().map_err(|error| no_scenario(file, error))?;
    printer.text(&solved_text(&run.results))?;
    let failed = run
        .results
        .iter()
        .find(|report| report.status() == Status::Failed);
    let verdict = failed.map_or(Ok(()), |report| {
        let hint = "hint: raise max_iter, or set alpha below 1";
        Err(no(
            file,
            format!("no equilibrium in {} rounds\n\n{hint}", report.iterations()),
        ))
    });
    let name = run.name;
    let document = Solved {
        schema: SOLVED,
        name,
        results: Some(run.results),
        aggregator: None,
    };
    printer.document(&document)?;
    verdict
}

fn solved_text(results: &[Report]) -> String {
    let line = |report: &Report| {
        format!(
            "demand {} kW: {} after {} rounds, clearing price {:.6} per kWh\n",
            report.demand_kw(),
            crate::output::collect::status(report.status()),
            report.iterations(),
            report.clearing_price(),
        )
    };
    results.iter().map(line).collect()
}

fn solve_aggregator(
    file: &Path,
    scenario: &Value,
    problem: &Value,
    printer: Printer,
) -> Result<(), Failure> {
    let problem =
        AggregatorScenario::deserialize(problem).map_err(|error| no_scenario(file, error))?;
    let result = run_case(&problem).map_err(|error| no_scenario(file, error))?;
    let name = scenario
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_owned();
    let text = serde_json::to_string_pretty(&result).map_err(anyhow::Error::from)?;
    printer.text(&format!("{text}\n"))?;
    let document = Solved {
        schema: SOLVED,
        name,
        results: None,
        aggregator: Some(result),
    };
    printer.document(&document)?;
    Ok(())
}

/// What `market clear` prints: decimals in the book's own units.
#[derive(Serialize)]
struct Cleared {
    schema: &'static str,
    price_low: Option<String>,
    price_high: Option<String>,
    quantity_low: String,
    quantity_high: String,
    price: Option<String>,
    quantity: String,
    rule: &'static str,
    ties: &'static str,
    welfare: String,
    accepted: Vec<Accepted>,
}

#[derive(Serialize)]
struct Accepted {
    /// Place in the book, from 1.
    step: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    side: &'static str,
    price: String,
    quantity: String,
    accepted: String,
}

fn clear(command: &Clear, printer: Printer) -> Result<(), Failure> {
    let file = &command.book;
    let opened = fs::File::open(file)
        .map_err(|error| Failure::Broken(format!("{}: {error}", file.display())))?;
    let book = parse_book(BufReader::new(opened))
        .map_err(|error| no(file, format!("{error}\n\n{BOOK_HINT}")))?;
    let (rule, rule_name) = match command.rule {
        Rule::Mid => (PriceRule::Mid, "mid"),
        Rule::MarginalAsk => (PriceRule::MarginalAsk, "marginal-ask"),
        Rule::MarginalBid => (PriceRule::MarginalBid, "marginal-bid"),
    };
    let (ties, ties_name) = match command.ties {
        Ties::ProRata => (TieRule::ProRata, "pro-rata"),
        Ties::Order => (TieRule::Order, "order"),
    };
    let clearing = book::clear(&book.book, rule, ties).map_err(|error| no(file, error))?;
    let document = cleared(&book, &clearing, rule_name, ties_name);
    let or_open = |price: &Option<String>| price.clone().unwrap_or_else(|| "open".to_owned());
    printer.text(&format!(
        "price    {} (supply meets demand from {} to {}, rule {rule_name})\n\
         quantity {} (from {} to {})\nwelfare  {}\naccepted {} of {} steps, ties {ties_name}\n",
        or_open(&document.price),
        or_open(&document.price_low),
        or_open(&document.price_high),
        document.quantity,
        document.quantity_low,
        document.quantity_high,
        document.welfare,
        document.accepted.len(),
        book.book.steps().len(),
    ))?;
    printer.document(&document)?;
    Ok(())
}

fn cleared(
    book: &TextBook,
    clearing: &Clearing,
    rule: &'static str,
    ties: &'static str,
) -> Cleared {
    let ticks = |price: Option<i64>| price.map(|ticks| book.price(ticks.into()));
    let steps = book.book.steps().iter().zip(&clearing.accepted).enumerate();
    let accepted = steps
        .filter(|(_, (_, accepted))| **accepted > 0)
        .map(|(index, (step, accepted))| Accepted {
            step: index + 1,
            order_id: book.order_ids.as_ref().map(|ids| ids[index].clone()),
            side: match step.side {
                Side::Buy => "buy",
                Side::Sell => "sell",
            },
            price: book.price(step.price.into()),
            quantity: book.quantity(step.quantity.into()),
            accepted: book.quantity((*accepted).into()),
        })
        .collect();
    Cleared {
        schema: "tieline.market-clear/1",
        price_low: ticks(clearing.price.low),
        price_high: ticks(clearing.price.high),
        quantity_low: book.quantity(clearing.quantity.low),
        quantity_high: book.quantity(clearing.quantity.high),
        price: clearing.chosen_price.map(|price| book.price(price)),
        quantity: book.quantity(clearing.chosen_quantity),
        rule,
        ties,
        welfare: book.welfare(clearing.welfare),
        accepted,
    }
}
