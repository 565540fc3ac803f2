//! The game once more, plainly and slowly from the text of the specification: no trees, no sorted ranks, and best
//! responses by all meetings of the 3n planes.

use tieline_market::{Game, Order, Player, Response, Rules, Status, Strategy};

pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) history: Vec<f64>,
    pub(crate) cap_price: f64,
    pub(crate) clearing_price: f64,
    pub(crate) eps_final: f64,
    pub(crate) shares: Vec<Vec<f64>>,
    pub(crate) accepted: Vec<Vec<f64>>,
}

/// One microgrid as its response sees it.
pub(crate) struct View {
    pub(crate) b: Vec<f64>,
    pub(crate) g: Vec<f64>,
    pub(crate) q: f64,
    pub(crate) grid_buy: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

pub(crate) fn play(game: &Game) -> Outcome {
    let (rules, players) = (game.rules(), game.players());
    let b: Vec<Vec<f64>> = players.iter().map(|p| levels(p, rules)).collect();
    let mut history = vec![rules.rho0.clamp(rules.grid_buy, rules.grid_sell)];
    let start = |i: usize| {
        let (_, high) = band(&players[i], rules, &b[i], history[0]);
        mix(&b[i], high)
    };
    let mut x: Vec<Vec<f64>> = (0..players.len()).map(start).collect();
    let mut rescue = f64::NAN;
    let mut k = 0;
    loop {
        k += 1;
        if k == 61 {
            rescue = history[41..=60]
                .iter()
                .copied()
                .fold(f64::INFINITY, f64::min);
        }
        let eps = if k > 60 {
            1e-6 * 1.5_f64.powi(k as i32 - 60)
        } else {
            0.0
        }
        .min(1.0);
        let cap = if k > 60 { rescue } else { history[k - 1] };
        let old = x.clone();
        for i in 0..players.len() {
            let seen = if rules.order == Order::Jacobi {
                &old
            } else {
                &x
            };
            x[i] = respond(game, &b, seen, i, (cap, (k > 60).then_some(eps)));
        }
        let (clearing_price, accepted) = clear(game, &b, &x);
        let before = history[k - 1];
        history.push(before + rules.alpha * (clearing_price - before));
        let moved = x
            .iter()
            .flatten()
            .zip(old.iter().flatten())
            .any(|(a, b)| (a - b).abs() > 1e-7);
        let still = !moved && (k > 60 || (history[k] - before).abs() <= 1e-7);
        if still || k == rules.max_iter {
            let status = match (still, k > 60) {
                (false, _) => Status::Failed,
                (true, true) => Status::EpsilonEquilibrium,
                (true, false) => Status::Equilibrium,
            };
            let cap_price = if k > 60 { rescue } else { history[k] };
            return Outcome {
                status,
                history,
                cap_price,
                clearing_price,
                eps_final: eps,
                shares: x,
                accepted,
            };
        }
    }
}

/// New bid of microgrid i at bids `seen`; (price cap, gain asked for by a rescue).
fn respond(
    game: &Game,
    b: &[Vec<f64>],
    seen: &[Vec<f64>],
    i: usize,
    (cap, eps): (f64, Option<f64>),
) -> Vec<f64> {
    let (rules, player) = (game.rules(), &game.players()[i]);
    let (low, high) = band(player, rules, &b[i], cap);
    let fit = rules.response == Response::Fit;
    if fit && eps.is_none() {
        return mix(&b[i], high);
    }
    let g = residual(game, b, seen, i);
    let view = View {
        b: b[i].clone(),
        g,
        q: player.capacity_kw,
        grid_buy: rules.grid_buy,
        low,
        high,
    };
    let current = view.income(&seen[i]);
    let mean = dot(&b[i], &seen[i]);
    let (best, income) = view.best();
    let inside = mean >= low - 1e-9 && mean <= high + 1e-9;
    if inside && income <= current + eps.unwrap_or(1e-9) * current.abs().max(1.0) {
        return seen[i].clone();
    }
    if fit { mix(&b[i], high) } else { best }
}

fn levels(p: &Player, rules: &Rules) -> Vec<f64> {
    if let Some(own) = &p.levels {
        return own.clone();
    }
    let q = p.capacity_kw;
    let mc = 2.0 * p.cost.a * q + p.cost.b;
    let ac = (p.cost.a * q * q + p.cost.b * q + p.cost.c) / q;
    let du = if rules.strategy == Strategy::Improved {
        (mc - ac).abs()
    } else {
        0.2 * mc
    };
    let n = rules.n_levels as f64;
    let level = |s: usize| {
        let b = rules.grid_buy.max(mc + (s as f64 - (n + 1.0) / 2.0) * du);
        if rules.safe_levels {
            b.max(rules.margin * ac)
        } else {
            b
        }
    };
    (1..=rules.n_levels).map(level).collect()
}

fn band(p: &Player, rules: &Rules, b: &[f64], cap: f64) -> (f64, f64) {
    let q = p.capacity_kw;
    let ac = (p.cost.a * q * q + p.cost.b * q + p.cost.c) / q;
    let top = b[b.len() - 1];
    let low = (rules.margin * ac).clamp(b[0], top);
    (low, cap.clamp(low, top))
}

fn mix(b: &[f64], mean: f64) -> Vec<f64> {
    let mut x = vec![0.0; b.len()];
    if let Some(s) = b.iter().position(|&price| price == mean) {
        x[s] = 1.0;
        return x;
    }
    for s in 1..b.len() {
        if b[s - 1] < mean && mean < b[s] {
            x[s] = (mean - b[s - 1]) / (b[s] - b[s - 1]);
            x[s - 1] = 1.0 - x[s];
        }
    }
    x
}

fn residual(game: &Game, b: &[Vec<f64>], x: &[Vec<f64>], i: usize) -> Vec<f64> {
    let level = |s: usize| {
        if b[i][s] > game.rules().grid_sell {
            return 0.0;
        }
        let mut left = game.demand_kw();
        for (j, player) in game.players().iter().enumerate().filter(|&(j, _)| j != i) {
            for r in 0..b[j].len() {
                if b[j][r] < b[i][s] || (b[j][r] == b[i][s] && (j, r) < (i, s)) {
                    left -= player.capacity_kw * x[j][r];
                }
            }
        }
        left.max(0.0)
    };
    (0..b[i].len()).map(level).collect()
}

pub(crate) fn clear(game: &Game, b: &[Vec<f64>], x: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
    let rules = game.rules();
    let mut blocks: Vec<(f64, usize, usize)> = Vec::new();
    for (i, row) in b.iter().enumerate() {
        blocks.extend(row.iter().enumerate().map(|(s, &price)| (price, i, s)));
    }
    blocks.sort_by(|one, two| one.partial_cmp(two).expect("numbers"));
    let mut accepted: Vec<Vec<f64>> = b.iter().map(|row| vec![0.0; row.len()]).collect();
    let (mut remaining, mut last) = (game.demand_kw(), rules.grid_buy);
    for (price, i, s) in blocks {
        if remaining <= 1e-9 || price > rules.grid_sell {
            break;
        }
        let offer = game.players()[i].capacity_kw * x[i][s];
        if offer > 1e-9 {
            accepted[i][s] = offer.min(remaining);
            remaining -= accepted[i][s];
            last = price;
        }
    }
    let raw = if remaining > 1e-9 {
        rules.grid_sell
    } else {
        last
    };
    (raw.clamp(rules.grid_buy, rules.grid_sell), accepted)
}

impl View {
    pub(crate) fn income(&self, x: &[f64]) -> f64 {
        let (mut income, mut offered) = (self.grid_buy * self.q, 0.0);
        for (s, share) in x.iter().enumerate() {
            income +=
                (self.b[s] - self.grid_buy) * (self.q * share).min((self.g[s] - offered).max(0.0));
            offered += self.q * share;
        }
        income
    }

