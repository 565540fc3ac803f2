//! Chains whose nodes are processes: killed, stopped, wiped, cut off from one another.

mod audit;
mod cut;
mod disk;
pub(crate) mod ground;
mod hosts;
mod kinds;
mod liar;
mod life;
mod ports;
