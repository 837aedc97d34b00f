//! Host keys: from the seed, so that a box that starts again is the same box.

use rand::SeedableRng;
use rand::rngs::StdRng;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData, RsaKeypair};
use tokio::sync::OnceCell;

use crate::dice::Dice;

/// Length of an RSA key, in bits. Boxes have these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RsaBits {
    Short = 1_024,
    Long = 2_048,
}

/// The keys of all boxes. One RSA key of each length is shared by all: to make a thousand takes minutes.
#[derive(Debug)]
pub(crate) struct HostKeys {
    seed: u64,
    rsa: [OnceCell<PrivateKey>; 4],
}

impl HostKeys {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            rsa: Default::default(),
        }
    }

    /// The Ed25519 key of one box; `changed` is another.
    pub(crate) fn ed25519(&self, olt: usize, changed: bool) -> PrivateKey {
        let mut dice = Dice::fork(self.seed ^ (olt as u64) << 20, if changed { 7 } else { 6 });
        let mut seed = [0; 32];
        for part in seed.chunks_exact_mut(8) {
            part.copy_from_slice(&dice.next().to_be_bytes());
        }
        PrivateKey::from(Ed25519Keypair::from_seed(&seed))
    }

    /// The RSA key of a length, made when first asked for.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) async fn rsa(&self, bits: RsaBits, changed: bool) -> Result<PrivateKey, russh::Error> {
        let seed = self.seed ^ if changed { 0x5A5A } else { 0 };
        let make = async || {
            let made = tokio::task::spawn_blocking(move || {
                let mut chance = StdRng::seed_from_u64(seed);
                RsaKeypair::random(&mut chance, bits as usize)
            });
            let pair = made.await.map_err(|_| russh::Error::Inconsistent)?;
            let pair = pair.map_err(|_| russh::Error::Inconsistent)?;
            PrivateKey::new(KeypairData::Rsa(pair), "").map_err(|_| russh::Error::Inconsistent)
        };
        self.rsa[2 * usize::from(bits == RsaBits::Long) + usize::from(changed)]
            .get_or_try_init(make)
            .await
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::HashAlg;

    #[tokio::test]
    async fn a_box_keeps_its_keys_and_can_change_them() {
        let print = |key: &PrivateKey| key.fingerprint(HashAlg::Sha256).to_string();
        let (first, again) = (HostKeys::new(1), HostKeys::new(1));
        assert_eq!(print(&first.ed25519(3, false)), print(&again.ed25519(3, false)));
        assert_ne!(print(&first.ed25519(3, false)), print(&first.ed25519(4, false)));
        assert_ne!(print(&first.ed25519(3, false)), print(&first.ed25519(3, true)));
        for bits in [RsaBits::Short, RsaBits::Long] {
            let rsa = print(&first.rsa(bits, false).await.unwrap());
            assert_eq!(rsa, print(&again.rsa(bits, false).await.unwrap()));
            assert_ne!(rsa, print(&first.rsa(bits, true).await.unwrap()));
        }
    }
}
