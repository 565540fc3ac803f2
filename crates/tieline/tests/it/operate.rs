//! `docs/operate.md`, run as it stands, and what the commands of it refuse.

mod recipes;
mod votes;
