//! Attacks 27 to 30: clocks, order of events, silence, committees.

mod clock;
mod committee;
mod order;
mod rotation;
mod silence;
