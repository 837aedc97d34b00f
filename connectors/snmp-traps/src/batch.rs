//! Datagrams, many at a system call (`recvmmsg`), with what the kernel says of those it dropped (`SO_RXQ_OVFL`).

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, setsockopt, sockopt};

/// Datagrams a call may bring.
pub(crate) const BATCH: usize = 64;
/// Longest UDP payload, and a byte more to be sure.
const DATAGRAM_BYTES_MAX: usize = 65_536;
/// Distance of two buffers: not a power of two, so that their first lines do not share one cache set.
const STRIDE: usize = DATAGRAM_BYTES_MAX + 256;

/// Asks the kernel to say with each datagram how many it dropped before.
pub(crate) fn ask_for_drops(socket: &UdpSocket) -> io::Result<()> {
    Ok(setsockopt(socket, sockopt::RxqOvfl, &1)?)
}

/// What one call brought. Its memory is touched only as far as datagrams fill it.
#[derive(Default)]
pub(crate) struct Batch {
    buffers: Vec<u8>,
    received: Vec<(usize, SocketAddr)>,
    /// The kernel's count of drops when the last of them was queued; `None`: it dropped none, or did not say.
    pub kernel_drops: Option<u32>,
}

impl Batch {
    pub fn new() -> Self {
        Self {
            buffers: vec![0; BATCH * STRIDE],
            received: Vec::with_capacity(BATCH),
            kernel_drops: None,
        }
    }

    /// Waits for a datagram as long as the socket does, and takes with it all that are there.
    pub fn receive(&mut self, socket: &UdpSocket) -> io::Result<()> {
        self.received.clear();
        let mut buffers = self.buffers.chunks_exact_mut(STRIDE);
        let mut slices: [[IoSliceMut<'_>; 1]; BATCH] = std::array::from_fn(|_| {
            let buffer = buffers.next().map_or(&mut [][..], |b| &mut b[..DATAGRAM_BYTES_MAX]);
            [IoSliceMut::new(buffer)]
        });
        // Anew for every call: the kernel writes into the headers how much it used, and nix does not set that back.
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, Some(nix::cmsg_space!(u32)));
        let results = recvmmsg(
            socket.as_raw_fd(),
            &mut headers,
            slices.iter_mut(),
            MsgFlags::MSG_WAITFORONE,
            None,
        )?;
        for message in results {
            let peer = message.address.as_ref().and_then(socket_address);
            // A socket that is not connected gives every datagram its source.
            let peer = peer.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
            self.received.push((message.bytes, peer));
            for control in message.cmsgs().into_iter().flatten() {
                if let ControlMessageOwned::RxqOvfl(drops) = control {
                    self.kernel_drops = Some(drops);
                }
            }
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.received.len()
    }

    /// One datagram and whom it is from.
    pub fn get(&self, index: usize) -> Option<(&[u8], SocketAddr)> {
        let (length, peer) = *self.received.get(index)?;
        let start = index * STRIDE;
        Some((self.buffers.get(start..start + length)?, peer))
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::V4((*v4).into()));
    }
    address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pair(bind: &str) -> (UdpSocket, UdpSocket) {
        let socket = UdpSocket::bind(bind).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        ask_for_drops(&socket).unwrap();
        let sender = UdpSocket::bind(bind).unwrap();
        sender.connect(socket.local_addr().unwrap()).unwrap();
        (socket, sender)
    }

    fn check(bind: &str) {
        let (socket, sender) = pair(bind);
        let lengths = [0, 1, 200, 1_500, 40_000];
        for (n, length) in (0_u8..).zip(lengths) {
            sender.send(&vec![n; length]).unwrap();
        }
        let mut batch = Batch::new();
        let mut seen = Vec::new();
        while seen.len() < lengths.len() {
            batch.receive(&socket).unwrap();
            for index in 0..batch.len() {
                let (datagram, peer) = batch.get(index).unwrap();
                assert_eq!(peer, sender.local_addr().unwrap());
                seen.push(datagram.to_vec());
            }
        }
        let expected: Vec<_> = (0_u8..).zip(lengths).map(|(n, length)| vec![n; length]).collect();
        assert_eq!(seen, expected, "{bind}");
        assert_eq!(batch.kernel_drops, None);
    }

    #[test]
    fn datagrams_come_whole_in_order_and_with_their_sender() {
        check("127.0.0.1:0");
        check("[::1]:0");
    }

    #[test]
    fn the_kernel_says_how_many_it_dropped_though_it_had_nothing_to_say_before() {
        let (socket, sender) = pair("127.0.0.1:0");
        let mut batch = Batch::new();
        sender.send(b"before").unwrap();
        batch.receive(&socket).unwrap();
        assert_eq!(batch.kernel_drops, None);
        let sent = 10_000_u32;
        for _ in 0..sent {
            sender.send(&[0; 500]).unwrap();
        }
        socket.set_nonblocking(true).unwrap();
        let mut received = 0;
        while batch.receive(&socket).is_ok() {
            received += u32::try_from(batch.len()).unwrap();
        }
        // The next one that gets through carries the count.
        sender.send(b"after").unwrap();
        batch.receive(&socket).unwrap();
        assert!(received < sent, "nothing was dropped");
        assert_eq!(batch.kernel_drops, Some(sent - received));
    }

    #[test]
    fn no_datagram_in_time_is_an_error_of_that_kind() {
        let (socket, _sender) = pair("127.0.0.1:0");
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let error = Batch::new().receive(&socket).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
