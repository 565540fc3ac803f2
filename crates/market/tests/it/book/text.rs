//! Books as text.

use tieline_market::book::text::{TextBook, parse_book};
use tieline_market::book::{HalfTicks, Side, Step};

const HEADER: &str = "order_id,side,price_eur_per_mwh,quantity_mwh\n";

fn read(text: &str) -> TextBook {
    parse_book(text.as_bytes()).expect("a book")
}

fn refused(text: &str, expected: &str) {
    assert_eq!(
        parse_book(text.as_bytes()).expect_err(text).to_string(),
        expected
    );
}

#[test]
fn columns_are_scaled_by_their_most_decimals_and_printed_in_their_own_units() {
    let text = "\u{feff}note,quantity_mwh,order_id,side,price_eur_per_mwh\r\n\
                \"a, \"\"b\"\"\",0.1,x1,buy,-499.00\r\n\r\n,12,\"x,2\", Sell ,128.9\r\n";
    let book = read(text);
    let expected = [
        Step {
            side: Side::Buy,
            price: -49_900,
            quantity: 1,
        },
        Step {
            side: Side::Sell,
            price: 12_890,
            quantity: 120,
        },
    ];
    assert_eq!(book.book.steps(), expected);
    assert_eq!((book.price_decimals, book.quantity_decimals), (2, 1));
    assert_eq!(
        (book.price_column.as_str(), book.quantity_column.as_str()),
        ("price_eur_per_mwh", "quantity_mwh")
    );
    assert_eq!(
        book.order_ids,
        Some(vec!["x1".to_owned(), "x,2".to_owned()])
    );
    assert_eq!(book.price(12_889.into()), "128.89");
    assert_eq!(book.price(HalfTicks::middle(10, 15)), "0.125");
    assert_eq!(book.price(HalfTicks::middle(0, -1)), "-0.005");
    assert_eq!(book.price((-5).into()), "-0.05");
    assert_eq!(book.quantity(233_784), "23378.4");
    assert_eq!(book.welfare(-1_005), "-1.005");
}

#[test]
fn a_header_alone_is_an_empty_book() {
    let book = read("side,price_eur_per_kwh,quantity_kwh");
    assert!(book.book.steps().is_empty() && book.order_ids.is_none());
    assert_eq!(book.price(3.into()), "3");
}

#[test]
fn zeros_past_nine_decimals_are_dropped_and_digits_refused() {
    let book = read(&format!(
        "{HEADER}a,buy,1.00000000000000,1\nb,buy,0.123456789,2\n"
    ));
    assert_eq!(book.book.steps()[0].price, 1_000_000_000);
    let line = format!("{HEADER}a,buy,0.1234567891,1\n");
    refused(
        &line,
        "line 2, column price_eur_per_mwh: '0.1234567891' has too many decimals (max 9)",
    );
}

#[test]
fn what_is_wrong_is_said_with_line_column_and_value() {
    let check =
        |rows: &str, expected: &str| refused(&format!("{HEADER}a,buy,1.0,1\n{rows}"), expected);
    let price = "column price_eur_per_mwh";
    check(
        "b,bid,1,1\n",
        "line 3, column side: \"bid\" is neither \"buy\" nor \"sell\"",
    );
    check(
        "b,buy,NaN,1\n",
        &format!("line 3, {price}: 'NaN' stands for a missing or undefined number"),
    );
    check("b,buy,,1\n", &format!("line 3, {price}: the cell is empty"));
    check(
        "b,buy,1e3,1\n",
        &format!("line 3, {price}: '1e3' is not a decimal number"),
    );
    check(
        "b,buy,-.,1\n",
        &format!("line 3, {price}: '-.' is not a decimal number"),
    );
    check(
        &format!("b,buy,{},1\n", "9".repeat(60)),
        &format!("line 3, {price}: '{}' is too large", "9".repeat(60)),
    );
    check(
        "b,buy,1,-0.5\n",
        "line 3, column quantity_mwh: \"-0.5\" is below zero",
    );
    check(
        "\nb,buy,9223372036854775807,1\n",
        &format!("line 4, {price}: 9223372036854775807 does not fit 64 bits with 1 decimals"),
    );
    check("b,buy,1\n", "line 3 has 3 fields, the header 4");
    check("\"b,buy,1,1\n", "line 3 has a broken quoted field");
    check("\"b\"x,buy,1,1\n", "line 3 has a broken quoted field");
    refused("", "the book is empty: it has no header");
    refused("\n\n", "the book is empty: it has no header");
    refused(
        "price_eur_per_mwh,quantity_mwh\n",
        "the header has no column side",
    );
    refused(
        "side,price,quantity_mwh\n",
        "the header has no column price_*_per_*",
    );
    refused(
        "side,price_eur_per_mwh\n",
        "the header has no column quantity_*",
    );
    refused(
        "side,price_eur_per_mwh,quantity_mwh,quantity_kwh\n",
        "the header has two columns quantity_*: \"quantity_mwh\" and \"quantity_kwh\"",
    );
    let error = parse_book([HEADER.as_bytes(), b"\xff,buy,1,1\n"].concat().as_slice())
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("line 2 cannot be read"), "{error}");
}
