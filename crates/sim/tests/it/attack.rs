//! Attacks 27 to 30: clocks, order of events, silence, committees; and what lies between two ledgers.

mod clock;
mod committee;
mod order;
mod rotation;
mod seams;
mod silence;
