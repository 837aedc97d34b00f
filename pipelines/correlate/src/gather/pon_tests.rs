use model::{EntityId, Position};

use super::*;

fn now(second: i64) -> Now {
    Now {
        log_time: Micros(second * Micros::SECOND),
        observed: Micros(second * Micros::SECOND),
        position: Position {
            generation: 1,
            partition: 0,
            offset: second.unsigned_abs(),
        },
    }
}

/// Told by a trap, or by a reading that was asked for a second ago.
fn news(was: State, state: State, cause: Option<Cause>, second: i64, trap: bool) -> StatusNews {
    let at = Micros(second * Micros::SECOND);
    StatusNews {
        entity: EntityId::parse("default/olt/a/onu/0/1/0/1").unwrap(),
        was: Some(was),
        state: Some(state),
        cause,
        since: at,
        observed_at: at,
        received_at: if trap { at } else { at.plus(Micros::SECOND) },
        about: None,
    }
}

fn lost(pon: &mut Pon, ids: &[u16], cause: Cause, second: i64) {
    for &id in ids {
        let was = if pon.up.has(id) { State::Online } else { State::Unknown };
        pon.onu(id, &news(was, State::Offline, Some(cause), second, true), &now(second));
    }
}

fn online(pon: &mut Pon, ids: &[u16], second: i64) {
    for &id in ids {
        pon.onu(
            id,
            &news(State::Offline, State::Online, None, second, true),
            &now(second),
        );
    }
}

#[test]
fn a_round_of_losses_ends_when_it_is_quiet_or_full() {
    let all: Vec<u16> = (0..64).collect();
    let mut pon = Pon::default();
    online(&mut pon, &all, 0);
    for second in 10..30 {
        let at = usize::try_from(second - 10).unwrap();
        lost(&mut pon, &all[at..=at], Cause::Fibre, second);
        let settled = pon.settle(&now(second)).is_some();
        assert_eq!(settled, second == 18 || second == 27, "{second}");
    }
    assert_eq!(pon.settle(&now(30)), None);
    assert_eq!(pon.settle(&now(31)), Some(2));
    let rounds: Vec<_> = (0..3)
        .map(|n| pon.episode(n).unwrap())
        .map(|e| (e.lost.count(), e.before))
        .collect();
    assert_eq!(rounds, [(9, 64), (9, 55), (2, 46)]);
}

#[test]
fn what_is_lost_together_again_hangs_on_one_splitter() {
    let all: Vec<u16> = (0..64).collect();
    let mut pon = Pon::default();
    online(&mut pon, &all, 0);
    for (round, ids) in [
        (0u32, &all[8..16]),
        (1, &all[8..15]),
        (2, &all[40..48]),
        (3, &all[9..16]),
    ] {
        let second = 100 * i64::from(round) + 10;
        lost(&mut pon, ids, Cause::Unknown, second);
        assert_eq!(pon.settle(&now(second + 2)), Some(round));
        let together = pon.episode(round).unwrap().together;
        assert_eq!(together, [0, 1, 0, 2][usize::try_from(round).unwrap()]);
        pon.learn(round);
        online(&mut pon, ids, second + 50);
        pon.take_changed();
        pon.forget_over();
    }
    // All of the port, or gasps, tell of no splitter.
    lost(&mut pon, &all, Cause::Unknown, 900);
    assert_eq!(pon.settle(&now(902)), Some(4));
    pon.learn(4);
    assert_eq!(pon.splitters.len(), 2);
}

#[test]
fn what_was_out_before_we_looked_is_not_lost() {
    let mut pon = Pon::default();
    let read = news(State::Unknown, State::Offline, Some(Cause::Fibre), 5, false);
    assert_eq!(
        pon.onu(1, &read, &now(6)).began,
        None,
        "a reading may tell of what is years old"
    );
    let trap = news(State::Unknown, State::Offline, Some(Cause::Fibre), 5, true);
    assert_eq!(pon.onu(2, &trap, &now(5)).began, Some(0), "a trap tells of now");
    let seen = news(State::Unknown, State::Online, None, 7, false);
    pon.onu(1, &seen, &now(7));
    pon.onu(1, &news(State::Online, State::Unknown, None, 8, false), &now(8));
    assert!(pon.up.has(1), "what cannot be seen is as it was");
    assert_eq!(
        pon.onu(1, &news(State::Unknown, State::Offline, None, 9, false), &now(9))
            .word,
        "lost"
    );
}

#[test]
fn the_last_word_may_come_after_the_light() {
    let mut pon = Pon::default();
    online(&mut pon, &[1, 2, 3], 0);
    lost(&mut pon, &[1, 2], Cause::Fibre, 10);
    pon.onu(
        1,
        &news(State::Offline, State::Offline, Some(Cause::Power), 11, true),
        &now(11),
    );
    assert_eq!(pon.episode(0).unwrap().gasped, Bits::of(&[1]));
    pon.onu(
        2,
        &news(State::Offline, State::Offline, Some(Cause::Admin), 12, true),
        &now(12),
    );
    assert_eq!(pon.episode(0).unwrap().lost, Bits::of(&[1]), "switched off on purpose");
}

#[test]
fn there_is_room_for_so_many_and_the_lonely_go_first() {
    let mut pon = Pon::default();
    let all: Vec<u16> = (0..200).collect();
    online(&mut pon, &all, 0);
    lost(&mut pon, &[150, 151], Cause::Fibre, 5);
    pon.settle(&now(8));
    let mut gone = Vec::new();
    for n in 0..100u16 {
        let second = 10 + i64::from(n) * 10;
        lost(&mut pon, &[n], Cause::Power, second);
        pon.settle(&now(second + 3));
        gone.extend(pon.take_forgotten());
        gone.iter().for_each(|&number| pon.drop_episode(number));
        assert!(pon.episodes.len() <= EPISODES_MAX);
    }
    assert!(!gone.is_empty() && !gone.contains(&0) && pon.episode(0).is_some());
}
