//! Running sums of the offers below a rank.

/// Fenwick tree: sum below a rank and change of one offer in O(log) each.
///
/// Every change leaves a rounding error behind; rebuild the tree once per round.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    tree: Vec<f64>,
}

impl Ladder {
    /// Rebuilds the tree from the offers by rank, kW.
    pub(super) fn rebuild(&mut self, offers: &[f64]) {
        self.tree.clear();
        self.tree.extend_from_slice(offers);
        for place in 1..=offers.len() {
            let parent = place + (place & place.wrapping_neg());
            if parent <= offers.len() {
                self.tree[parent - 1] += self.tree[place - 1];
            }
        }
    }

    /// Sum of the offers below `rank`, kW.
    pub(super) fn below(&self, rank: u32) -> f64 {
        let (mut place, mut sum) = (rank as usize, 0.0);
        while place > 0 {
            sum += self.tree[place - 1];
            place &= place - 1;
        }
        sum
    }

    /// Adds `change` kW to the offer at `rank`.
    pub(super) fn add(&mut self, rank: u32, change: f64) {
        let mut place = rank as usize + 1;
        while let Some(node) = self.tree.get_mut(place - 1) {
            *node += change;
            place += place & place.wrapping_neg();
        }
    }
}
