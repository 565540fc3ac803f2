//! Lines between hosts that are cut, without any host hearing of it, and mended.

use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::audit::audit;
use super::ground::Fleet;
use super::hosts::Hosts;
use super::kinds::Hands;
use super::life::{ALL, carry, level};
use crate::chain::ground::Ground;

/// Four nodes, each on a host of its own. The hosts go last.
struct Place {
    fleet: Fleet,
    hands: Hands,
    hosts: Hosts,
}

/// `None` where the machine gives no hosts.
fn place() -> Option<Place> {
    let hosts = Hosts::new(ALL.len())?;
    let ground = Rc::new(Ground::new());
    let mut fleet = Fleet::found(&ground, "chain-z", &[]);
    hosts.house(&mut fleet);
    let mut hands = Hands::of(&fleet);
    fleet.start_all();
    for node in ALL {
        carry(&mut fleet, (node, &ALL), &hands.deposit(1));
    }
    Some(Place {
        fleet,
        hands,
        hosts,
    })
}

impl Place {
    fn heights(&self) -> Vec<u64> {
        let heights = ALL.map(|node| self.fleet.height(node));
        assert!(!heights.contains(&0), "{}", self.fleet.logs());
        heights.into()
    }

    /// All end, and their stores hold one chain; how far it got.
    fn close(mut self) -> u64 {
        let last = level(&mut self.fleet);
        for node in ALL {
            assert_eq!(self.fleet.end(node).code(), Some(0));
        }
        let found = audit(&self.fleet);
        let grown = found.heights.iter().all(|height| *height >= last.height);
        assert!(grown, "{found:?} after {last:?}");
        last.height
    }
}

/// Nothing is final on either side of an even cut; what clients said meanwhile is, when it is mended.
fn halves(seconds: u64) {
    let Some(mut place) = place() else {
        return;
    };
    place.hosts.cut(&[3, 4]);
    let before = place.heights().into_iter().max().unwrap();
    let said = [place.hands.round(1), place.hands.round(2)];
    let names = [(1, &said[0]), (3, &said[1])].map(|(node, it)| place.fleet.send(node, it));
    // What was under way when the line was cut is final by then.
    sleep(Duration::from_secs(3));
    let heights = place.heights();
    let highest = heights.iter().max().unwrap();
    assert!(*highest <= before + 2, "{heights:?} after {before}");
    let until = Instant::now() + Duration::from_secs(seconds - 3);
    while Instant::now() < until {
        assert_eq!(place.heights(), heights);
        sleep(Duration::from_millis(200));
    }
    place.hosts.heal();
    let mended = Instant::now();
    for name in &names {
        place.fleet.wait_final(&ALL, name);
    }
    eprintln!(
        "measured: 2|2 for {seconds} s, all go on {:.1} s after it was mended",
        mended.elapsed().as_secs_f64()
    );
    let height = place.close();
    assert!(height > *highest);
}

/// Three go on without the fourth, which comes to where they are when the line is mended.
fn one_away(seconds: u64) {
    let Some(mut place) = place() else {
        return;
    };
    place.hosts.cut(&[4]);
    let until = Instant::now() + Duration::from_secs(seconds);
    let three = [1, 2, 3];
    let (mut alone, mut number) = (None, 0);
    while Instant::now() < until || number < 3 {
        number += 1;
        let round = place.hands.round(number);
        carry(&mut place.fleet, (1 + number as usize % 3, &three), &round);
        // What was under way has come when the first is final on the others.
        let height = place.fleet.height(4);
        assert_eq!(*alone.get_or_insert(height), height);
    }
    let goal = place.fleet.height(1);
    assert!(goal >= alone.unwrap() + 3, "{goal} against {alone:?}");
    place.hosts.heal();
    let mended = Instant::now();
    place.fleet.wait_height(&[4], goal);
    eprintln!(
        "measured: 3|1 for {seconds} s, {} blocks caught up {:.1} s after it was mended",
        goal - alone.unwrap(),
        mended.elapsed().as_secs_f64()
    );
    let last = place.hands.round(number + 1);
    carry(&mut place.fleet, (4, &ALL), &last);
    place.close();
}

#[test]
fn nothing_is_final_while_two_of_four_hosts_are_cut_off_and_all_go_on_afterwards() {
    halves(8);
}

#[test]
fn three_of_four_hosts_go_on_and_the_fourth_catches_up_when_its_line_is_mended() {
    one_away(8);
}

mod slow {
    /// Of every length: what was sent is repeated ever more rarely, and connections are given up at some time.
    #[test]
    fn slow_cuts_shorter_and_longer_than_a_connection_lives_heal() {
        if std::env::var_os("TIELINE_SLOW").is_none() {
            eprintln!("left out: 1 test, set TIELINE_SLOW=1");
            return;
        }
        for seconds in [4, 15, 40] {
            super::one_away(seconds);
            super::halves(seconds);
        }
    }
}
