//! Formulas (1) to (3) and (12) to (16): at every boundary, one below it and one above.

mod money;
mod threshold;
mod time;
