//! The sections of a document, from its typed parts.

use super::Document;
use super::Figure;
use super::claim::{Claim, TOLERANCE};
use super::corrections::{self, CORRECTIONS};
use super::findings::Findings;
use super::overview;
use super::plots;
use super::sections_figs;
use super::table1::{Quantity, Table1};
use super::uniqueness::Uniqueness;
use super::view::{Block, Cell, Section, Table};

/// All sections of what was asked for.
pub(super) fn sections(document: &Document) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    sections.extend(overview::summary(document));
    sections.push(overview::rule(document));
    if let Some(table1) = &document.table1 {
        sections.push(cells(document, table1));
        sections.push(parameters(table1));
    }
    if let Some(uniqueness) = &document.uniqueness {
        sections.push(equilibrium(document, uniqueness));
    }
    if let Some(fig7) = &document.fig7 {
        sections.push(sections_figs::fig7(document, fig7));
    }
    if let Some(fig8) = &document.fig8 {
        sections.push(sections_figs::fig8(document, fig8));
    }
    if let Some(robustness) = &document.robustness {
        sections.push(sections_figs::robustness(robustness));
    }
    if document.figures.contains(&Figure::Fig9) {
        sections.push(sections_figs::fig9(document, document.fig9.as_ref()));
    }
    if let Some(protocol) = &document.protocol {
        sections.push(super::protocol::section(document, protocol));
    }
    if let Some(signature) = &document.signature {
        sections.extend(super::signature::sections(document, signature));
    }
    if let Some(findings) = &document.findings {
        sections.push(inconsistencies(findings));
        sections.push(market_corrections());
    }
    sections
}

/// The claims shown at a figure, those on the equilibrium apart.
pub(super) fn claims_of(document: &Document, figure: Figure, equilibrium: bool) -> Block<'_> {
    let of = |claim: &&Claim| {
        claim.figure == figure && claim.id.starts_with("equilibrium") == equilibrium
    };
    Block::Claims(document.claims.iter().filter(of).collect())
}

fn cells<'a>(document: &'a Document, table1: &Table1) -> Section<'a> {
    let mut table = Table::new(
        "table1",
        "Table 1, cell by cell",
        &[
            "printed_demand_kw|demand",
            "microgrid|microgrid",
            "quantity|quantity",
            "#paper|paper",
            "#ours|ours",
            "#difference|difference",
            "#relative_difference|relative",
            "verdict|verdict",
            "same_rank|rank kept",
            "imposed|imposed",
        ],
    );
    for cell in &table1.cells {
        table.row(vec![
            Cell::text(cell.printed_demand_kw.to_string()),
            Cell::text(cell.microgrid),
            Cell::text(match cell.quantity {
                Quantity::Output => "output, kW",
                Quantity::Income => "income, yuan/h",
            }),
            Cell::Number(cell.paper, 4),
            Cell::Number(cell.ours, 4),
            Cell::Signed(cell.difference, 4),
            Cell::Percent(cell.relative),
            Cell::text(cell.verdict.word()),
            Cell::text(if cell.same_rank { "yes" } else { "no" }),
            Cell::text(cell.imposed.words()),
        ]);
    }
    let e = &table1.errors;
    let lead = format!(
        "Outputs and incomes beside the printed ones; \"220\" is played at 450 kW, as its outputs add up. {} of the {} cells that were fitted lie within {:.0} %. Root mean square errors: outputs of the first two rows {:.1} % (median {:.1} %), all incomes {:.1} % (median {:.1} %).",
        e.fitted_within,
        e.fitted,
        100.0 * TOLERANCE,
        100.0 * e.outputs_rms,
        100.0 * e.outputs_median,
        100.0 * e.incomes_rms,
        100.0 * e.incomes_median
    );
    Section {
        id: "table1",
        heading: "Table 1",
        lead,
        blocks: vec![
            Block::Table(table),
            Block::Table(totals(table1)),
            Block::Table(literal(table1)),
            claims_of(document, Figure::Table1, false),
        ],
    }
}

