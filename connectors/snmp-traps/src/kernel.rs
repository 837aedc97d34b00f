//! What the kernel dropped for want of receive buffer: said with a datagram that got through (`SO_RXQ_OVFL`), and by its own
//! table of UDP sockets (`/proc/net/udp`, `udp6`), which can be asked at any time. Both are the socket's one counter.

use std::fs;

const TABLES: [&str; 2] = ["/proc/net/udp", "/proc/net/udp6"];

/// The drops of one socket, added up: the kernel's own number has 32 bits and wraps.
#[derive(Debug)]
pub(crate) struct KernelDrops {
    inode: u64,
    last: u32,
    total: u64,
}

impl KernelDrops {
    pub fn new(inode: u64) -> Self {
        Self {
            inode,
            last: 0,
            total: 0,
        }
    }

    /// Reads the table; answers how many were dropped since the last time. Where there is no table (not Linux), none.
    pub fn read(&mut self) -> u64 {
        let found = TABLES
            .iter()
            .find_map(|path| drops_in(&fs::read_to_string(path).ok()?, self.inode));
        found.map_or(0, |now| self.note(now))
    }

    /// Takes the counter as a datagram or the table had it; answers how many were dropped since. An older count, of a datagram
    /// that waited in the buffer, says nothing new.
    pub fn note(&mut self, now: u32) -> u64 {
        let more = now.wrapping_sub(self.last);
        if more > u32::MAX / 2 {
            return 0;
        }
        self.last = now;
        self.total += u64::from(more);
        u64::from(more)
    }

    pub fn total(&self) -> u64 {
        self.total
    }
}

/// Column `drops` of the row with this inode.
fn drops_in(table: &str, inode: u64) -> Option<u32> {
    let inode = inode.to_string();
    table.lines().skip(1).find_map(|line| {
        // sl local rem st queues timer retrnsmt uid timeout inode ref pointer drops
        let mut columns = line.split_ascii_whitespace();
        if columns.nth(9)? != inode {
            return None;
        }
        columns.nth(2)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_is_found_by_inode() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
             330: 00000000:00A2 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 26087 2 0000000000000000 4843\n\
             406: 0100007F:2710 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 31 2 0000000000000000 0\n";
        assert_eq!(drops_in(table, 26_087), Some(4_843));
        assert_eq!(drops_in(table, 31), Some(0));
        assert_eq!(drops_in(table, 32), None);
        assert_eq!(drops_in("", 32), None);
    }

    #[test]
    fn a_number_that_wraps_goes_on_and_an_older_one_says_nothing() {
        let mut drops = KernelDrops {
            inode: 0,
            last: u32::MAX - 1,
            total: 5,
        };
        assert_eq!((drops.note(3), drops.total()), (5, 10));
        assert_eq!((drops.note(u32::MAX), drops.total()), (0, 10));
        assert_eq!((drops.note(3), drops.total()), (0, 10));
        assert_eq!((drops.note(4), drops.total()), (1, 11));
    }
}
