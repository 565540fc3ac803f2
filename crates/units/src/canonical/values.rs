//! The values that everything else is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{BYTES_MAX, Bounded, Canonical, DecodeError, Decoder};
use crate::bytes::{Digest, Encoder};
use crate::ids::ID_BYTES_MAX;
use crate::{
    ChainId, Currency, Energy, IntervalLength, MicrogridId, Money, Power, Price, SiteId, Time,
};

macro_rules! integer {
    ($($name:ident),*) => {$(
        impl Canonical for $name {
            fn encode(&self, to: &mut Encoder) {
                to.raw(&self.to_be_bytes());
            }

            fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                from.array().map(<$name>::from_be_bytes)
            }
        }
    )*};
}

integer!(u8, u16, u32, u64, i64);

macro_rules! quantity {
    ($($name:ident as $to:ident from $from:ident),* $(,)?) => {$(
        impl Canonical for $name {
            fn encode(&self, to: &mut Encoder) {
                self.$to().encode(to);
            }

            fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Canonical::read(from).map($name::$from)
            }
        }
    )*};
}

quantity!(
    Energy as as_millijoules from from_millijoules,
    Power as as_milliwatts from from_milliwatts,
    Price as as_millionths from from_millionths,
    Money as as_millionths from from_millionths,
    Time as as_millis from from_millis,
);

macro_rules! id {
    ($($name:ident),*) => {$(
        impl Canonical for $name {
            fn encode(&self, to: &mut Encoder) {
                to.text(self.as_str());
            }

            fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                let at = from.at();
                let text = String::read_bounded(from, ID_BYTES_MAX)?;
                $name::parse(&text).map_err(|error| Decoder::invalid(at, stringify!($name), error.text))
            }
        }
    )*};
}

id!(ChainId, MicrogridId, SiteId);

impl Canonical for bool {
    fn encode(&self, to: &mut Encoder) {
        to.u8(u8::from(*self));
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let at = from.at();
        match u8::read(from)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Decoder::invalid(at, "yes or no", other)),
        }
    }
}

impl Canonical for Digest {
    fn encode(&self, to: &mut Encoder) {
        to.raw(self.as_bytes());
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.array().map(Digest::from_bytes)
    }
}

impl<const N: usize> Canonical for [u8; N] {
    const LIST_MAX: usize = if N == 0 { 1 } else { 1024 };

    fn encode(&self, to: &mut Encoder) {
        to.raw(self);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.array()
    }
}

impl Canonical for Currency {
    fn encode(&self, to: &mut Encoder) {
        to.raw(self.as_bytes());
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let at = from.at();
        let bytes: [u8; 3] = from.array()?;
        let text = String::from_utf8_lossy(&bytes);
        // A code in lower case is a currency for people, not another encoding of it.
        let currency = Currency::parse(&text)
            .ok()
            .filter(|c| *c.as_bytes() == bytes);
        currency.ok_or_else(|| Decoder::invalid(at, "currency", text.escape_debug()))
    }
}

impl Canonical for IntervalLength {
    fn encode(&self, to: &mut Encoder) {
        to.u8(self.minutes() as u8);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let at = from.at();
        let minutes = u8::read(from)?;
        IntervalLength::from_millis(u64::from(minutes) * 60_000)
            .ok_or_else(|| Decoder::invalid(at, "length of a market interval, minutes", minutes))
    }
}

impl Canonical for String {
    fn encode(&self, to: &mut Encoder) {
        to.text(self);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Self::read_bounded(from, BYTES_MAX)
    }
}

impl Bounded for String {
    fn read_bounded(from: &mut Decoder<'_>, max: usize) -> Result<Self, DecodeError> {
        let at = from.at();
        let bytes = from.bytes(max)?;
        let text = std::str::from_utf8(bytes);
        text.map(String::from).map_err(|_| {
            Decoder::invalid(at, "text in UTF-8", format_args!("{} bytes", bytes.len()))
        })
    }
}

