//! Local energy markets between microgrids: from profiles and costs to bids, equilibrium, clearing, certificates and
//! integer awards.
//!
//! The bidding game, in the order of its stages:
//!
//! | module | what |
//! |---|---|
//! | [`game`] | players, rules and their checks |
//! | [`bid`] | price levels, feasible band, mix of two levels |
//! | [`clearing`] | merit order of the blocks |
//! | [`response`] | one microgrid's exact best response |
//! | [`equilibrium`] | rounds of bidding up to an equilibrium, or a failed round |
//! | [`cournot`], [`competitive`] | two restrictions whose equilibrium is provably unique |
//! | [`report`] | what everybody offers, sells, earns and could gain |
//! | [`certificate`] | a round as a document that anyone can recompute |
//! | [`case`] | the scenario files |
//!
//! Around the game:
//!
//! | module | what |
//! |---|---|
//! | [`position`] | who sells, who buys, what runs after the award |
//! | [`aggregator`] | who delivers to whom, at which tariff |
//! | [`award`] | matched flows become integer energies and prices |
//! | [`book`] | two-sided clearing of step offers |
//!
//! Powers are kW (equal to kWh per one-hour period), prices currency/kWh, money currency/h.
//!
//! Source: Hu, Xia, Zhang 2022, sections 4.1 and 5.1; every departure is listed in the module it concerns.
#![forbid(unsafe_code)]

pub mod aggregator;
pub mod award;
pub mod bid;
pub mod book;
pub mod case;
pub mod certificate;
pub mod clearing;
pub mod competitive;
pub mod cournot;
pub mod equilibrium;
pub mod game;
pub mod position;
pub mod report;
pub mod response;

pub use case::{CaseError, CaseResults, Scenario};
pub use certificate::{Certificate, Verified, VerifyError};
pub use equilibrium::{BidSolution, OutputSolution, Solution, Status, solve};
pub use game::{Cost, Game, GameError, Order, Player, Response, Rules, Strategy};
pub use report::{Report, assess};
