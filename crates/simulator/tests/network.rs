//! The network: the same for a seed, of the size asked for, and readable as an import file.

use std::collections::BTreeSet;

use model::{Kind, Micros, Tenant};
use simulator::{Network, SizeError};

#[test]
fn a_seed_is_a_network() {
    let network = |seed| Network::generate(seed, 4, 2_000).unwrap().inventory_csv();
    assert_eq!(network(7), network(7));
    assert_ne!(network(7), network(8));
}

#[test]
fn the_size_is_what_was_asked_for() {
    for (olts, onus) in [(1, 0), (1, 1), (4, 2_000), (3, 2_000), (1, 34_816), (250, 1_000)] {
        let network = Network::generate(1, olts, onus).unwrap();
        assert_eq!((network.olts.len(), network.onus().count()), (olts, onus));
        let serials: BTreeSet<_> = network.onus().map(|(_, o)| o.serial).collect();
        let places: BTreeSet<_> = network.onus().map(|(olt, o)| olt.root.onu(o.place)).collect();
        let addresses: BTreeSet<_> = network.olts.iter().map(|o| o.address).collect();
        assert_eq!((serials.len(), places.len(), addresses.len()), (onus, onus, olts));
        let ports: BTreeSet<_> = network
            .olts
            .iter()
            .flat_map(|o| o.pons().map(|p| (&o.root, p)))
            .collect();
        assert!(
            network
                .onus()
                .all(|(olt, o)| o.place.onu < 128 && ports.contains(&(&olt.root, (o.place.slot, o.place.port))))
        );
    }
    assert_eq!(Network::generate(1, 0, 1).unwrap_err(), SizeError::Olts(0));
    assert_eq!(
        Network::generate(1, 1, 34_817).unwrap_err(),
        SizeError::Onus { olts: 1, onus: 34_817 }
    );
}

#[test]
fn both_inventory_files_say_what_the_registrations_say() {
    let network = Network::generate(1, 4, 2_000).unwrap();
    let registered = network.registrations("import", Micros(1));
    for (file, text) in [
        ("a.csv", network.inventory_csv()),
        ("a.jsonl", network.inventory_jsonl()),
    ] {
        let rows = settings::inventory_file::parse(file, &text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(rows.len(), registered.len());
        for (row, registered) in rows.iter().zip(&registered) {
            assert_eq!(row.entity(&Tenant::default()).unwrap().as_str(), registered.entity);
            assert_eq!(row.serial.map(|s| s.to_string()), registered.serial);
            assert_eq!(
                (&row.name, &row.site, &row.description),
                (&registered.name, &registered.site, &registered.description)
            );
            // In the file the address of an OLT is left to its `[[olt]]`.
            assert_eq!(
                (&row.model, &row.attributes),
                (&registered.model, &registered.attributes)
            );
        }
    }
    assert_eq!(
        registered.iter().filter(|r| r.kind == Kind::Onu.as_str()).count(),
        2_000
    );
}

#[test]
fn the_olt_entries_are_a_configuration() {
    let network = Network::generate(1, 4, 100).unwrap();
    let no_variables: [(String, String); 0] = [];
    let settings = settings::load_text("a.toml", &network.olt_entries(), ".".as_ref(), no_variables).unwrap();
    let known: Vec<_> = settings
        .olts
        .iter()
        .map(|o| (o.name.as_str(), o.address.to_string()))
        .collect();
    assert_eq!(known[0], ("rjo-01", "127.10.0.1".to_owned()));
    assert_eq!(known.len(), 4);
}
