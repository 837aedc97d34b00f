//! What kind of box an OLT is: versions, algorithms, formats, and which commands its firmware knows.

use std::borrow::Cow;

use super::keys::RsaBits;
use crate::network::Olt;

/// A family of boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Personality {
    /// MA5800 with V100R018 or R022: modern algorithms, dates year first, every command.
    Ma5800,
    /// MA5680T with V800R015 or R018: legacy algorithms alone, dates day first, pages that cannot be made longer.
    /// R015 does not know the summary, and asks for the password by keyboard-interactive.
    Ma5680t,
}

impl Personality {
    /// The family of a model.
    pub fn of_model(model: &str) -> Self {
        if model.starts_with("MA5680T") {
            Self::Ma5680t
        } else {
            Self::Ma5800
        }
    }

    /// The word of `profile` in `[[olt]] ssh`.
    pub fn ssh_profile(self) -> &'static str {
        match self {
            Self::Ma5800 => "modern",
            Self::Ma5680t => "legacy",
        }
    }

    /// The name of a box's model: of an MA5800 what the network says, because its size is in it.
    pub(crate) fn model(self, of_network: &'static str) -> &'static str {
        match self {
            Self::Ma5800 => of_network,
            Self::Ma5680t => "MA5680T",
        }
    }
}

/// What one box runs. Follows from the OLT's model and its number in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Firmware {
    pub(crate) personality: Personality,
    pub(crate) version: &'static str,
    pub(crate) patch: &'static str,
    pub(crate) product: &'static str,
    /// Knows `display ont info summary`.
    pub(crate) summary: bool,
    /// Offers keyboard-interactive and no `password`.
    pub(crate) keyboard_interactive: bool,
    /// Length of its RSA host key.
    pub(crate) rsa_bits: RsaBits,
    /// Prompts that stand ready after login.
    pub(crate) prompts: usize,
}

impl Firmware {
    /// Two versions of each family take turns by the OLT's number.
    pub(crate) fn of(olt: &Olt, index: usize) -> Self {
        let personality = Personality::of_model(olt.model);
        let newer = (index / 2) % 2 == 1;
        let (version, patch) = match (personality, newer) {
            (Personality::Ma5800, false) => ("MA5800V100R018C00", "SPH505"),
            (Personality::Ma5800, true) => ("MA5800V100R022C00", "SPH202"),
            (Personality::Ma5680t, false) => ("MA5600V800R018C10", "SPH216"),
            (Personality::Ma5680t, true) => ("MA5600V800R015C00", "SPC106"),
        };
        let r015 = version == "MA5600V800R015C00";
        Self {
            personality,
            version,
            patch,
            product: olt.model,
            summary: !r015,
            keyboard_interactive: r015,
            rsa_bits: if r015 { RsaBits::Short } else { RsaBits::Long },
            prompts: if personality == Personality::Ma5680t { 2 } else { 1 },
        }
    }

    pub(crate) fn is_old(&self) -> bool {
        self.personality == Personality::Ma5680t
    }

    /// Whether `scroll` makes pages longer.
    pub(crate) fn scrolls(&self) -> bool {
        !self.is_old()
    }

    /// The family as the login banner writes it.
    pub(crate) fn family(&self) -> &'static str {
        if self.is_old() { "MA5680T" } else { "MA5800" }
    }

    /// A number with the unit this firmware prints.
    pub(crate) fn with_unit(&self, number: u32, unit: &str) -> Cow<'static, str> {
        if self.is_old() {
            Cow::Owned(format!("{number}{unit}"))
        } else {
            Cow::Owned(number.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;

    #[test]
    fn both_families_have_two_versions() {
        let mut network = Network::generate(1, 4, 10).unwrap();
        for (i, olt) in network.olts.iter_mut().enumerate() {
            olt.model = [Personality::Ma5800, Personality::Ma5680t][i % 2].model(olt.model);
        }
        let versions: Vec<_> = network
            .olts
            .iter()
            .enumerate()
            .map(|(i, olt)| Firmware::of(olt, i))
            .map(|f| (f.version, f.summary))
            .collect();
        let expected = [
            ("MA5800V100R018C00", true),
            ("MA5600V800R018C10", true),
            ("MA5800V100R022C00", true),
            ("MA5600V800R015C00", false),
        ];
        assert_eq!(versions, expected);
    }
}
