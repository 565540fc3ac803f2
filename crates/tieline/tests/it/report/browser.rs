//! The page of the shipped day in a real browser, wide and narrow.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::tieline;

/// Without these a headless browser without a network complains or waits.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
];

fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok())
}

/// The document after scripts have run.
fn dom(browser: &str, page: &Path, profile: &Path) -> String {
    let output = Command::new(browser)
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--virtual-time-budget=3000", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn in_a_browser_the_script_runs_and_nothing_is_wider_than_the_window() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium is installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    tieline(&["run", "--market-only", "--out", &out.display().to_string()]).expect(0);
    let page = dom(
        browser,
        &out.join("report.html"),
        &folder.path().join("profile"),
    );
    assert!(
        page.contains("<html lang=\"en\" class=\"js\">"),
        "the script has not run"
    );
    let shown = page.matches("class=\"round on\"").count();
    assert_eq!(shown, 1, "one round is shown");
    for width in [360, 1280] {
        let probe = out.join(format!("probe-{width}.html"));
        fs::write(
            &probe,
            format!(
                "<!doctype html><iframe id=f src=report.html width={width} height=800></iframe>\
                 <script>document.getElementById('f').onload=function(){{\
                 document.body.dataset.wide=this.contentDocument.documentElement.scrollWidth}}</script>"
            ),
        )
        .unwrap();
        let measured = dom(
            browser,
            &probe,
            &folder.path().join(format!("profile-{width}")),
        );
        let wide = measured
            .split("data-wide=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let wide: u32 = wide
            .unwrap_or_else(|| panic!("not measured: {measured}"))
            .parse()
            .unwrap();
        assert!(
            wide <= width,
            "the page is {wide} px wide in a window of {width} px"
        );
    }
}