fn totals(table1: &Table1) -> Table {
    let mut table = Table::new(
        "table1-totals",
        "Sums over the microgrids, and the round",
        &[
            "printed_demand_kw|demand",
            "#demand_kw|played, kW",
            "#paper_output_kw|output paper",
            "#output_kw|ours, kW",
            "#paper_income|income paper",
            "#income|ours, yuan/h",
            "#relative_difference|relative",
            "#clearing_price|price",
            "#rounds|rounds",
            "#gain_banded|gain in band",
            "#gain_free|gain free",
            "#gain_free_relative|of income",
        ],
    );
    for total in &table1.totals {
        table.row(vec![
            Cell::text(total.printed_demand_kw.to_string()),
            Cell::Number(total.demand_kw, 0),
            Cell::Number(total.paper_output_kw, 4),
            Cell::Number(total.output_kw, 2),
            Cell::Number(total.paper_income, 2),
            Cell::Number(total.income, 2),
            Cell::Percent(total.income / total.paper_income - 1.0),
            Cell::Number(total.clearing_price, 4),
            Cell::Number(total.rounds as f64, 0),
            Cell::Number(total.gain_banded, 2),
            Cell::Number(total.gain_free, 2),
            Cell::Percent(total.gain_free_relative),
        ]);
    }
    table
}

fn literal(table1: &Table1) -> Table {
    let mut table = Table::new(
        "table1-at-220",
        "For information: a demand of 220 kW by its word, same parameters, no refit (docs/market-fit.md has one)",
        &[
            "microgrid|microgrid",
            "#paper_output_kw|output paper, kW",
            "#output_kw|ours",
            "#output_relative|relative",
            "#paper_income|income paper, yuan/h",
            "#income|ours",
            "#income_relative|relative",
        ],
    );
    for one in &table1.literal {
        table.row(vec![
            Cell::text(one.microgrid),
            Cell::Number(one.paper_output_kw, 4),
            Cell::Number(one.output_kw, 4),
            Cell::Percent(one.output_kw / one.paper_output_kw - 1.0),
            Cell::Number(one.paper_income, 4),
            Cell::Number(one.income, 4),
            Cell::Percent(one.income / one.paper_income - 1.0),
        ]);
    }
    table
}

fn parameters(table1: &Table1) -> Section<'static> {
    let mut table = Table::new(
        "parameters",
        "Cost of generation a q² + b q, and what follows at full output",
        &[
            "microgrid|microgrid",
            "#a_yuan_per_kw2_h|a, yuan/(kW² h)",
            "#b_yuan_per_kwh|b, yuan/kWh",
            "#capacity_kw|capacity, kW",
            "#average_cost|average cost",
            "#marginal_cost|marginal cost",
        ],
    );
    for one in &table1.parameters {
        table.row(vec![
            Cell::text(one.microgrid.clone()),
            Cell::Number(one.a, 10),
            Cell::Number(one.b, 6),
            Cell::Number(one.capacity_kw, 0),
            Cell::Number(one.average_cost, 4),
            Cell::Number(one.marginal_cost, 4),
        ]);
    }
    Section {
        id: "parameters",
        heading: "The fitted parameters",
        lead: format!(
            "Not the paper's, which prints none. The grid pays {} and charges {} yuan/kWh, the first price is {}. Eleven numbers were fitted to eighteen independent targets.",
            table1.grid_buy, table1.grid_sell, table1.rho0
        ),
        blocks: vec![Block::Table(table)],
    }
}

fn equilibrium<'a>(document: &'a Document, found: &Uniqueness) -> Section<'a> {
    let mut ends = Table::new(
        "two-equilibria",
        "One market of three microgrids, two equilibria",
        &[
            "#rho0|first price",
            "#clearing_price|price at the end",
            "#gain_banded|gain in band",
            "output_kw|outputs, kW",
        ],
    );
    for end in &found.ends {
        ends.row(vec![
            Cell::Number(end.rho0, 2),
            Cell::Number(end.clearing_price, 2),
            Cell::Number(end.gain_banded, 2),
            Cell::text(super::claims_table1::list(end.output_kw.iter().copied(), 0)),
        ]);
    }
    let cycle: Vec<String> = found
        .cycle
        .iter()
        .map(|[one, other]| format!("({one}, {other})"))
        .collect();
    Section {
        id: "equilibrium",
        heading: "The equilibrium",
        lead: format!(
            "Two small markets, played now. In the first the end depends on the first price. In the second best responses go {} and never rest; the search ended after {} rounds only because its threshold of gain keeps growing.",
            cycle.join(" → "),
            found.rescued_after
        ),
        blocks: vec![
            Block::Table(ends),
            claims_of(document, Figure::Table1, true),
        ],
    }
}

