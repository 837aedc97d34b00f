//! A gate in front of a server on this machine: closed, it drops the connections that stand and takes no new ones.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: String,
    is_open: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Gate {
    /// An open one in front of `target` (`host:port`).
    pub fn new(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            is_open: AtomicBool::new(true),
            connections: Mutex::default(),
        });
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.forward(&client);
            }
        });
        Self { address, shared }
    }

    /// Where clients are to go, `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    pub fn open(&self) {
        self.shared.is_open.store(true, Ordering::SeqCst);
    }

    pub fn close(&self) {
        self.shared.is_open.store(false, Ordering::SeqCst);
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn forward(&self, client: &TcpStream) {
        let mut connections = self.connections.lock().unwrap();
        if !self.is_open.load(Ordering::SeqCst) {
            return;
        }
        let Ok(server) = TcpStream::connect(&self.target) else {
            return;
        };
        for (from, to) in [(client, &server), (&server, client)] {
            let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            std::thread::spawn(move || {
                // Either end may go at any time: that is what the gate is for.
                drop(std::io::copy(&mut from, &mut to));
                drop(to.shutdown(Shutdown::Both));
            });
        }
        connections.extend([client.try_clone().unwrap(), server]);
    }
}
