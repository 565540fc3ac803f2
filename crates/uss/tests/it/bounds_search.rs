//! The search for parameters: the published table, row by row.

use tieline_uss::bounds::{
    Budgets, Choice, FamilyCost, FamilyName, Load, Log2, MESSAGE_BYTES_MAX, Parameters, Request,
    SECURITY_BITS_MAX, SearchError, SecurityBounds, UnknownFamily, block_differs, search,
};
use tieline_uss::committee::Committee;

/// λ n ω l_max family k b y u signer→receiver receiver→receiver signature, messages of 1 KiB: committees that stay live with
/// ω dishonest receivers.
const LIVE: &str = "\
64 4 1 0 small 64 8 42 0,47 10752 3200 8192
64 4 1 0 gf64 40 64 128 0,38 20480 5440 40960
64 7 2 0 small 72 7 39 0,50 19656 3456 24696
64 7 2 0 gf64 41 64 128 0,39 36736 5617 128576
64 10 2 1 small 186 7 39 0,63,154 72540 9300 130200
64 10 2 1 gf64 122 64 128 0,59,120 156160 16958 780800
64 16 4 0 small 69 8 42 0,51 46368 3657 141312
64 16 4 0 gf64 42 64 128 0,40 86016 5796 688128
64 16 3 1 small 190 7 39 0,65,158 118560 9690 340480
64 16 3 1 gf64 126 64 128 0,61,124 258048 17514 2064384
128 4 1 0 small 126 8 42 0,92 21168 6426 16128
128 4 1 0 gf64 75 64 128 0,72 38400 10275 76800
128 7 2 0 small 127 8 42 0,93 37338 6604 49784
128 7 2 0 gf64 76 64 128 0,73 68096 10488 238336
128 10 2 1 small 353 7 39 0,119,292 137670 18003 247100
128 10 2 1 gf64 230 64 128 0,111,227 294400 32200 1472000
128 16 4 0 small 122 9 45 0,93 87840 6832 281088
128 16 4 0 gf64 78 64 128 0,75 159744 10842 1277952
128 16 3 1 small 359 7 39 0,121,297 224016 18668 643328
128 16 3 1 gf64 234 64 128 0,113,231 479232 32760 3833856";

/// Committees that are as secure, and not live with ω dishonest receivers.
const BOUNDARY: &str = "\
64 4 2 0 small 59 9 45 0,45 10620 3127 8496
64 4 2 0 gf64 39 64 128 0,37 19968 5304 39936
64 4 2 0 gf128 36 128 256 0,35 36864 9504 73728
64 7 2 1 small 181 7 39 0,62,150 49413 9050 62083
64 7 2 1 gf64 120 64 128 0,58,118 107520 16560 376320
64 16 5 0 small 69 8 42 0,51 46368 3657 141312
64 16 5 0 gf64 42 64 128 0,40 86016 5796 688128
64 16 4 1 small 190 7 39 0,65,158 118560 9690 340480
64 64 16 1 small 190 8 42 0,69,164 510720 10640 6225920
64 100 25 1 small 208 7 39 0,71,173 811200 11232 14560000
128 4 2 0 small 124 8 42 0,91 20832 6324 15872
128 4 2 0 gf128 72 128 256 0,70 73728 19080 147456
128 7 2 1 small 349 7 39 0,118,289 95277 17799 119707";

/// The shipped and the recommended committee.
const SHIPPED: &str = "\
64 8 2 1 small 182 7 39 0,62,151 56784 9100 81536
64 8 2 1 gf64 121 64 128 0,58,119 123904 16698 495616
64 8 2 1 gf128 117 128 256 0,58,116 239616 31122 958464
64 8 2 1 lfsr128 117 128 384 0,58,116 359424 46098 958464
128 8 2 1 small 351 7 39 0,118,290 109512 17901 157248
128 8 2 1 gf64 228 64 128 0,110,225 233472 31692 933888
64 14 3 1 small 188 7 39 0,64,156 102648 9588 257936
64 14 3 1 gf64 125 64 128 0,60,123 224000 17375 1568000
128 14 3 1 small 356 7 39 0,120,295 194376 18512 488432
128 14 3 1 gf64 232 64 128 0,112,229 415744 32480 2910208";

pub(crate) fn request(row: &str) -> Request {
    let fields: Vec<&str> = row.split(' ').collect();
    let committee = Committee::new(
        fields[1].parse().unwrap(),
        fields[2].parse().unwrap(),
        fields[3].parse().unwrap(),
    );
    Request {
        committee: committee.unwrap(),
        security_bits: fields[0].parse().unwrap(),
        family: fields[4].parse().unwrap(),
        message_bytes: 1024,
        load: Load::ONE_SHOT,
    }
}

/// The row of the table that a search finds.
fn row(request: &Request, choice: &Choice) -> String {
    let (parameters, cost) = (&choice.parameters, &choice.cost);
    let committee = parameters.committee();
    let budgets: Vec<String> = parameters
        .budgets()
        .from_first_hand()
        .iter()
        .map(u16::to_string)
        .collect();
    format!(
        "{} {} {} {} {} {} {} {} {} {} {} {}",
        request.security_bits,
        committee.receivers(),
        committee.dishonest(),
        committee.transfers(),
        request.family,
        parameters.functions(),
        parameters.family().tag_bits,
        parameters.family().description_bits,
        budgets.join(","),
        cost.signer_to_receiver_bits,
        cost.receiver_to_receiver_bits,
        cost.signature_bits
    )
}

fn check_rows(rows: &str) {
    for expected in rows.lines() {
        let request = request(expected);
        let choice = search(&request).unwrap();
        assert_eq!(row(&request, &choice), expected);
        assert!(choice.bounds.worst().reaches(request.security_bits));
    }
}