fn inconsistencies(findings: &Findings) -> Section<'static> {
    let mut list = Table::new(
        "inconsistencies",
        "What the printed numbers say of each other",
        &["id|what", "printed|printed", "reading|so"],
    );
    for finding in &findings.list {
        list.row(vec![
            Cell::text(finding.id),
            Cell::text(finding.printed.clone()),
            Cell::text(finding.reading.clone()),
        ]);
    }
    Section {
        id: "inconsistencies",
        heading: "The paper's own numbers",
        lead: "Computed from Table 1 as printed, unless it says ours.".to_owned(),
        blocks: vec![
            Block::Table(list),
            Block::Table(rates(findings)),
            Block::Table(fees(findings)),
        ],
    }
}

fn rates(findings: &Findings) -> Table {
    let mut table = Table::new(
        "printed-rates",
        "Table 1: income over output, yuan/kWh",
        &[
            "printed_demand_kw|demand",
            "#mg1|MG1",
            "#mg2|MG2",
            "#mg3|MG3",
            "#mg4|MG4",
            "#output_sum_kw|sum of outputs, kW",
        ],
    );
    for (d, row) in findings.rates.iter().enumerate() {
        let mut cells = vec![Cell::text(super::paper::TABLE1[d].demand_kw.to_string())];
        cells.extend(row.iter().map(|rate| Cell::Number(*rate, 3)));
        cells.push(Cell::Number(findings.output_sums_kw[d], 4));
        table.row(cells);
    }
    table
}

fn fees(findings: &Findings) -> Table {
    let mut table = Table::new(
        "fees",
        "Ours: traded inside, kW, by fee coefficient and demand",
        &[
            "#delta|coefficient",
            "#traded_at_450_kw|at 450 kW",
            "#traded_at_550_kw|at 550 kW",
            "#traded_at_1000_kw|at 1000 kW",
        ],
    );
    for fee in &findings.fees {
        let mut cells = vec![Cell::Number(fee.delta, 2)];
        cells.extend(fee.traded_kw.iter().map(|kw| Cell::Number(*kw, 1)));
        table.row(cells);
    }
    table
}

fn market_corrections() -> Section<'static> {
    Section {
        id: "corrections",
        heading: "Equations corrected",
        lead: "The market model as printed cannot be computed; these are the changes.".to_owned(),
        blocks: vec![Block::Table(corrections::table(
            "corrections",
            &CORRECTIONS,
        ))],
    }
}

/// Every claim in one table, as a file.
pub(super) fn claims_table(document: &Document) -> Table {
    let mut table = Table::new(
        "claims",
        "Every claim",
        &[
            "id",
            "verdict",
            "place",
            "quote",
            "#paper",
            "#ours",
            "unit",
            "#difference",
            "#relative_difference",
            "found",
            "imposed",
            "reason",
        ],
    );
    for claim in &document.claims {
        table.row(vec![
            Cell::text(claim.id.clone()),
            Cell::text(claim.verdict.word()),
            Cell::text(claim.place),
            Cell::text(claim.quote),
            Cell::maybe(claim.paper, 4),
            Cell::maybe(claim.ours, 4),
            Cell::text(claim.unit),
            Cell::maybe(claim.difference, 4),
            Cell::maybe(claim.relative, 4),
            Cell::text(claim.found.clone()),
            Cell::text(claim.imposed.words()),
            Cell::text(claim.reason.clone()),
        ]);
    }
    table
}

/// The plots of a document, by file name.
pub(super) fn plot_files(sections: &[Section<'_>]) -> Vec<(String, String)> {
    let blocks = sections.iter().flat_map(|section| &section.blocks);
    let plots = blocks.filter_map(|block| match block {
        Block::Plots(plots, _) => Some(plots),
        Block::Claims(_) | Block::Table(_) => None,
    });
    plots
        .flatten()
        .map(|plot| {
            (
                format!("{}.svg", plot.id),
                plot.draw(plots::WIDE).standalone(),
            )
        })
        .collect()
}
