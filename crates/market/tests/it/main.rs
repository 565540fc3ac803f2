//! What holds of the market, one module per source module.

mod aggregator;
mod award;
mod book;
mod cases;
mod certificate;
mod equilibrium;
mod game;
mod outputs;
mod position;
mod response;
mod support;
mod twin;
