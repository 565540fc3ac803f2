//! A year of 20 microgrids.

mod slow {
    use crate::support::{root, tieline};

    #[test]
    fn a_year_of_twenty_microgrids_settles_to_zero_and_every_certificate_holds() {
        if std::env::var_os("TIELINE_SLOW").is_none() {
            eprintln!("left out: 1 test, set TIELINE_SLOW=1");
            return;
        }
        let beside = || root().join("../shared");
        let shared = std::env::var_os("TIELINE_SHARED").map_or_else(beside, Into::into);
        let year = shared.join("data/community-year");
        if !year.exists() {
            eprintln!("skipped: {} is not here", year.display());
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out").display().to_string();
        let ran = tieline(&[
            "run",
            &year.display().to_string(),
            "--out",
            &out,
            "--market-only",
            "--json",
        ])
        .expect(0);
        assert!(
            ran.stderr.contains("market intervals: "),
            "progress: {}",
            ran.stderr
        );
        let summary = ran.json();
        assert_eq!(summary["intervals"]["total"], 35_136);
        assert_eq!(summary["intervals"]["failed"], 0);
        assert_eq!(summary["sum"], "0.000000");
        assert_eq!(summary["members"].as_array().unwrap().len(), 20);
        let files = std::fs::read_dir(std::path::Path::new(&out).join("rounds"))
            .unwrap()
            .count();
        assert!((360..=367).contains(&files), "one file per day: {files}");
        tieline(&["market", "verify", &out]).expect(0);
    }
}
