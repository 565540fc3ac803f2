//! Downhill search without derivatives: Nelder and Mead's moving simplex.

/// Most evaluations of one search.
const EVALUATIONS_MAX: usize = 1500;

/// Finds a point where `score` is large, starting from `start` with edges of length `edge`.
///
/// Returns the point and its score. Source: Nelder, Mead, Comput. J. 7, 308 (1965), with the usual factors 1, 2, ½, ½.
pub(crate) fn maximise<const N: usize>(
    score: &impl Fn(&[f64; N]) -> f64,
    start: [f64; N],
    edge: f64,
) -> ([f64; N], f64) {
    let mut corners: Vec<([f64; N], f64)> = vec![(start, score(&start))];
    for index in 0..N {
        let mut corner = start;
        corner[index] += edge;
        corners.push((corner, score(&corner)));
    }
    let mut evaluations = N + 1;
    while evaluations < EVALUATIONS_MAX {
        corners.sort_by(|a, b| b.1.total_cmp(&a.1));
        let (best, worst) = (corners[0], corners[N]);
        if (best.1 - worst.1).abs() <= 1e-10 * best.1.abs() {
            break;
        }
        let middle = centre(&corners[..N]);
        let mut take = |factor: f64| {
            let point = along(&middle, &worst.0, factor);
            evaluations += 1;
            (point, score(&point))
        };
        let mirrored = take(-1.0);
        let better = if mirrored.1 > best.1 {
            let further = take(-2.0);
            Some(if further.1 > mirrored.1 {
                further
            } else {
                mirrored
            })
        } else if mirrored.1 > corners[N - 1].1 {
            Some(mirrored)
        } else {
            let nearer = take(if mirrored.1 > worst.1 { -0.5 } else { 0.5 });
            (nearer.1 > worst.1.max(mirrored.1)).then_some(nearer)
        };
        match better {
            Some(corner) => corners[N] = corner,
            None => {
                for corner in &mut corners[1..] {
                    corner.0 = along(&best.0, &corner.0, 0.5);
                    corner.1 = score(&corner.0);
                }
                evaluations += N;
            }
        }
    }
    corners.sort_by(|a, b| b.1.total_cmp(&a.1));
    corners[0]
}

/// `from + factor·(to − from)`.
fn along<const N: usize>(from: &[f64; N], to: &[f64; N], factor: f64) -> [f64; N] {
    std::array::from_fn(|index| from[index] + factor * (to[index] - from[index]))
}

fn centre<const N: usize>(corners: &[([f64; N], f64)]) -> [f64; N] {
    std::array::from_fn(|index| {
        corners.iter().map(|corner| corner.0[index]).sum::<f64>() / corners.len() as f64
    })
}
