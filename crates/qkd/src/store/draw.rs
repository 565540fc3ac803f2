//! Key leaves the store: at once, or reserved first and redeemed in time.

use std::fmt;

use tieline_units::Time;
use tieline_uss::key::{ItsKey, KeyError};
use zeroize::Zeroizing;

use super::alarm::Alarm;
use super::engine::Store;
use super::error::StoreError;
use super::name::Lane;

/// Raw bits of a QKD link that have left the store, and their place. Used once, by value; wiped when dropped.
///
/// ```
/// fn once(pad: tieline_qkd::store::Pad) {
///     let first = pad.into_key();
/// }
/// ```
///
/// ```compile_fail
/// fn twice(pad: tieline_qkd::store::Pad) {
///     let first = pad.into_key();
///     let second = pad.into_key();
/// }
/// ```
pub struct Pad {
    position: u64,
    bits: usize,
    material: Zeroizing<Vec<u8>>,
}

impl Pad {
    /// Position of its first byte in the lane. The sender puts it beside what it sealed; the reader draws there
    /// ([`Store::draw_at`]).
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bits asked for.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The bits as a key for unconditional uses.
    ///
    /// # Errors
    /// [`KeyError::AllZero`], which 128 bits and more are by chance below 2^-128.
    pub fn into_key(self) -> Result<ItsKey, KeyError> {
        ItsKey::from_qkd_bits(self.material.to_vec())?.take(self.bits)
    }

    /// The bytes, the last one whole, for a key derivation.
    pub fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.material
    }
}

impl fmt::Debug for Pad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Pad(<redacted>, {} bits at byte {})",
            self.bits, self.position
        )
    }
}

/// Key that was set aside: nobody else gets it, and it is gone when its time has passed.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "what is reserved and not redeemed is lost when its time has passed"]
pub struct Reservation {
    number: u64,
    position: u64,
    until: Time,
}

impl Reservation {
    /// Position of its first byte in the lane.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// When it is given up.
    pub fn until(&self) -> Time {
        self.until
    }
}

pub(super) struct Held {
    pub(super) lane: Lane,
    pub(super) material: Zeroizing<Vec<u8>>,
    position: u64,
    bits: usize,
    until: Time,
}

impl Store {
    /// Draws the next bits of a lane. Whole bytes are used: of 12 bits, 4 more are spent.
    ///
    /// They are spent durably: both ends have on their disks that everything up to the horizon, beyond these bits, may be
    /// in use.
    ///
    /// # Errors
    /// [`StoreError::Pool`] with [`KeyError::Short`] (and an alarm) when the stock is too small,
    /// [`StoreError::Horizon`] when the other end has not confirmed so much yet, [`StoreError::NoHandshake`],
    /// [`StoreError::Poisoned`]. Nothing is used then.
    pub fn draw(&mut self, lane: &Lane, bits: usize) -> Result<Pad, StoreError> {
        let (position, material) = self.take(lane, bits)?;
        self.pool_mut(lane)?.ground.spent += material.len() as u64;
        Ok(Pad {
            position,
            bits,
            material,
        })
    }

    /// Draws where a message says it was sealed: on the lane's reading end, never backwards. Bytes between the last draw
    /// and `position` belonged to messages that did not arrive in order; they are lost.
    ///
    /// # Errors
    /// [`StoreError::Behind`] for a position that was passed, [`StoreError::WrongWay`] on the sending end, and as
    /// [`draw`](Store::draw). Nothing is used or lost then.
    pub fn draw_at(&mut self, lane: &Lane, position: u64, bits: usize) -> Result<Pad, StoreError> {
        if lane.to != self.owner {
            return Err(StoreError::WrongWay {
                lane: lane.clone(),
                way: "lead to",
                owner: self.owner.clone(),
            });
        }
        let next = self.pool(lane)?.ground.next;
        let Some(skipped) = position.checked_sub(next) else {
            return Err(StoreError::Behind {
                lane: lane.clone(),
                position,
                next,
            });
        };
        self.check_draw(lane, bits, skipped)?;
        let pool = self.pool_mut(lane)?;
        pool.ground.lost += pool.skip_to(position);
        self.draw(lane, bits)
    }

