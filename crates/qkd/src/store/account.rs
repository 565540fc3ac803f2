//! What is there, what goes, how long it lasts.

use std::collections::VecDeque;
use std::fmt;

use tieline_units::Time;

use super::engine::Store;
use super::error::StoreError;
use super::name::Lane;

/// The books of one lane at one end, bits since the store was made.
///
/// `admitted = waiting + stock + reserved + spent + lost`, at all times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Bits that arrived and passed the tests.
    pub admitted: u64,
    /// Bits without a place: not yet confirmed by the other end.
    pub waiting: u64,
    /// Bits that can be drawn.
    pub stock: u64,
    /// Of them, bits that can be drawn without asking the other end.
    pub granted: u64,
    /// Bits that reservations hold.
    pub reserved: u64,
    /// Bits handed out.
    pub spent: u64,
    /// Bits given up: in doubt after a crash, discarded in a handshake, timed out, skipped.
    pub lost: u64,
    /// Arrival, bits per hour, over the last hour at most.
    pub arrival_per_hour: u64,
    /// Use, bits per hour, over the last hour at most.
    pub use_per_hour: u64,
}

/// How long the stock of a lane lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Uses of the size asked about that the stock covers.
    pub uses: u64,
    /// When it runs dry if arrival and use go on as in the last hour; `None` when it does not.
    pub dry_at: Option<Time>,
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enough for {} signatures", self.uses)?;
        match self.dry_at {
            Some(time) => write!(f, ", until {time}"),
            None => f.write_str(", and no end in sight"),
        }
    }
}

/// What was there at some times of the last hour.
#[derive(Default)]
pub(super) struct Samples {
    points: VecDeque<(Time, u64, u64)>,
}

const HOUR_MS: u64 = 3_600_000;
const SAMPLE_MS: u64 = 30_000;

impl Samples {
    pub(super) fn add(&mut self, now: Time, admitted: u64, spent: u64) {
        let age = |time: Time| now.as_millis().saturating_sub(time.as_millis());
        if self
            .points
            .back()
            .is_some_and(|last| age(last.0) < SAMPLE_MS)
        {
            return;
        }
        while self
            .points
            .front()
            .is_some_and(|first| age(first.0) > HOUR_MS)
        {
            self.points.pop_front();
        }
        self.points.push_back((now, admitted, spent));
    }

    /// Bytes per hour that arrived and went.
    fn per_hour(&self) -> (u64, u64) {
        let (Some(first), Some(last)) = (self.points.front(), self.points.back()) else {
            return (0, 0);
        };
        let passed = last.0.as_millis().saturating_sub(first.0.as_millis());
        let rate = |bytes: u64| match passed {
            0 => 0,
            passed => (u128::from(bytes) * u128::from(HOUR_MS) / u128::from(passed)) as u64,
        };
        (
            rate(last.1.saturating_sub(first.1)),
            rate(last.2.saturating_sub(first.2)),
        )
    }
}

impl Store {
    /// The books of a lane.
    ///
    /// # Errors
    /// [`StoreError::NoPeer`].
    pub fn account(&self, lane: &Lane) -> Result<Account, StoreError> {
        let pool = self.pool(lane)?;
        let held = self.held_bytes().get(lane).copied().unwrap_or(0);
        let waiting: usize = pool.inbox.iter().map(|key| key.material.len()).sum();
        let (arrival, used) = match self.samples.get(lane) {
            Some(samples) => samples.per_hour(),
            None => (0, 0),
        };
        let ground = &pool.ground;
        Ok(Account {
            admitted: ground.admitted * 8,
            waiting: waiting as u64 * 8,
            stock: pool.stock() * 8,
            granted: ground.horizon.min(pool.end()).saturating_sub(ground.next) * 8,
            reserved: held * 8,
            spent: ground.spent * 8,
            lost: ground.lost * 8,
            arrival_per_hour: arrival * 8,
            use_per_hour: used * 8,
        })
    }

    /// How many uses of `bits` the stock of a lane covers, and until when at the rates of the last hour.
    ///
    /// # Errors
    /// [`StoreError::NoPeer`].
    pub fn forecast(&self, now: Time, lane: &Lane, bits: u64) -> Result<Forecast, StoreError> {
        let account = self.account(lane)?;
        let net = account
            .use_per_hour
            .saturating_sub(account.arrival_per_hour);
        let dry_in = |net| u128::from(account.stock) * u128::from(HOUR_MS) / u128::from(net);
        let dry_at = match net {
            0 => None,
            net => u64::try_from(dry_in(net))
                .ok()
                .and_then(|wait| now.as_millis().checked_add(wait))
                .map(Time::from_millis),
        };
        Ok(Forecast {
            uses: account.stock / bits.max(1).div_ceil(8).saturating_mul(8),
            dry_at,
        })
    }
}