#[test]
fn the_search_finds_every_row_of_the_published_table() {
    check_rows(LIVE);
    check_rows(BOUNDARY);
    assert_eq!((LIVE.lines().count(), BOUNDARY.lines().count()), (20, 13));
}

#[test]
fn the_search_finds_the_shipped_and_the_recommended_committee() {
    check_rows(SHIPPED);
    for committee in [
        request(SHIPPED.lines().next().unwrap()).committee,
        Committee::new(14, 3, 1).unwrap(),
    ] {
        assert!(committee.is_live());
    }
}

/// The table's two parts differ by n - ω > nδ_l at level l_max: liveness with ω dishonest receivers.
#[test]
fn rows_are_apart_by_whether_honest_receivers_suffice_beside_dishonest_ones_of_the_full_number() {
    for (rows, live) in [(LIVE, true), (BOUNDARY, false)] {
        for row in rows.lines() {
            let committee = request(row).committee;
            let honest = u32::from(committee.receivers() - committee.dishonest());
            assert_eq!(
                honest >= committee.tests_needed(committee.first_hand(), 0),
                live,
                "{row}"
            );
        }
    }
}

#[test]
fn no_cheaper_parameters_exist_near_those_found() {
    for row in [
        "32 4 1 0 small",
        "8 8 2 1 small",
        "20 5 2 0 small",
        "20 4 1 0 gf64",
    ] {
        let request = request(row);
        let choice = search(&request).unwrap();
        let cost = choice.cost.signer_to_receiver_bits;
        for family in FamilyCost::choices(request.family, request.message_bytes) {
            for functions in 2..=choice.parameters.functions() + 20 {
                let price = u64::from(request.committee.receivers())
                    * u64::from(functions)
                    * u64::from(family.description_bits);
                if price < cost {
                    assert!(
                        !some_budgets_reach(&request, functions, family),
                        "{row} {functions} {family:?}"
                    );
                }
            }
        }
    }
}

/// Tries every budget of level 0 and -1.
fn some_budgets_reach(request: &Request, functions: u16, family: FamilyCost) -> bool {
    let middle: Vec<u16> = match request.committee.transfers() {
        0 => vec![0],
        _ => (1..functions).collect(),
    };
    middle.iter().any(|middle| {
        (middle + 1..functions).any(|dispute| {
            let mut budgets = vec![0, *middle, dispute];
            budgets.dedup();
            let budgets = Budgets::new(budgets).unwrap();
            let parameters =
                Parameters::new(request.committee, functions, family, budgets).unwrap();
            // Cheap conditions first: most are far off.
            let differs = block_differs(functions, *middle, dispute);
            differs.reaches(request.security_bits)
                && SecurityBounds::of(&parameters, request.load)
                    .worst()
                    .reaches(request.security_bits)
        })
    })
}

/// 256 KiB, a block of a thousand trades: y = 58 at b = 8, and a longer tag is cheaper still; 1.4 times the key of 1 KiB.
#[test]
fn key_grows_with_the_logarithm_of_the_message() {
    let eight = FamilyCost::choices(FamilyName::Small, 256 * 1024)[6];
    assert_eq!((eight.tag_bits, eight.description_bits), (8, 58));
    let mut wanted = request("64 16 4 0 small");
    wanted.message_bytes = 256 * 1024;
    let choice = search(&wanted).unwrap();
    assert_eq!(
        row(&wanted, &choice),
        "64 16 4 0 small 59 11 67 0,48 63248 4543 166144"
    );
    for (family, bytes, description_bits, exponent) in [
        (FamilyName::Gf64, 1024, 128, 129_f64.log2() - 64.0),
        (FamilyName::Gf64, 1, 128, 1.0 - 64.0),
        (FamilyName::Gf128, 1024, 256, 65_f64.log2() - 128.0),
        (FamilyName::Lfsr128, 1024, 384, 13.0 - 127.0),
        (FamilyName::Lfsr128, 1, 384, 129_f64.log2() - 128.0),
    ] {
        let cost = FamilyCost::choices(family, bytes)[0];
        assert_eq!(cost.description_bits, description_bits);
        near(cost.guess, exponent, "guess");
    }
}

#[test]
fn a_request_out_of_range_is_refused_with_its_number() {
    let good = request("64 4 1 0 small");
    let refused = |request: Request| search(&request).unwrap_err();
    for bits in [0, SECURITY_BITS_MAX + 1] {
        let error = refused(Request {
            security_bits: bits,
            ..good
        });
        assert_eq!(error, SearchError::SecurityBits { bits });
    }
    for bytes in [0, MESSAGE_BYTES_MAX + 1] {
        let error = refused(Request {
            message_bytes: bytes,
            ..good
        });
        assert_eq!(error, SearchError::MessageBytes { bytes });
    }
    let load = Load {
        messages: 0,
        attempts: 0,
    };
    assert_eq!(
        refused(Request { load, ..good }),
        SearchError::Messages { messages: 0 }
    );
    let none = Request {
        committee: Committee::new(20, 1, 12).unwrap(),
        security_bits: 512,
        ..good
    };
    let error = SearchError::NoParameters {
        family: FamilyName::Small,
        bits: 512,
    };
    assert_eq!(refused(none), error);
    let unknown: Result<FamilyName, UnknownFamily> = "gf32".parse();
    assert!(unknown.unwrap_err().to_string().contains("gf32"));
}

pub(crate) fn near(found: Log2, expected: f64, what: &str) {
    // 1e-10: the rounding of logarithms of factorials up to 6000!.
    assert!(
        (found.exponent() - expected).abs() < 1e-10 * expected.abs().max(1.0),
        "{what}: {found:?}, expected {expected}"
    );
}
