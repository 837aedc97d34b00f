//! Token buckets by key: so many at once, so many a minute.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use hashbrown::HashMap;

/// How much one key may do.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// At once.
    pub burst: f64,
    /// Again, a minute.
    pub per_minute: f64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// Buckets of many keys. Bounded: full buckets are forgotten first, then all but the emptiest.
#[derive(Debug)]
pub struct Limiter<K> {
    rate: Rate,
    keys_max: usize,
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// An empty one.
    pub fn new(rate: Rate, keys_max: usize) -> Self {
        Self {
            rate,
            keys_max,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Takes one from a key's bucket.
    ///
    /// # Errors
    /// Seconds until there is one again.
    pub fn take(&self, key: &K, now: Instant) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(key) && buckets.len() >= self.keys_max {
            self.make_room(&mut buckets, now);
        }
        let full = Bucket {
            left: self.rate.burst,
            at: now,
        };
        let bucket = buckets.entry(key.clone()).or_insert(full);
        bucket.left = self.level(bucket, now);
        bucket.at = now;
        if bucket.left < 1.0 {
            let seconds = (1.0 - bucket.left) * 60.0 / self.rate.per_minute;
            return Err(seconds.ceil().max(1.0) as u64);
        }
        bucket.left -= 1.0;
        Ok(())
    }

    /// Gives one back: what it was taken for was in order.
    pub fn give_back(&self, key: &K) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(key) {
            bucket.left = (bucket.left + 1.0).min(self.rate.burst);
        }
    }

    fn level(&self, bucket: &Bucket, now: Instant) -> f64 {
        let minutes = now.saturating_duration_since(bucket.at).as_secs_f64() / 60.0;
        (bucket.left + minutes * self.rate.per_minute).min(self.rate.burst)
    }

    fn make_room(&self, buckets: &mut HashMap<K, Bucket>, now: Instant) {
        let burst = self.rate.burst;
        buckets.retain(|_, b| self.level(b, now) < burst);
        if buckets.len() >= self.keys_max {
            // A flood of keys: keep those that are being held back.
            buckets.retain(|_, b| self.level(b, now) < 1.0);
        }
        if buckets.len() >= self.keys_max {
            buckets.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_key_that_has_used_its_share_waits_and_others_do_not() {
        let limiter = Limiter::new(
            Rate {
                burst: 3.0,
                per_minute: 6.0,
            },
            10,
        );
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limiter.take(&"a", start), Ok(()));
        }
        assert_eq!(limiter.take(&"a", start), Err(10));
        assert_eq!(limiter.take(&"b", start), Ok(()));
        assert_eq!(limiter.take(&"a", start + Duration::from_secs(10)), Ok(()));
        limiter.give_back(&"a");
        assert_eq!(limiter.take(&"a", start + Duration::from_secs(10)), Ok(()));
        assert!(limiter.take(&"a", start + Duration::from_secs(10)).is_err());
    }

    #[test]
    fn a_flood_of_keys_is_bounded() {
        let limiter = Limiter::new(
            Rate {
                burst: 2.0,
                per_minute: 1.0,
            },
            10,
        );
        let now = Instant::now();
        for key in 0..1_000 {
            assert_eq!(limiter.take(&key, now), Ok(()));
        }
        assert!(limiter.buckets.lock().unwrap().len() <= 10);
    }
}