/// A byte string: lists of other things are [`Vec`]s.
impl Canonical for Arc<[u8]> {
    fn encode(&self, to: &mut Encoder) {
        to.bytes(self);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Self::read_bounded(from, BYTES_MAX)
    }
}

impl Bounded for Arc<[u8]> {
    fn read_bounded(from: &mut Decoder<'_>, max: usize) -> Result<Self, DecodeError> {
        from.bytes(max).map(Arc::from)
    }
}

impl<T: Canonical> Canonical for Arc<T> {
    const LIST_MAX: usize = T::LIST_MAX;
    const SIZE_MAX: usize = T::SIZE_MAX;

    fn encode(&self, to: &mut Encoder) {
        self.as_ref().encode(to);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::read(from).map(Arc::new)
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn encode(&self, to: &mut Encoder) {
        self.is_some().encode(to);
        if let Some(value) = self {
            value.encode(to);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        bool::read(from)?.then(|| T::read(from)).transpose()
    }
}

impl<A: Canonical, B: Canonical> Canonical for (A, B) {
    const LIST_MAX: usize = A::LIST_MAX;

    fn encode(&self, to: &mut Encoder) {
        self.0.encode(to);
        self.1.encode(to);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok((A::read(from)?, B::read(from)?))
    }
}

impl<A: Canonical, B: Canonical, C: Canonical> Canonical for (A, B, C) {
    const LIST_MAX: usize = A::LIST_MAX;

    fn encode(&self, to: &mut Encoder) {
        self.0.encode(to);
        self.1.encode(to);
        self.2.encode(to);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok((A::read(from)?, B::read(from)?, C::read(from)?))
    }
}

impl<T: Canonical> Canonical for Vec<T> {
    fn encode(&self, to: &mut Encoder) {
        to.length(self.len());
        self.iter().for_each(|item| item.encode(to));
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Self::read_bounded(from, T::LIST_MAX)
    }
}

impl<T: Canonical> Bounded for Vec<T> {
    fn read_bounded(from: &mut Decoder<'_>, max: usize) -> Result<Self, DecodeError> {
        let count = from.length(max)?;
        // Item by item: the count alone allocates nothing.
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(T::read(from)?);
        }
        Ok(items)
    }
}

impl<T: Canonical + Ord> Canonical for BTreeSet<T> {
    fn encode(&self, to: &mut Encoder) {
        to.length(self.len());
        self.iter().for_each(|item| item.encode(to));
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Self::read_bounded(from, T::LIST_MAX)
    }
}

impl<T: Canonical + Ord> Bounded for BTreeSet<T> {
    fn read_bounded(from: &mut Decoder<'_>, max: usize) -> Result<Self, DecodeError> {
        let count = from.length(max)?;
        let mut set = BTreeSet::new();
        for _ in 0..count {
            let at = from.at();
            let item = T::read(from)?;
            if set.last().is_some_and(|last| *last >= item) {
                return Err(DecodeError::Order { at });
            }
            set.insert(item);
        }
        Ok(set)
    }
}

impl<K: Canonical + Ord, V: Canonical> Canonical for BTreeMap<K, V> {
    fn encode(&self, to: &mut Encoder) {
        to.length(self.len());
        for (key, value) in self {
            key.encode(to);
            value.encode(to);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Self::read_bounded(from, K::LIST_MAX)
    }
}

impl<K: Canonical + Ord, V: Canonical> Bounded for BTreeMap<K, V> {
    fn read_bounded(from: &mut Decoder<'_>, max: usize) -> Result<Self, DecodeError> {
        let count = from.length(max)?;
        let mut map = BTreeMap::new();
        for _ in 0..count {
            let at = from.at();
            let key = K::read(from)?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(DecodeError::Order { at });
            }
            map.insert(key, V::read(from)?);
        }
        Ok(map)
    }
}

/// Nothing: the value of a set's member, the key of the only record of a table.
impl Canonical for () {
    /// A longer list of nothings would cost time and no bytes.
    const LIST_MAX: usize = 1;

    fn encode(&self, _to: &mut Encoder) {}

    fn read(_from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}
