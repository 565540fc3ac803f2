//! The byte form of a certificate; one layout for ever under one schema name.

use super::{Bid, Certificate, Evidence, RoundRef};
use crate::equilibrium::Status;
use crate::game::{Order, Player, Response, Rules, Strategy};
use tieline_units::Encoder;

pub(super) fn encode(certificate: &Certificate) -> Encoder {
    let mut out = Bytes(Encoder::new(&certificate.schema));
    out.round(certificate.round.as_ref());
    out.rules(&certificate.rules);
    out.number(certificate.demand_kw);
    out.0.length(certificate.players.len());
    for player in &certificate.players {
        out.player(player);
    }
    out.0.u8(match certificate.status {
        Status::Equilibrium => 0,
        Status::EpsilonEquilibrium => 1,
        Status::Failed => 2,
    });
    out.number(certificate.clearing_price);
    out.evidence(&certificate.evidence);
    out.0.length(certificate.gains.len());
    for gain in &certificate.gains {
        out.number(gain.banded);
        out.number(gain.free);
    }
    out.number(certificate.exploitability_banded);
    out.number(certificate.exploitability_free);
    out.0
}

/// Canonical bytes with numbers that are not integers, as the bits of their f64.
struct Bytes(Encoder);

impl Bytes {
    fn number(&mut self, value: f64) {
        self.0.u64(value.to_bits());
    }

    fn numbers(&mut self, values: &[f64]) {
        self.0.length(values.len());
        for &value in values {
            self.number(value);
        }
    }

    fn round(&mut self, round: Option<&RoundRef>) {
        self.0.u8(u8::from(round.is_some()));
        if let Some(RoundRef {
            interval_start_utc,
            interval_minutes,
            currency,
        }) = round
        {
            self.0
                .text(interval_start_utc)
                .u64(*interval_minutes)
                .text(currency);
        }
    }

    fn rules(&mut self, rules: &Rules) {
        self.0.u8(match rules.strategy {
            Strategy::Improved => 0,
            Strategy::Traditional => 1,
        });
        self.0.u64(rules.n_levels as u64);
        self.number(rules.margin);
        self.0.u8(match rules.response {
            Response::Lp => 0,
            Response::Fit => 1,
            Response::Cournot => 2,
            Response::Competitive => 3,
        });
        self.0.u8(match rules.order {
            Order::GaussSeidel => 0,
            Order::Jacobi => 1,
        });
        for value in [rules.alpha, rules.grid_buy, rules.grid_sell, rules.rho0] {
            self.number(value);
        }
        self.0.u64(rules.max_iter as u64);
        self.0.u8(u8::from(rules.safe_levels));
    }

    fn player(&mut self, player: &Player) {
        self.0.text(&player.id);
        for value in [
            player.cost.a,
            player.cost.b,
            player.cost.c,
            player.capacity_kw,
        ] {
            self.number(value);
        }
        self.0.u8(u8::from(player.levels.is_some()));
        if let Some(levels) = &player.levels {
            self.numbers(levels);
        }
    }

    fn evidence(&mut self, evidence: &Evidence) {
        match evidence {
            Evidence::Bids {
                rounds,
                price_history,
                cap_price,
                eps_final,
                bids,
            } => {
                self.0.u8(0);
                self.0.u64(*rounds as u64);
                self.numbers(price_history);
                self.number(*cap_price);
                self.number(*eps_final);
                self.0.length(bids.len());
                for Bid {
                    levels,
                    shares,
                    accepted_kw,
                } in bids
                {
                    self.numbers(levels);
                    self.numbers(shares);
                    self.numbers(accepted_kw);
                }
            }
            Evidence::Outputs { output_kw, profit } => {
                self.0.u8(1);
                self.numbers(output_kw);
                self.numbers(profit);
            }
        }
    }
}
