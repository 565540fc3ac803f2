//! A document as one page that opens without a network.

use std::fmt::Write as _;

use super::Document;
use super::claim::{Claim, Verdict};
use super::plots::{NARROW, Plot, WIDE};
use super::view::{Block, Cell, Column, Section, Table};
use crate::plot::number::{NOTHING, fixed, signed};
use crate::plot::{escape, theme};

/// Style shared with the report of a run.
const REPORT_STYLE: &str = include_str!("../report/page.css");
const STYLE: &str = include_str!("page.css");

const VERDICTS: [Verdict; 4] = [
    Verdict::Reproduced,
    Verdict::Compatible,
    Verdict::Contradicted,
    Verdict::NotCheckable,
];

/// The page.
pub(super) fn page(document: &Document, sections: &[Section<'_>]) -> String {
    let mut html = head();
    html.push_str(&header(document, sections));
    html.push_str("<main id=\"main\" tabindex=\"-1\">\n");
    sections
        .iter()
        .for_each(|section| push_section(&mut html, section));
    html.push_str("</main>\n<footer>\n<p>");
    html.push_str("Everything on this page is computed when the command runs; the same program gives the same bytes. The tables lie beside this page as CSV, the plots as SVG.");
    html.push_str("</p>\n<pre tabindex=\"0\"><code>tieline reproduce</code></pre>\n</footer>\n</body>\n</html>\n");
    html
}

fn head() -> String {
    let style = format!(
        "{}{}{REPORT_STYLE}{STYLE}",
        theme::colours_css(),
        theme::plot_css()
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{} · Tieline</title>\n<style>{style}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the results</a>\n\
         <svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\" focusable=\"false\">{}</svg>\n",
        escape(super::TITLE),
        theme::PATTERNS
    )
}

fn header(document: &Document, sections: &[Section<'_>]) -> String {
    let mut html = format!(
        "<header class=\"top\">\n<p class=\"brand\">Tieline <span>reproduction</span></p>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n<ul class=\"cards\" aria-label=\"Verdicts\">\n",
        escape(super::TITLE),
        escape(super::PAPER)
    );
    for verdict in VERDICTS {
        let cells = document.cells_counted.of(verdict);
        let note = if document.table1.is_some() {
            format!("and {cells} of 24 cells of Table 1")
        } else {
            String::new()
        };
        let _ = writeln!(
            html,
            "<li class=\"card\"><span class=\"label\">{}</span><span class=\"value\">{}<span class=\"unit\">of {} claims</span></span><span class=\"note\">{note}</span></li>",
            tag(verdict.word()),
            document.claims_counted.of(verdict),
            document.claims.len(),
        );
    }
    let _ = writeln!(
        html,
        "</ul>\n<p class=\"summary\">{}</p>\n<nav aria-label=\"Sections\"><ul class=\"toc\">",
        escape(&super::summary(document))
    );
    for section in sections {
        let _ = writeln!(
            html,
            "<li><a href=\"#{}\">{}</a></li>",
            section.id,
            escape(section.heading)
        );
    }
    html.push_str("</ul></nav>\n</header>\n");
    html
}

fn push_section(html: &mut String, section: &Section<'_>) {
    let _ = writeln!(
        html,
        "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{}</h2>\n<p class=\"lead\">{}</p>",
        escape(section.heading),
        escape(&section.lead),
        id = section.id
    );
    for block in &section.blocks {
        match block {
            Block::Claims(claims) => push_claims(html, claims),
            Block::Table(table) if !table.file_only => push_table(html, table),
            Block::Table(_) => {}
            Block::Plots(plots, caption) => push_plots(html, plots, caption),
        }
    }
    html.push_str("</section>\n");
}

fn push_claims(html: &mut String, claims: &[&Claim]) {
    html.push_str("<h3>Claims</h3>\n<ul class=\"claims\">\n");
    for claim in claims {
        let _ = write!(
            html,
            "<li id=\"claim-{}\"><p class=\"verdict\">{}<span class=\"place\">{}</span></p><div><blockquote>{}</blockquote>",
            escape(&claim.id),
            tag(claim.verdict.word()),
            escape(claim.place),
            escape(claim.quote)
        );
        if let (Some(paper), Some(ours), Some(difference)) =
            (claim.paper, claim.ours, claim.difference)
        {
            let relative = claim.relative.map_or_else(String::new, |share| {
                format!(", {}", inline(&Cell::Percent(share)))
            });
            let _ = write!(
                html,
                "<dl class=\"beside\"><div><dt>paper</dt><dd>{} {unit}</dd></div><div><dt>ours</dt><dd>{} {unit}</dd></div><div><dt>difference</dt><dd>{} {unit}{relative}</dd></div></dl>",
                fixed(paper, 4),
                fixed(ours, 4),
                signed(difference, 4),
                unit = escape(claim.unit)
            );
        }
        if !claim.found.is_empty() {
            let _ = write!(html, "<p class=\"found\">{}</p>", escape(&claim.found));
        }
        let imposed = match claim.imposed.words() {
            "" => String::new(),
            words => format!("<span class=\"tag\">{words}</span>"),
        };
        let _ = writeln!(
            html,
            "<p class=\"why\">{}{imposed}</p></div></li>",
            escape(&claim.reason)
        );
    }
    html.push_str("</ul>\n");
}

/// Letters from which a cell counts as prose: such tables become cards on a phone, others scroll.
const PROSE: usize = 40;

fn push_table(html: &mut String, table: &Table) {
    let prose = |cell: &Cell| match cell {
        Cell::Text(text) => text.chars().count() >= PROSE,
        other => matches!(other, Cell::Claim { .. }),
    };
    let class = if table.rows.iter().flatten().any(prose) {
        "words"
    } else {
        "figures"
    };
    let _ = write!(
        html,
        "<div class=\"panel\"><h3 id=\"{id}-t\">{}</h3><div class=\"scroll\" role=\"region\" aria-labelledby=\"{id}-t\" tabindex=\"0\"><table class=\"{class}\" aria-labelledby=\"{id}-t\"><thead><tr>",
        escape(&table.caption),
        id = table.id
    );
    for (index, column) in table.columns.iter().enumerate() {
        let class = class_of(index, column);
        let _ = write!(
            html,
            "<th scope=\"col\"{class}>{}</th>",
            escape(column.name)
        );
    }
    html.push_str("</tr></thead><tbody>");
    for row in &table.rows {
        html.push_str("<tr>");
        for (index, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
            push_cell(html, cell, (index, column));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div></div>\n");
}

/// Numbers stand at the right, except where they name the row.
fn class_of(index: usize, column: &Column) -> &'static str {
    if column.number && index > 0 {
        " class=\"n\""
    } else {
        ""
    }
}

fn push_cell(html: &mut String, cell: &Cell, (index, column): (usize, &Column)) {
    let content = match cell {
        Cell::Text(text) if VERDICTS.iter().any(|verdict| verdict.word() == text) => tag(text),
        other => inline(other),
    };
    let class = class_of(index, column);
    let _ = if index == 0 {
        write!(html, "<th scope=\"row\"{class}>{content}</th>")
    } else {
        write!(
            html,
            "<td{class} data-label=\"{}\">{content}</td>",
            escape(column.name)
        )
    };
}

fn inline(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escape(text),
        Cell::Claim { id, quote, place } => format!(
            "<a href=\"#claim-{}\">“{}”</a> <span class=\"place\">{}</span>",
            escape(id),
            escape(quote),
            escape(place)
        ),
        Cell::Number(value, decimals) => fixed(*value, *decimals),
        Cell::Signed(value, decimals) => signed(*value, *decimals),
        Cell::Percent(share) => format!("{}\u{202f}%", signed(100.0 * share, 1)),
        Cell::Empty => NOTHING.to_owned(),
    }
}

fn push_plots(html: &mut String, plots: &[Plot], caption: &str) {
    html.push_str("<div class=\"plots\">");
    for plot in plots {
        let _ = write!(
            html,
            "<figure class=\"panel\"><h3 class=\"small\">{}</h3><div class=\"wide\">{}</div><div class=\"narrow\">{}</div></figure>",
            escape(&plot.heading),
            plot.draw(WIDE).inline(),
            plot.draw(NARROW).inline()
        );
    }
    let _ = writeln!(html, "</div><p class=\"fine\">{}</p>", escape(caption));
}

/// A verdict with its sign, so that it can be told without its colour.
fn tag(word: &str) -> String {
    let (class, sign) = match word {
        "reproduced" => ("good", "●"),
        "compatible" => ("fair", "◐"),
        "contradicted" => ("bad", "▲"),
        _ => ("open", "○"),
    };
    format!(
        "<span class=\"v {class}\"><span aria-hidden=\"true\">{sign}</span> {}</span>",
        escape(word)
    )
}
