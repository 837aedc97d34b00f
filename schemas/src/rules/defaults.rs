//! The rules that come with the product: m78 to m82 and m84 of what was asked for, and what the operator of a GPON network expects.
//!
//! They are data like any other rule: a person may change, disable or remove them, and the version that comes with the product, always 1,
//! never comes back over a higher one.
//!
//! What is not here: a rule that raises when an ONU is offline. A customer who switches off is no alarm, and one who lost the light is
//! told by the OLT itself (`los`, `dying_gasp`, `pon_los`, in traps and in its alarm table), with the cause, and folded into incidents.

use model::Micros;

use crate::{FlapPolicy, Rule, Scope};

/// Who wrote them.
const WRITER: &str = "atalaia";

/// An alarm that comes and goes five times within some minutes is spared until it has been quiet for about half an hour.
const FLAP: FlapPolicy = FlapPolicy {
    penalty: 1_000.0,
    half_life_s: 600,
    suppress: 4_500.0,
    reuse: 1_000.0,
    ceiling: 8_000.0,
};

/// The rules, in the order of their ids' meaning: cards, then ONUs.
pub fn default_rules() -> Vec<Rule> {
    vec![
        // m78. Pump lasers of EDFA amplifiers only: a healthy Raman card (model ROA…) reads 26.5 dBm for ever.
        Rule {
            measure: Some("pump_power".into()),
            low: Some(12.0),
            high: Some(24.0),
            scope: Scope {
                model: Some("EOA*".into()),
                ..kind("card")
            },
            ..rule(
                "atalaia-pump-power",
                "Pump power out of range",
                "outside",
                "major",
                "Pump power of {name} is {value} {unit}, limit {limit} {unit}",
            )
        },
        // m79. A difference of two dBm is in dB.
        Rule {
            measure: Some("power_signal".into()),
            low: Some(-3.0),
            window_s: Some(3_600),
            scope: kind("card"),
            ..rule(
                "atalaia-power-loss",
                "Power loss of a card",
                "rate",
                "major",
                "Signal power of {name} moved by {value} {unit} within 1 h, limit {limit} {unit}",
            )
        },
        // m80.
        Rule {
            measure: Some("osnr".into()),
            low: Some(15.0),
            raise_after_s: 60,
            scope: kind("card"),
            ..rule(
                "atalaia-osnr-low",
                "OSNR too low",
                "below",
                "major",
                "OSNR of {name} is {value} {unit}, limit {limit} {unit}",
            )
        },
        // m81. What is down or absent is concluded by `status`: twice not up, or missing in a complete inventory.
        Rule {
            states: vec!["down".into(), "absent".into()],
            scope: kind("card"),
            ..rule(
                "atalaia-card-down",
                "Card down",
                "state",
                "critical",
                "Card {name} is {state}, cause {cause}, since {since}",
            )
        },
        // m82 and m163: 2.5 times the interval at which the card is measured, at least 5 minutes.
        Rule {
            scope: kind("card"),
            ..rule(
                "atalaia-card-no-data",
                "No data of a card",
                "no_data",
                "major",
                "Nothing was measured of {name} since {since}",
            )
        },
        // The budget of GPON class B+ ends at −27 dBm for an ONU (ITU-T G.984.2 amendment 1), at −28 dBm for an OLT.
        Rule {
            measure: Some("onu_rx_power".into()),
            low: Some(-27.0),
            raise_after_s: 60,
            clear_after_s: 60,
            scope: kind("onu"),
            ..rule(
                "atalaia-onu-rx-low",
                "Light at an ONU too weak",
                "below",
                "minor",
                "ONU {name} receives {value} {unit}, limit {limit} {unit}",
            )
        },
        Rule {
            measure: Some("onu_rx_power".into()),
            high: Some(-8.0),
            raise_after_s: 60,
            clear_after_s: 60,
            scope: kind("onu"),
            ..rule(
                "atalaia-onu-rx-high",
                "Light at an ONU too strong",
                "above",
                "minor",
                "ONU {name} receives {value} {unit}, limit {limit} {unit}: it may be blinded or damaged",
            )
        },
        Rule {
            measure: Some("olt_rx_power".into()),
            low: Some(-28.0),
            raise_after_s: 60,
            clear_after_s: 60,
            scope: kind("onu"),
            ..rule(
                "atalaia-olt-rx-low",
                "Light of an ONU at the OLT too weak",
                "below",
                "minor",
                "The OLT receives {value} {unit} of ONU {name}, limit {limit} {unit}",
            )
        },
        // m79 for a customer's fibre: a bend, a wet splice.
        Rule {
            measure: Some("onu_rx_power".into()),
            low: Some(-3.0),
            window_s: Some(3_600),
            scope: kind("onu"),
            ..rule(
                "atalaia-onu-power-loss",
                "Light at an ONU fell",
                "rate",
                "minor",
                "Light at ONU {name} moved by {value} {unit} within 1 h, limit {limit} {unit}",
            )
        },
        // m84: off until someone sets the limit that suits the network.
        Rule {
            enabled: false,
            measure: Some("onu_rx_power".into()),
            low: Some(-0.5),
            window_s: Some(3 * 86_400),
            dead_band: 0.1,
            scope: kind("onu"),
            ..rule(
                "atalaia-onu-rx-degrading",
                "Light at an ONU degrades",
                "slope",
                "warning",
                "Light at ONU {name} moves by {value} {unit}, limit {limit} {unit}",
            )
        },
    ]
}

