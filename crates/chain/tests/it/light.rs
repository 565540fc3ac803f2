//! The light client: an honest history, and everything that is not one.

mod honest;
mod story;
mod tampered;
