//! Where a serial number is: at the place where it was sighted last.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Network, ROOT, entity, registration, seconds};

const SERIAL: &str = "HWTCB6113C9D";

fn sight(network: &mut Network, below: &str, at_s: i64) -> common::Did {
    let record = schemas::DeviceRegistered {
        serial: Some(SERIAL.into()),
        ..registration(&entity(below), "onu", seconds(at_s))
    };
    network.feed(record, ROOT, seconds(at_s))
}

fn place_of_last_sighting(network: &Network) -> &str {
    let carriers = network
        .inventory
        .values()
        .filter(|e| e.serial.as_deref() == Some(SERIAL));
    &carriers.max_by_key(|e| e.serial_since).unwrap().entity
}

#[test]
fn an_onu_that_moves_away_and_back_is_where_it_was_sighted_last() {
    let (a, b) = ("onu/0/3/5/1", "onu/0/3/6/2");
    let mut network = Network::default();
    for (below, at_s) in [(a, 0), (b, 100), (a, 200)] {
        sight(&mut network, below, at_s);
        assert_eq!(place_of_last_sighting(&network), entity(below), "at {at_s} s");
    }
    // What comes late moves nothing.
    sight(&mut network, b, 150);
    assert_eq!(place_of_last_sighting(&network), entity(a));
}

#[test]
fn a_sighting_again_is_a_row_of_inventory_and_nothing_that_people_read() {
    let mut network = Network::default();
    sight(&mut network, "onu/0/3/5/1", 0);
    let again = sight(&mut network, "onu/0/3/5/1", 100);
    assert_eq!(again.events, []);
    assert_eq!((again.status_rows, again.inventory_rows), (0, 1));
    let the_same = sight(&mut network, "onu/0/3/5/1", 100);
    assert_eq!((the_same.status_rows, the_same.inventory_rows), (0, 0));
}
