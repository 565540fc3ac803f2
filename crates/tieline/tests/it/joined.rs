//! Three chains whose nodes are processes, and trades across them.

mod hands;
mod life;
mod town;
