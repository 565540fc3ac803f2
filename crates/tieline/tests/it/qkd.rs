//! `tieline qkd`: the program as key manager and as client.

mod commands;
mod crash;
mod interop;
mod process;
