//! Pages for the operator, on a listener of their own: `/` for people, `/metrics` for Prometheus. No keys, no names of keys.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::core::{Figures, LinkFigures};
use super::engine::EngineHandle;
use super::source::Line;

/// Until a request's head is there.
const HEAD: Duration = Duration::from_secs(5);

/// Serves the pages until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    engine: EngineHandle,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (engine, mut stop) = (engine.clone(), stop.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| page(request, engine.clone()));
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                _ = connection => {}
                _ = stop.changed() => {}
            }
        });
    }
}

async fn page(
    request: Request<hyper::body::Incoming>,
    engine: EngineHandle,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (code, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, path @ ("/" | "/metrics")) => match engine.figures().await {
            Some(figures) if path == "/" => (200, "text/html; charset=utf-8", html(&figures)),
            Some(figures) => {
                let text = metrics(&figures, &engine);
                (200, "text/plain; version=0.0.4; charset=utf-8", text)
            }
            None => (503, "text/plain", "stopping\n".to_owned()),
        },
        _ => (404, "text/plain", "pages: / and /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Ok(response)
}

/// A label's value for Prometheus.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// One figure of a link: name, help, whether it only grows, value.
type Column = (&'static str, &'static str, bool, fn(&LinkFigures) -> u64);

const LINK_COLUMNS: [Column; 8] = [
    (
        "link_up",
        "1 when both ends are connected and agree.",
        false,
        |link| u64::from(link.up),
    ),
    (
        "available_bits",
        "Bits that masters of this end can have.",
        false,
        |link| link.available_bits,
    ),
    (
        "peer_available_bits",
        "Bits that masters of the other end can have.",
        false,
        |link| link.available_bits_peer,
    ),
    (
        "allocated_bits_total",
        "Bits given to masters of this end since the pool was made.",
        true,
        |link| link.allocated_bits,
    ),
    (
        "waiting_keys",
        "Keys that wait here for their slaves.",
        false,
        |link| link.waiting_keys,
    ),
    (
        "expired_keys_total",
        "Keys that nobody came for.",
        true,
        |link| link.expired_keys,
    ),
    (
        "discarded_bits_total",
        "Bits discarded in doubt.",
        true,
        |link| link.discarded_bits,
    ),
    (
        "aborted_blocks_total",
        "Blocks that the source threw away.",
        true,
        |link| link.aborted_blocks,
    ),
];

/// One figure of the line behind a source, at the end that has one: name, help, whether it only grows, value.
type LineColumn = (&'static str, &'static str, bool, fn(&Line) -> Option<f64>);

const LINE_COLUMNS: [LineColumn; 6] = [
    ("line_blocks_total", "Blocks that ended.", true, |line| {
        Some(line.blocks as f64)
    }),
    (
        "line_alarmed_blocks_total",
        "Blocks with something wrong, those thrown away among them.",
        true,
        |line| Some(line.alarmed_blocks as f64),
    ),
    (
        "line_alarm",
        "1 when something is wrong with the newest block.",
        false,
        |line| Some(f64::from(u8::from(line.alarm_now))),
    ),
    (
        "line_released_bits_total",
        "Bits of blocks that were not thrown away.",
        true,
        |line| Some(line.released_bits as f64),
    ),
    (
        "line_lost_bits_total",
        "Of these, bits that found no room.",
        true,
        |line| Some(line.lost_bits as f64),
    ),
    (
        "line_error_rate",
        "Error rate of the newest block, 0 to 0.5.",
        false,
        |line| line.qber,
    ),
];

fn line_metrics(text: &mut String, figures: &Figures) {
    let kme = label(figures.kme.as_str());
    let lines: Vec<(&LinkFigures, &Line)> = figures
        .links
        .iter()
        .filter_map(|link| Some((link, link.line.as_ref()?)))
        .collect();
    if lines.is_empty() {
        return;
    }
    for (name, help, grows, value) in LINE_COLUMNS {
        head(text, name, help, grows);
        for (link, line) in &lines {
            let peer = label(link.peer.as_str());
            let origin = link.origin.word();
            if let Some(value) = value(line) {
                let _ = writeln!(
                    text,
                    "tieline_kme_{name}{{kme=\"{kme}\",peer=\"{peer}\",origin=\"{origin}\"}} {value}"
                );
            }
        }
    }
}

fn head(text: &mut String, name: &str, help: &str, grows: bool) {
    let kind = if grows { "counter" } else { "gauge" };
    let _ = write!(
        text,
        "# HELP tieline_kme_{name} {help}\n# TYPE tieline_kme_{name} {kind}\n"
    );
}

fn metrics(figures: &Figures, engine: &EngineHandle) -> String {
    let mut text = String::new();
    let kme = label(figures.kme.as_str());
    for (name, help, grows, value) in LINK_COLUMNS {
        head(&mut text, name, help, grows);
        for link in &figures.links {
            let peer = label(link.peer.as_str());
            let origin = link.origin.word();
            let _ = writeln!(
                text,
                "tieline_kme_{name}{{kme=\"{kme}\",peer=\"{peer}\",origin=\"{origin}\"}} {}",
                value(link)
            );
        }
    }
    line_metrics(&mut text, figures);
    head(&mut text, "keys_total", "Keys delivered.", true);
    for (sae, of) in &figures.saes {
        let sae = label(sae.as_str());
        for (role, keys) in [("master", of.enc_keys), ("slave", of.dec_keys)] {
            let _ = writeln!(
                text,
                "tieline_kme_keys_total{{kme=\"{kme}\",sae=\"{sae}\",role=\"{role}\"}} {keys}"
            );
        }
    }
    head(
        &mut text,
        "refused_total",
        "Questions of SAEs not fulfilled.",
        true,
    );
    for (sae, of) in &figures.saes {
        let sae = label(sae.as_str());
        for (code, count) in [(400, of.bad), (401, of.unauthorized), (503, of.unavailable)] {
            let _ = writeln!(
                text,
                "tieline_kme_refused_total{{kme=\"{kme}\",sae=\"{sae}\",code=\"{code}\"}} {count}"
            );
        }
    }
    let counters = &engine.counters;
    for (name, help, counter) in [
        ("requests_total", "Questions of SAEs.", &counters.requests),
        (
            "log_syncs_total",
            "Batches of records synced to disk.",
            &counters.batches,
        ),
        ("log_records_total", "Records written.", &counters.records),
    ] {
        head(&mut text, name, help, true);
        let value = counter.load(Ordering::Relaxed);
        let _ = writeln!(text, "tieline_kme_{name}{{kme=\"{kme}\"}} {value}");
    }
    text
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}table{border-collapse:collapse;width:100%;margin:0 0 2rem}caption{text-align:left;\
font-weight:600;padding:.5rem 0}th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid #ccc}\
th:first-child,td:first-child{text-align:left}.down{color:#a40000;font-weight:600}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}th,td{border-color:#444}.down{color:#ff8a80}}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// What the lines did, for the ends that have sources with one.
fn lines_table(figures: &Figures) -> String {
    let mut rows = String::new();
    for link in &figures.links {
        let Some(line) = &link.line else {
            continue;
        };
        let state = if line.alarm_now {
            "<td class=\"down\">alarm</td>"
        } else {
            "<td>quiet</td>"
        };
        let qber = line
            .qber
            .map_or("–".to_owned(), |qber| format!("{:.2} %", qber * 100.0));
        let _ = write!(
            rows,
            "<tr><td>{}</td>{state}<td>{qber}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(link.peer.as_str()),
            line.blocks,
            line.aborted_blocks,
            line.alarmed_blocks,
            line.released_bits / figures.key_bits,
            line.lost_bits / figures.key_bits,
            escape(line.last_alarm.as_deref().unwrap_or("none")),
        );
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<table><caption>Lines, since the start, in keys of {} bits</caption><thead><tr><th>to</th><th>newest block</th>\
         <th>its error rate</th><th>blocks</th><th>aborted</th><th>with an alarm</th><th>released</th>\
         <th>lost for want of room</th><th>last alarm</th></tr></thead><tbody>{rows}</tbody></table>",
        figures.key_bits
    )
}

fn html(figures: &Figures) -> String {
    let kme = escape(figures.kme.as_str());
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{kme}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\
         <h1>Key manager {kme}</h1><table><caption>Links, in keys of {} bits</caption><thead><tr>\
         <th>to</th><th>state</th><th>origin of keys</th><th>available here</th><th>available there</th>\
         <th>waiting for slaves</th><th>expired</th><th>discarded</th></tr></thead><tbody>",
        figures.key_bits
    );
    for link in &figures.links {
        let state = if link.up {
            "<td>up</td>"
        } else {
            "<td class=\"down\">down</td>"
        };
        let _ = write!(
            page,
            "<tr><td>{}</td>{state}<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(link.peer.as_str()),
            link.origin.word(),
            link.available_bits / figures.key_bits,
            link.available_bits_peer / figures.key_bits,
            link.waiting_keys,
            link.expired_keys,
            link.discarded_bits / figures.key_bits,
        );
    }
    page.push_str("</tbody></table>");
    page.push_str(&lines_table(figures));
    page.push_str(
        "<table><caption>SAEs here, since the start</caption><thead><tr><th>SAE</th>\
         <th>keys as master</th><th>keys as slave</th><th>400</th><th>401</th><th>503</th></tr></thead><tbody>",
    );
    for (sae, of) in &figures.saes {
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(sae.as_str()),
            of.enc_keys,
            of.dec_keys,
            of.bad,
            of.unauthorized,
            of.unavailable,
        );
    }
    page.push_str("</tbody></table><p><a href=\"/metrics\">metrics</a></p></body></html>\n");
    page
}