    /// Best feasible meeting of planes and its income, ties as the text says.
    pub(crate) fn best(&self) -> (Vec<f64>, f64) {
        let mut found: Vec<(f64, f64, Vec<f64>)> = Vec::new();
        let planes = self.planes();
        let mut chosen = Vec::new();
        choose(planes.len(), self.b.len() - 1, &mut chosen, &mut |subset| {
            let mut system: Vec<Vec<f64>> = subset.iter().map(|&p| planes[p].clone()).collect();
            let mut simplex = vec![1.0; self.b.len() + 1];
            simplex[self.b.len()] = 1.0;
            system.push(simplex);
            let Some(x) = eliminate(system) else { return };
            let mean = dot(&self.b, &x);
            let inside = x.iter().all(|&share| share >= -1e-9);
            if inside && mean >= self.low - 1e-9 && mean <= self.high + 1e-9 {
                let x: Vec<f64> = x.iter().map(|share| share.max(0.0)).collect();
                found.push((self.income(&x), mean, x));
            }
        });
        let best = found.iter().map(|f| f.0).fold(f64::NEG_INFINITY, f64::max);
        found.retain(|f| f.0 >= best - 1e-9 * best.max(1.0));
        let mean = found.iter().map(|f| f.1).fold(f64::INFINITY, f64::min);
        found.retain(|f| f.1 <= mean + 1e-9);
        for s in 0..self.b.len() {
            let share = found.iter().map(|f| f.2[s]).fold(0.0, f64::max);
            found.retain(|f| f.2[s] >= share - 1e-9);
        }
        (found.swap_remove(0).2, best)
    }

    /// The 3n planes, each as n coefficients and the right side.
    fn planes(&self) -> Vec<Vec<f64>> {
        let n = self.b.len();
        let mut out = Vec::new();
        for s in 0..n {
            let mut row = vec![0.0; n + 1];
            row[s] = 1.0;
            out.push(row);
        }
        for mean in [self.low, self.high] {
            out.push(self.b.iter().copied().chain([mean]).collect());
        }
        for s in 1..n {
            for g in [self.g[s - 1], self.g[s]] {
                let mut row = vec![0.0; n + 1];
                row[..s].fill(1.0);
                row[n] = g / self.q;
                out.push(row);
            }
        }
        out
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn choose(of: usize, count: usize, chosen: &mut Vec<usize>, visit: &mut impl FnMut(&[usize])) {
    if chosen.len() == count {
        return visit(chosen);
    }
    for next in chosen.last().map_or(0, |&last| last + 1)..of {
        chosen.push(next);
        choose(of, count, chosen, visit);
        chosen.pop();
    }
}

/// Solves n equations in n unknowns with pivoting; none if they are dependent.
fn eliminate(mut rows: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let n = rows.len();
    for column in 0..n {
        let size = |r: &usize| rows[*r][column].abs();
        let pivot = (column..n).max_by(|one, two| size(one).total_cmp(&size(two)))?;
        if size(&pivot) < 1e-11 {
            return None;
        }
        rows.swap(column, pivot);
        let top = rows[column].clone();
        for row in rows
            .iter_mut()
            .enumerate()
            .filter(|(r, _)| *r != column)
            .map(|(_, row)| row)
        {
            let factor = row[column] / top[column];
            row.iter_mut()
                .zip(&top)
                .for_each(|(value, above)| *value -= factor * above);
        }
    }
    Some((0..n).map(|r| rows[r][n] / rows[r][r]).collect())
}