    /// Sets bits aside until `until`; [`redeem`](Store::redeem) hands them out.
    ///
    /// # Errors
    /// As [`draw`](Store::draw).
    pub fn reserve(
        &mut self,
        lane: &Lane,
        bits: usize,
        until: Time,
    ) -> Result<Reservation, StoreError> {
        let (position, material) = self.take(lane, bits)?;
        let number = self.reservation_number();
        let held = Held {
            lane: lane.clone(),
            material,
            position,
            bits,
            until,
        };
        self.held.insert(number, held);
        Ok(Reservation {
            number,
            position,
            until,
        })
    }

    /// Hands out what was reserved.
    ///
    /// # Errors
    /// [`StoreError::NoReservation`] when its time has passed; the bits are wiped and lost.
    pub fn redeem(&mut self, now: Time, reservation: Reservation) -> Result<Pad, StoreError> {
        self.working()?;
        self.expire_reservations(now);
        let gone = StoreError::NoReservation {
            id: reservation.number,
        };
        let held = self.held.remove(&reservation.number).ok_or(gone)?;
        self.pool_mut(&held.lane)?.ground.spent += held.material.len() as u64;
        Ok(Pad {
            position: held.position,
            bits: held.bits,
            material: held.material,
        })
    }

    /// Gives a reservation up. Its bits are wiped and lost: they do not go back.
    pub fn cancel(&mut self, reservation: Reservation) {
        self.give_up(reservation.number);
    }

    /// Gives up the reservations whose time has passed; returns how many.
    pub(super) fn expire_reservations(&mut self, now: Time) -> usize {
        let late: Vec<u64> = self
            .held
            .iter()
            .filter(|(_, held)| held.until < now)
            .map(|(number, _)| *number)
            .collect();
        late.iter().for_each(|number| self.give_up(*number));
        late.len()
    }

    fn give_up(&mut self, number: u64) {
        if let Some(held) = self.held.remove(&number)
            && let Ok(pool) = self.pool_mut(&held.lane)
        {
            pool.ground.lost += held.material.len() as u64;
        }
    }

    fn take(&mut self, lane: &Lane, bits: usize) -> Result<(u64, Zeroizing<Vec<u8>>), StoreError> {
        self.check_draw(lane, bits, 0)?;
        let low = self.settings.low_bytes;
        let pool = self.pool_mut(lane)?;
        let (position, before) = (pool.ground.next, pool.stock());
        let material = pool.take(bits.div_ceil(8));
        let after = pool.stock();
        if before >= low && after < low {
            self.raise(Alarm::Low {
                lane: lane.clone(),
                have_bits: after * 8,
            });
        }
        Ok((position, material))
    }

    /// Whether `bits` can be drawn `skipped` bytes further on.
    fn check_draw(&mut self, lane: &Lane, bits: usize, skipped: u64) -> Result<(), StoreError> {
        self.working()?;
        let pool = self.pool(lane)?;
        let need = bits.div_ceil(8) as u64;
        let stock = pool.stock().saturating_sub(skipped);
        let horizon = pool.ground.horizon.min(pool.end());
        let granted = horizon.saturating_sub(pool.ground.next.saturating_add(skipped));
        if bits == 0 {
            return Err(StoreError::Pool {
                lane: lane.clone(),
                cause: KeyError::Empty,
            });
        }
        let peer = self.peer_of(lane).clone();
        let sending = lane.from == self.owner;
        let contact = self.contact(&peer)?;
        if !contact.is_joined() {
            return Err(contact.not_joined(&peer));
        }
        if stock < need {
            return Err(self.short(lane, stock as usize * 8, bits));
        }
        if granted < need {
            if sending {
                contact.wanted = contact.wanted.max(need);
            }
            return Err(StoreError::Horizon {
                lane: lane.clone(),
                have: granted * 8,
                need: bits as u64,
            });
        }
        Ok(())
    }
}