fn kind(kind: &str) -> Scope {
    Scope {
        kind: Some(kind.into()),
        ..Scope::EVERYTHING
    }
}

fn rule(rule_id: &str, name: &str, condition: &str, severity: &str, message: &str) -> Rule {
    Rule {
        rule_id: rule_id.into(),
        version: 1,
        writer: WRITER.into(),
        at: Micros(0),
        author: WRITER.into(),
        removed: false,
        enabled: true,
        name: name.into(),
        description: None,
        severity: severity.into(),
        condition: condition.into(),
        measure: None,
        low: None,
        high: None,
        window_s: None,
        states: Vec::new(),
        causes: Vec::new(),
        dead_band: 0.5,
        raise_after_s: 0,
        clear_after_s: 0,
        reraise_after_s: 900,
        message: message.into(),
        scope: Scope::EVERYTHING,
        flap: Some(FLAP),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::EntityId;

    use super::*;
    use crate::network::About;
    use crate::rules::{CheckedRule, Condition};

    #[test]
    fn they_are_sane_and_each_is_one_of_its_own() {
        let rules = default_rules();
        let ids: BTreeSet<_> = rules.iter().map(|rule| rule.rule_id.clone()).collect();
        assert_eq!(ids.len(), rules.len());
        for rule in &rules {
            let checked = CheckedRule::new(rule).unwrap_or_else(|errors| panic!("{}: {errors:?}", rule.rule_id));
            let is_slope = matches!(checked.condition, Condition::Slope { .. });
            assert_eq!(checked.is_applied(), !is_slope, "{}", rule.rule_id);
        }
        assert_eq!(rules, default_rules());
    }

    #[test]
    fn a_healthy_raman_card_is_no_alarm() {
        let rules = default_rules();
        let rule = rules.iter().find(|rule| rule.rule_id == "atalaia-pump-power").unwrap();
        let rule = CheckedRule::new(rule).unwrap();
        let check = |model: &str, fits: bool| {
            let card = EntityId::parse("default/padtec/nms-1/card/X#374").unwrap();
            let about = About {
                family: Some("AMPLIFIER".into()),
                model: Some(model.into()),
                ..About::default()
            };
            assert_eq!(rule.scope.fits(&card, &about, None), fits, "{model}");
        };
        check("ROA1-HA-E29001-TR", false);
        check("EOA1-HA-E21001-GV", true);
        check("EOA2-HA-E21211-GW", true);
    }
}
